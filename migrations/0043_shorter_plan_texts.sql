-- The facts stand beside the description wherever it is shown; only words that are still the default catalogue's change.
UPDATE plan_texts
JOIN plans ON plans.id = plan_texts.plan_id
JOIN (
    SELECT 'week' AS code, 'es' AS language,
        '7 días, 50 GB, 2 dispositivos a la vez. Para un viaje o para conocernos.' AS seeded,
        'Para un viaje o para conocernos.' AS shorter
    UNION ALL SELECT 'week', 'en', '7 days, 50 GB, 2 devices at once. For a trip, or to get to know us.',
        'For a trip, or to get to know us.'
    UNION ALL SELECT 'week', 'ru', '7 дней, 50 ГБ, 2 устройства одновременно. Для поездки или знакомства с нами.',
        'Для поездки или знакомства с нами.'
    UNION ALL SELECT 'month', 'es',
        '30 días, 200 GB, 3 dispositivos a la vez. Teléfono, portátil y tableta, todos los días.',
        'Teléfono, computadora y tableta, todos los días.'
    UNION ALL SELECT 'month', 'en', '30 days, 200 GB, 3 devices at once. Phone, laptop and tablet, every day.',
        'Phone, laptop and tablet, every day.'
    UNION ALL SELECT 'month', 'ru',
        '30 дней, 200 ГБ, 3 устройства одновременно. Телефон, ноутбук и планшет на каждый день.',
        'Телефон, ноутбук и планшет на каждый день.'
    UNION ALL SELECT 'quarter', 'es', '90 días, 600 GB, 4 dispositivos a la vez. Más barato que mes a mes.',
        'Más barato que mes a mes.'
    UNION ALL SELECT 'quarter', 'en', '90 days, 600 GB, 4 devices at once. Cheaper than month by month.',
        'Cheaper than month by month.'
    UNION ALL SELECT 'quarter', 'ru', '90 дней, 600 ГБ, 4 устройства одновременно. Дешевле, чем помесячно.',
        'Дешевле, чем помесячно.'
    UNION ALL SELECT 'year', 'es', '365 días, 2400 GB, 5 dispositivos a la vez. El mejor precio por mes.',
        'El mejor precio por mes.'
    UNION ALL SELECT 'year', 'en', '365 days, 2400 GB, 5 devices at once. The best price per month.',
        'The best price per month.'
    UNION ALL SELECT 'year', 'ru', '365 дней, 2400 ГБ, 5 устройств одновременно. Лучшая цена за месяц.',
        'Лучшая цена за месяц.'
) AS words ON words.code = plans.code AND words.language = plan_texts.language
SET plan_texts.description = words.shorter
WHERE plan_texts.description = words.seeded;
