//! What the house is for: twenty people try, buy, renew, get their money back and change their minds, all at once.

use crate::fire::life::Life;
use crate::fire::walk::sound;
use crate::support::town::Town;

/// Four of each kind.
const PEOPLE: i64 = 20;

pub async fn play(town: &Town) {
    let outline = town.add_outline().await;
    let life = Life::of(town, PEOPLE).await;
    life.play(&outline).await;
    sound(town).await;
    life.check(&outline).await;
}
