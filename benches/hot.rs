//! The hot pure parts, each by itself: reading an update, verifying who sent it, making the picture of a screen, and
//! writing it down for the outbox.
//!
//!     make bench-hot            times and allocations, release build
//!     cargo test --bench hot    each part once, held to its number of allocations
//!
//! Times depend on the machine, so they are for people to compare. What a change must not make worse unseen is the
//! number of allocations, which is the same everywhere: `make test` fails when a part needs more than is said here.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

use std::alloc::System;

use divan::{AllocProfiler, Bencher, black_box};
use secrecy::SecretString;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use usipipo::clock::Timestamp;
use usipipo::crypto::matches_any;
use usipipo::handlers::bots::callback::Callback;
use usipipo::handlers::bots::screens::{
    ConfigDetail, ConfigView, Delivered, Home, Screen, SubscriptionView, config, home, qr_caption,
    secret_text,
};
use usipipo::i18n::Texts;
use usipipo::ids::{ConfigId, PlanId, SubscriptionId};
use usipipo::integrations::payments::qvapay::{QvaPay, SignatureRule};
use usipipo::integrations::payments::{Callback as Told, CallbackRequest, Provider};
use usipipo::integrations::telegram::update::{envelope, parse};
use usipipo::integrations::vpn::qr;
use usipipo::models::bot::{Bot, Language};
use usipipo::models::role::Role;
use usipipo::models::subscription::SubscriptionStatus;
use usipipo::models::vpn::{ConfigStatus, Protocol};

#[global_allocator]
static COUNTED: AllocProfiler<&StatsAlloc<System>> = AllocProfiler::new(&INSTRUMENTED_SYSTEM);

fn main() {
    divan::main();
}

/// Measures `work`, which may allocate so often and no more.
fn measure<T>(bencher: Bencher, allocations: usize, work: impl Fn() -> T) {
    // What is made once, such as the parsed texts, does not count.
    drop(work());
    let region = Region::new(&INSTRUMENTED_SYSTEM);
    drop(black_box(work()));
    let change = region.change();
    let counted = change.allocations + change.reallocations;
    assert!(counted <= allocations, "{counted} allocations; {allocations} are enough");
    bencher.bench_local(work);
}

mod update {
    use super::*;

    const START: &[u8] = include_bytes!("../tests/fixtures/telegram/001-start-plain.json");
    const PRESS: &[u8] = include_bytes!("../tests/fixtures/telegram/086-callback-with-message.json");
    const PAID: &[u8] = include_bytes!("../tests/fixtures/telegram/076-successful-payment-xtr.json");

    #[divan::bench]
    fn envelope_of_a_command(bencher: Bencher) {
        measure(bencher, 16, || envelope(Bot::Client, black_box(START)).unwrap());
    }

    #[divan::bench]
    fn a_command(bencher: Bencher) {
        measure(bencher, 14, || parse(black_box(START)).unwrap());
    }

    #[divan::bench]
    fn a_press(bencher: Bencher) {
        measure(bencher, 12, || parse(black_box(PRESS)).unwrap());
    }

    #[divan::bench]
    fn a_payment(bencher: Bencher) {
        measure(bencher, 13, || parse(black_box(PAID)).unwrap());
    }

    #[divan::bench]
    fn callback_data(bencher: Bencher) {
        measure(bencher, 4, || Callback::decode(black_box("add-to:123456:wireguard")).unwrap());
    }
}

mod verify {
    use super::*;

    const SECRET: &str = "qv_test_app_secret_0123456789abcdef";
    /// `valid_paid` of tests/fixtures/vectors/qvapay.json.
    const BODY: &str = "{\"transaction_uuid\":\"7b1c2f66-3a0e-4f51-9c1d-5d0a3f1e2b44\",\"remote_id\":\"ord_01JD0000000000000000000001\",\
        \"status\":\"paid\",\"amount\":\"4.99\",\"signed\":true,\"created_at\":\"2026-11-21T11:50:00.000Z\",\"updated_at\":\"2026-11-21T11:59:55.000Z\"}";
    const SIGNATURE: &str = "sha256=d8db0fd47cb75172559b504cb428aecfdf58a2e7aa93899f08c96a2e60c17a23";

    #[divan::bench]
    fn telegrams_secret(bencher: Bencher) {
        let secrets = [SecretString::from("webhook-secret-1"), SecretString::from("webhook-secret-0")];
        measure(bencher, 0, || matches_any(black_box(b"webhook-secret-0"), &secrets));
    }

    #[divan::bench]
    fn qvapays_callback(bencher: Bencher) {
        let http = reqwest::Client::new();
        let qvapay =
            QvaPay::new("app", SECRET.into(), "https://qvapay.invalid", SignatureRule::Required, http);
        let header = |name: &str| match name {
            "x-qvapay-signature" => Some(SIGNATURE),
            "x-qvapay-timestamp" => Some("1795262400"),
            _ => None,
        };
        let now = Timestamp::from_unix(1_795_262_400);
        let verify = || -> Told {
            let body = black_box(BODY.as_bytes());
            qvapay.authenticate(&CallbackRequest { header: &header, body, is_get: false }, now).unwrap()
        };
        measure(bencher, 11, verify);
    }
}

mod render {
    use super::*;

    const WIREGUARD: &str = "[Interface]\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\nAddress = 10.66.0.7/32\n\
        DNS = 1.1.1.1\n\n[Peer]\nPublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n\
        PresharedKey = FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE=\nAllowedIPs = 0.0.0.0/0, ::/0\n\
        Endpoint = vpn.example.com:51820\nPersistentKeepalive = 25\n";

    #[divan::bench]
    fn the_home_screen(bencher: Bencher) {
        let view = at_home();
        measure(bencher, 127, || home(texts(), black_box(&view)));
    }

    #[divan::bench]
    fn a_config(bencher: Bencher) {
        let view = ConfigDetail { config: device(), subscription: subscription(), now: now() };
        measure(bencher, 163, || config(texts(), black_box(&view)));
    }

    #[divan::bench]
    fn a_configs_text(bencher: Bencher) {
        measure(bencher, 45, || secret_text(texts(), &delivered(), black_box(WIREGUARD)));
    }

    #[divan::bench]
    fn a_qr_code_and_its_caption(bencher: Bencher) {
        let draw = || (qr::png(black_box(WIREGUARD)).unwrap(), qr_caption(texts(), &delivered()));
        measure(bencher, 53825, draw);
    }

    #[divan::bench]
    fn a_screen_as_it_is_stored(bencher: Bencher) {
        let body = at_home_shown().edit(1234, None);
        measure(bencher, 4, || serde_json::to_string(black_box(&body)).unwrap());
    }
}

fn texts() -> &'static Texts {
    Texts::of(Language::Es)
}

fn now() -> Timestamp {
    Timestamp::from_unix(1_795_262_400)
}

fn at_home_shown() -> Screen {
    home(texts(), &at_home())
}

/// Somebody of the team with a subscription: every row of buttons is there.
fn at_home() -> Home {
    Home {
        first_name: "Ana <3".to_owned(),
        trial: None,
        subscription: Some(subscription()),
        order: None,
        roles: vec![Role::Admin],
        now: now(),
    }
}

fn subscription() -> SubscriptionView {
    SubscriptionView {
        id: SubscriptionId(3),
        plan: Some("Plan mensual".to_owned()),
        renew: Some(PlanId(2)),
        status: SubscriptionStatus::Active,
        ends_at: Timestamp::from_unix(1_797_262_400),
        allowance: Some(100 << 30),
        used: 5 << 30,
        renews: false,
        device_limit: 3,
    }
}

fn device() -> ConfigView {
    ConfigView {
        id: ConfigId(12),
        name: "Portátil".to_owned(),
        protocol: Protocol::Wireguard,
        location: Some("Madrid".to_owned()),
        status: ConfigStatus::Active,
        used: 1 << 30,
        last_handshake_at: Some(Timestamp::from_unix(1_795_262_000)),
        delivered_at: Some(Timestamp::from_unix(1_795_000_000)),
    }
}

fn delivered() -> Delivered {
    Delivered { config_id: ConfigId(12), name: "Portátil".to_owned(), protocol: Protocol::Wireguard }
}
