CREATE TABLE IF NOT EXISTS lanes (
    queue      TINYINT UNSIGNED NOT NULL COMMENT '0 inbox, 1 outbox, 2 jobs',
    lane       VARCHAR(96) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'what is handled in order, e.g. the chat client:42',
    class      TINYINT UNSIGNED NOT NULL COMMENT 'most urgent class waiting: 0 urgent, 1 interactive, 2 notice, 3 bulk',
    due_at     DATETIME(6) NOT NULL COMMENT 'from when it may be claimed; while leased, when the lease ends; 9999 = idle',
    not_before DATETIME(6) NOT NULL COMMENT 'pace: new work never makes the lane due before this',
    owner      BINARY(16)  NULL     COMMENT 'token of the lease; NULL = free',
    version    BIGINT UNSIGNED NOT NULL COMMENT 'raised by every enqueue; a release that missed one fails',
    attempts   INT UNSIGNED NOT NULL COMMENT 'claims since the last progress',
    PRIMARY KEY (queue, lane),
    KEY lanes_claim (queue, class, due_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'the one lease of inbox, outbox and jobs';
