CREATE TABLE IF NOT EXISTS users (
    id           BIGINT       NOT NULL COMMENT 'Telegram user id, up to 52 bits, chosen by Telegram',
    username     VARCHAR(64)  NULL     COMMENT 'without @, as last seen',
    first_name   VARCHAR(255) NOT NULL COMMENT 'as last seen; Telegram may send an empty one',
    last_name    VARCHAR(255) NULL     COMMENT 'as last seen',
    language     VARCHAR(8)   CHARACTER SET ascii NOT NULL COMMENT 'language of the menus: es, en or ru',
    status       VARCHAR(16)  CHARACTER SET ascii NOT NULL COMMENT 'active, banned or blocked (the person blocked the bot)',
    referrer     VARCHAR(64)  NULL     COMMENT 'code of the ref_ deep link the person came by, stored once',
    created_at   DATETIME(6)  NOT NULL COMMENT 'first seen, UTC',
    last_seen_at DATETIME(6)  NOT NULL COMMENT 'last activity, UTC, written at most once a minute',
    PRIMARY KEY (id),
    KEY users_by_username (username),
    KEY users_by_created (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'everybody who ever wrote to a bot';
