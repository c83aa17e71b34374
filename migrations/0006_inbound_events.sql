CREATE TABLE IF NOT EXISTS inbound_events (
    id          BINARY(16)   NOT NULL COMMENT 'UUIDv7 made in process: ordered by arrival',
    source      VARCHAR(32)  CHARACTER SET ascii NOT NULL COMMENT 'telegram:client, telegram:support, telegram:admin, qvapay',
    dedupe_key  VARCHAR(160) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'update id, transaction uuid, or a hash of the body',
    lane        VARCHAR(96)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'lanes.lane; events of one lane take effect in order',
    class       TINYINT UNSIGNED NOT NULL COMMENT '0 urgent (pre-checkout), 1 the rest',
    status      VARCHAR(12)  CHARACTER SET ascii NOT NULL COMMENT 'pending, done or dead',
    body        MEDIUMBLOB   NOT NULL COMMENT 'as received, byte for byte',
    context     TEXT         NOT NULL COMMENT 'what the route knew besides the body: JSON, e.g. the payment behind a callback address',
    attempts    INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'failed handlings',
    error       TEXT         NULL     COMMENT 'why it is dead, or why the last handling failed',
    received_at DATETIME(6)  NOT NULL COMMENT 'UTC',
    done_at     DATETIME(6)  NULL     COMMENT 'UTC, when it became done or dead',
    PRIMARY KEY (id),
    UNIQUE KEY inbound_events_once (source, dedupe_key),
    KEY inbound_events_next (status, lane, id),
    KEY inbound_events_purge (status, done_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'every webhook delivery, stored before it is acknowledged';
