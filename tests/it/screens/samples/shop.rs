//! Trial, plans, orders, receipts and reminders.

use super::*;

pub fn trial_and_plans(t: &Texts, n: &Names) -> Vec<Sample> {
    let year = PlanView {
        id: PlanId(3),
        name: "Año".to_owned(),
        description: String::new(),
        duration_days: 365,
        traffic_mb: None,
        device_limit: 1,
        popular: false,
        pay: vec![PayOption { provider: ProviderId::Stars, price: Money::stars(2000) }],
    };
    let unpayable = PlanView { pay: vec![], ..year.clone() };
    let both = || Protocol::ALL.to_vec();
    let detail = |plan, held| PlanDetail { plan, protocols: both(), held, now: now() };
    let other = |status| Held::Other(subscription(n, status));
    let extends_to = now() + Duration::days(42);
    let one_way = PlanDetail { protocols: vec![Protocol::Outline], ..detail(year.clone(), Held::Nothing) };
    let gone = SubscriptionView { renew: None, ..subscription(n, SubscriptionStatus::Suspended) };
    let offer =
        |protocols: &[Protocol]| Trial::Offer { terms: terms_of_trial(), protocols: protocols.to_vec() };
    vec![
        sample("trial/offer", trial(t, &offer(Protocol::ALL))),
        sample("trial/full", trial(t, &offer(&[]))),
        sample("trial/not offered", trial(t, &Trial::NotOffered)),
        sample("trial/used", trial(t, &Trial::Used { on: now() - Duration::days(40) })),
        sample("preparing", preparing(t, Protocol::Outline)),
        sample("plans", plans(t, &[plan_view(n), year.clone()])),
        sample("plans/none", plans(t, &[])),
        sample("plan", plan(t, &detail(plan_view(n), Held::Nothing))),
        sample("plan/again", plan(t, &detail(plan_view(n), Held::Same { extends_to }))),
        sample("plan/beside another", plan(t, &detail(year.clone(), other(SubscriptionStatus::Active)))),
        sample(
            "plan/beside a paused one",
            plan(t, &detail(year.clone(), other(SubscriptionStatus::Suspended))),
        ),
        sample("plan/beside what is not sold any more", plan(t, &detail(year, Held::Other(gone)))),
        sample("plan/one way to connect", plan(t, &one_way)),
        sample(
            "plan/cannot be paid",
            plan(t, &PlanDetail { protocols: vec![], ..detail(unpayable, Held::Nothing) }),
        ),
    ]
}

pub fn orders(t: &Texts, n: &Names) -> Vec<Sample> {
    let show = |provider, price: Money, state| {
        let view = Order {
            id: PaymentId(77),
            order_ref: ORDER.to_owned(),
            plan_id: PlanId(2),
            plan: n.plan.clone(),
            price,
            provider,
            state,
            now: now(),
        };
        order(t, &view)
    };
    let qvapay = |state| show(ProviderId::Qvapay, usd(), state);
    let expires_at = now() + Duration::minutes(58);
    let url = Some("https://qvapay.com/pay/0193".to_owned());
    vec![
        sample("order/preparing", qvapay(OrderState::Preparing)),
        sample("order/pay by link", qvapay(OrderState::Waiting { url, expires_at })),
        sample(
            "order/pay by Stars",
            show(ProviderId::Stars, stars(), OrderState::Waiting { url: None, expires_at }),
        ),
        sample("order/paid", qvapay(OrderState::Paid { ends_at: now() + Duration::days(30) })),
        sample("order/expired", qvapay(OrderState::Expired)),
        sample("order/cancelled", qvapay(OrderState::Cancelled)),
        sample("order/failed", qvapay(OrderState::Failed)),
        sample("order/review", qvapay(OrderState::Review)),
        sample("order/refunded", qvapay(OrderState::Refunded)),
    ]
}

pub fn receipts(t: &Texts, n: &Names) -> Vec<Sample> {
    let show =
        |kind| receipt(t, &Receipt { order_ref: ORDER.to_owned(), plan: n.plan.clone(), price: usd(), kind });
    let ends_at = now() + Duration::days(30);
    let paid = |config, came| show(ReceiptKind::Paid { ends_at, now: now(), config, came });
    vec![
        sample("receipt/paid", paid(Brought::First, Came::InTime)),
        sample("receipt/paid again", paid(Brought::Same, Came::InTime)),
        sample("receipt/late", paid(Brought::First, Came::Late)),
        sample("receipt/accepted", paid(Brought::None, Came::Reviewed)),
        sample("receipt/refunded", show(ReceiptKind::Refunded { access: Taken::All })),
        sample("receipt/refunded unused", show(ReceiptKind::Refunded { access: Taken::Nothing })),
        sample("receipt/refunded in part", show(ReceiptKind::Refunded { access: Taken::Until(ends_at) })),
    ]
}

pub fn reminders(t: &Texts, n: &Names) -> Vec<Sample> {
    let show = |kind, left, used| {
        let subscription =
            SubscriptionView { ends_at: now() + left, used, ..subscription(n, SubscriptionStatus::Active) };
        reminder(t, &Reminder { kind, subscription, kept_until: Some(now() + Duration::days(3)), now: now() })
    };
    let ended = |kept_until, renew| {
        let ended =
            SubscriptionView { ends_at: now(), renew, ..subscription(n, SubscriptionStatus::Suspended) };
        reminder(t, &Reminder { kind: ReminderKind::Ended, subscription: ended, kept_until, now: now() })
    };
    let of_trial = |kind, left, used| {
        let subscription = SubscriptionView { ends_at: now() + left, used, ..trial_subscription() };
        reminder(t, &Reminder { kind, subscription, kept_until: None, now: now() })
    };
    let days = Duration::days;
    vec![
        sample("reminder/three days", show(ReminderKind::ThreeDays, days(3), 0)),
        sample("reminder/one day", show(ReminderKind::OneDay, days(1), 0)),
        sample("reminder/ended", show(ReminderKind::Ended, days(0), 0)),
        sample("reminder/ended, nothing is kept", ended(None, Some(PlanId(2)))),
        sample("reminder/ended, not sold any more", ended(Some(now() + Duration::days(3)), None)),
        sample("reminder/traffic low", show(ReminderKind::TrafficLow, days(9), 40 * GIB)),
        sample("reminder/traffic out", show(ReminderKind::TrafficOut, days(9), 50 * GIB)),
        sample("reminder/trial three days", of_trial(ReminderKind::ThreeDays, days(3), 0)),
        sample("reminder/trial one day", of_trial(ReminderKind::OneDay, Duration::hours(20), 0)),
        sample("reminder/trial ended", of_trial(ReminderKind::Ended, days(0), 0)),
        sample("reminder/trial traffic low", of_trial(ReminderKind::TrafficLow, days(2), 800 << 20)),
        sample("reminder/trial traffic out", of_trial(ReminderKind::TrafficOut, days(2), GIB)),
    ]
}
