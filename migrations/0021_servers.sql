CREATE TABLE IF NOT EXISTS servers (
    id             BIGINT       NOT NULL AUTO_INCREMENT,
    name           VARCHAR(64)  NOT NULL COMMENT 'short name for operators',
    protocol       VARCHAR(16)  CHARACTER SET ascii NOT NULL COMMENT 'wireguard or outline',
    location       VARCHAR(64)  NOT NULL COMMENT 'shown to people, e.g. a flag and a city',
    settings       TEXT         NOT NULL COMMENT 'JSON of the backend''s settings that are no secret: endpoint, interface, DNS',
    secret         VARBINARY(4096) NOT NULL COMMENT 'JSON of its secrets (private key, management address), encrypted',
    secret_key_id  VARCHAR(32)  CHARACTER SET ascii NOT NULL COMMENT 'id of the encryption key used',
    capacity       INT UNSIGNED NOT NULL COMMENT 'configs it may hold',
    active         BOOLEAN      NOT NULL DEFAULT TRUE COMMENT 'new configs are placed here',
    health         VARCHAR(12)  CHARACTER SET ascii NOT NULL DEFAULT 'unknown' COMMENT 'unknown, up or down',
    health_detail  VARCHAR(255) NULL     COMMENT 'why it is down; no secret',
    health_at      DATETIME(6)  NULL     COMMENT 'UTC, last check',
    created_at     DATETIME(6)  NOT NULL COMMENT 'UTC',
    removed_at     DATETIME(6)  NULL     COMMENT 'UTC; kept for history',
    PRIMARY KEY (id),
    UNIQUE KEY servers_name (name)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'VPN servers';
