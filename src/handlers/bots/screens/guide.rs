//! Guides: which app for which system, in three or four steps, with a button to the app's own place.

use super::{Rows, Screen, button, link, paragraphs, parts};
use crate::handlers::bots::callback::{Callback, Os};
use crate::i18n::{Html, Texts, args};
use crate::ids::ConfigId;
use crate::models::vpn::Protocol;

/// What the guide is for: a config of the person's, or anybody's question.
#[derive(Clone, Copy, Debug)]
pub struct GuideFor {
    pub protocol: Protocol,
    /// The way back leads to it.
    pub config: Option<ConfigId>,
}

/// Which kind of connection?
pub fn guides(t: &Texts) -> Screen {
    let choice = |protocol: &Protocol| {
        button(parts::protocol_name(t, *protocol).to_plain(), Callback::GuidesFor(*protocol))
    };
    let rows = Rows::default().row(Protocol::ALL.iter().map(choice)).back(t, Callback::Help);
    Screen::new(paragraphs([t.text("guides-title"), t.text("guides-which")]), rows)
}

/// Which system?
pub fn guide_systems(t: &Texts, view: GuideFor) -> Screen {
    let choice = |os: &Os| {
        let callback = match view.config {
            Some(config) => Callback::ConfigGuide(config, *os),
            None => Callback::Guide(view.protocol, *os),
        };
        button(os_name(*os).to_owned(), callback)
    };
    let args = args! { "protocol" => parts::protocol_name(t, view.protocol) };
    let rows = Os::ALL.chunks(2).fold(Rows::default(), |rows, pair| rows.row(pair.iter().map(choice)));
    let rows = match view.config {
        Some(config) => to_config(t, rows, config),
        None => rows.back(t, Callback::Guides),
    };
    Screen::new(t.with("guides-system", args), rows)
}

/// The steps.
pub fn guide(t: &Texts, view: GuideFor, os: Os) -> Screen {
    let app = parts::protocol_name(t, view.protocol);
    let title = args! { "protocol" => &app, "system" => os_name(os) };
    let get = args! { "app" => &app, "system" => os_name(os) };
    let rows = Rows::default().row([link(t.label_with("guide-button-app", get), app_url(view.protocol, os))]);
    let (trouble, other) = (t.label("button-trouble"), t.label("guide-button-other"));
    let rows = match view.config {
        Some(config) => {
            let help = [
                button(trouble, Callback::ConfigTrouble(config)),
                button(other, Callback::ConfigGuides(config)),
            ];
            to_config(t, rows.row(help), config)
        }
        None => rows.row([button(trouble, Callback::Trouble)]).back(t, Callback::GuidesFor(view.protocol)),
    };
    Screen::new(paragraphs([t.with("guide-title", title), steps(t, view.protocol, os)]), rows)
}

fn to_config(t: &Texts, rows: Rows, config: ConfigId) -> Rows {
    rows.row([
        button(t.label("guide-button-config"), Callback::Config(config)),
        button(t.label("go-home"), Callback::Home),
    ])
}

fn steps(t: &Texts, protocol: Protocol, os: Os) -> Html {
    match (protocol, os) {
        (Protocol::Wireguard, Os::Android) => t.text("guide-wireguard-android"),
        (Protocol::Wireguard, Os::Ios) => t.text("guide-wireguard-ios"),
        (Protocol::Wireguard, Os::Windows) => t.text("guide-wireguard-windows"),
        (Protocol::Wireguard, Os::Macos) => t.text("guide-wireguard-macos"),
        (Protocol::Wireguard, Os::Linux) => t.text("guide-wireguard-linux"),
        (Protocol::Outline, Os::Android | Os::Ios) => t.text("guide-outline-mobile"),
        (Protocol::Outline, Os::Windows | Os::Macos | Os::Linux) => t.text("guide-outline-desktop"),
    }
}

fn os_name(os: Os) -> &'static str {
    match os {
        Os::Android => "Android",
        Os::Ios => "iPhone / iPad",
        Os::Windows => "Windows",
        Os::Macos => "Mac",
        Os::Linux => "Linux",
    }
}

/// Where the official app is: wireguard.com/install, getoutline.org and the two stores.
fn app_url(protocol: Protocol, os: Os) -> &'static str {
    match (protocol, os) {
        (Protocol::Wireguard, Os::Android) => {
            "https://play.google.com/store/apps/details?id=com.wireguard.android"
        }
        (Protocol::Wireguard, Os::Ios) => "https://apps.apple.com/app/wireguard/id1441195209",
        (Protocol::Wireguard, Os::Macos) => "https://apps.apple.com/app/wireguard/id1451685025",
        (Protocol::Wireguard, Os::Windows | Os::Linux) => "https://www.wireguard.com/install/",
        (Protocol::Outline, Os::Android) => {
            "https://play.google.com/store/apps/details?id=org.outline.android.client"
        }
        (Protocol::Outline, Os::Ios) => "https://apps.apple.com/app/outline-app/id1356177741",
        (Protocol::Outline, Os::Macos) => "https://apps.apple.com/app/outline-app/id1356178125",
        (Protocol::Outline, Os::Windows | Os::Linux) => "https://getoutline.org/get-started/#step-3",
    }
}
