CREATE TABLE IF NOT EXISTS plans (
    id            BIGINT      NOT NULL AUTO_INCREMENT,
    code          VARCHAR(32) CHARACTER SET ascii NOT NULL COMMENT 'short name for operators, e.g. month',
    duration_days INT UNSIGNED NOT NULL COMMENT 'days of access one purchase gives',
    traffic_mb    BIGINT UNSIGNED NULL COMMENT 'traffic one purchase gives, in MiB; NULL = unlimited',
    device_limit  INT UNSIGNED NOT NULL COMMENT 'configs at the same time',
    popular       BOOLEAN     NOT NULL DEFAULT FALSE COMMENT 'shown with a star',
    active        BOOLEAN     NOT NULL DEFAULT TRUE COMMENT 'on sale',
    position      INT         NOT NULL DEFAULT 0 COMMENT 'order in the list',
    created_at    DATETIME(6) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (id),
    UNIQUE KEY plans_code (code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'what is sold';
