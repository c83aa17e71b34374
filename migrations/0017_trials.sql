CREATE TABLE IF NOT EXISTS trials (
    user_id         BIGINT      NOT NULL COMMENT 'users.id; the row is the proof that the trial was used, for ever',
    subscription_id BIGINT      NOT NULL COMMENT 'subscriptions.id',
    created_at      DATETIME(6) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (user_id),
    CONSTRAINT trials_user FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'one trial per Telegram account';
