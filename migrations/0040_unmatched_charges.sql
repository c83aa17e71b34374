CREATE TABLE IF NOT EXISTS unmatched_charges (
    id          BIGINT         NOT NULL AUTO_INCREMENT,
    provider    VARCHAR(16)    CHARACTER SET ascii NOT NULL COMMENT 'stars, qvapay, ...',
    charge_hash BINARY(32)     NOT NULL COMMENT 'SHA-256 of charge_id',
    charge_id   TEXT           NOT NULL COMMENT 'the provider''s id of the money, needed to refund it',
    payer       BIGINT         NULL     COMMENT 'Telegram id, where the provider tells it',
    payment_id  BIGINT         NULL     COMMENT 'payments.id of the order it names, when there is one',
    amount      DECIMAL(20, 8) NULL     COMMENT 'NULL when the provider wrote no plain number',
    currency    VARCHAR(8)     CHARACTER SET ascii NOT NULL,
    reason      VARCHAR(255)   NOT NULL COMMENT 'why it was not credited',
    resolved_at DATETIME(6)    NULL     COMMENT 'UTC, when a human settled it',
    created_at  DATETIME(6)    NOT NULL COMMENT 'UTC',
    PRIMARY KEY (id),
    UNIQUE KEY unmatched_charges_once (provider, charge_hash),
    KEY unmatched_charges_open (resolved_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'money that came and fits no order: open reviews, never lost';
