-- A house that has grown, in sets: 1,000,000 people at @scale = 1. Run by benches/load/crowd.rs on a migrated database,
-- statement after statement on one connection; every row is made by number, so that ids need not be asked for.
SET SESSION unique_checks = 0, foreign_key_checks = 0, sql_mode = '';
SET @now = UTC_TIMESTAMP(6);
-- How much there is of each.
SET @people = CEIL(@scale * 1000000), @trials = CEIL(@scale * 80000), @plans = CEIL(@scale * 120000),
    @audits = CEIL(@scale * 5000000), @jobs = CEIL(@scale * 50000), @done = CEIL(@scale * 300000);
-- Telegram ids of these people follow this one; configs on one server; hosts in a pool.
SET @first = 2000000000, @a_server = 5000, @a_pool = 16000;
SET @subscription = (SELECT COALESCE(MAX(id), 0) FROM subscriptions),
    @payment = (SELECT COALESCE(MAX(id), 0) FROM payments),
    @config = (SELECT COALESCE(MAX(id), 0) FROM vpn_configs),
    @server = (SELECT COALESCE(MAX(id), 0) FROM servers),
    @pool = (SELECT COALESCE(MAX(id), 0) FROM address_pools);

-- People of two years; one of five has no username, one of twenty has blocked the bot.
INSERT INTO users (id, username, first_name, last_name, language, status, referrer, created_at, last_seen_at)
SELECT @first + seq, IF(seq % 5 = 0, NULL, CONCAT('somebody_', seq)), CONCAT('Ana ', seq % 1000),
    IF(seq % 3 = 0, 'García', NULL), ELT(1 + seq % 3, 'es', 'en', 'ru'),
    CASE WHEN seq % 20 = 0 THEN 'blocked' WHEN seq % 500 = 1 THEN 'banned' ELSE 'active' END,
    IF(seq % 10 = 0, 'spring', NULL), @now - INTERVAL (@people - seq) * 63072000 / @people SECOND,
    @now - INTERVAL MOD(seq * 7919, 1 + FLOOR((@people - seq) * 63072000 / @people)) SECOND
FROM seq_1_to_1000000 WHERE seq <= @people;
INSERT INTO user_settings (user_id, name, value, updated_at)
SELECT @first + seq, 'device_os', ELT(1 + seq % 4, 'android', 'ios', 'windows', 'linux'), @now - INTERVAL 90 DAY
FROM seq_1_to_1000000 WHERE seq <= @people AND seq % 3 = 0;
INSERT INTO dialogs (bot, chat_id, state, updated_at)
SELECT 'client', @first + seq, '{}', @now - INTERVAL 1 DAY FROM seq_1_to_1000000 WHERE seq <= @people AND seq % 100 = 0;

-- Trials, by number from 1 on; of four, three are over and one runs. None ends or is reminded of its end within days.
INSERT INTO subscriptions (id, user_id, product, plan_id, status, starts_at, ends_at, device_limit, allowance, used,
    renews, created_at, updated_at)
SELECT @subscription + seq, @first + seq, 'trial', NULL, IF(seq % 4 = 0, 'active', 'expired'), starts, starts + INTERVAL 14 DAY,
    1, 1048576000, MOD(seq * 7919, 800000000), FALSE, starts, IF(seq % 4 = 0, starts, starts + INTERVAL 17 DAY)
FROM (SELECT seq, @now - INTERVAL IF(seq % 4 = 0, 1 + seq % 9, 20 + seq % 600) DAY - INTERVAL MOD(seq * 131, 86400) SECOND AS starts
    FROM seq_1_to_1000000 WHERE seq <= @trials) AS made;
INSERT INTO trials (user_id, subscription_id, created_at)
SELECT user_id, id, starts_at FROM subscriptions WHERE id > @subscription AND id <= @subscription + @trials;

-- What was bought follows: of five, three run, one rests in its grace time, one is over. Each lasts as long as the payments
-- below are worth: two of its plan, or one where the second went back.
INSERT INTO subscriptions (id, user_id, product, plan_id, status, starts_at, ends_at, device_limit, allowance, used,
    renews, created_at, updated_at)
SELECT @subscription + @trials + seq, @first + seq, CONCAT('plan:', plan.id), plan.id,
    CASE seq % 5 WHEN 3 THEN 'suspended' WHEN 4 THEN 'expired' ELSE 'active' END,
    ends - INTERVAL times * plan.duration_days DAY, ends, plan.device_limit, plan.traffic_mb * 1048576,
    MOD(seq * 7919, 1000000000), FALSE, ends - INTERVAL times * plan.duration_days DAY, @now - INTERVAL 1 HOUR
FROM (SELECT seq, IF((@plans + seq) % 50 = 1, 1, 2) AS times, CASE seq % 5
        WHEN 3 THEN @now - INTERVAL 1 + seq % 24 HOUR
        WHEN 4 THEN @now - INTERVAL 10 + seq % 400 DAY
        ELSE @now + INTERVAL 96 + MOD(seq * 131, 20) HOUR END AS ends
    FROM seq_1_to_1000000 WHERE seq <= @plans) AS made
JOIN (SELECT plans.*, ROW_NUMBER() OVER (ORDER BY id) - 1 AS place, COUNT(*) OVER () AS kinds FROM plans) AS plan
    ON plan.place = made.seq % plan.kinds;
INSERT INTO reminders (subscription_id, ends_at, kind, created_at)
SELECT id, ends_at, 'ended', ends_at FROM subscriptions WHERE id > @subscription AND status IN ('suspended', 'expired');

-- Each was paid twice, four of five with Stars; one of fifty second payments went back.
INSERT INTO payments (id, order_ref, user_id, plan_id, provider, amount, currency, duration_days, traffic_mb, device_limit,
    status, invoice_id, charge_id, charge_hash, paid_amount, paid_currency, subscription_id, expires_at, checked_at,
    completed_at, refunded_at, created_at, updated_at)
SELECT @payment + seq, CONCAT('ord_CROWD', LPAD(seq, 12, '0')), user_id, plan.id, provider, price.amount, price.currency,
    plan.duration_days, plan.traffic_mb, plan.device_limit, IF(back, 'refunded', 'completed'),
    IF(provider = 'qvapay', CONCAT('crowd-', seq), NULL), CONCAT('crowd-charge-', seq),
    UNHEX(SHA2(CONCAT('crowd-charge-', seq), 256)), price.amount, price.currency, subscription_id, paid + INTERVAL 1 HOUR,
    paid, paid, IF(back, paid + INTERVAL 12 HOUR, NULL), paid, paid
FROM (SELECT seq, IF(seq % 5 = 0, 'qvapay', 'stars') AS provider, seq > @plans AND seq % 50 = 1 AS back,
        s.id AS subscription_id, s.user_id, s.plan_id, s.starts_at + INTERVAL IF(seq > @plans, 1, 0) DAY AS paid
    FROM seq_1_to_1000000 JOIN subscriptions AS s ON s.id = @subscription + @trials + 1 + (seq - 1) % @plans
    WHERE seq <= 2 * @plans) AS made
JOIN plans AS plan ON plan.id = made.plan_id
JOIN plan_prices AS price ON price.plan_id = plan.id AND price.currency = IF(made.provider = 'stars', 'XTR', 'USD');
INSERT INTO ledger_entries (payment_id, user_id, kind, amount, currency, created_at)
SELECT id, user_id, 'payment', paid_amount, paid_currency, completed_at FROM payments
WHERE id > @payment AND id <= @payment + 2 * @plans;
INSERT INTO ledger_entries (payment_id, user_id, kind, amount, currency, created_at)
SELECT id, user_id, 'refund', paid_amount, paid_currency, refunded_at FROM payments
WHERE id > @payment AND id <= @payment + 2 * @plans AND status = 'refunded';
-- And half as many orders that nobody paid.
INSERT INTO payments (id, order_ref, user_id, plan_id, provider, amount, currency, duration_days, traffic_mb, device_limit,
    status, expires_at, created_at, updated_at)
SELECT @payment + 2 * @plans + seq, CONCAT('ord_CROWD', LPAD(2 * @plans + seq, 12, '0')), @first + seq, plan.id, 'stars', 100,
    'XTR', plan.duration_days, plan.traffic_mb, plan.device_limit, 'expired', made_at + INTERVAL 1 HOUR, made_at, made_at
FROM (SELECT seq, @now - INTERVAL 2 + seq % 500 DAY AS made_at FROM seq_1_to_1000000 WHERE seq <= @plans) AS made
JOIN (SELECT * FROM plans ORDER BY id LIMIT 1) AS plan;

-- Servers of both kinds on machines that are not this one: no copy here drives them. Each has held 8,600 configs and
-- holds 5,000.
SET @held = 8600, @all = @trials + @plans;
SET @tunnels = CEIL(@all * 0.7 / @held), @keys = CEIL(@all * 0.3 / @held);
INSERT INTO servers (id, name, protocol, location, settings, secret, secret_key_id, capacity, health, health_at, created_at)
SELECT @server + seq, CONCAT('crowd-', seq), IF(seq <= @tunnels, 'wireguard', 'outline'), 'Frankfurt', '{}', 'sealed', 'k1',
    16000, 'up', @now + INTERVAL 1 DAY, @now - INTERVAL 600 DAY
FROM seq_1_to_1000 WHERE seq <= @tunnels + @keys;
INSERT INTO server_homes (server_id, machine, machine_name)
SELECT @server + seq, CONCAT('crowd-machine-', seq), CONCAT('crowd-', seq)
FROM seq_1_to_1000 WHERE seq <= @tunnels + @keys;
INSERT INTO vpn_configs (id, user_id, subscription_id, protocol, server_id, name, status, applied, public_id, secret,
    secret_key_id, total_rx, total_tx, raw_rx, raw_tx, last_handshake_at, delivered_at, created_at, updated_at)
SELECT @config + n, user_id, subscription_id, IF(tunnel, 'wireguard', 'outline'),
    @server + 1 + IF(tunnel, 0, @tunnels) + nth DIV @held, IF(tunnel, 'WireGuard 1', 'Outline 1'), status,
    CASE status WHEN 'active' THEN 'present' WHEN 'suspended' THEN 'blocked' ELSE 'none' END,
    TO_BASE64(UNHEX(SHA2(n, 256))), IF(status = 'removed', NULL, RPAD(UNHEX(SHA2(n, 512)), 200, 's')),
    IF(status = 'removed', NULL, 'k1'), n * 1000, n * 1000, n * 1000, n * 1000, @now - INTERVAL n % 1000 MINUTE,
    starts_at, starts_at, starts_at
FROM (SELECT id - @subscription AS n, user_id, id AS subscription_id, starts_at, (id - @subscription) % 10 < 7 AS tunnel,
        (id - @subscription) DIV 10 * IF((id - @subscription) % 10 < 7, 7, 3)
            + (id - @subscription) % 10 - IF((id - @subscription) % 10 < 7, 0, 7) AS nth,
        IF(status = 'expired', 'removed', status) AS status
    FROM subscriptions WHERE id > @subscription AND id <= @subscription + @all) AS made;
INSERT INTO server_loads (server_id, configs)
SELECT server_id, COUNT(*) FROM vpn_configs WHERE id > @config AND status <> 'removed' GROUP BY server_id;
INSERT INTO address_pools (id, server_id, kind, cidr4, cidr6, created_at)
SELECT @pool + seq, @server + seq, 'paid', '10.66.0.0/18', 'fd42:66::/112', @now - INTERVAL 600 DAY
FROM seq_1_to_1000 WHERE seq <= @tunnels;
INSERT INTO addresses (pool_id, host, leased, config_id, free_at)
SELECT @pool + server_id - @server, 2 + ROW_NUMBER() OVER (PARTITION BY server_id ORDER BY id), TRUE, id, created_at
FROM vpn_configs WHERE id > @config AND protocol = 'wireguard' AND status <> 'removed';
INSERT INTO addresses (pool_id, host, leased, config_id, free_at)
SELECT @pool + server.seq, host.seq, FALSE, NULL, @now - INTERVAL 1 DAY
FROM seq_1_to_1000 AS server JOIN seq_2_to_16001 AS host
LEFT JOIN addresses AS held ON held.pool_id = @pool + server.seq AND held.host = host.seq
WHERE server.seq <= @tunnels AND held.id IS NULL;

-- What was written down: of each person, each payment and each config, and all the rest evenly over two years.
INSERT INTO audit_logs (user_id, action, target, details, created_at)
SELECT id, 'user_joined', CONCAT('user:', id), '{"language":"es","source":"telegram"}', created_at
FROM users WHERE id > @first AND id <= @first + @people;
INSERT INTO audit_logs (user_id, action, target, details, created_at)
SELECT user_id, 'payment_completed', CONCAT('payment:', id), '{"old":"pending","new":"completed"}', completed_at
FROM payments WHERE id > @payment AND completed_at IS NOT NULL;
INSERT INTO audit_logs (user_id, action, target, details, created_at)
SELECT user_id, 'config_delivered', CONCAT('config:', id), '{"protocol":"wireguard","server":1}', delivered_at
FROM vpn_configs WHERE id > @config;
INSERT INTO audit_logs (user_id, action, target, details, event_id, created_at)
SELECT @first + 1 + MOD(seq * 7919, @people),
    ELT(1 + seq % 6, 'order_created', 'order_closed', 'language_set', 'config_added', 'subscription_extended', 'user_returned'),
    ELT(1 + seq % 6, CONCAT('payment:', @payment + 1 + MOD(seq * 31, 3 * @plans)),
        CONCAT('payment:', @payment + 1 + MOD(seq * 31, 3 * @plans)), CONCAT('user:', @first + 1 + MOD(seq * 7919, @people)),
        CONCAT('config:', @config + 1 + MOD(seq * 31, @all)), CONCAT('subscription:', @subscription + 1 + MOD(seq * 31, @all)),
        CONCAT('user:', @first + 1 + MOD(seq * 7919, @people))),
    '{"old":"pending","new":"expired"}', UNHEX(MD5(seq)), @now - INTERVAL (@audits - seq) * 63072000 / @audits SECOND
FROM seq_1_to_5000000 WHERE seq <= @audits - @people - 2 * @plans - @all;

-- What was handled and sent within the time that such rows are kept.
INSERT INTO inbound_events (id, source, dedupe_key, lane, class, status, body, context, received_at, done_at)
SELECT UNHEX(CONCAT(LPAD(HEX(CAST(UNIX_TIMESTAMP(at) * 1000 AS UNSIGNED)), 12, '0'), '7', LEFT(MD5(seq), 3), '8',
        SUBSTR(MD5(seq), 4, 15))), 'telegram:client', CONCAT('crowd-', seq), CONCAT('client:', @first + 1 + seq % @people), 1,
    'done', CONCAT('{"update_id":', seq, ',"message":{"message_id":', seq, ',"text":"/start","from":"', REPEAT('x', 280), '"}}'),
    '{}', at, at + INTERVAL 1 SECOND
FROM (SELECT seq, @now - INTERVAL (@done - seq) * 2505600 / @done SECOND AS at FROM seq_1_to_1000000 WHERE seq <= @done) AS made
ORDER BY seq;
INSERT INTO outbound_messages (id, lane, class, bot, chat_id, status, body, message_id, created_at, done_at)
SELECT UNHEX(CONCAT(LPAD(HEX(CAST(UNIX_TIMESTAMP(at) * 1000 AS UNSIGNED)), 12, '0'), '7', RIGHT(MD5(seq), 3), '8',
        SUBSTR(MD5(seq), 9, 15))), CONCAT('client:', @first + 1 + seq % @people), 1, 'client', @first + 1 + seq % @people, 'done',
    CONCAT('{"kind":"text","html":"', REPEAT('y', 400), '","keyboard":null}'), seq, at, at + INTERVAL 1 SECOND
FROM (SELECT seq, @now - INTERVAL (@done - seq) * 2505600 / @done SECOND AS at FROM seq_1_to_1000000 WHERE seq <= @done) AS made
ORDER BY seq;
INSERT INTO jobs (id, lane, kind, payload, status, attempts, created_at, done_at)
SELECT UNHEX(CONCAT(LPAD(HEX(CAST(UNIX_TIMESTAMP(at) * 1000 AS UNSIGNED)), 12, '0'), '7', RIGHT(MD5(seq), 3), '9',
        SUBSTR(MD5(seq), 9, 15))), CONCAT('config:', @config + 1 + seq % @all), 'apply_config',
    CONCAT('{"job":"apply_config","config_id":', @config + 1 + seq % @all, '}'), 'done', 1, at, at + INTERVAL 1 SECOND
FROM (SELECT seq, @now - INTERVAL (@done - seq) * 2505600 / @done SECOND AS at FROM seq_1_to_1000000 WHERE seq <= @done) AS made
ORDER BY seq;

-- Jobs that failed and wait for another try within the next three days, each in a lane of its own; none in the next hour.
INSERT INTO jobs (id, lane, kind, payload, status, attempts, error, created_at, retry_at)
SELECT UNHEX(CONCAT(LPAD(HEX(CAST(UNIX_TIMESTAMP(@now) * 1000 AS UNSIGNED)), 12, '0'), '7', RIGHT(MD5(seq), 3), 'a',
        SUBSTR(MD5(seq), 9, 15))), CONCAT('config:', @config + seq), 'apply_config',
    CONCAT('{"job":"apply_config","config_id":', @config + seq, '}'), 'pending', 5, 'not reachable: timed out',
    @now - INTERVAL 1 DAY, @now + INTERVAL 3600 + MOD(seq * 7919, 250000) SECOND
FROM seq_1_to_1000000 WHERE seq <= @jobs;
INSERT INTO lanes (queue, lane, class, due_at, not_before, owner, version, attempts)
SELECT 2, CONCAT('config:', @config + seq), seq % 2, @now + INTERVAL 3600 + MOD(seq * 7919, 250000) SECOND, '1970-01-01', NULL, 1, 0
FROM seq_1_to_1000000 WHERE seq <= @jobs;
-- And chats whose pace is still remembered.
INSERT INTO lanes (queue, lane, class, due_at, not_before, owner, version, attempts)
SELECT 1, CONCAT('client:', @first + seq), 3, '9999-01-01', @now, NULL, 7, 0 FROM seq_1_to_1000000 WHERE seq <= @jobs / 2;
