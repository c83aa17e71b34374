//! The support and the admin bot, until they have work of their own: they say who they are.

use super::screens::{self, Reply};
use super::talk::Talk;
use crate::models::bot::Bot;
use crate::models::role::Role;
use crate::queue::Failure;
use crate::services::access;

/// The same short answer to everything. The admin bot has none for strangers.
pub(super) async fn answer(mut talk: Talk<'_>) -> Result<(), Failure> {
    let client = talk.bots.usernames.of(Bot::Client);
    if talk.bot == Bot::Support {
        talk.show(screens::about_support(talk.t, client));
        return Ok(());
    }
    let roles = access::roles_of(talk.work, talk.user.id).await?;
    if roles.iter().any(|role| *role >= Role::Admin) {
        talk.show(screens::about_admin(talk.t, client));
    } else {
        talk.say(&Reply::NotAllowed);
    }
    Ok(())
}
