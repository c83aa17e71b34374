//! WireGuard with a real interface, made in user space inside a network namespace.

use usipipo::integrations::vpn::wireguard::DriverKind;

use super::hurry;
use crate::fire::walk::{LIMIT, sound};
use crate::story::press;
use crate::support::town::{BOT, Town};
use crate::support::wait::eventually;
use crate::wireguard::tunnel::hosts_with_a_way_out;

/// Skips, and says so, where this machine cannot have one.
pub async fn play(town: &Town) {
    let Some((hosts, mut fixture)) = hosts_with_a_way_out() else { return };
    fixture.settings.driver = DriverKind::Userspace;
    fixture.settings.down_on_close = false;
    town.add_tunnels(&fixture.settings, &fixture.secret).await;
    let ana = town.person(9701, "Ana", "en");
    ana.send_text(BOT, "/start").unwrap();
    press(&ana, "trial").await;
    press(&ana, "trial-take:wireguard").await;
    let peers = || hosts.on_server(&["wg", "show", &hosts.server_interface, "peers"]).ok();
    eventually(LIMIT, async || {
        hurry(town).await;
        peers().is_some_and(|peers| peers.lines().count() == 1)
    })
    .await;
    town.quiet().await;
    assert_eq!(town.column("SELECT status FROM vpn_configs").await, ["active"]);
    assert_eq!(
        town.column("SELECT public_id FROM vpn_configs").await.join("\n"),
        peers().unwrap().trim(),
        "the interface holds what the database says"
    );
    sound(town).await;
}
