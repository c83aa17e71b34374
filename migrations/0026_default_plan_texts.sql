-- The words of the default catalogue, only while no plan has any.
INSERT INTO plan_texts (plan_id, language, name, description)
SELECT plans.id, seed.language, seed.name, seed.description
FROM (
    SELECT 'week' AS code, 'es' AS language, 'VPN 1 semana' AS name,
        '7 días, 50 GB, 2 dispositivos a la vez. Para un viaje o para conocernos.' AS description
    UNION ALL SELECT 'week', 'en', 'VPN 1 week',
        '7 days, 50 GB, 2 devices at once. For a trip, or to get to know us.'
    UNION ALL SELECT 'week', 'ru', 'VPN на неделю',
        '7 дней, 50 ГБ, 2 устройства одновременно. Для поездки или знакомства с нами.'
    UNION ALL SELECT 'month', 'es', 'VPN 1 mes',
        '30 días, 200 GB, 3 dispositivos a la vez. Teléfono, portátil y tableta, todos los días.'
    UNION ALL SELECT 'month', 'en', 'VPN 1 month',
        '30 days, 200 GB, 3 devices at once. Phone, laptop and tablet, every day.'
    UNION ALL SELECT 'month', 'ru', 'VPN на месяц',
        '30 дней, 200 ГБ, 3 устройства одновременно. Телефон, ноутбук и планшет на каждый день.'
    UNION ALL SELECT 'quarter', 'es', 'VPN 3 meses',
        '90 días, 600 GB, 4 dispositivos a la vez. Más barato que mes a mes.'
    UNION ALL SELECT 'quarter', 'en', 'VPN 3 months',
        '90 days, 600 GB, 4 devices at once. Cheaper than month by month.'
    UNION ALL SELECT 'quarter', 'ru', 'VPN на 3 месяца',
        '90 дней, 600 ГБ, 4 устройства одновременно. Дешевле, чем помесячно.'
    UNION ALL SELECT 'year', 'es', 'VPN 1 año',
        '365 días, 2400 GB, 5 dispositivos a la vez. El mejor precio por mes.'
    UNION ALL SELECT 'year', 'en', 'VPN 1 year',
        '365 days, 2400 GB, 5 devices at once. The best price per month.'
    UNION ALL SELECT 'year', 'ru', 'VPN на год',
        '365 дней, 2400 ГБ, 5 устройств одновременно. Лучшая цена за месяц.'
) AS seed
JOIN plans ON plans.code = seed.code
WHERE NOT EXISTS (SELECT 1 FROM plan_texts);
