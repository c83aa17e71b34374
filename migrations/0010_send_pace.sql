CREATE TABLE IF NOT EXISTS send_pace (
    bot          VARCHAR(8)  CHARACTER SET ascii NOT NULL COMMENT 'client, support or admin',
    next_slot_at DATETIME(6) NOT NULL COMMENT 'first instant at which a message may leave that no process has reserved, UTC',
    paused_until DATETIME(6) NOT NULL COMMENT 'Telegram said retry_after for the whole bot, UTC',
    PRIMARY KEY (bot)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'the rate of each bot, shared by all copies of the server';
