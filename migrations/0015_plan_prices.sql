CREATE TABLE IF NOT EXISTS plan_prices (
    plan_id  BIGINT         NOT NULL COMMENT 'plans.id',
    currency VARCHAR(8)     CHARACTER SET ascii NOT NULL COMMENT 'XTR, USD, RUB, ...',
    amount   DECIMAL(20, 8) NOT NULL COMMENT 'exact; XTR is whole Stars',
    PRIMARY KEY (plan_id, currency),
    CONSTRAINT plan_prices_plan FOREIGN KEY (plan_id) REFERENCES plans (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'a price per currency; no price, not sold in it';
