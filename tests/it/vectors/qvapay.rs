use futures::StreamExt;
use usipipo::app::Running;
use usipipo::demo::outline::OutlineServer;
use usipipo::demo::qvapay::{Invoice, Status};
use uuid::Uuid;

use super::{ANA, Books, LIMIT, ORDER, PLAN, Row, books, rows, set_clock, settled, stored};
use crate::support::door::{Answer, Door};
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;

/// The transaction that all rows speak of.
const INVOICE: &str = "7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44";

#[tokio::test(flavor = "multi_thread")]
async fn every_row_gives_what_it_expects() {
    let rows = rows("qvapay");
    assert_eq!(rows.len(), 28, "the file has changed: look at what is new");
    let paid = rows.iter().find(|row| row.name == "valid_paid").unwrap();
    futures::stream::iter(&rows).for_each_concurrent(6, |row| check(row, paid)).await;
}

struct Scene {
    town: Town,
    _outline: OutlineServer,
    running: Running,
    door: Door,
    /// Where QvaPay calls back for the order.
    path: String,
}

impl Scene {
    /// Ana with an order that has an invoice, paid at QvaPay as the row says; no callback has come yet.
    async fn of(row: &Row) -> Self {
        let mut town = Town::found().await;
        town.set("QVAPAY_APP_SECRET", &row.secret);
        let outline = town.add_outline().await;
        set_clock(&town, row.now - 10);
        let running = town.open().await;
        let ana = town.person(ANA, "Ana", "es");
        ana.open(BOT).unwrap();
        ana.press_data(BOT, 1, &format!("buy:{PLAN}:qvapay")).unwrap();
        let invoiced = "SELECT COUNT(*) FROM payments WHERE invoice_id IS NOT NULL";
        eventually(LIMIT, async || town.count(invoiced).await == 1).await;
        let amount = row.order_amount.as_ref().map_or("4.99", |amount| amount.as_str().unwrap());
        town.sql(&format!(
            "UPDATE payments SET order_ref = '{ORDER}', invoice_id = '{INVOICE}', amount = {amount}"
        ))
        .await;
        let made = town.qvapay.invoices().remove(0);
        town.qvapay.put(Invoice {
            uuid: INVOICE.parse::<Uuid>().unwrap(),
            remote_id: ORDER.to_owned(),
            amount: amount.to_owned(),
            status: Status::Paid,
            ..made
        });
        settled(&town, &row.name).await;
        let token = town.column("SELECT callback_token FROM payments").await.concat();
        let (door, path) = (Door::of(&town), format!("/payments/qvapay/{token}"));
        Self { town, _outline: outline, running, door, path }
    }

    /// Sends the row in the very second it speaks of. Where that second passed on the way, it is sent again: a
    /// refusal wrote nothing, and the same body is the same event.
    async fn send(&self, row: &Row) -> Answer {
        loop {
            set_clock(&self.town, row.now);
            let answer = self.door.post(&self.path, &row.headers(), row.body.clone()).await;
            if self.town.clock.now().unix() == row.now {
                return answer;
            }
        }
    }

    /// How often QvaPay was asked about the transaction.
    fn asked(&self) -> usize {
        self.town.qvapay.calls().iter().filter(|call| call.contains(INVOICE)).count()
    }
}

async fn check(row: &Row, paid: &Row) {
    let name = row.name.as_str();
    let scene = Scene::of(row).await;
    if row.expect == "ack_duplicate" {
        assert_eq!(scene.send(paid).await.status, 200, "{name}");
        assert_eq!(settled(&scene.town, name).await, Books::credited(), "{name}");
    }
    let (before, taken, asked) = (books(&scene.town).await, stored(&scene.town).await, scene.asked());
    let answer = scene.send(row).await;
    let after = settled(&scene.town, name).await;
    let (status, events, expected) = match row.expect.as_str() {
        "reject" => (401, 0, before),
        "bad_request" => (400, 0, before),
        // The same bytes are the same event.
        "ack_duplicate" => (200, i64::from(row.body != paid.body), before),
        "ack_no_credit" => (200, 1, before),
        "manual_review" => (200, 1, Books { order: "review".to_owned(), reviews: 1, ..before }),
        "refetch_then_credit" => (200, 1, Books::credited()),
        other => panic!("{name} expects {other}, which nobody knows here"),
    };
    assert_eq!(answer.status, status, "{name}: {answer:?}");
    assert_eq!(row.valid, status != 401, "{name}");
    assert_eq!(stored(&scene.town).await, taken + events, "{name}");
    assert_eq!(after, expected, "{name}");
    let asks = usize::from(row.expect == "refetch_then_credit");
    assert_eq!(scene.asked(), asked + asks, "{name}: {:?}", scene.town.qvapay.calls());
    let dead = scene.town.count("SELECT COUNT(*) FROM inbound_events WHERE status <> 'done'").await;
    assert_eq!(dead, 0, "{name}");
    scene.running.stop().await;
}
