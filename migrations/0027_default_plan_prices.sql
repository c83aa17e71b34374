-- The prices of the default catalogue, only while no plan has any.
INSERT INTO plan_prices (plan_id, currency, amount)
SELECT plans.id, seed.currency, seed.amount
FROM (
    SELECT 'week' AS code, 'XTR' AS currency, 75 AS amount
    UNION ALL SELECT 'week', 'USD', 1.49
    UNION ALL SELECT 'week', 'RUB', 119
    UNION ALL SELECT 'month', 'XTR', 250
    UNION ALL SELECT 'month', 'USD', 4.99
    UNION ALL SELECT 'month', 'RUB', 399
    UNION ALL SELECT 'quarter', 'XTR', 650
    UNION ALL SELECT 'quarter', 'USD', 12.99
    UNION ALL SELECT 'quarter', 'RUB', 999
    UNION ALL SELECT 'year', 'XTR', 2200
    UNION ALL SELECT 'year', 'USD', 43.99
    UNION ALL SELECT 'year', 'RUB', 3499
) AS seed
JOIN plans ON plans.code = seed.code
WHERE NOT EXISTS (SELECT 1 FROM plan_prices);
