CREATE TABLE IF NOT EXISTS server_homes (
    server_id    BIGINT       NOT NULL COMMENT 'servers.id',
    machine      VARCHAR(64)  CHARACTER SET ascii NOT NULL COMMENT 'id of the machine that the interface lives on; only copies there drive it',
    machine_name VARCHAR(64)  NOT NULL COMMENT 'its name, for operators',
    PRIMARY KEY (server_id),
    CONSTRAINT server_homes_server FOREIGN KEY (server_id) REFERENCES servers (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'where servers live that are a part of one machine (WireGuard); others have no row';
