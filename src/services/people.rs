//! People: who they are, what they chose, and whether they are welcome.

use chrono::Duration;

use crate::crud;
use crate::ids::UserId;
use crate::models::audit::{Action, Actor};
use crate::models::bot::Language;
use crate::models::role::Permission;
use crate::models::user::{Glance, User, UserStatus};
use crate::services::access::{self, AccessError};
use crate::work::Work;

/// `last_seen_at` is not written more often than this.
const SEEN_EVERY: Duration = Duration::minutes(1);

// What the columns hold, in characters. Telegram's own limits are lower, but nothing promises that they stay so.
const USERNAME_CHARS: usize = 64;
const NAME_CHARS: usize = 255;
const REFERRER_CHARS: usize = 64;

/// A person as an update names them (Bot API `User`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    pub id: UserId,
    /// Without the `@`.
    pub username: Option<String>,
    pub first_name: String,
    pub last_name: Option<String>,
    /// IETF tag of the person's app; read on first sight only.
    pub language_code: Option<String>,
}

/// Makes or refreshes the person behind an update, and tells whether they are new. One who had blocked the bot is
/// active again. Writes only what changed.
pub async fn touch(work: &mut Work, sender: &Sender) -> sqlx::Result<(User, bool)> {
    if work.glance_at(sender.id).is_none() {
        look_at(work, &[sender.id]).await?;
    }
    if let Some(known) = work.glance_at(sender.id).map(|glance| glance.user.clone()) {
        return Ok((refresh(work, known, sender).await?, false));
    }
    let user = newcomer(work, sender);
    if crud::user::insert(work.conn(), &user).await? {
        work.audit(Action::UserJoined, Some(&target(user.id)), ()).await?;
        work.keep_in_sight([Glance::of_newcomer(user.clone())]);
        return Ok((user, true));
    }
    // Another update of the same person was first; the insert waited for its commit.
    let known = crud::user::find(work.conn(), sender.id).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok((refresh(work, known, sender).await?, false))
}

/// Reads what there is of people in one statement, so that most of what their updates ask for need not be read one by
/// one.
pub async fn look_at(work: &mut Work, people: &[UserId]) -> sqlx::Result<()> {
    let glances = crud::user::glance(work.reading(), people).await?;
    work.keep_in_sight(glances);
    Ok(())
}

fn newcomer(work: &Work, sender: &Sender) -> User {
    let spoken = sender.language_code.as_deref().and_then(Language::from_tag);
    User {
        id: sender.id,
        username: cut_name(sender.username.as_deref(), USERNAME_CHARS),
        first_name: cut(&sender.first_name, NAME_CHARS).to_owned(),
        last_name: cut_name(sender.last_name.as_deref(), NAME_CHARS),
        language: spoken.unwrap_or(work.config().default_language),
        status: UserStatus::Active,
        referrer: None,
        created_at: work.now(),
        last_seen_at: work.now(),
    }
}

async fn refresh(work: &mut Work, known: User, sender: &Sender) -> sqlx::Result<User> {
    let mut user = User {
        username: cut_name(sender.username.as_deref(), USERNAME_CHARS),
        first_name: cut(&sender.first_name, NAME_CHARS).to_owned(),
        last_name: cut_name(sender.last_name.as_deref(), NAME_CHARS),
        ..known.clone()
    };
    // Updates may be handled out of order: a person is never seen earlier than they were.
    let last_seen_at = work.now().max(known.last_seen_at);
    if user != known {
        user.last_seen_at = last_seen_at;
        crud::user::update_seen(work.conn(), &user).await?;
    } else if work.now().since(known.last_seen_at) >= SEEN_EVERY {
        user.last_seen_at = last_seen_at;
        work.saw(user.id);
    }
    if user.status == UserStatus::Blocked
        && change_status(work, user.id, UserStatus::Blocked, UserStatus::Active, Action::UserReturned).await?
    {
        user.status = UserStatus::Active;
    }
    if user.status == UserStatus::Banned && access::environment_role(&work.config(), user.id).is_some() {
        readmit(work, &mut user).await?;
    }
    Ok(user)
}

/// Lifts a ban from before the environment named a person: whom it names cannot be shut out.
async fn readmit(work: &mut Work, user: &mut User) -> sqlx::Result<()> {
    let actor = work.actor();
    work.act_as(Actor::System);
    if change_status(work, user.id, UserStatus::Banned, UserStatus::Active, Action::UserUnbanned).await? {
        user.status = UserStatus::Active;
    }
    work.act_as(actor);
    Ok(())
}

/// At most `chars` characters of a text.
fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

/// As [`cut`]; an empty name is no name.
fn cut_name(name: Option<&str>, chars: usize) -> Option<String> {
    name.filter(|name| !name.is_empty()).map(|name| cut(name, chars).to_owned())
}

/// The person with this id. For what a person may not see of others, use [`find`].
pub async fn get(work: &mut Work, id: UserId) -> sqlx::Result<Option<User>> {
    crud::user::find(work.conn(), id).await
}

/// The setting of who chose a language here: until then the menu of commands is in the language of their app.
pub const LANGUAGE: &str = "language";

/// Changes the language of the menus.
pub async fn set_language(work: &mut Work, user: UserId, language: Language) -> sqlx::Result<()> {
    set_setting(work, user, LANGUAGE, language.as_str()).await?;
    access::menu_follows(work, user);
    let Some(known) = crud::user::lock(work.conn(), user).await?.filter(|user| user.language != language)
    else {
        return Ok(());
    };
    crud::user::set_language(work.conn(), user, language).await?;
    let change = serde_json::json!({ "old": known.language, "new": language });
    work.audit(Action::LanguageSet, Some(&target(user)), change).await
}

/// Notes by whose link a person came; only the first one counts. False: there was one.
pub async fn set_referrer(work: &mut Work, user: UserId, code: &str) -> sqlx::Result<bool> {
    let code = cut(code, REFERRER_CHARS);
    let first = !code.is_empty() && crud::user::set_referrer(work.conn(), user, code).await?;
    if first {
        let details = serde_json::json!({ "referrer": code });
        work.audit(Action::ReferrerSet, Some(&target(user)), details).await?;
    }
    Ok(first)
}

/// What a person chose under `name`, e.g. `device_os`.
pub async fn get_setting(work: &mut Work, user: UserId, name: &str) -> sqlx::Result<Option<String>> {
    crud::setting::find(work.conn(), user, name).await
}

/// Stores what a person chose: a `name` of at most 64 ASCII characters, a `value` of at most 255. It is no change of
/// the account, so the history says nothing of it.
pub async fn set_setting(work: &mut Work, user: UserId, name: &str, value: &str) -> sqlx::Result<()> {
    if crud::setting::find(work.conn(), user, name).await?.as_deref() == Some(value) {
        return Ok(());
    }
    let now = work.now();
    crud::setting::put(work.conn(), user, name, value, now).await
}

/// Shuts a person out: no bot answers them. Whom the environment names cannot be shut out.
pub async fn ban(work: &mut Work, user: UserId) -> Result<(), AccessError> {
    access::require(work, Permission::BanUsers).await?;
    let known = access::lock_target(work, user).await?;
    if let Some(role) = access::environment_role(&work.config(), user) {
        return Err(AccessError::FromEnvironment(role));
    }
    if known.status != UserStatus::Banned {
        change_status(work, user, known.status, UserStatus::Banned, Action::UserBanned).await?;
    }
    Ok(())
}

/// Lets a banned person in again.
pub async fn unban(work: &mut Work, user: UserId) -> Result<(), AccessError> {
    access::require(work, Permission::BanUsers).await?;
    let known = access::lock_target(work, user).await?;
    if known.status == UserStatus::Banned {
        change_status(work, user, UserStatus::Banned, UserStatus::Active, Action::UserUnbanned).await?;
    }
    Ok(())
}

/// Notes that a person blocked the bot (`my_chat_member`, or 403 on sending): nothing is sent until they write again.
pub async fn mark_blocked(work: &mut Work, user: UserId) -> sqlx::Result<()> {
    change_status(work, user, UserStatus::Active, UserStatus::Blocked, Action::UserBlockedBot)
        .await
        .map(|_| ())
}

async fn change_status(
    work: &mut Work,
    user: UserId,
    from: UserStatus,
    to: UserStatus,
    action: Action,
) -> sqlx::Result<bool> {
    let changed = crud::user::change_status(work.conn(), user, from, to).await?;
    if changed {
        let change = serde_json::json!({ "old": from, "new": to });
        work.audit(action, Some(&target(user)), change).await?;
    }
    Ok(changed)
}

/// Somebody by what an admin types: an id, or a @username in upper or lower case.
pub async fn find(work: &mut Work, text: &str) -> Result<Option<User>, AccessError> {
    access::require(work, Permission::ViewUsers).await?;
    let text = text.trim();
    if let Ok(id) = text.parse() {
        return Ok(crud::user::find(work.conn(), id).await?);
    }
    let username = text.strip_prefix('@').unwrap_or(text);
    Ok(crud::user::find_by_username(work.conn(), username).await?)
}

/// The newest people first.
pub async fn list(work: &mut Work, offset: u32, limit: u32) -> Result<Vec<User>, AccessError> {
    access::require(work, Permission::ViewUsers).await?;
    Ok(crud::user::list(work.conn(), offset, limit).await?)
}

/// How many people there are.
pub async fn count(work: &mut Work) -> Result<i64, AccessError> {
    access::require(work, Permission::ViewUsers).await?;
    Ok(crud::user::count(work.conn()).await?)
}

/// A person as the target of an audit row.
pub fn target(user: UserId) -> String {
    format!("user:{user}")
}
