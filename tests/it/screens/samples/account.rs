//! The person's own data, status and the legal texts.

use super::*;

pub fn person(t: &Texts, n: &Names) -> Vec<Sample> {
    let roles = || {
        vec![
            RoleView { role: Role::Support, expires_at: Some(now() + Duration::days(30)) },
            RoleView { role: Role::Admin, expires_at: None },
        ]
    };
    let me = |full: bool| Profile {
        id: ANA,
        first_name: n.person.clone(),
        username: full.then(|| n.person.clone()),
        language: Language::Es,
        created_at: now() - Duration::days(90),
        roles: if full { roles() } else { vec![] },
        subscriptions: if full { vec![subscription(n, SubscriptionStatus::Active)] } else { vec![] },
        payments: if full {
            PaymentStatus::ALL.iter().map(|s| payment_view(n, *s)).collect()
        } else {
            vec![]
        },
        now: now(),
    };
    let log = |(hours, action): (i64, &str)| LogLine {
        at: now() - Duration::hours(hours),
        action: action.to_owned(),
    };
    let actions = ["config_renamed", "order_created", "trial_started", "user_joined", "something_else"];
    let logs = [0, 2, 23, 24, 900].into_iter().zip(actions).map(log).collect();
    vec![
        sample("profile", profile(t, &me(true))),
        sample("profile/new", profile(t, &me(false))),
        sample("mylogs", my_logs(t, &MyLogs { entries: logs, page: 1, more: true, now: now() })),
        sample("mylogs/none", my_logs(t, &MyLogs { entries: vec![], page: 0, more: false, now: now() })),
        sample("myroles", my_roles(t, &roles())),
        sample("myroles/none", my_roles(t, &[])),
        sample("told/role", role_granted(t, Role::Support, None)),
        sample("told/role until", role_granted(t, Role::Support, Some(now() + Duration::days(30)))),
        sample("told/role over", role_revoked(t, Role::Support)),
    ]
}

pub fn house(t: &Texts, n: &Names) -> Vec<Sample> {
    let server = |health, protocol, has_room| ServerView {
        location: n.location.clone(),
        protocol,
        health,
        has_room,
        checked_at: Some(now() - Duration::minutes(3)),
    };
    let services = vec![
        (Service::Bot, ServerHealth::Up),
        (Service::Delivery, ServerHealth::Up),
        (Service::Payments(ProviderId::Stars), ServerHealth::Up),
        (Service::Payments(ProviderId::Qvapay), ServerHealth::Down),
    ];
    let servers = vec![
        server(ServerHealth::Up, Protocol::Wireguard, true),
        server(ServerHealth::Up, Protocol::Outline, false),
        server(ServerHealth::Down, Protocol::Outline, true),
        server(ServerHealth::Unknown, Protocol::Wireguard, true),
    ];
    let pay_help = |payments, support| PaySupport { id: ANA, payments, support };
    let bot = || Some(Contact::Username("usipipo_help_bot".to_owned()));
    let email = || Some(Contact::Email("help+vpn@example.com".to_owned()));
    let paid = pay_help(vec![payment_view(n, PaymentStatus::Completed)], bot());
    vec![
        sample("status", status(t, &Status { services: services.clone(), servers, now: now() })),
        sample("status/no servers", status(t, &Status { services, servers: vec![], now: now() })),
        sample("terms", terms(t, None)),
        sample("terms/the operator's own", terms(t, Some("https://example.com/terms"))),
        sample("privacy", privacy(t)),
        sample("paysupport", pay_support(t, &paid)),
        sample("paysupport/no payments", pay_support(t, &pay_help(vec![], None))),
        sample("paysupport/by e-mail", pay_support(t, &pay_help(vec![], email()))),
    ]
}
