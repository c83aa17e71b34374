//! Outline: the client against the counterpart, over real HTTPS and through a real Shadowsocks server.

mod bot;
mod client;
mod connect;
mod counterpart;

use usipipo::demo::outline::OutlineServer;
use usipipo::ids::ConfigId;
use usipipo::integrations::vpn::outline::{Outline, OutlineSecret, OutlineSettings};
use usipipo::integrations::vpn::{Access, Credentials, Desired};
use usipipo::models::vpn::Protocol;

fn secret(server: &OutlineServer) -> OutlineSecret {
    OutlineSecret { api_url: server.api_url().to_owned(), cert_sha256: server.cert_sha256().to_owned() }
}

fn client(server: &OutlineServer) -> Outline {
    Outline::new(settings(), &secret(server)).unwrap()
}

fn settings() -> OutlineSettings {
    OutlineSettings { name: "🇩🇪 Berlin 100%".to_owned(), hostname: None }
}

fn desired(n: i64) -> Desired {
    Desired {
        config_id: ConfigId(n),
        credentials: Credentials::generate(Protocol::Outline),
        addresses: None,
        access: Access::Present,
        limit_bytes: None,
    }
}

fn blocked(want: &Desired) -> Desired {
    Desired { access: Access::Blocked, ..want.clone() }
}

fn link(credentials: &Credentials) -> &str {
    match credentials {
        Credentials::Outline { access_url, .. } => access_url,
        other => panic!("{other:?} is not for Outline"),
    }
}

fn password(want: &Desired) -> &str {
    match &want.credentials {
        Credentials::Outline { password, .. } => password,
        other => panic!("{other:?} is not for Outline"),
    }
}
