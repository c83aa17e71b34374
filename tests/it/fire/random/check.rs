//! The end of a life: all trouble is over, all has had its time, and everything is as it must be.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use usipipo::demo::qvapay::{Answers, Status, Style};

use super::life::{ADMIN, Life, Tally};
use crate::fire::walk::at_rest;
use crate::support::town::{BOT, LIMIT};
use crate::support::wait::eventually;

/// Long enough for a last look at every order that is still looked after.
const LAST_LOOK: TimeDelta = TimeDelta::hours(13);

impl Life {
    pub async fn end(mut self) -> Tally {
        self.mend();
        self.town.qvapay.answer_as(Answers::V2);
        self.settle().await;
        self.tell_what_nobody_asks_about().await;
        self.settle().await;
        self.town.clock.advance(LAST_LOOK);
        self.until_schedules_have_looked().await;
        self.settle().await;
        at_rest(&self.town).await;
        self.town.is_sound().await;

        self.every_update_that_was_taken_is_stored_once().await;
        self.everybodys_updates_took_effect_in_order().await;
        self.everybody_did_only_what_they_may().await;
        self.who_was_shut_out_did_nothing().await;
        self.nothing_was_given_for_nothing().await;
        self.servers_have_what_the_database_says().await;
        self.stars_are_where_telegram_knows_them().await;
        self.qvapay_money_is_where_qvapay_knows_it().await;
        self.what_was_given_up_has_a_reason().await;
        let tally = self.tally().await;
        self.close().await;
        tally
    }

    /// Callbacks that are the only news of their money come at last: of what was paid when nobody asks any more, and of
    /// invoices that we do not know.
    async fn tell_what_nobody_asks_about(&mut self) {
        let asked = "SELECT invoice_id FROM payments WHERE invoice_id IS NOT NULL AND status <> 'failed'";
        let asked: BTreeSet<String> = self.town.column(asked).await.into_iter().collect();
        for invoice in self.town.qvapay.invoices() {
            let alone = self.late.contains(&invoice.uuid) || !asked.contains(&invoice.uuid.to_string());
            if invoice.status == Status::Paid && alone {
                self.call_back(&invoice, Style::Signed, 1).await;
            }
        }
    }

    async fn until_schedules_have_looked(&self) {
        let now = self.town.clock.now();
        let looked = "SELECT COUNT(DISTINCT name) FROM schedule_ticks WHERE tick_at > ? AND tick_at < ? AND name IN \
                      ('expire', 'poll_payments', 'usage', 'health', 'reconcile', 'read_stars_book')";
        eventually(LIMIT, async || {
            let (from, to) = (now - TimeDelta::minutes(11), now + TimeDelta::minutes(2));
            let looked = sqlx::query_scalar::<_, i64>(looked).bind(from).bind(to);
            looked.fetch_one(&self.town.db.pool).await.unwrap() == 6
        })
        .await;
    }

    async fn every_update_that_was_taken_is_stored_once(&self) {
        let deliveries = self.town.telegram.deliveries();
        let of_ours = || deliveries.iter().filter(|delivery| delivery.bot == BOT);
        let tried: BTreeSet<i64> = of_ours().map(|delivery| delivery.update_id).collect();
        let taken: BTreeSet<i64> =
            of_ours().filter(|it| it.accepted()).map(|delivery| delivery.update_id).collect();
        let keys = "SELECT dedupe_key FROM inbound_events WHERE source = 'telegram:client'";
        let keys = self.town.column(keys).await;
        let (nonsense, known): (Vec<&String>, Vec<&String>) =
            keys.iter().partition(|key| key.starts_with("body:"));
        let stored: BTreeSet<i64> = known.iter().map(|key| key.parse().unwrap()).collect();
        assert_eq!(stored.len(), known.len(), "an update is stored twice");
        let lost: Vec<_> = taken.difference(&stored).collect();
        assert!(lost.is_empty(), "taken and not stored: {lost:?}");
        let invented: Vec<_> = stored.difference(&tried).collect();
        assert!(invented.is_empty(), "stored, though Telegram never brought it: {invented:?}");
        assert_eq!(nonsense.len(), self.nonsense.len(), "nonsense");

        let stored =
            "SELECT SUBSTRING_INDEX(dedupe_key, ':', -1) FROM inbound_events WHERE source = 'qvapay'";
        let stored: BTreeSet<String> = self.town.column(stored).await.into_iter().collect();
        for body in &self.callbacks {
            let hash = hex::encode(Sha256::digest(body));
            assert!(stored.contains(&hash), "a callback was taken and is not stored: {body}");
        }
    }

    /// By what they left in the audit: within a chat, what came first took effect first, unless Telegram counts it as the
    /// later one: it has several queues for a chat, and what comes out of them at the same time is handled in the order of
    /// its count. And each queue came in that order.
    async fn everybodys_updates_took_effect_in_order(&self) {
        let effects: Vec<(String, Vec<u8>, i64)> = sqlx::query_as(
            "SELECT e.lane, e.id, CAST(e.dedupe_key AS SIGNED) FROM audit_logs a \
             JOIN inbound_events e ON e.id = a.event_id WHERE e.source = 'telegram:client' \
             AND e.status = 'done' ORDER BY a.id",
        )
        .fetch_all(&self.town.db.pool)
        .await
        .unwrap();
        let mut newest: BTreeMap<String, (Vec<u8>, i64)> = BTreeMap::new();
        for (lane, event, update) in effects {
            let (before, counted) = newest.insert(lane.clone(), (event.clone(), update)).unwrap_or_default();
            assert!(
                before <= event || counted < update,
                "{lane}: update {update} took effect after one that came later"
            );
        }
        let arrived = "SELECT CAST(dedupe_key AS SIGNED) FROM inbound_events WHERE source = 'telegram:client' \
                       AND dedupe_key NOT LIKE 'body:%' ORDER BY id";
        let arrived = self.town.numbers(arrived).await;
        let queue_of: BTreeMap<i64, String> =
            self.town.telegram.deliveries().into_iter().map(|it| (it.update_id, it.queue)).collect();
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for update in arrived {
            let queue = queue_of[&update].as_str();
            let before = newest.insert(queue, update).unwrap_or_default();
            assert!(before < update, "{queue}: {update} is stored after {before}");
        }
        let referrers = "SELECT id FROM users WHERE referrer IS NULL OR referrer <> CONCAT(id, '_first')";
        assert!(self.town.numbers(referrers).await.is_empty(), "the first link counts");
    }

    async fn everybody_did_only_what_they_may(&self) {
        let of_the_team = "SELECT CONCAT(action, ' by ', COALESCE(user_id, 'nobody')) FROM audit_logs WHERE action IN \
                           ('user_banned', 'user_unbanned', 'review_accepted', 'refund_requested', \
                           'refunded_by_hand', 'charge_closed', 'role_granted', 'role_revoked') \
                           AND COALESCE(user_id, 0) <> ";
        let strangers = self.town.column(&format!("{of_the_team}{ADMIN}")).await;
        assert!(strangers.is_empty(), "{strangers:?}");
        for (table, noun, actions) in [
            ("vpn_configs", "config", "'config_revoked', 'config_renamed'"),
            ("payments", "payment", "'order_created', 'order_cancelled'"),
        ] {
            let foreign = format!(
                "SELECT CONCAT(a.action, ' ', a.target, ' by ', a.user_id) FROM audit_logs a JOIN {table} t \
                 ON a.target = CONCAT('{noun}:', t.id) WHERE a.action IN ({actions}) AND a.user_id <> t.user_id"
            );
            let foreign = self.town.column(&foreign).await;
            assert!(foreign.is_empty(), "{foreign:?}");
        }
    }

    /// But pay: money is counted whoever brings it.
    async fn who_was_shut_out_did_nothing(&self) {
        let did = "SELECT CONCAT(a.action, ' ', COALESCE(a.target, '')) FROM audit_logs a \
                   JOIN inbound_events e ON e.id = a.event_id \
                   WHERE a.user_id = ? AND a.id > ? AND e.id > ? AND e.source = 'telegram:client' \
                   AND e.lane = CONCAT('client:', a.user_id) \
                   AND e.body NOT LIKE '%successful_payment%' AND e.body NOT LIKE '%refunded_payment%' \
                   AND a.id < COALESCE((SELECT MIN(u.id) FROM audit_logs u WHERE u.action = 'user_unbanned' \
                   AND u.target = CONCAT('user:', a.user_id) AND u.id > ?), 9223372036854775807)";
        for shut in &self.shut {
            let did = sqlx::query_scalar::<_, String>(did).bind(shut.person).bind(shut.audit);
            let did = did.bind(shut.after).bind(shut.audit);
            let did = did.fetch_all(&self.town.db.pool).await.unwrap();
            assert!(did.is_empty(), "{} was banned, and yet: {did:?}", shut.person);
        }
    }

    async fn nothing_was_given_for_nothing(&self) {
        let trials = self.town.numbers("SELECT user_id FROM audit_logs WHERE action = 'trial_started'").await;
        let people: BTreeSet<i64> = trials.iter().copied().collect();
        assert_eq!(people.len(), trials.len(), "somebody had two trials");
        assert!(people.is_subset(&self.tried), "a trial that nobody asked for");
        let unpaid = "SELECT CONCAT('config ', c.id, ' of ', c.user_id) FROM vpn_configs c \
                      JOIN subscriptions s ON s.id = c.subscription_id WHERE NOT EXISTS \
                      (SELECT 1 FROM trials t WHERE t.subscription_id = s.id) AND NOT EXISTS \
                      (SELECT 1 FROM payments p JOIN ledger_entries l ON l.payment_id = p.id AND l.kind = 'payment' \
                      WHERE p.subscription_id = s.id AND p.user_id = c.user_id)";
        let unpaid = self.town.column(unpaid).await;
        assert!(unpaid.is_empty(), "{unpaid:?}");
        // Each purchase has its receipt, once, whether or not its chat took it.
        let receipts = "SELECT COUNT(*) FROM outbound_messages WHERE dedupe_key LIKE 'receipt:%'";
        let bought = "SELECT COUNT(*) FROM ledger_entries WHERE kind = 'payment'";
        assert_eq!(self.town.count(receipts).await, self.town.count(bought).await, "receipts and purchases");
    }

    async fn servers_have_what_the_database_says(&self) {
        let ids = async |condition: &str| -> BTreeSet<String> {
            let ids = format!("SELECT public_id FROM vpn_configs WHERE {condition} ORDER BY public_id");
            self.town.column(&ids).await.into_iter().collect()
        };
        let keys: BTreeSet<String> = self.outline.key_ids().await.into_iter().collect();
        let kept = ids("protocol = 'outline' AND status IN ('active', 'suspended')").await;
        assert_eq!(keys, kept, "left: at the Outline server; right: in the database");
        let open = ids("protocol = 'wireguard' AND status = 'active'").await;
        // The file follows the interface within seconds.
        eventually(LIMIT, async || match self.wireguard.peers() {
            peers if peers == open => Ok(()),
            peers => Err(format!("in WireGuard's file: {peers:?}; in the database: {open:?}")),
        })
        .await;
        let unlike = "SELECT CONCAT(id, ' ', status, ' ', applied) FROM vpn_configs WHERE (status, applied) NOT IN \
                      (('active', 'present'), ('suspended', 'blocked')) AND status <> 'removed'";
        let unlike = self.town.column(unlike).await;
        assert!(unlike.is_empty(), "{unlike:?}");
    }

    /// Nothing died but what cannot live: nonsense, and refunds of money that Telegram does not have.
    async fn what_was_given_up_has_a_reason(&self) {
        let events = "SELECT CONCAT(dedupe_key, ': ', error) FROM inbound_events WHERE status = 'dead' \
                      AND dedupe_key NOT LIKE 'body:%'";
        let jobs = "SELECT CONCAT(payload, ': ', error) FROM jobs WHERE status = 'dead' AND NOT \
                    (kind IN ('refund_payment', 'send_back') AND error LIKE '%CHARGE_NOT_FOUND%')";
        for dead in [events, jobs] {
            let dead = self.town.column(dead).await;
            assert!(dead.is_empty(), "{dead:?}");
        }
    }

    async fn tally(&self) -> Tally {
        let count = async |sql: &str| self.town.count(sql).await;
        let bought = "SELECT COUNT(*) FROM payments WHERE completed_at IS NOT NULL AND provider = ";
        let odd = "SELECT COUNT(*) FROM audit_logs WHERE action IN ('payment_review', 'payment_unmatched')";
        Tally {
            trials: count("SELECT COUNT(*) FROM trials").await,
            stars: count(&format!("{bought}'stars'")).await,
            qvapay: count(&format!("{bought}'qvapay'")).await,
            refunds: count("SELECT COUNT(*) FROM payments WHERE status = 'refunded'").await,
            odd: count(odd).await,
            bans: count("SELECT COUNT(*) FROM audit_logs WHERE action = 'user_banned'").await,
        }
    }
}
