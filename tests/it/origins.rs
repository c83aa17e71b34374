//! Whoever reads an audit row finds what caused it: the delivery, the job or the message, or the run of a command.

use serde_json::Value;
use usipipo::demo::qvapay::Payment;

use crate::story::{buy_with_stars, press, take_trial};
use crate::support::cli::Shell;
use crate::support::town::{BOT, LIMIT, Town};
use crate::support::wait::eventually;
use crate::support::works::TestWorks;

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_does_names_the_delivery_or_the_job_behind_it() {
    let town = Town::found().await;
    let _outline = town.add_outline().await;
    let before = town.count("SELECT COALESCE(MAX(id), 0) FROM audit_logs").await;
    let running = town.open().await;
    let ana = town.person(801, "Ana", "en");
    take_trial(&ana).await;
    let plan = town.popular_plan().await;
    buy_with_stars(&ana, plan).await;
    town.settled().await;
    ana.send_text(BOT, "/plans").unwrap();
    press(&ana, &format!("plan:{plan}")).await;
    press(&ana, &format!("buy:{plan}:qvapay")).await;
    eventually(LIMIT, async || town.qvapay.invoices().len() == 1).await;
    town.qvapay.pay(town.qvapay.invoices()[0].uuid, Payment::default());
    let paid = "SELECT COUNT(*) FROM payments WHERE status = 'completed'";
    eventually(LIMIT, async || town.count(paid).await == 2).await;
    town.settled().await;

    let without = format!(
        "SELECT CONCAT(action, ' ', COALESCE(HEX(event_id), 'of nothing')) FROM audit_logs a WHERE id > {before} \
         AND NOT EXISTS (SELECT 1 FROM inbound_events e WHERE e.id = a.event_id) \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = a.event_id) \
         AND NOT EXISTS (SELECT 1 FROM outbound_messages m WHERE m.id = a.event_id)"
    );
    assert_eq!(town.column(&without).await, Vec::<String>::new());
    // The payment in Stars names the very update that told of it.
    let body = "SELECT CAST(e.body AS CHAR) FROM audit_logs a JOIN inbound_events e ON e.id = a.event_id \
                WHERE a.action = 'payment_completed'";
    let [told] = &town.column(body).await[..] else { panic!("one of the two came with an update") };
    let told: Value = serde_json::from_str(told).unwrap();
    assert_eq!(told["message"]["successful_payment"]["currency"], "XTR");
    // And the one by QvaPay the job that asked, which names the callback.
    let asked = "SELECT CONCAT(j.kind, ' ', e.source) FROM audit_logs a JOIN jobs j ON j.id = a.event_id \
                 JOIN inbound_events e ON e.id = j.cause_id WHERE a.action = 'payment_completed'";
    assert_eq!(town.column(asked).await, ["check_payment qvapay"]);
    running.stop().await;
}

#[tokio::test]
async fn each_run_of_a_command_has_an_id_of_its_own() {
    let test = TestWorks::new().await;
    let shell = Shell::over(test.db.url());
    for plan in ["week", "month"] {
        shell.run(&["plan", "disable", plan]).await.ok();
    }
    let rows = test.audited("plan_disabled").await;
    let ids: Vec<_> = rows.iter().map(|row| row.event_id.unwrap()).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}
