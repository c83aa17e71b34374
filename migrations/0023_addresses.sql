CREATE TABLE IF NOT EXISTS addresses (
    id        BIGINT      NOT NULL AUTO_INCREMENT,
    pool_id   BIGINT      NOT NULL COMMENT 'address_pools.id',
    host      INT UNSIGNED NOT NULL COMMENT 'host number: IPv4 = network + host, IPv6 = network + host',
    leased    BOOLEAN     NOT NULL DEFAULT FALSE,
    config_id BIGINT      NULL     COMMENT 'vpn_configs.id that holds it',
    free_at   DATETIME(6) NOT NULL COMMENT 'UTC; a released address rests until then',
    PRIMARY KEY (id),
    UNIQUE KEY addresses_host (pool_id, host),
    UNIQUE KEY addresses_config (config_id),
    KEY addresses_free (pool_id, leased, free_at, host)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'one row per address; a lease is one UPDATE';
