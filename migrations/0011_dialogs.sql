CREATE TABLE IF NOT EXISTS dialogs (
    bot        VARCHAR(8)  CHARACTER SET ascii NOT NULL COMMENT 'client, support or admin',
    chat_id    BIGINT      NOT NULL COMMENT 'Telegram chat id',
    state      TEXT        NOT NULL COMMENT 'JSON of the dialog: which answer the bot waits for',
    updated_at DATETIME(6) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (bot, chat_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'conversations that wait for an answer; survive a restart';
