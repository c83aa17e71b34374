ALTER TABLE user_roles
    ADD COLUMN ended_at DATETIME(6) NULL COMMENT 'UTC, when the end of the role was written down; an earlier one is of an earlier grant';
