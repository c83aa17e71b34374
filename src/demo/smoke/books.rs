//! The end of the story: everything has come to rest, and the books are right.

use scoped_futures::ScopedFutureExt;

use super::player::{BOT, Cast, eventually};
use super::{Step, ensure};
use crate::crud;
use crate::money::Currency;
use crate::services::{books, queue};
use crate::work::Origin;

/// Checks the rules of the database, and its ledger against what Telegram says.
pub async fn check(cast: &mut Cast<'_>) -> Step {
    let db = &cast.stage.app().works().db;
    eventually("nothing waits any more", async || {
        let mut conn = db.acquire().await.ok()?;
        let [inbox, outbox, _] = crud::queue::standing(&mut conn).await.ok()?;
        (inbox.waiting + outbox.waiting == 0).then_some(())
    })
    .await?;
    let works = cast.stage.app().works();
    for rule in works.run("check_books", Origin::SYSTEM, |work| books::check(work).scope_boxed()).await? {
        ensure(false, format_args!("{} {}", rule.count, rule.what))?;
    }
    for queue in works.run("standing", Origin::SYSTEM, |work| queue::standing(work).scope_boxed()).await? {
        ensure(queue.dead == 0, format_args!("{} dead in the {}", queue.dead, queue.queue.name()))?;
    }
    let mut conn = db.acquire().await?;
    cast.note("every purchase is in the ledger once, and has its one subscription; no secret is in clear");
    let stars = crud::books::net(&mut conn, &Currency::stars()).await?;
    let at_telegram = cast.stage.telegram.stars_of(BOT);
    ensure(stars == at_telegram.into(), format_args!("the ledger has ⭐{stars}, Telegram ⭐{at_telegram}"))?;
    let dollars = crud::books::net(&mut conn, &Currency::usd()).await?;
    cast.note(format!("the ledger and Telegram agree on ⭐{stars}; {dollars} USD came through QvaPay"));
    Ok(())
}
