//! The lives that are played while the server is killed: one that goes well, and troubled ones, so that every commit
//! and every call to the outside is come to. Waiting is left out: what days bring is brought by turning rows back.

mod events;
mod house;
mod letters;
mod machines;
mod money;
mod shop;
mod tunnels;
mod work;

use futures::FutureExt;
use futures::future::BoxFuture;
use scoped_futures::ScopedFutureExt;
use usipipo::models::lane::Queue;
use usipipo::work::{Origin, Work};

use super::kept::Kept;
use crate::support::town::Town;

/// A script, and what must be set in the server's environment before it begins.
pub struct Script {
    pub name: &'static str,
    pub set: &'static [(&'static str, &'static str)],
    /// Plays it to the end and checks what came of it; what holds after every life is checked by the caller.
    pub play: for<'a> fn(&'a Town, &'a Kept) -> BoxFuture<'a, ()>,
}

/// The first that comes to a place is the one in which the server dies there.
pub const SCRIPTS: &[Script] = &[
    Script { name: "shop", set: &[], play: |town, _| shop::play(town).boxed() },
    Script {
        name: "house",
        set: &[("BOT_NAME", "uSipipo")],
        play: |town, kept| house::play(town, kept).boxed(),
    },
    Script { name: "money", set: &[], play: |town, _| money::play(town).boxed() },
    Script { name: "letters", set: &[], play: |town, _| letters::play(town).boxed() },
    Script { name: "events", set: &[], play: |town, _| events::play(town).boxed() },
    Script { name: "work", set: &[], play: |town, _| work::play(town).boxed() },
    Script {
        name: "stranger",
        set: &[("MACHINE_ID", "other")],
        play: |town, _| machines::stranger(town).boxed(),
    },
    Script {
        name: "dismantled",
        set: &[("MACHINE_ID", "home")],
        play: |town, _| machines::dismantled(town).boxed(),
    },
    Script { name: "tunnels", set: &[], play: |town, _| tunnels::play(town).boxed() },
];

/// Something done beside the server, in one commit.
async fn beside(town: &Town, act: impl Fn(&mut Work) + Send + Sync) {
    let (works, act) = (town.works(), &act);
    let done = works.run("beside", Origin::SYSTEM, |work| {
        async move {
            act(work);
            Ok::<_, sqlx::Error>(())
        }
        .scope_boxed()
    });
    done.await.unwrap();
}

/// Nothing that failed waits for its time: the pause is over.
async fn hurry(town: &Town) {
    for table in ["inbound_events", "outbound_messages", "jobs"] {
        town.sql(&format!("UPDATE {table} SET retry_at = NULL WHERE status = 'pending'")).await;
    }
    town.sql(
        "UPDATE lanes SET due_at = NOW(6), not_before = NOW(6) WHERE owner IS NULL AND due_at < '9000-01-01'",
    )
    .await;
}

/// A row that another version of the server has put into a queue, and its lane.
async fn queue_row(town: &Town, insert: &str, queue: Queue, lane: &str) {
    town.sql(insert).await;
    let lane = lane.to_owned();
    beside(town, move |work| work.wake_lane(queue, lane.clone(), 1)).await;
}
