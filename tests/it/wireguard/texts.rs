use std::net::Ipv6Addr;

use usipipo::ids::ConfigId;
use usipipo::integrations::vpn::wireguard::keys::Key;
use usipipo::integrations::vpn::wireguard::peers::{Dump, Peer, parse_server_conf};
use usipipo::integrations::vpn::wireguard::{WireGuardSecret, WireGuardSettings, render};
use usipipo::integrations::vpn::{Addresses, Credentials, config_text, qr};
use usipipo::models::vpn::Protocol;

const PRIVATE: &str = "SA2QBT9QPi9XcXOTowyCn/2fQu/airMmo2j58pbFi0w=";
const PUBLIC: &str = "4U2WrxAf+g2br1HxI6UDPPasLc4jDzj1UdmetO9Mags=";
const PRESHARED: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";

fn addresses(v6: bool) -> Addresses {
    let v6 = v6.then(|| "fd42:66::7".parse::<Ipv6Addr>().unwrap());
    Addresses { v4: [10, 66, 0, 7].into(), v6 }
}

fn settings() -> WireGuardSettings {
    WireGuardSettings::new("vpn.example.net", PUBLIC)
}

fn credentials() -> Credentials {
    Credentials::WireGuard {
        private_key: PRIVATE.into(),
        public_key: PUBLIC.into(),
        preshared_key: PRESHARED.into(),
    }
}

#[test]
fn public_key_of_a_private_key_is_that_of_the_tools() {
    assert_eq!(PRIVATE.parse::<Key>().unwrap().public().to_base64(), PUBLIC);
    assert_eq!(WireGuardSecret { private_key: PRIVATE.into() }.public_key().unwrap(), PUBLIC);
}

#[test]
fn generated_keys_are_clamped_distinct_and_redacted() {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    for _ in 0..50 {
        let key = Key::generate_private();
        let bytes = engine.decode(key.to_base64()).unwrap();
        assert_eq!((bytes[0] & 7, bytes[31] & 0xc0), (0, 0x40));
        assert_ne!(key, Key::generate_private());
        assert_ne!(Key::generate_preshared(), Key::generate_preshared());
        assert_eq!(format!("{key:?}"), "Key(redacted)");
    }
}

#[test]
fn generated_credentials_hold_a_pair() {
    let Credentials::WireGuard { private_key, public_key, .. } = Credentials::generate(Protocol::Wireguard)
    else {
        panic!("asked for WireGuard");
    };
    assert_eq!(private_key.parse::<Key>().unwrap().public().to_base64(), public_key);
}

#[test]
fn what_is_no_key_is_refused_without_being_told() {
    for bad in
        ["", "AAAA", &PRIVATE[1..], "SA2QBT9QPi9XcXOTowyCn/2fQu/airMmo2j58pbFi0w=\n", "not base64 at all"]
    {
        let error = bad.parse::<Key>().unwrap_err().to_string();
        assert!(bad.is_empty() || !error.contains(bad), "{error}");
    }
}

#[test]
fn client_conf_with_both_families() {
    let json = serde_json::to_string(&settings()).unwrap();
    insta::assert_snapshot!(config_text(&json, &credentials(), Some(addresses(true))).unwrap(), @"
    [Interface]
    PrivateKey = SA2QBT9QPi9XcXOTowyCn/2fQu/airMmo2j58pbFi0w=
    Address = 10.66.0.7/32, fd42:66::7/128
    DNS = 1.1.1.1, 2606:4700:4700::1111
    MTU = 1280

    [Peer]
    PublicKey = 4U2WrxAf+g2br1HxI6UDPPasLc4jDzj1UdmetO9Mags=
    PresharedKey = AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=
    AllowedIPs = 0.0.0.0/0, ::/0
    Endpoint = vpn.example.net:51820
    PersistentKeepalive = 25
    ");
}

#[test]
fn client_conf_with_ipv4_only_and_an_ipv6_endpoint() {
    let settings = WireGuardSettings { keepalive: 0, endpoint_host: "2001:db8::1".into(), ..settings() };
    insta::assert_snapshot!(render::client_conf(&settings, PRIVATE, PRESHARED, addresses(false)), @"
    [Interface]
    PrivateKey = SA2QBT9QPi9XcXOTowyCn/2fQu/airMmo2j58pbFi0w=
    Address = 10.66.0.7/32
    DNS = 1.1.1.1
    MTU = 1280

    [Peer]
    PublicKey = 4U2WrxAf+g2br1HxI6UDPPasLc4jDzj1UdmetO9Mags=
    PresharedKey = AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=
    AllowedIPs = 0.0.0.0/0, ::/0
    Endpoint = [2001:db8::1]:51820
    ");
}

#[test]
fn server_conf_is_read_back_as_it_was() {
    let peer = |last: u8| Peer {
        public_key: Key::generate_private().public(),
        preshared_key: Key::generate_preshared(),
        allowed_ips: vec![format!("10.66.0.{last}/32").parse().unwrap(), "fd42:66::7/128".parse().unwrap()],
    };
    let peers = [(ConfigId(42), peer(7)), (ConfigId(43), peer(8)), (ConfigId(1), peer(9))];
    let private_key = PRIVATE.parse().unwrap();
    let text = render::server_conf(&settings(), &private_key, peers.iter().map(|(id, peer)| (*id, peer)));
    assert_eq!(parse_server_conf(&text), peers);
    let foreign = "\n# a note\n[Peer]\nPublicKey = x\n\n[Peer]\nPublicKey = y\n";
    assert_eq!(parse_server_conf(&(text + foreign)), peers);
    assert_eq!(parse_server_conf(&render::server_conf(&settings(), &private_key, [])), []);
}

#[test]
fn server_conf_lets_traffic_out() {
    let text = render::server_conf(&settings(), &PRIVATE.parse().unwrap(), []);
    insta::assert_snapshot!(text);
    let inside = WireGuardSettings { dns: vec!["192.168.1.1".parse().unwrap()], ..settings() };
    let lines = render::forwarding4(&inside).join("\n");
    let (asked, closed) =
        (lines.find("-d 192.168.1.1 -p udp --dport 53 -j ACCEPT"), lines.find("-d 192.168.0.0/16 -j DROP"));
    assert!(asked.is_some() && asked < closed, "a resolver of one's own is reached: {lines}");
    let closed = WireGuardSettings { nat: false, address6: None, ..settings() };
    insta::assert_snapshot!(render::server_conf(&closed, &PRIVATE.parse().unwrap(), []), @"
    # Written by uSipipo, which overwrites changes made here.
    [Interface]
    PrivateKey = SA2QBT9QPi9XcXOTowyCn/2fQu/airMmo2j58pbFi0w=
    ListenPort = 51820
    Address = 10.66.0.1/16
    MTU = 1280
    ");
}

#[test]
fn file_names_are_such_as_the_apps_take() {
    let name = |name: &str, id| render::file_name(name, ConfigId(id));
    assert_eq!(name("Mi teléfono", 42), "mi-tel-fono-42.conf");
    assert_eq!(name("  ../../etc/passwd ", 7), "etc-passwd-7.conf");
    assert_eq!(name("Ноутбук", 1234), "vpn-1234.conf");
    assert_eq!(name("", 123_456_789_012), "123456789012.conf");
    assert_eq!(name("a", 123_456_789_012), "a-123456789012.conf");
    assert_eq!(name("📱📱📱", i64::MAX), "372036854775807.conf");
    for long in ["a very long name of a device indeed", "abcdefghijklmnop"] {
        let stem = name(long, 99_999).strip_suffix(".conf").unwrap().to_owned();
        assert!(stem.len() <= 15 && stem.ends_with("-99999"), "{stem}");
    }
}

#[test]
fn dump_of_the_tool_is_read() {
    let text = format!(
        "{PRIVATE}\t{PUBLIC}\t51820\toff\n\
         {PUBLIC}\t{PRESHARED}\t10.77.0.2:40000\tfd42:66::7/128,10.66.0.7/32\t1795000000\t148\t92\toff\n\
         {PRESHARED}\t(none)\t(none)\t(none)\t0\t0\t0\t25\n"
    );
    let dump = Dump::parse(&text).unwrap();
    assert_eq!((dump.listen_port, dump.private_key), (51820, PRIVATE.parse().ok()));
    let peer = &dump.peers[&PUBLIC.parse().unwrap()];
    assert_eq!((peer.rx, peer.tx, peer.last_handshake.unwrap().unix()), (148, 92, 1_795_000_000));
    assert_eq!(peer.peer.allowed_ips, ["10.66.0.7/32".parse().unwrap(), "fd42:66::7/128".parse().unwrap()]);
    let bare = &dump.peers[&PRESHARED.parse().unwrap()];
    assert_eq!((bare.last_handshake, bare.peer.allowed_ips.len()), (None, 0));
    assert!(Dump::parse("").is_err() && Dump::parse("a\tb\n").is_err());
}

#[test]
fn settings_that_could_mean_something_else_are_refused() {
    let bad = |change: fn(&mut WireGuardSettings)| {
        let mut settings = settings();
        change(&mut settings);
        settings.validate().is_err()
    };
    settings().validate().unwrap();
    WireGuardSettings { endpoint_host: "2001:db8::1".into(), ..settings() }.validate().unwrap();
    assert!(bad(|s| s.interface = "wg0; reboot".into()));
    assert!(bad(|s| s.interface = "-f".into()));
    assert!(bad(|s| s.interface = "sixteen-letters-".into()));
    assert!(bad(|s| s.endpoint_host = "a\nPostUp = reboot".into()));
    assert!(bad(|s| s.endpoint_host = "host:51820".into()));
    assert!(bad(|s| s.public_key = "x".into()));
    assert!(bad(|s| s.netns = Some("a b".into())));
}

#[test]
fn qr_is_a_square_png_of_a_size_phones_read() {
    let conf = render::client_conf(&settings(), PRIVATE, PRESHARED, addresses(true));
    for text in ["ss://Y2hhY2hhMjA@1.2.3.4:443/?outline=1#x", &conf, &"x".repeat(2953)] {
        let file = qr::png(text).unwrap();
        let reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let (width, height) = (reader.info().width, reader.info().height);
        assert!(width == height && (560..=760).contains(&width), "{width}x{height} for {}", text.len());
    }
    assert!(qr::png(&"x".repeat(2954)).is_err());
}
