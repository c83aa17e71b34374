//! Bad input through the real router, each with its answer: what is refused writes nothing, what is kept is kept as it
//! came, and nothing of it reaches anybody whom it does not concern.

mod bodies;
mod names;
mod presses;

use usipipo::app::Running;
use usipipo::demo::outline::OutlineServer;

use crate::support::door::Door;
use crate::support::town::Town;

/// A town with its server open.
struct Scene {
    town: Town,
    running: Running,
    door: Door,
    _outline: OutlineServer,
}

impl Scene {
    async fn open() -> Self {
        Self::with(&[]).await
    }

    /// With variables of the server's environment set.
    async fn with(variables: &[(&'static str, &str)]) -> Self {
        let mut town = Town::found().await;
        variables.iter().for_each(|(name, value)| town.set(name, *value));
        let outline = town.add_outline().await;
        let running = town.open().await;
        let door = Door::of(&town);
        Self { town, running, door, _outline: outline }
    }

    /// The end of a test: the books agree.
    async fn close(self) {
        self.town.quiet().await;
        self.town.is_sound().await;
        self.running.stop().await;
    }

    async fn stored(&self) -> i64 {
        self.town.count("SELECT COUNT(*) FROM inbound_events").await
    }

    async fn dead(&self) -> i64 {
        self.town.count("SELECT COUNT(*) FROM inbound_events WHERE status = 'dead'").await
    }
}
