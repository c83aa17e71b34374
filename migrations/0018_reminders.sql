CREATE TABLE IF NOT EXISTS reminders (
    subscription_id BIGINT      NOT NULL COMMENT 'subscriptions.id',
    ends_at         DATETIME(6) NOT NULL COMMENT 'the end it speaks of: an extended subscription is reminded anew',
    kind            VARCHAR(16) CHARACTER SET ascii NOT NULL COMMENT 'three_days, one_day, ended, traffic_80, traffic_out',
    created_at      DATETIME(6) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (subscription_id, ends_at, kind),
    CONSTRAINT reminders_subscription FOREIGN KEY (subscription_id) REFERENCES subscriptions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'each reminder once';
