CREATE TABLE IF NOT EXISTS address_pools (
    id         BIGINT      NOT NULL AUTO_INCREMENT,
    server_id  BIGINT      NOT NULL COMMENT 'servers.id',
    kind       VARCHAR(8)  CHARACTER SET ascii NOT NULL COMMENT 'trial or paid',
    cidr4      VARCHAR(32) CHARACTER SET ascii NOT NULL COMMENT 'IPv4 network the addresses come from',
    cidr6      VARCHAR(64) CHARACTER SET ascii NULL     COMMENT 'IPv6 network, same host number',
    created_at DATETIME(6) NOT NULL COMMENT 'UTC',
    PRIMARY KEY (id),
    UNIQUE KEY address_pools_cidr (server_id, cidr4),
    KEY address_pools_by_kind (server_id, kind),
    CONSTRAINT address_pools_server FOREIGN KEY (server_id) REFERENCES servers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'networks that tunnel addresses are leased from';
