CREATE TABLE IF NOT EXISTS ledger_entries (
    id         BIGINT         NOT NULL AUTO_INCREMENT,
    payment_id BIGINT         NOT NULL COMMENT 'payments.id',
    user_id    BIGINT         NOT NULL COMMENT 'users.id',
    kind       VARCHAR(12)    CHARACTER SET ascii NOT NULL COMMENT 'payment (in) or refund (out)',
    amount     DECIMAL(20, 8) NOT NULL COMMENT 'positive',
    currency   VARCHAR(8)     CHARACTER SET ascii NOT NULL,
    created_at DATETIME(6)    NOT NULL COMMENT 'UTC',
    PRIMARY KEY (id),
    UNIQUE KEY ledger_entries_once (payment_id, kind),
    KEY ledger_entries_by_created (created_at),
    CONSTRAINT ledger_entries_payment FOREIGN KEY (payment_id) REFERENCES payments (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'money in and out, each movement once';
