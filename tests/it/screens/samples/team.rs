//! Screens of the team and alerts.

use super::*;

fn whois_view(n: &Names, status: UserStatus, viewer: &[Role]) -> Whois {
    Whois {
        id: ANA,
        name: n.person.clone(),
        username: Some(n.person.clone()),
        language: Language::Ru,
        status,
        created_at: now() - Duration::days(90),
        last_seen_at: now() - Duration::minutes(5),
        trial_at: (status == UserStatus::Active).then(|| now() - Duration::days(89)),
        referrer: Some(n.person.clone()).filter(|code| !code.is_empty()),
        roles: vec![RoleView { role: Role::Support, expires_at: None }],
        subscriptions: vec![subscription(n, SubscriptionStatus::Active), trial_subscription()],
        configs: 2,
        payments: vec![payment_view(n, PaymentStatus::Completed), payment_view(n, PaymentStatus::Review)],
        viewer: viewer.to_vec(),
        now: now(),
    }
}

pub fn people(t: &Texts, n: &Names) -> Vec<Sample> {
    let user = |status| UserLine {
        id: ANA,
        name: n.person.clone(),
        username: Some(n.person.clone()),
        status,
        last_seen_at: now() - Duration::hours(30),
    };
    let list: Vec<UserLine> = (0..10)
        .map(|i| {
            user(if i == 1 {
                UserStatus::Banned
            } else if i == 2 {
                UserStatus::Blocked
            } else {
                UserStatus::Active
            })
        })
        .collect();
    let entry = || AuditLine {
        at: now(),
        actor: Some(ANA),
        action: "role_granted".to_owned(),
        target: Some("user:42".to_owned()),
        details: format!("{{\"name\":\"{}\",\"role\":\"support\"}}", n.person),
    };
    let system = AuditLine { actor: None, target: None, details: "{}".to_owned(), ..entry() };
    let full: Vec<AuditLine> = (1..10).map(|_| entry()).chain([system]).collect();
    let admin_of = |entries, of, page| audit(t, &Audit { entries, of, page, more: true });
    vec![
        sample("whois", whois(t, &whois_view(n, UserStatus::Active, &[Role::Admin]))),
        sample(
            "whois/banned, seen by support",
            whois(t, &whois_view(n, UserStatus::Banned, &[Role::Support])),
        ),
        sample("whois/banned", whois(t, &whois_view(n, UserStatus::Banned, &[Role::Admin]))),
        sample("users", users(t, &Users { users: list, total: 1234, page: 0, more: true, now: now() })),
        sample("users/none", users(t, &Users { users: vec![], total: 0, page: 0, more: false, now: now() })),
        sample("audit", admin_of(full, None, 1)),
        sample("audit/of one", admin_of(vec![entry()], Some(ANA), 0)),
        sample("audit/none", audit(t, &Audit { entries: vec![], of: None, page: 0, more: false })),
        sample("stats", stats(t, &stats_view(3))),
        sample("stats/quiet", stats(t, &stats_view(0))),
    ]
}

fn stats_view(dead: u64) -> Stats {
    Stats {
        people: 1234,
        new_today: 12,
        active_week: 321,
        paid: 87,
        trials: 40,
        configs: 203,
        today: Sales { orders: 0, sums: vec![] },
        month: Sales { orders: 95, sums: vec![Money::stars(21_500), usd()] },
        servers_up: 3,
        servers: 4,
        queues: Queues { events: 0, messages: 2, jobs: 1, dead, reviews: dead },
    }
}

/// As many as one page shows.
fn waiting(n: &Names) -> Reviews {
    let order = || (payment_view(n, PaymentStatus::Review), format!("{}: paid 0.01", n.person));
    let charge = |i| unmatched(n, if i % 2 == 0 { ProviderId::Stars } else { ProviderId::Qvapay });
    Reviews { orders: (0..5).map(|_| order()).collect(), charges: (0..5).map(charge).collect() }
}

fn unmatched(n: &Names, provider: ProviderId) -> UnmatchedCharge {
    let stars = provider == ProviderId::Stars;
    UnmatchedCharge {
        id: ChargeId(3),
        provider,
        charge_id: format!("stx{}", n.person),
        payer: stars.then_some(ANA),
        payment_id: (!stars).then_some(PaymentId(42)),
        amount: stars.then(|| 250.into()),
        currency: if stars { Currency::stars() } else { Currency::usd() },
        reason: format!("it names {}", n.person),
        resolved_at: None,
        created_at: now(),
    }
}

fn in_review(n: &Names, came: Option<Money>, payer: Option<(UserId, String)>) -> Review {
    Review {
        payment: payment_view(n, PaymentStatus::Review),
        buyer: (ANA, n.person.clone()),
        payer,
        came,
        charge: Some(format!("stx{}", n.person)),
        reason: format!("{}: paid 100, the price is 250", n.person),
        days: 30,
        traffic_mb: Some(204_800),
        device_limit: 3,
        ends_at: now() + Duration::days(30),
    }
}

pub fn refunds(t: &Texts, n: &Names) -> Vec<Sample> {
    let preview = RefundPreview {
        payment: payment_view(n, PaymentStatus::Completed),
        payer: ANA,
        payer_name: n.person.clone(),
        paid_at: now() - Duration::days(3),
        charge: Some("stxCHARGE".to_owned()),
        access: AccessAfter::EndsAtOnce,
    };
    let after = |access| RefundPreview {
        payment: payment_view(n, PaymentStatus::Completed),
        payer_name: n.person.clone(),
        charge: None,
        access,
        ..preview
    };
    let renewed = after(AccessAfter::Until(now() + Duration::days(30)));
    let over = after(AccessAfter::Over);
    let hand = RefundPreview {
        payment: PaymentView {
            provider: ProviderId::Qvapay,
            price: usd(),
            ..payment_view(n, PaymentStatus::Review)
        },
        payer: ANA,
        payer_name: n.person.clone(),
        paid_at: now() - Duration::days(3),
        charge: Some("7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44".to_owned()),
        access: AccessAfter::None,
    };
    let refund = |result: RefundResult| refund_result(t, &result);
    vec![
        sample("refund/question", refund_preview(t, &preview)),
        sample("refund/question, others go on", refund_preview(t, &renewed)),
        sample("refund/question, too late", refund_preview(t, &over)),
        sample("refund/question by hand", refund_preview(t, &hand)),
        sample("refund/noted", refund(RefundResult::Noted { order_ref: ORDER.to_owned(), payer: ANA })),
        sample("refund/started", refund(RefundResult::Started { order_ref: ORDER.to_owned(), payer: ANA })),
        sample("refund/not paid", refund(RefundResult::NotPaid { status: PaymentStatus::Refunded })),
        sample("refund/no order", refund(RefundResult::NoSuchOrder)),
        sample("refund/by hand", refund(RefundResult::ByHand { provider: ProviderId::Qvapay })),
    ]
}

pub fn reviewed(t: &Texts, n: &Names) -> Vec<Sample> {
    let decided = |result: ReviewResult| review_result(t, &result);
    let payer = (UserId(987_654_321), n.person.clone());
    vec![
        sample("reviews", reviews(t, &waiting(n))),
        sample("reviews/none", reviews(t, &Reviews { orders: vec![], charges: vec![] })),
        sample("review", review(t, &in_review(n, Some(Money::stars(100)), None))),
        sample(
            "review/paid by somebody else",
            review(t, &in_review(n, Some(Money::stars(250)), Some(payer))),
        ),
        sample("review/unknown amount", review(t, &in_review(n, None, None))),
        sample("review/accepted", decided(ReviewResult::Accepted { order_ref: ORDER.to_owned(), user: ANA })),
        sample("review/over", decided(ReviewResult::Over { status: PaymentStatus::Completed })),
        sample("review/nothing came", decided(ReviewResult::NothingCame)),
        sample("charge", charge(t, &unmatched(n, ProviderId::Stars))),
        sample("charge/by hand", charge(t, &unmatched(n, ProviderId::Qvapay))),
        sample("charge/sent back", charge_result(t, ChargeResult::SentBack)),
        sample("charge/closed", charge_result(t, ChargeResult::Closed)),
        sample("charge/gone", charge_result(t, ChargeResult::Gone)),
    ]
}

pub fn decisions(t: &Texts, n: &Names) -> Vec<Sample> {
    let target = BanTarget { id: ANA, name: n.person.clone() };
    let role = RoleView { role: Role::Support, expires_at: Some(now() + Duration::days(30)) };
    let change = |change: RoleChange| role_change(t, &change);
    let banned = |result| ban_result(t, &target, result);
    vec![
        sample("role/granted", change(RoleChange::Granted { user: ANA, role })),
        sample("role/revoked", change(RoleChange::Revoked { user: ANA, role: Role::Support })),
        sample("role/unknown", change(RoleChange::UnknownRole { given: n.person.clone() })),
        sample("role/not allowed", change(RoleChange::NotAllowed)),
        sample("role/already over", change(RoleChange::AlreadyOver)),
        sample("role/not held", change(RoleChange::NotHeld { user: ANA, role: Role::Admin })),
        sample("role/fixed", change(RoleChange::Fixed { user: ANA })),
        sample("ban/question", ban_question(t, &target)),
        sample("ban/done", banned(BanResult::Banned)),
        sample("ban/undone", banned(BanResult::Unbanned)),
        sample("ban/unchanged", banned(BanResult::Unchanged)),
        sample("ban/protected", banned(BanResult::Protected)),
        sample("usage/whois", usage(t, Command::Whois)),
        sample("usage/reviews", usage(t, Command::Reviews)),
        sample("usage/grantrole", usage(t, Command::GrantRole)),
        sample("no such user", no_such_user(t, &n.person)),
    ]
}
