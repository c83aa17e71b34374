CREATE TABLE IF NOT EXISTS user_roles (
    user_id    BIGINT      NOT NULL COMMENT 'users.id',
    role       VARCHAR(32) CHARACTER SET ascii NOT NULL COMMENT 'admin, superadmin or a named role',
    granted_by BIGINT      NULL     COMMENT 'users.id of the grantor; NULL = SYSTEM (command line)',
    granted_at DATETIME(6) NOT NULL COMMENT 'UTC',
    expires_at DATETIME(6) NULL     COMMENT 'UTC; the role stops working at this instant; NULL = never',
    PRIMARY KEY (user_id, role),
    KEY user_roles_by_role (role, expires_at),
    CONSTRAINT user_roles_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'roles given to people; those named in the environment are not here';
