CREATE TABLE IF NOT EXISTS server_loads (
    server_id BIGINT NOT NULL COMMENT 'servers.id',
    configs   INT    NOT NULL COMMENT 'vpn_configs that the server holds: preparing, active or suspended; counted anew at every check of its health',
    PRIMARY KEY (server_id),
    CONSTRAINT server_loads_server FOREIGN KEY (server_id) REFERENCES servers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'how full servers are, so that placing a config need not count all others';
