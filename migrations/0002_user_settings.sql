CREATE TABLE IF NOT EXISTS user_settings (
    user_id    BIGINT       NOT NULL COMMENT 'users.id',
    name       VARCHAR(64)  CHARACTER SET ascii NOT NULL COMMENT 'name of the setting, e.g. device_os',
    value      VARCHAR(255) NOT NULL COMMENT 'its value as text',
    updated_at DATETIME(6)  NOT NULL COMMENT 'UTC',
    PRIMARY KEY (user_id, name),
    CONSTRAINT user_settings_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'what a person chose';
