-- What older code places meanwhile is counted at the next check of the server's health.
INSERT INTO server_loads (server_id, configs)
SELECT servers.id, COUNT(vpn_configs.id)
FROM servers
LEFT JOIN vpn_configs ON vpn_configs.server_id = servers.id AND vpn_configs.status IN ('preparing', 'active', 'suspended')
GROUP BY servers.id
ON DUPLICATE KEY UPDATE configs = VALUES(configs);
