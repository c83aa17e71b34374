CREATE TABLE IF NOT EXISTS audit_logs (
    id         BIGINT      NOT NULL AUTO_INCREMENT COMMENT 'never assumed to be consecutive',
    user_id    BIGINT      NULL     COMMENT 'who did it; NULL = SYSTEM',
    action     VARCHAR(64) CHARACTER SET ascii NOT NULL COMMENT 'e.g. role_granted; {action}_error for a failure',
    target     VARCHAR(96) NULL     COMMENT 'what it was done to, e.g. user:42, payment:7',
    details    TEXT        NOT NULL COMMENT 'JSON object; never a secret',
    event_id   BINARY(16)  NULL     COMMENT 'inbound_events.id or jobs.id that caused it',
    created_at DATETIME(6) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (id),
    KEY audit_logs_by_user (user_id, id),
    KEY audit_logs_by_action (action, id),
    KEY audit_logs_by_target (target, id),
    KEY audit_logs_by_created (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'what was changed, by whom; written in the transaction of the change';
