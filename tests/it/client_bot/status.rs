//! /status: what is in the database is what people see.

use chrono::TimeDelta;
use scoped_futures::ScopedFutureExt;
use usipipo::ids::ServerId;
use usipipo::models::vpn::Protocol;
use usipipo::services::server;
use usipipo::work::Origin;

use super::{ANA, BRUNO, House};

const DELIVERY: &str = "Handing out configurations";
const QVAPAY: &str = "Payments with QvaPay";

/// The one line of /status with this text.
async fn line(house: &House, part: &str) -> String {
    let said = house.says(ANA, "/status").await;
    let lines: Vec<&str> = said.html().lines().filter(|line| line.contains(part)).collect();
    assert_eq!(lines.len(), 1, "{part}: {}", said.html());
    lines[0].to_owned()
}

/// The lines that do not begin with a green dot.
async fn not_green(house: &House) -> Vec<String> {
    let said = house.says(ANA, "/status").await;
    said.html().lines().filter(|line| line.starts_with(['🔴', '⚪'])).map(str::to_owned).collect()
}

async fn health(house: &House, id: ServerId, outcome: Result<&str, &str>) {
    let noted = house.works.run("note_health", Origin::SYSTEM, |work| {
        async move { server::note_health(work, id, outcome).await }.scope_boxed()
    });
    noted.await.unwrap();
}

#[tokio::test]
async fn a_server_that_goes_down_comes_back_and_fills_up() {
    let house = House::with_servers().await;
    assert_eq!(not_green(&house).await, [""; 0]);
    let outline = ServerId(house.number("SELECT id FROM servers WHERE protocol = 'outline'").await);
    health(&house, outline, Err("no answer")).await;
    assert!(line(&house, "Outline").await.starts_with('🔴'));
    assert!(line(&house, "down, we are on it").await.contains("Outline"));
    assert_eq!(not_green(&house).await.len(), 1, "the other one is well");
    health(&house, outline, Ok("well")).await;
    assert_eq!(not_green(&house).await, [""; 0]);

    house.sql(&format!("UPDATE servers SET capacity = 1 WHERE id = {outline}")).await;
    assert!(!line(&house, "Outline").await.contains("full"));
    house.trial(BRUNO, Protocol::Outline).await;
    let full = line(&house, "Outline").await;
    assert!(full.starts_with('🟢') && full.ends_with("full"), "{full}");
    assert!(!line(&house, "WireGuard").await.contains("full"));

    house.sql("UPDATE servers SET health = 'down'").await;
    assert!(line(&house, DELIVERY).await.starts_with('🔴'), "nothing to hand out from");
}

#[tokio::test]
async fn configs_that_are_not_handed_over_turn_the_dot() {
    let house = House::with_servers().await;
    house.says(BRUNO, "/start").await;
    house.presses(BRUNO, "trial-take:outline").await;
    assert!(line(&house, DELIVERY).await.starts_with('🟢'), "it has just been asked for");
    house.works.clock.advance(TimeDelta::minutes(6));
    assert!(line(&house, DELIVERY).await.starts_with('🔴'));
    assert_eq!(not_green(&house).await.len(), 1);
    house.hand_out().await;
    assert!(line(&house, DELIVERY).await.starts_with('🟢'));
}

#[tokio::test]
async fn a_provider_that_gives_no_invoices_turns_the_dot() {
    let house = House::with_servers().await;
    house.says(BRUNO, "/start").await;
    house.presses(BRUNO, "buy:1:qvapay").await;
    assert!(line(&house, QVAPAY).await.starts_with('🟢'));
    house.works.clock.advance(TimeDelta::minutes(3));
    assert!(line(&house, QVAPAY).await.starts_with('🔴'));
    assert_eq!(not_green(&house).await.len(), 1, "Stars are well");
    house.sql("UPDATE payments SET invoice_id = 'i', invoice_url = 'https://example.com/i'").await;
    assert!(line(&house, QVAPAY).await.starts_with('🟢'));
}
