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
    let detail = |plan, extends_to| PlanDetail { plan, extends_to };
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
        sample("plan", plan(t, &detail(plan_view(n), Some(now() + Duration::days(42))))),
        sample("plan/unlimited", plan(t, &detail(year, None))),
        sample("plan/cannot be paid", plan(t, &detail(unpayable, None))),
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
    vec![
        sample("receipt/paid", show(ReceiptKind::Paid { ends_at, config: Brought::First })),
        sample("receipt/paid again", show(ReceiptKind::Paid { ends_at, config: Brought::Same })),
        sample("receipt/late", show(ReceiptKind::Late { ends_at, config: Brought::First })),
        sample("receipt/refunded", show(ReceiptKind::Refunded { had_access: true })),
        sample("receipt/refunded unused", show(ReceiptKind::Refunded { had_access: false })),
        sample("receipt/review", show(ReceiptKind::Review)),
    ]
}

pub fn reminders(t: &Texts, n: &Names) -> Vec<Sample> {
    let show = |kind, left, used| {
        let subscription =
            SubscriptionView { ends_at: now() + left, used, ..subscription(n, SubscriptionStatus::Active) };
        reminder(t, &Reminder { kind, subscription, renew: Some(PlanId(2)), now: now() })
    };
    let of_trial = |kind, left, used| {
        let subscription = SubscriptionView { ends_at: now() + left, used, ..trial_subscription() };
        reminder(t, &Reminder { kind, subscription, renew: None, now: now() })
    };
    let days = Duration::days;
    vec![
        sample("reminder/three days", show(ReminderKind::ThreeDays, days(3), 0)),
        sample("reminder/one day", show(ReminderKind::OneDay, days(1), 0)),
        sample("reminder/ended", show(ReminderKind::Ended, days(0), 0)),
        sample("reminder/traffic low", show(ReminderKind::TrafficLow, days(9), 40 * GIB)),
        sample("reminder/traffic out", show(ReminderKind::TrafficOut, days(9), 50 * GIB)),
        sample("reminder/trial three days", of_trial(ReminderKind::ThreeDays, days(3), 0)),
        sample("reminder/trial one day", of_trial(ReminderKind::OneDay, Duration::hours(20), 0)),
        sample("reminder/trial ended", of_trial(ReminderKind::Ended, days(0), 0)),
        sample("reminder/trial traffic low", of_trial(ReminderKind::TrafficLow, days(2), 800 << 20)),
        sample("reminder/trial traffic out", of_trial(ReminderKind::TrafficOut, days(2), GIB)),
    ]
}
