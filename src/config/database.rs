//! The database.

use std::str::FromStr;

use secrecy::SecretString;
use sqlx::mysql::MySqlConnectOptions;

use super::read::Reader;
use crate::db::nodes;

#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `DATABASE_URL`: MySQL 8 or MariaDB 10.6 and later; holds the password. It may name several hosts, the nodes of
    /// a cluster.
    pub url: SecretString,
    /// `DATABASE_MAX_CONNECTIONS` of this process.
    pub max_connections: u32,
}

impl DatabaseConfig {
    pub(super) fn read(env: &mut Reader) -> Option<Self> {
        let expected = "mysql://USER:PASSWORD@HOST:3306/DATABASE, or mysql://USER@localhost/DATABASE?socket=/run/mysqld/mysqld.sock";
        let url = env.secret("DATABASE_URL", expected, parse_url);
        let max_connections = env.number("DATABASE_MAX_CONNECTIONS", "connections", 2..=1000, 20);
        Some(Self { url: url?, max_connections: max_connections? })
    }
}

fn parse_url(text: &str) -> Result<SecretString, String> {
    if !text.starts_with("mysql://") && !text.starts_with("mariadb://") {
        return Err("does not begin with mysql://".into());
    }
    for node in nodes::each(text) {
        let options = MySqlConnectOptions::from_str(&node).map_err(|_| "is not a database address")?;
        if options.get_database().is_none_or(str::is_empty) {
            return Err("names no database".into());
        }
    }
    Ok(text.into())
}
