//! Every recorded update of every kind, to each bot: nothing panics, and nothing is left to be tried for ever.

use std::fs;
use std::path::Path;

use scoped_futures::ScopedFutureExt;
use usipipo::integrations::telegram::update;
use usipipo::models::audit::Actor;
use usipipo::models::bot::Bot;
use usipipo::queue::Failure;
use usipipo::work::Origin;

use super::House;

#[tokio::test]
async fn every_recorded_update_is_handled() {
    let house = House::with_servers().await;
    let mut handled = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/telegram")).unwrap()
    {
        let path = entry.unwrap().path();
        let Ok(update) = update::parse(&fs::read(&path).unwrap()) else { continue };
        for bot in Bot::ALL {
            let (bots, update) = (&house.bots(), &update);
            let origin = Origin { actor: Actor::System, cause: None };
            let done = house.works.run("update", origin, |work| {
                async move { bots.handle(work, *bot, update).await }.scope_boxed()
            });
            match done.await {
                Ok(()) | Err(Failure::GiveUp(_)) => handled += 1,
                Err(failure) => panic!("{} to {bot}: {failure:?}", path.display()),
            }
        }
    }
    assert!(handled > 600, "{handled} of 3 times the readable fixtures");
}
