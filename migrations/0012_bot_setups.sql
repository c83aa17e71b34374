CREATE TABLE IF NOT EXISTS bot_setups (
    bot         VARCHAR(8)  CHARACTER SET ascii NOT NULL COMMENT 'client, support or admin',
    topic       VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'webhook, commands:es, name:ru, ...',
    fingerprint CHAR(64)    CHARACTER SET ascii NOT NULL COMMENT 'SHA-256 of what was set, in hex',
    updated_at  DATETIME(6) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (bot, topic)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'what was last set at Telegram, so that a start changes nothing needlessly';
