//! What should be on the interface, as last told. Pure.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use super::keys::Key;
use super::peers::{Dump, Peer};
use crate::ids::ConfigId;
use crate::integrations::vpn::Reconciled;

/// One config.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Also while blocked or revoked, so that its last counters find their config.
    pub public_key: Key,
    /// None = not on the interface.
    pub peer: Option<Peer>,
    /// When `ensure` or `revoke` told it; None when it came with a list.
    pub told_at: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    entries: BTreeMap<ConfigId, Entry>,
}

/// What to change on an interface to make it equal to the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub put: Vec<Peer>,
    pub remove: Vec<Key>,
    pub counts: Reconciled,
}

impl Table {
    /// Stores one config and gives the key it had before, if that was another one.
    pub fn tell(&mut self, config: ConfigId, entry: Entry) -> Option<Key> {
        let key = entry.public_key;
        self.entries.insert(config, entry).map(|before| before.public_key).filter(|before| *before != key)
    }

    pub fn public_key(&self, config: ConfigId) -> Option<Key> {
        self.entries.get(&config).map(|entry| entry.public_key)
    }

    /// The configs on the interface.
    pub fn present(&self) -> impl Iterator<Item = (ConfigId, &Peer)> {
        self.entries.iter().filter_map(|(config, entry)| Some((*config, entry.peer.as_ref()?)))
    }

    /// Which config a key belongs to.
    pub fn by_key(&self) -> HashMap<Key, ConfigId> {
        self.entries.iter().map(|(config, entry)| (entry.public_key, *config)).collect()
    }

    /// Takes over a whole list, except for what was told after `held_at`.
    pub fn take_over(&mut self, all: impl IntoIterator<Item = (ConfigId, Entry)>, held_at: Instant) {
        let mut next: BTreeMap<ConfigId, Entry> = all.into_iter().collect();
        let newer = |entry: &Entry| entry.told_at.is_some_and(|told_at| told_at > held_at);
        next.extend(std::mem::take(&mut self.entries).into_iter().filter(|(_, entry)| newer(entry)));
        self.entries = next;
    }

    /// The difference between the table and an interface; peers that the table does not know are removed.
    pub fn changes(&self, found: &Dump) -> Changes {
        let mut changes = Changes::default();
        let mut foreign = found.peers.clone();
        for (_, peer) in self.present() {
            match foreign.remove(&peer.public_key) {
                Some(state) if state.peer == *peer => continue,
                Some(_) => changes.counts.updated += 1,
                None => changes.counts.added += 1,
            }
            changes.put.push(peer.clone());
        }
        changes.remove = foreign.into_keys().collect();
        changes.counts.removed = changes.remove.len();
        changes
    }
}
