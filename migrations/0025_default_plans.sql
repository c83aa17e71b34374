-- The default catalogue, only where there is none: an operator's own is never touched.
INSERT INTO plans (code, duration_days, traffic_mb, device_limit, popular, active, position, created_at)
SELECT seed.code, seed.days, seed.traffic_mb, seed.devices, seed.popular, TRUE, seed.position, UTC_TIMESTAMP(6)
FROM (
    SELECT 'week' AS code, 7 AS days, 51200 AS traffic_mb, 2 AS devices, FALSE AS popular, 10 AS position
    UNION ALL SELECT 'month', 30, 204800, 3, TRUE, 20
    UNION ALL SELECT 'quarter', 90, 614400, 4, FALSE, 30
    UNION ALL SELECT 'year', 365, 2457600, 5, FALSE, 40
) AS seed
WHERE NOT EXISTS (SELECT 1 FROM plans);
