//! Moving stored secrets from one encryption key to another while everything runs: each row is locked, opened and
//! sealed anew, so nothing that changes meanwhile is overwritten, and a run that was ended is simply started again.

use serde_json::json;

use super::access::{self, AccessError};
use super::{server, vpn};
use crate::crud;
use crate::ids::{ConfigId, ServerId};
use crate::models::audit::Action;
use crate::work::Work;

/// Rows that one unit of work locks.
const BATCH: u32 = 100;

/// Whose secrets they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    Servers,
    Configs,
}

impl SecretKind {
    pub const ALL: [SecretKind; 2] = [SecretKind::Servers, SecretKind::Configs];

    pub const fn title(self) -> &'static str {
        match self {
            SecretKind::Servers => "VPN servers",
            SecretKind::Configs => "configs",
        }
    }
}

/// What became of one batch.
#[derive(Debug, Default)]
pub struct Batch {
    /// Where the next batch begins; None: nothing was left.
    pub last: Option<i64>,
    pub resealed: usize,
    /// Secrets that stay as they are: whose, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Seals the next secrets after the row `after` anew that are under another key than the first, by a superadmin.
pub async fn rotate_batch(work: &mut Work, kind: SecretKind, after: i64) -> Result<Batch, AccessError> {
    access::require_superadmin(work).await?;
    let batch = match kind {
        SecretKind::Servers => rotate_servers(work, after).await?,
        SecretKind::Configs => rotate_configs(work, after).await?,
    };
    if batch.resealed > 0 {
        let key_id = work.config().keyring.current_key_id().to_owned();
        let details = json!({ "of": kind.title(), "count": batch.resealed, "key_id": key_id });
        work.audit(Action::SecretsResealed, None, details).await?;
    }
    Ok(batch)
}

async fn rotate_servers(work: &mut Work, after: i64) -> sqlx::Result<Batch> {
    let config = work.config();
    let current = config.keyring.current_key_id();
    let rows = crud::server::lock_for_rotation(work.conn(), current, ServerId(after), BATCH).await?;
    let mut batch = Batch { last: rows.last().map(|row| row.id.0), ..Batch::default() };
    for row in rows {
        match server::reseal(&config.keyring, &row) {
            Ok(sealed) => {
                crud::server::set_secret(work.conn(), row.id, &sealed).await?;
                batch.resealed += 1;
            }
            Err(error) => batch.unreadable.push((format!("server {}", row.name), error.to_string())),
        }
    }
    Ok(batch)
}

async fn rotate_configs(work: &mut Work, after: i64) -> sqlx::Result<Batch> {
    let config = work.config();
    let current = config.keyring.current_key_id();
    let rows = crud::vpn::lock_for_rotation(work.conn(), current, ConfigId(after), BATCH).await?;
    let mut batch = Batch { last: rows.last().map(|row| row.id.0), ..Batch::default() };
    for row in rows {
        match vpn::reseal(&config.keyring, &row) {
            Ok(sealed) => {
                crud::vpn::reseal(work.conn(), row.id, &sealed).await?;
                batch.resealed += 1;
            }
            Err(error) => batch.unreadable.push((format!("config {}", row.id), error.to_string())),
        }
    }
    Ok(batch)
}

/// Secrets that were found under one key, and one of them that does not open, with the reason.
#[derive(Debug)]
pub struct Readable {
    pub key_id: String,
    pub secrets: i64,
    pub trouble: Option<String>,
}

/// Tries whether the keys open what is stored: every server, and of each key the newest configs.
pub async fn check(work: &mut Work) -> sqlx::Result<Vec<Readable>> {
    const SAMPLE: u32 = 20;
    let keyring = work.config().keyring.clone();
    let mut found: Vec<Readable> = Vec::new();
    for row in crud::server::list(work.conn()).await? {
        let opened = server::open_secret(&keyring, &row);
        let trouble = opened.err().map(|error| format!("server {}: {error}", row.name));
        note(&mut found, row.secret_key_id, 1, trouble);
    }
    for (key_id, secrets) in crud::vpn::count_by_key(work.conn()).await? {
        let sample = crud::vpn::list_under_key(work.conn(), &key_id, SAMPLE).await?;
        let trouble = sample.iter().find_map(|row| {
            let error = vpn::open(&keyring, row).err()?;
            Some(format!("config {}: {error}", row.id))
        });
        note(&mut found, key_id, secrets, trouble);
    }
    Ok(found)
}

fn note(found: &mut Vec<Readable>, key_id: String, secrets: i64, trouble: Option<String>) {
    match found.iter_mut().find(|known| known.key_id == key_id) {
        Some(known) => {
            known.secrets += secrets;
            known.trouble = known.trouble.take().or(trouble);
        }
        None => found.push(Readable { key_id, secrets, trouble }),
    }
}
