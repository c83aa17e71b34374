//! Configs, their delivery and the guides.

use super::*;

pub const SS_LINK: &str = "ss://Y2hhY2hhMjAtaWV0Zi1wb2x5MTMwNTpzM2NyM3Q@203.0.113.7:12345/?outline=1#iPhone";

const CONF: &str = "[Interface]\nPrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAddress = 10.8.0.2/32\nDNS = 1.1.1.1\n\n[Peer]\nPublicKey = BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=\nEndpoint = 203.0.113.7:51820\nAllowedIPs = 0.0.0.0/0, ::/0\n";

pub fn vpns(t: &Texts, n: &Names) -> Vec<Sample> {
    let show = |subscriptions, trial_available| vpn(t, &Vpn { subscriptions, trial_available, now: now() });
    let active = subscription(n, SubscriptionStatus::Active);
    let many = vec![
        config_view(n, Protocol::Wireguard, ConfigStatus::Active),
        config_view(n, Protocol::Outline, ConfigStatus::Preparing),
        config_view(n, Protocol::Outline, ConfigStatus::Suspended),
    ];
    let other = SubscriptionView { plan: Some("Año".to_owned()), renew: Some(PlanId(3)), ..active.clone() };
    vec![
        sample("vpn/two plans", show(vec![(active.clone(), vec![]), (other, vec![])], false)),
        sample("vpn/empty", show(vec![], true)),
        sample("vpn/no configs", show(vec![(active.clone(), vec![])], false)),
        sample("vpn/two subscriptions", show(vec![(active, many), (trial_subscription(), vec![])], false)),
    ]
}

pub fn configs(t: &Texts, n: &Names) -> Vec<Sample> {
    let view = |protocol, status| config_view(n, protocol, status);
    let show = |config| {
        let subscription = subscription(n, SubscriptionStatus::Active);
        config_screen(t, ConfigDetail { config, subscription, now: now() })
    };
    let never =
        ConfigView { last_handshake_at: None, used: 0, ..view(Protocol::Wireguard, ConfigStatus::Active) };
    let overdue = ConfigView { delivered_at: Some(now() - Duration::minutes(60)), ..never.clone() };
    let unsold = SubscriptionView { renew: None, ..subscription(n, SubscriptionStatus::Suspended) };
    let ended = SubscriptionView {
        ends_at: now() - Duration::days(1),
        ..subscription(n, SubscriptionStatus::Suspended)
    };
    let suspended = view(Protocol::Wireguard, ConfigStatus::Suspended);
    let of_trial = ConfigDetail { config: suspended.clone(), subscription: trial_subscription(), now: now() };
    let active = view(Protocol::Wireguard, ConfigStatus::Active);
    let help = Contact::Username("usipipo_help".to_owned());
    let choice = |plan: Option<String>| AddChoice {
        subscription_id: SubscriptionId(5),
        plan,
        protocols: Protocol::ALL.to_vec(),
    };
    let limit = AddConfig::LimitReached { devices: 5, another_plan: false };
    let two = AddConfig::Choose(vec![choice(Some(n.plan.clone())), choice(None)]);
    vec![
        sample("config/WireGuard", show(active.clone())),
        sample("config/WireGuard never connected", show(never)),
        sample("config/WireGuard never connected for an hour", show(overdue)),
        sample("config/Outline", show(view(Protocol::Outline, ConfigStatus::Active))),
        sample("config/preparing", show(view(Protocol::Wireguard, ConfigStatus::Preparing))),
        sample(
            "config/suspended",
            config_screen(t, ConfigDetail { config: suspended.clone(), subscription: ended, now: now() }),
        ),
        sample(
            "config/suspended, not sold any more",
            config_screen(t, ConfigDetail { config: suspended, subscription: unsold, now: now() }),
        ),
        sample("config/suspended trial", config_screen(t, of_trial)),
        sample("told/config delayed", config_delayed(t, Protocol::Outline)),
        sample("told/config failed", config_failed(t, Protocol::Wireguard, Some(&help))),
        sample("told/config failed, nobody to write to", config_failed(t, Protocol::Outline, None)),
        sample("config/revoked", show(view(Protocol::Outline, ConfigStatus::Revoked))),
        sample("add/choose", add_config(t, &AddConfig::Choose(vec![choice(None)]))),
        sample("add/choose subscription", add_config(t, &two)),
        sample("add/no subscription", add_config(t, &AddConfig::NoSubscription { trial_available: true })),
        sample("add/limit", add_config(t, &AddConfig::LimitReached { devices: 3, another_plan: true })),
        sample("add/limit of a person", add_config(t, &limit)),
        sample("add/full", add_config(t, &AddConfig::Full)),
        sample("revoke/question", revoke_question(t, &active)),
        sample("revoke/done", revoked(t, &active)),
        sample("rename/question", rename_question(t, &active)),
        sample("rename/invalid", rename_invalid(t)),
        sample("rename/done", renamed(t, &active)),
    ]
}

fn config_screen(t: &Texts, view: ConfigDetail) -> Screen {
    config(t, &view)
}

fn delivered(n: &Names, protocol: Protocol, config_id: ConfigId) -> Delivered {
    Delivered { config_id, name: n.config.clone(), protocol }
}

/// The Outline text around `secret`.
pub fn secret_text(t: &Texts, n: &Names, config: ConfigId, secret: &str) -> Screen {
    usipipo::handlers::bots::screens::secret_text(t, &delivered(n, Protocol::Outline, config), secret)
}

pub fn guides_and_delivery(t: &Texts, n: &Names) -> Vec<Sample> {
    let wireguard = delivered(n, Protocol::Wireguard, ConfigId(12));
    let outline = delivered(n, Protocol::Outline, ConfigId(12));
    let for_config = |protocol| GuideFor { protocol, config: Some(ConfigId(12)) };
    let general = |protocol| GuideFor { protocol, config: None };
    let (wg, ol) = (Protocol::Wireguard, Protocol::Outline);
    let trouble_with = |config, try_outline, bot: Option<&str>| {
        trouble(
            t,
            &Trouble {
                config,
                try_outline,
                id: ANA,
                support: bot.map(|name| Contact::Username(name.to_owned())),
            },
        )
    };
    vec![
        sample("trouble", trouble_with(None, true, Some("usipipo_help_bot"))),
        sample("trouble/of a config, nobody to ask", trouble_with(Some(ConfigId(12)), false, None)),
        sample("delivery/document caption", document_caption(t, &wireguard)),
        sample("delivery/WireGuard QR caption", qr_caption(t, &wireguard)),
        sample("delivery/WireGuard text", usipipo::handlers::bots::screens::secret_text(t, &wireguard, CONF)),
        sample("delivery/Outline text", secret_text(t, n, ConfigId(12), SS_LINK)),
        sample("delivery/Outline QR caption", qr_caption(t, &outline)),
        sample("guides", guides(t)),
        sample("guides/systems", guide_systems(t, general(wg))),
        sample("guides/systems for a config", guide_systems(t, for_config(ol))),
        sample("guide/WireGuard Android", guide(t, for_config(wg), Os::Android)),
        sample("guide/WireGuard iOS", guide(t, general(wg), Os::Ios)),
        sample("guide/WireGuard Windows", guide(t, general(wg), Os::Windows)),
        sample("guide/WireGuard macOS", guide(t, general(wg), Os::Macos)),
        sample("guide/WireGuard Linux", guide(t, general(wg), Os::Linux)),
        sample("guide/Outline Android", guide(t, for_config(ol), Os::Android)),
        sample("guide/Outline iOS", guide(t, general(ol), Os::Ios)),
        sample("guide/Outline Windows", guide(t, general(ol), Os::Windows)),
        sample("guide/Outline macOS", guide(t, general(ol), Os::Macos)),
        sample("guide/Outline Linux", guide(t, general(ol), Os::Linux)),
    ]
}
