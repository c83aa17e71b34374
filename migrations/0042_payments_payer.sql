ALTER TABLE payments
    ADD COLUMN payer BIGINT NULL COMMENT 'Telegram id of who paid, where the provider tells it; money goes back to them' AFTER paid_currency;
