CREATE TABLE IF NOT EXISTS jobs (
    id         BINARY(16)  NOT NULL COMMENT 'UUIDv7 made in process',
    lane       VARCHAR(96) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'lanes.lane; jobs of one lane run one at a time, in order',
    kind       VARCHAR(40) CHARACTER SET ascii NOT NULL COMMENT 'name of the job, e.g. provision',
    payload    TEXT        NOT NULL COMMENT 'JSON of models::job::Job: ids, never secrets',
    status     VARCHAR(12) CHARACTER SET ascii NOT NULL COMMENT 'pending, done or dead',
    queued_key VARCHAR(96) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'set until the job is first claimed: the same work is not queued twice',
    cause_id   BINARY(16)  NULL     COMMENT 'event or job that caused it',
    attempts   INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'started runs, counted at the claim',
    error      TEXT        NULL     COMMENT 'why the last run failed',
    created_at DATETIME(6) NOT NULL COMMENT 'UTC',
    done_at    DATETIME(6) NULL     COMMENT 'UTC, when it became done or dead',
    PRIMARY KEY (id),
    UNIQUE KEY jobs_queued_once (queued_key),
    KEY jobs_next (status, lane, id),
    KEY jobs_purge (status, done_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'work outside the database, done after the commit that asked for it';
