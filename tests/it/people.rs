//! People: first contact, refreshing, choices, bans.

use chrono::Duration;
use futures::future::join_all;
use scoped_futures::ScopedFutureExt;
use usipipo::crud;
use usipipo::ids::{ChatId, ConfigId, UserId};
use usipipo::models::bot::{Bot, Language};
use usipipo::models::dialog::Dialog;
use usipipo::models::role::{Permission, Role};
use usipipo::models::user::{User, UserStatus};
use usipipo::services::access::{self, AccessError};
use usipipo::services::people::{self, Sender};
use usipipo::services::{dialog, subscription};
use usipipo::work::Origin;

use crate::support::works::{ADMIN, SUPERADMIN, TestWorks, by, sender};

const ANA: UserId = UserId(100);
const BOB: UserId = UserId(200);

async fn touch(test: &TestWorks, sender: &Sender) -> (User, bool) {
    let touch = test
        .run::<_, sqlx::Error, _>("touch", by(sender.id), |work| people::touch(work, sender).scope_boxed());
    touch.await.unwrap()
}

async fn stored(test: &TestWorks, id: UserId) -> User {
    let get =
        test.run::<_, sqlx::Error, _>("get", Origin::SYSTEM, |work| people::get(work, id).scope_boxed());
    get.await.unwrap().unwrap()
}

async fn block(test: &TestWorks, id: UserId) {
    let block =
        test.run::<_, sqlx::Error, _>("block", by(id), |work| people::mark_blocked(work, id).scope_boxed());
    block.await.unwrap();
}

async fn ban(test: &TestWorks, actor: UserId, target: UserId) -> Result<(), AccessError> {
    test.run("ban", by(actor), |work| people::ban(work, target).scope_boxed()).await
}

async fn unban(test: &TestWorks, actor: UserId, target: UserId) -> Result<(), AccessError> {
    test.run("unban", by(actor), |work| people::unban(work, target).scope_boxed()).await
}

async fn grant(test: &TestWorks, target: UserId, role: Role) {
    let grant =
        test.run("grant", Origin::SYSTEM, |work| access::grant_role(work, target, role, None).scope_boxed());
    grant.await.unwrap();
}

#[tokio::test]
async fn the_first_contact_makes_a_person() {
    let test = TestWorks::new().await;
    let from = Sender {
        id: UserId(4_503_599_627_370_495), // 52 bits
        username: Some("Ana_1".into()),
        first_name: "<b>Ana</b> \u{202e}😀".into(),
        last_name: Some(String::new()),
        language_code: Some("ru-RU".into()),
    };
    let (user, new) = touch(&test, &from).await;
    assert!(new);
    assert_eq!(user, stored(&test, from.id).await);
    assert_eq!((user.first_name, user.last_name), (from.first_name.clone(), None));
    assert_eq!((user.language, user.status), (Language::Ru, UserStatus::Active));
    assert_eq!(user.created_at, user.last_seen_at);
    let joined = test.audited("user_joined").await;
    assert_eq!(joined[0].target.as_deref(), Some("user:4503599627370495"));
    assert!(!touch(&test, &from).await.1);
    assert_eq!(test.audited("user_joined").await.len(), 1);
}

#[tokio::test]
async fn a_language_without_texts_gives_the_configured_one() {
    let test = TestWorks::with(&[("DEFAULT_LANGUAGE", "ru")]).await;
    for (id, code) in [(1, None), (2, Some("pt-br")), (3, Some("")), (4, Some("\u{0}"))] {
        let from = Sender { language_code: code.map(str::to_owned), ..sender(id) };
        assert_eq!(touch(&test, &from).await.0.language, Language::Ru, "{code:?}");
    }
}

#[tokio::test]
async fn names_are_cut_where_the_columns_end() {
    let test = TestWorks::new().await;
    let from = Sender {
        username: Some("u".repeat(65)),
        first_name: "😀".repeat(300),
        last_name: Some(format!("a{}", "я".repeat(300))),
        ..sender(ANA.0)
    };
    let (user, _) = touch(&test, &from).await;
    assert_eq!(user, stored(&test, ANA).await);
    assert_eq!(user.username, Some("u".repeat(64)));
    assert_eq!(user.first_name, "😀".repeat(255));
    assert_eq!(user.last_name, Some(format!("a{}", "я".repeat(254))));
    let longer = Sender { first_name: "я".repeat(70_000), ..from };
    assert_eq!(touch(&test, &longer).await.0.first_name, "я".repeat(255));
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let test = TestWorks::new().await;
    let first = test.person(ANA.0).await;
    test.clock.advance(Duration::seconds(30));
    assert_eq!(test.person(ANA.0).await, first, "nothing new within a minute");
    assert_eq!(stored(&test, ANA).await, first);

    test.clock.advance(Duration::seconds(31));
    let later = test.person(ANA.0).await;
    assert!(later.last_seen_at > first.last_seen_at + Duration::seconds(60));
    assert_eq!(User { last_seen_at: first.last_seen_at, ..later.clone() }, first);

    let renamed =
        Sender { username: None, first_name: "Anna".into(), last_name: Some("K".into()), ..sender(ANA.0) };
    let (user, _) = touch(&test, &renamed).await;
    assert_eq!(user, stored(&test, ANA).await);
    assert_eq!((user.username, user.first_name, user.last_name), (None, "Anna".into(), Some("K".into())));

    let elsewhere = Sender { language_code: Some("en".into()), ..renamed };
    assert_eq!(touch(&test, &elsewhere).await.0.language, Language::Es, "the app's language counts once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_first_contacts_at_once_make_one_person() {
    let test = TestWorks::new().await;
    for id in 1..=10 {
        let from = &sender(id);
        let contacts = join_all((0..8).map(|_| touch(&test, from))).await;
        assert_eq!(contacts.iter().filter(|(_, new)| *new).count(), 1);
        assert!(contacts.iter().all(|(user, _)| user.id == from.id));
    }
    assert_eq!(test.audited("user_joined").await.len(), 10);
}

#[tokio::test]
async fn one_who_had_blocked_the_bot_is_active_when_writing_again() {
    let test = TestWorks::new().await;
    test.person(ANA.0).await;
    block(&test, ANA).await;
    block(&test, ANA).await;
    assert_eq!(stored(&test, ANA).await.status, UserStatus::Blocked);
    assert_eq!(test.audited("user_blocked_bot").await.len(), 1);
    assert_eq!(test.person(ANA.0).await.status, UserStatus::Active);
    assert_eq!(stored(&test, ANA).await.status, UserStatus::Active);
    assert_eq!(test.audited("user_returned").await.len(), 1);
    block(&test, BOB).await;
}

#[tokio::test]
async fn a_ban_outlasts_blocking_and_writing() {
    let test = TestWorks::new().await;
    test.person(ANA.0).await;
    ban(&test, ADMIN, ANA).await.unwrap();
    block(&test, ANA).await;
    assert_eq!(test.person(ANA.0).await.status, UserStatus::Banned);
    assert_eq!(stored(&test, ANA).await.status, UserStatus::Banned);
}

#[tokio::test]
async fn a_ban_is_audited_with_old_and_new_value() {
    let test = TestWorks::new().await;
    test.person(ANA.0).await;
    ban(&test, ADMIN, ANA).await.unwrap();
    ban(&test, ADMIN, ANA).await.unwrap();
    let rows = test.audited("user_banned").await;
    assert_eq!(rows.len(), 1, "the second changed nothing");
    assert_eq!((rows[0].user_id, rows[0].target.as_deref()), (Some(ADMIN), Some("user:100")));
    assert_eq!(rows[0].details, r#"{"new":"banned","old":"active"}"#);
    unban(&test, ADMIN, ANA).await.unwrap();
    unban(&test, ADMIN, ANA).await.unwrap();
    assert_eq!(stored(&test, ANA).await.status, UserStatus::Active);
    assert_eq!(test.audited("user_unbanned").await.len(), 1);
}

#[tokio::test]
async fn banning_has_its_limits() {
    let test = TestWorks::new().await;
    let [support, admin, superadmin] = [UserId(11), UserId(12), UserId(13)];
    for id in [ANA, BOB, support, admin, superadmin, ADMIN, SUPERADMIN] {
        test.person(id.0).await;
    }
    grant(&test, support, Role::Support).await;
    grant(&test, admin, Role::Admin).await;
    grant(&test, superadmin, Role::Superadmin).await;
    for actor in [BOB, support] {
        assert!(matches!(ban(&test, actor, ANA).await, Err(AccessError::Forbidden(Permission::BanUsers))));
        assert!(matches!(unban(&test, actor, ANA).await, Err(AccessError::Forbidden(Permission::BanUsers))));
    }
    for actor in [ADMIN, admin, superadmin, SUPERADMIN] {
        assert!(matches!(ban(&test, actor, actor).await, Err(AccessError::Oneself)));
        let stranger = UserId(999);
        assert!(
            matches!(ban(&test, actor, stranger).await, Err(AccessError::UnknownUser(id)) if id == stranger)
        );
    }
    for target in [superadmin, SUPERADMIN, ADMIN] {
        assert!(matches!(ban(&test, admin, target).await, Err(AccessError::Protected)));
        assert!(matches!(unban(&test, admin, target).await, Err(AccessError::Protected)));
    }
    for target in [ADMIN, SUPERADMIN] {
        assert!(matches!(ban(&test, superadmin, target).await, Err(AccessError::FromEnvironment(_))));
    }
    assert!(test.audited("user_banned").await.is_empty());

    ban(&test, superadmin, admin).await.unwrap();
    assert!(matches!(ban(&test, admin, ANA).await, Err(AccessError::Forbidden(_))), "a banned admin is none");
    unban(&test, SUPERADMIN, admin).await.unwrap();
    ban(&test, admin, ANA).await.unwrap();
}

/// Somebody who was banned becomes one of the team in the environment.
#[tokio::test]
async fn whom_the_environment_names_is_let_in_again() {
    let test = TestWorks::new().await;
    test.person(SUPERADMIN.0).await;
    sqlx::query("UPDATE users SET status = 'banned'").execute(&test.db.pool).await.unwrap();
    assert_eq!(test.person(SUPERADMIN.0).await.status, UserStatus::Active);
    let row = &test.audited("user_unbanned").await[0];
    assert_eq!(
        (row.user_id, row.details.as_str()),
        (None, r#"{"new":"active","old":"banned"}"#),
        "by SYSTEM"
    );
    test.person(ADMIN.0).await;
    ban(&test, SUPERADMIN, ADMIN).await.unwrap_err();
}

#[tokio::test]
async fn choices_are_kept() {
    let test = TestWorks::new().await;
    test.person(ANA.0).await;
    for _ in 0..2 {
        let set = test.run::<_, sqlx::Error, _>("set", by(ANA), |work| {
            async move {
                people::set_language(work, ANA, Language::En).await?;
                people::set_setting(work, ANA, "device_os", "android").await?;
                people::set_setting(work, ANA, "nickname", "я😀").await
            }
            .scope_boxed()
        });
        set.await.unwrap();
    }
    let get = test.run::<_, sqlx::Error, _>("get", by(ANA), |work| {
        async move {
            let os = people::get_setting(work, ANA, "device_os").await?;
            let nickname = people::get_setting(work, ANA, "nickname").await?;
            let unset = people::get_setting(work, ANA, "colour").await?;
            Ok((os, nickname, unset))
        }
        .scope_boxed()
    });
    assert_eq!(get.await.unwrap(), (Some("android".into()), Some("я😀".into()), None));
    assert_eq!(stored(&test, ANA).await.language, Language::En);
    let changes = test.audited("language_set").await;
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].details, r#"{"new":"en","old":"es"}"#);
    let others = "SELECT COUNT(*) FROM audit_logs WHERE action NOT IN ('user_joined', 'language_set')";
    let others: i64 = sqlx::query_scalar(others).fetch_one(&test.db.pool).await.unwrap();
    assert_eq!(others, 0, "what the bot notes for itself is no change of the account");
}

#[tokio::test]
async fn a_referrer_is_stored_once() {
    let test = TestWorks::new().await;
    test.person(ANA.0).await;
    let refer = async |code: &str| {
        let set = test.run::<_, sqlx::Error, _>("refer", by(ANA), |work| {
            people::set_referrer(work, ANA, code).scope_boxed()
        });
        set.await.unwrap()
    };
    assert!(!refer("").await);
    assert!(refer(&"x".repeat(80)).await);
    assert!(!refer("other").await);
    assert_eq!(stored(&test, ANA).await.referrer, Some("x".repeat(64)));
    assert_eq!(test.audited("referrer_set").await.len(), 1);
}

#[tokio::test]
async fn people_are_found_by_id_and_by_username() {
    let test = TestWorks::new().await;
    for id in [ANA, BOB] {
        touch(&test, &Sender { username: Some(format!("Name_{id}")), ..sender(id.0) }).await;
    }
    let find = async |actor, text: &str| {
        let find = test.run("find", by(actor), |work| people::find(work, text).scope_boxed());
        find.await.map(|user| user.map(|user| user.id))
    };
    for text in ["100", " 100 ", "@name_100", "@NAME_100", "Name_100"] {
        assert_eq!(find(ADMIN, text).await.unwrap(), Some(ANA), "{text}");
    }
    for text in ["", "@", "101", "-100", "name_", "%", "' OR 1=1 -- ", "99999999999999999999"] {
        assert_eq!(find(ADMIN, text).await.unwrap(), None, "{text}");
    }
    assert!(matches!(find(BOB, "100").await, Err(AccessError::Forbidden(Permission::ViewUsers))));

    test.clock.advance(Duration::minutes(2));
    touch(&test, &Sender { username: Some("Name_100".into()), ..sender(BOB.0) }).await;
    assert_eq!(find(ADMIN, "@name_100").await.unwrap(), Some(BOB), "the name went to somebody else");
}

#[tokio::test]
async fn the_list_begins_with_the_newest() {
    let test = TestWorks::new().await;
    for id in 1..=5 {
        test.person(id).await;
        test.clock.advance(Duration::seconds(1));
    }
    let list = test.run("list", by(ADMIN), |work| people::list(work, 1, 3).scope_boxed()).await.unwrap();
    assert_eq!(list.iter().map(|user| user.id.0).collect::<Vec<_>>(), [4, 3, 2]);
    assert_eq!(test.run("count", by(ADMIN), |work| people::count(work).scope_boxed()).await.unwrap(), 5);
    let list = test.run("list", by(UserId(4)), |work| people::list(work, 0, 3).scope_boxed());
    assert!(matches!(list.await, Err(AccessError::Forbidden(Permission::ViewUsers))));
    let count = test.run("count", by(UserId(4)), |work| people::count(work).scope_boxed());
    assert!(matches!(count.await, Err(AccessError::Forbidden(Permission::ViewUsers))));
}

/// What was seen at a glance holds only as long as nothing was changed.
#[tokio::test]
async fn what_is_known_at_a_glance_is_never_older_than_what_was_changed() {
    let test = TestWorks::new().await;
    test.person(ANA.0).await;
    let question = Dialog::RenameConfig { config_id: ConfigId(7) };
    let lived = test.run::<_, sqlx::Error, _>("live", by(ANA), |work| {
        async move {
            let chat = ChatId::from(ANA);
            people::touch(work, &sender(ANA.0)).await?;
            assert!(work.glance_at(ANA).is_some(), "read with the person");
            assert_eq!(dialog::current(work, Bot::Client, chat).await?, None);
            assert_eq!(subscription::trial_taken_at(work, ANA).await?, None);
            assert!(work.glance_at(ANA).is_some(), "and nothing of it was asked again");
            dialog::ask(work, Bot::Client, chat, question).await?;
            assert_eq!(dialog::current(work, Bot::Client, chat).await?, Some(question));
            people::touch(work, &sender(ANA.0)).await?;
            assert_eq!(dialog::current(work, Bot::Client, chat).await?, Some(question));
            assert_eq!(dialog::leave(work, Bot::Client, chat).await?, Some(question));
            people::touch(work, &sender(ANA.0)).await?;
            assert_eq!(dialog::leave(work, Bot::Client, chat).await?, None);
            Ok(())
        }
        .scope_boxed()
    });
    lived.await.unwrap();
}

#[tokio::test]
async fn a_glance_shows_whatever_a_person_has() {
    let test = TestWorks::new().await;
    for id in [ANA.0, BOB.0] {
        test.person(id).await;
    }
    let statements = [
        "INSERT INTO dialogs (bot, chat_id, state, updated_at) VALUES ('client', 100, '{}', NOW())",
        "INSERT INTO user_roles (user_id, role, granted_at) VALUES (100, 'admin', NOW())",
        "INSERT INTO subscriptions (user_id, product, status, starts_at, ends_at, device_limit, created_at, \
         updated_at) VALUES (100, 'trial', 'active', NOW(), NOW(), 1, NOW(), NOW())",
        "INSERT INTO trials (user_id, subscription_id, created_at) SELECT 100, id, NOW() FROM subscriptions",
        "INSERT INTO payments (user_id, plan_id, provider, order_ref, status, amount, currency, duration_days, \
         device_limit, message_id, chat_id, expires_at, created_at, updated_at) \
         SELECT 100, id, 'stars', 'r1', 'pending', 1, 'XTR', 30, 1, 5, 100, NOW(), NOW(), NOW() FROM plans LIMIT 1",
    ];
    for statement in statements {
        sqlx::query(statement).execute(&test.db.pool).await.unwrap();
    }
    let mut conn = test.db.pool.acquire().await.unwrap();
    let seen = crud::user::glance(&mut conn, &[ANA, BOB, UserId(300)]).await.unwrap();
    assert_eq!(seen.len(), 2, "whoever never came is left out");
    for glance in seen {
        let all = glance.user.id == ANA;
        let found = [
            glance.has_dialog,
            glance.has_grants,
            glance.has_subscriptions,
            glance.took_trial,
            glance.has_pending_order,
            glance.shows_order,
        ];
        assert_eq!(found, [all; 6], "of {}", glance.user.id);
    }
}
