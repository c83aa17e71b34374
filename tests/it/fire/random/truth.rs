//! Money as those know it who have it: each charge at Telegram and at QvaPay is in our books once, in the state it is
//! in there.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use sqlx::AssertSqlSafe;
use usipipo::demo::qvapay::{Invoice, Status};

use super::life::Life;
use crate::support::town::BOT;

/// An order that holds a charge.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Holder {
    id: i64,
    order_ref: String,
    user_id: i64,
    status: String,
    amount: Decimal,
    paid_amount: Option<Decimal>,
    credited: bool,
    /// An admin let the money count that came.
    accepted: bool,
}

/// A charge that fits no order.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Unmatched {
    resolved: bool,
    /// By an admin, without the money going back.
    closed: bool,
}

/// Where our books have a charge.
#[derive(Debug)]
struct Place {
    orders: Vec<Holder>,
    unmatched: Vec<Unmatched>,
}

impl Place {
    fn times(&self) -> usize {
        self.orders.len() + self.unmatched.len()
    }
}

/// A charge in Stars, as Telegram has it.
struct Star {
    payer: i64,
    order: String,
    amount: i64,
    refunded: bool,
}

impl Life {
    async fn place(&self, provider: &str, charge: &str) -> Place {
        let orders = format!(
            "SELECT p.id, p.order_ref, p.user_id, p.status, p.amount, p.paid_amount, \
             p.completed_at IS NOT NULL AS credited, EXISTS (SELECT 1 FROM audit_logs a WHERE \
             a.action = 'review_accepted' AND a.target = CONCAT('payment:', p.id)) AS accepted \
             FROM payments p WHERE p.provider = '{provider}' AND p.charge_id = ?"
        );
        let unmatched = format!(
            "SELECT u.resolved_at IS NOT NULL AS resolved, EXISTS (SELECT 1 FROM audit_logs a WHERE \
             a.action = 'charge_closed' AND a.target = CONCAT('charge:', u.id)) AS closed \
             FROM unmatched_charges u WHERE u.provider = '{provider}' AND u.charge_id = ?"
        );
        let pool = &self.town.db.pool;
        let orders = sqlx::query_as(AssertSqlSafe(orders)).bind(charge).fetch_all(pool).await.unwrap();
        let unmatched = sqlx::query_as(AssertSqlSafe(unmatched)).bind(charge).fetch_all(pool).await.unwrap();
        Place { orders, unmatched }
    }

    /// Every charge that Telegram has taken for the bot, by its id.
    fn stars(&self) -> BTreeMap<String, Star> {
        let mut stars = BTreeMap::new();
        for person in &self.people {
            let messages = person.messages(BOT).unwrap();
            for paid in messages.iter().filter_map(|message| message.paid.as_ref()) {
                let order = paid.payload.strip_suffix(".v1").unwrap_or_default().to_owned();
                let star = Star { payer: person.id, order, amount: paid.amount, refunded: false };
                stars.insert(paid.charge_id.clone(), star);
            }
            for refunded in messages.iter().filter_map(|message| message.refunded.as_ref()) {
                stars.get_mut(&refunded.charge_id).unwrap().refunded = true;
            }
        }
        stars
    }

    pub async fn stars_are_where_telegram_knows_them(&self) {
        let stars = self.stars();
        let told: BTreeSet<&String> = self.receipts.iter().map(|(_, receipt)| &receipt.charge_id).collect();
        assert_eq!(told, stars.keys().collect(), "payments as people made them, and as Telegram has them");
        let (mut credited, mut disturbed) =
            (BTreeMap::<&str, i64>::new(), self.orders_with_odd_money().await);
        for (charge, star) in &stars {
            let place = self.place("stars", charge).await;
            assert_eq!(place.times(), 1, "{charge} of {}: {place:?}", star.order);
            for order in &place.orders {
                self.star_is_held_well(charge, star, order).await;
                *credited.entry(&star.order).or_default() += i64::from(order.credited);
            }
            for kept in &place.unmatched {
                assert_eq!(kept.resolved, star.refunded || kept.closed, "{charge}: {kept:?}");
            }
            if star.refunded {
                disturbed.insert(star.order.clone());
            }
        }
        for order in stars.values().map(|star| star.order.as_str()) {
            let times = credited.get(order).copied().unwrap_or_default();
            assert!(times <= 1, "{order} was credited {times} times");
            assert!(times == 1 || disturbed.contains(order), "{order} was paid and not credited");
        }
        self.odd_stars_bought_nothing().await;
        self.stars_add_up(&stars).await;
    }

    async fn star_is_held_well(&self, charge: &str, star: &Star, order: &Holder) {
        let what = format!("{charge} of {}: {order:?}", star.order);
        assert_eq!(order.order_ref, star.order, "{what}");
        assert_eq!(order.paid_amount, Some(Decimal::from(star.amount)), "{what}");
        assert_eq!(order.status == "refunded", star.refunded, "{what}");
        assert!(["completed", "review", "refunded"].contains(&order.status.as_str()), "{what}");
        let rightly = order.user_id == star.payer && order.amount == Decimal::from(star.amount);
        assert!(rightly || !order.credited || order.accepted, "{what}");
        self.ledger_has(order).await;
    }

    /// What was credited is in the ledger once, and once more when it went back.
    async fn ledger_has(&self, order: &Holder) {
        let count = async |kind: &str| {
            let entries = format!(
                "SELECT COUNT(*) FROM ledger_entries WHERE payment_id = {} AND kind = '{kind}'",
                order.id
            );
            self.town.count(&entries).await
        };
        let back = order.credited && order.status == "refunded";
        let found = (count("payment").await, count("refund").await);
        assert_eq!(found, (i64::from(order.credited), i64::from(back)), "ledger of {order:?}");
    }

    /// Orders of which Telegram told odd things: what came first waits for a human, who may have said no.
    async fn orders_with_odd_money(&self) -> BTreeSet<String> {
        let orders = "SELECT p.order_ref FROM payments p WHERE EXISTS (SELECT 1 FROM audit_logs a \
                      WHERE a.action = 'payment_review' AND a.target = CONCAT('payment:', p.id)) \
                      OR p.status = 'review' OR p.note IS NOT NULL";
        self.town.column(orders).await.into_iter().collect()
    }

    async fn odd_stars_bought_nothing(&self) {
        let taken = self.town.telegram.deliveries();
        let taken: BTreeSet<i64> =
            taken.iter().filter(|it| it.accepted()).map(|delivery| delivery.update_id).collect();
        for odd in &self.odd {
            let place = self.place("stars", &odd.charge).await;
            let known = odd.update.is_some_and(|update| taken.contains(&update));
            assert_eq!(place.times(), usize::from(known), "{}: {place:?}", odd.charge);
            for order in place.orders {
                assert!(!order.credited || order.accepted, "{}: {order:?}", odd.charge);
                self.ledger_has(&order).await;
            }
        }
        let forged = self.place("stars", "forged").await;
        assert_eq!(forged.times(), 0, "{forged:?}");
    }

    /// What Telegram holds = in the ledger + in review + fits no order.
    async fn stars_add_up(&self, stars: &BTreeMap<String, Star>) {
        let ours = "currency = 'XTR' AND charge_id NOT LIKE 'odd%'";
        let sum = |of: &str| format!("SELECT CAST(COALESCE(SUM({of}), 0) AS SIGNED) FROM");
        let ledger = format!(
            "{} ledger_entries l JOIN payments p ON p.id = l.payment_id WHERE l.{ours}",
            sum("IF(l.kind = 'payment', l.amount, -l.amount)")
        );
        let review = format!("{} payments WHERE status = 'review' AND paid_{ours}", sum("paid_amount"));
        let mut kept = self.town.count(&ledger).await + self.town.count(&review).await;
        for (charge, star) in stars {
            let place = self.place("stars", charge).await;
            if !place.unmatched.is_empty() && !star.refunded {
                kept += star.amount;
            }
        }
        assert_eq!(self.town.telegram.stars_of(BOT), kept, "left: at Telegram; right: in our books");
    }

    /// An order in words, for whoever reads how it went wrong.
    async fn order_named(&self, order_ref: &str) -> Vec<String> {
        let shown = "SELECT CONCAT_WS(' ', 'order', id, status, 'invoice', invoice_id, 'charge', charge_id, 'made', \
                     created_at, 'looked at', checked_at, note) FROM payments WHERE order_ref = ?";
        sqlx::query_scalar(shown).bind(order_ref).fetch_all(&self.town.db.pool).await.unwrap()
    }

    pub async fn qvapay_money_is_where_qvapay_knows_it(&self) {
        let invoices = self.town.qvapay.invoices();
        for invoice in &invoices {
            let place = self.place("qvapay", &invoice.uuid.to_string()).await;
            let what = format!("{invoice:?}: {place:?}, {:?}", self.order_named(&invoice.remote_id).await);
            if invoice.status != Status::Paid {
                assert!(place.orders.iter().all(|order| !order.credited), "{what}");
                continue;
            }
            assert_eq!(place.times(), 1, "{what}");
            let only = invoices.iter().filter(|it| it.remote_id == invoice.remote_id).count() == 1;
            for order in &place.orders {
                let agreed = is_as_agreed(invoice, order);
                assert_eq!(order.order_ref, invoice.remote_id, "{what}");
                assert!(agreed || !order.credited || order.accepted, "{what}");
                assert!(order.credited || !(agreed && only), "{what}");
                assert!(["completed", "review", "refunded"].contains(&order.status.as_str()), "{what}");
                self.ledger_has(order).await;
            }
            assert!(place.unmatched.is_empty() || !only, "{what}");
        }
        let known: BTreeSet<String> = invoices.iter().map(|invoice| invoice.uuid.to_string()).collect();
        let credited =
            "SELECT charge_id FROM payments WHERE provider = 'qvapay' AND completed_at IS NOT NULL";
        let credited: BTreeSet<String> = self.town.column(credited).await.into_iter().collect();
        assert!(credited.is_subset(&known), "credited, and unknown to QvaPay");
    }
}

/// A plain amount in dollars that is no less than the price.
fn is_as_agreed(invoice: &Invoice, order: &Holder) -> bool {
    let amount = invoice.amount.parse::<Decimal>().ok();
    invoice.currency.is_none() && amount.is_some_and(|amount| amount >= order.amount)
}
