//! Roles: who may grant what to whom, until when, and what remains of it.

use chrono::Duration;
use scoped_futures::ScopedFutureExt;
use usipipo::clock::Timestamp;
use usipipo::crud;
use usipipo::db::database_error_number;
use usipipo::ids::UserId;
use usipipo::models::audit::Actor;
use usipipo::models::notice::Notice;
use usipipo::models::role::{Permission, Role};
use usipipo::models::server::NewServer;
use usipipo::models::vpn::Protocol;
use usipipo::services::access::{self, AccessError};
use usipipo::services::catalogue::CatalogueError;
use usipipo::services::keys::{self, SecretKind};
use usipipo::services::server::{self, ServerError};
use usipipo::work::Origin;

use crate::support::works::{ADMIN, SUPERADMIN, TestWorks, by};

const ANA: UserId = UserId(100);
const BOB: UserId = UserId(200);
const SUPPORT: UserId = UserId(11);
const FINANCE: UserId = UserId(12);
const MADE_ADMIN: UserId = UserId(13);
const MADE_SUPERADMIN: UserId = UserId(14);

/// Somebody of every kind, and [`ANA`] and [`BOB`], who are nothing.
async fn house() -> TestWorks {
    let test = TestWorks::new().await;
    for id in [ANA, BOB, SUPERADMIN, ADMIN, SUPPORT, FINANCE, MADE_ADMIN, MADE_SUPERADMIN] {
        test.person(id.0).await;
    }
    let made = [
        (SUPPORT, Role::Support),
        (FINANCE, Role::Finance),
        (MADE_ADMIN, Role::Admin),
        (MADE_SUPERADMIN, Role::Superadmin),
    ];
    for (person, role) in made {
        grant(&test, Origin::SYSTEM, person, role, None).await.unwrap();
    }
    test
}

async fn grant(
    test: &TestWorks,
    origin: Origin,
    target: UserId,
    role: Role,
    expires_at: Option<Timestamp>,
) -> Result<(), AccessError> {
    test.run("grant", origin, |work| access::grant_role(work, target, role, expires_at).scope_boxed()).await
}

async fn revoke(test: &TestWorks, origin: Origin, target: UserId, role: Role) -> Result<(), AccessError> {
    test.run("revoke", origin, |work| access::revoke_role(work, target, role).scope_boxed()).await
}

async fn roles(test: &TestWorks, user: UserId) -> Vec<Role> {
    let roles = test
        .run::<_, sqlx::Error, _>("roles", Origin::SYSTEM, |work| access::roles_of(work, user).scope_boxed());
    roles.await.unwrap()
}

async fn may(test: &TestWorks, origin: Origin, permission: Permission) -> bool {
    match test.run("may", origin, |work| access::require(work, permission).scope_boxed()).await {
        Ok(()) => true,
        Err(AccessError::Forbidden(what)) if what == permission => false,
        Err(other) => panic!("{other}"),
    }
}

/// An outcome that is taken back, so that one attempt does not change the next.
#[derive(Debug, thiserror::Error)]
enum TakenBack {
    #[error("{0}")]
    Outcome(String),
    #[error("{0}")]
    Database(#[from] sqlx::Error),
}

#[derive(Clone, Copy)]
enum Change {
    Grant,
    Revoke,
}

async fn attempt(test: &TestWorks, origin: Origin, change: Change, target: UserId, role: Role) -> String {
    let attempt = test.run::<(), _, _>("attempt", origin, |work| {
        async move {
            let outcome = match change {
                Change::Grant => access::grant_role(work, target, role, None).await,
                Change::Revoke => access::revoke_role(work, target, role).await,
            };
            Err(TakenBack::Outcome(outcome.map_or_else(|error| error.to_string(), |()| "done".to_owned())))
        }
        .scope_boxed()
    });
    match attempt.await.unwrap_err() {
        TakenBack::Outcome(outcome) => outcome,
        TakenBack::Database(error) => panic!("{error}"),
    }
}

/// Every kind of actor with every kind of target and every role.
async fn table(change: Change) -> String {
    let test = house().await;
    let people = [
        ("nobody", BOB),
        ("support", SUPPORT),
        ("finance", FINANCE),
        ("admin", MADE_ADMIN),
        ("environment admin", ADMIN),
        ("superadmin", MADE_SUPERADMIN),
        ("environment superadmin", SUPERADMIN),
    ];
    let actors = people.iter().map(|(name, id)| (*name, by(*id))).chain([("command line", Origin::SYSTEM)]);
    let mut table = String::new();
    for (actor, origin) in actors {
        for (target, id) in people.iter().copied().chain([("another", ANA), ("stranger", UserId(999))]) {
            for role in Role::ALL {
                let outcome = attempt(&test, origin, change, id, *role).await;
                let target = if origin.actor == Actor::User(id) { "himself" } else { target };
                table += &format!("{actor:22} | {target:22} | {:10} | {outcome}\n", role.as_str());
            }
        }
    }
    table
}

#[tokio::test]
async fn who_may_grant_what_to_whom() {
    insta::assert_snapshot!(table(Change::Grant).await);
}

#[tokio::test]
async fn who_may_revoke_what_from_whom() {
    insta::assert_snapshot!(table(Change::Revoke).await);
}

#[tokio::test]
async fn the_environment_always_counts() {
    let test = TestWorks::new().await;
    assert_eq!(roles(&test, SUPERADMIN).await, [Role::User, Role::Superadmin], "before they ever wrote");
    assert_eq!(roles(&test, ADMIN).await, [Role::User, Role::Admin]);
    assert_eq!(roles(&test, ANA).await, [Role::User]);
    assert!(may(&test, by(SUPERADMIN), Permission::GrantRoles).await);
}

#[tokio::test]
async fn a_role_allows_what_it_is_for() {
    let test = house().await;
    for permission in Permission::ALL {
        for actor in [by(SUPERADMIN), by(ADMIN), by(MADE_ADMIN), by(MADE_SUPERADMIN), Origin::SYSTEM] {
            assert!(may(&test, actor, *permission).await, "{permission}");
        }
        assert!(!may(&test, by(ANA), *permission).await, "{permission}");
        assert!(!may(&test, by(UserId(999)), *permission).await, "{permission}");
        assert_eq!(may(&test, by(SUPPORT), *permission).await, *permission == Permission::ViewUsers);
    }
    assert!(may(&test, by(FINANCE), Permission::RefundPayments).await);
    assert!(!may(&test, by(FINANCE), Permission::BanUsers).await);
}

#[tokio::test]
async fn only_superadmins_and_the_command_line_pass_for_superadmins() {
    let test = house().await;
    let passes = async |origin| {
        test.run("superadmin", origin, |work| access::require_superadmin(work).scope_boxed()).await.is_ok()
    };
    for origin in [by(SUPERADMIN), by(MADE_SUPERADMIN), Origin::SYSTEM] {
        assert!(passes(origin).await);
    }
    for origin in [by(ADMIN), by(MADE_ADMIN), by(FINANCE), by(ANA)] {
        assert!(!passes(origin).await);
    }
}

/// Servers hold people's keys, and keys open everything: the command line and superadmins alone change them.
#[tokio::test]
async fn servers_and_keys_are_changed_by_superadmins_alone() {
    let test = house().await;
    let others = [ADMIN, MADE_ADMIN, FINANCE, SUPPORT, ANA, UserId(999)].map(by);
    for origin in others {
        for (what, outcome) in use_cases(&test, origin, "nl-1").await {
            assert!(
                matches!(outcome, Err(Some(AccessError::RoleNeeded(Role::Superadmin)))),
                "{what}: {outcome:?}"
            );
        }
    }
    let mut conn = test.db.pool.acquire().await.unwrap();
    assert!(crud::server::list(&mut conn).await.unwrap().is_empty());
    for (origin, name) in [(by(SUPERADMIN), "nl-1"), (by(MADE_SUPERADMIN), "nl-2"), (Origin::SYSTEM, "nl-3")]
    {
        for (what, outcome) in use_cases(&test, origin, name).await {
            assert!(outcome.is_ok(), "{what}: {outcome:?}");
        }
    }
    for action in ["server_added", "server_secret_replaced", "server_updated", "server_removed"] {
        let by: Vec<_> = test.audited(action).await.iter().map(|row| row.user_id).collect();
        assert_eq!(by, [Some(SUPERADMIN), Some(MADE_SUPERADMIN), None], "{action}");
    }
}

/// Everything that is done with a server from its beginning to its end; of a failure, whether it was for lack of rights.
async fn use_cases(
    test: &TestWorks,
    origin: Origin,
    name: &str,
) -> [(&'static str, Result<(), Option<AccessError>>); 5] {
    let refused = |error| match error {
        ServerError::Access(error) => Some(error),
        _ => None,
    };
    let new = &NewServer {
        name: name.to_owned(),
        protocol: Protocol::Outline,
        location: String::new(),
        settings: "{}".to_owned(),
        capacity: 1,
    };
    let add = test.run("add", origin, |work| server::add(work, new, "{}", &[]).scope_boxed());
    let added = add.await.map(drop).map_err(refused);
    let replace = test.run("replace", origin, |work| server::replace_secret(work, name, "{1}").scope_boxed());
    let replaced = replace.await.map_err(refused);
    let change = &server::Change { capacity: Some(2), ..server::Change::default() };
    let update = test.run("update", origin, |work| server::update(work, name, change).scope_boxed());
    let updated = update.await.map_err(refused);
    let rotate =
        test.run("rotate", origin, |work| keys::rotate_batch(work, SecretKind::Servers, 0).scope_boxed());
    let rotated = rotate.await.map(drop).map_err(Some);
    let remove = test.run("remove", origin, |work| server::remove(work, name, true).scope_boxed());
    let removed = remove.await.map(drop).map_err(refused);
    [
        ("add", added),
        ("replace_secret", replaced),
        ("update", updated),
        ("rotate", rotated),
        ("remove", removed),
    ]
}

#[tokio::test]
async fn a_role_stops_working_when_it_expires() {
    let test = house().await;
    let end = test.clock.now() + Duration::hours(2);
    grant(&test, by(ADMIN), ANA, Role::Admin, Some(end)).await.unwrap();
    test.clock.advance(Duration::hours(1));
    assert!(may(&test, by(ANA), Permission::BanUsers).await);
    test.clock.advance(Duration::hours(1));
    assert!(!may(&test, by(ANA), Permission::BanUsers).await);
    assert_eq!(roles(&test, ANA).await, [Role::User]);

    let mut conn = test.db.pool.acquire().await.unwrap();
    let just_before = end - Duration::microseconds(1);
    assert_eq!(crud::role::active(&mut conn, ANA, just_before).await.unwrap(), [Role::Admin]);
    assert!(crud::role::active(&mut conn, ANA, end).await.unwrap().is_empty(), "at its very instant");
    assert_eq!(crud::role::admins(&mut conn, just_before).await.unwrap().len(), 3);
    assert_eq!(crud::role::admins(&mut conn, end).await.unwrap(), [MADE_ADMIN, MADE_SUPERADMIN]);
}

#[tokio::test]
async fn an_expired_admin_is_not_protected() {
    let test = house().await;
    let end = test.clock.now() + Duration::hours(1);
    grant(&test, by(SUPERADMIN), ANA, Role::Superadmin, Some(end)).await.unwrap();
    assert!(matches!(revoke(&test, by(ADMIN), ANA, Role::Superadmin).await, Err(AccessError::Protected)));
    test.clock.advance(Duration::hours(1));
    grant(&test, by(ADMIN), ANA, Role::Support, None).await.unwrap();
    assert_eq!(roles(&test, ANA).await, [Role::User, Role::Support]);
}

#[tokio::test]
async fn a_grant_is_audited_and_told() {
    let test = house().await;
    let end = Timestamp::from_unix(4_070_908_800); // 2099-01-01
    grant(&test, by(ADMIN), ANA, Role::Support, None).await.unwrap();
    grant(&test, by(ADMIN), ANA, Role::Support, None).await.unwrap();
    grant(&test, by(SUPERADMIN), ANA, Role::Support, Some(end)).await.unwrap();
    revoke(&test, by(ADMIN), ANA, Role::Support).await.unwrap();
    assert!(matches!(revoke(&test, by(ADMIN), ANA, Role::Support).await, Err(AccessError::NotHeld(_))));

    let mut rows = test.audited("role_granted").await;
    rows.retain(|row| row.target.as_deref() == Some("user:100"));
    let seen: Vec<_> = rows.iter().map(|row| (row.user_id, row.details.as_str())).collect();
    let first = r#"{"new":{"expires_at":null,"granted_by":2},"old":null,"role":"support"}"#;
    let second = r#"{"new":{"expires_at":"2099-01-01T00:00:00Z","granted_by":1},"old":{"expires_at":null,"granted_by":2},"role":"support"}"#;
    assert_eq!(seen, [(Some(ADMIN), first), (Some(SUPERADMIN), second)], "the same again changed nothing");
    let revoked = &test.audited("role_revoked").await[0];
    let third = r#"{"new":null,"old":{"expires_at":"2099-01-01T00:00:00Z","granted_by":1},"role":"support"}"#;
    assert_eq!((revoked.user_id, revoked.details.as_str()), (Some(ADMIN), third));

    let told = test.notices_to(ANA).await;
    let role = Role::Support;
    let granted = |expires_at| Notice::RoleGranted { role, expires_at };
    assert_eq!(told, [granted(None), granted(Some(end)), Notice::RoleRevoked { role }]);
}

#[tokio::test]
async fn the_end_of_a_role_lies_ahead() {
    let test = house().await;
    let now = test.clock.now();
    let over = grant(&test, by(ADMIN), ANA, Role::Support, Some(now)).await;
    assert!(matches!(over, Err(AccessError::AlreadyOver(end)) if end == now));
    assert_eq!(roles(&test, ANA).await, [Role::User]);
}

#[tokio::test]
async fn grants_are_seen_by_their_owner_and_by_those_who_see_people() {
    let test = house().await;
    let seen = async |actor| {
        test.run("grants", by(actor), |work| access::grants_of(work, MADE_ADMIN).scope_boxed()).await
    };
    for actor in [MADE_ADMIN, SUPPORT] {
        assert_eq!(seen(actor).await.unwrap()[0].role, Role::Admin);
    }
    assert!(matches!(seen(ANA).await, Err(AccessError::Forbidden(Permission::ViewUsers))));
}

/// What decides on another try of a conflict looks for the database's number.
#[tokio::test]
async fn an_error_of_the_database_is_recognised_through_ours() {
    let test = house().await;
    let twice = async || {
        let insert = sqlx::query("INSERT INTO plans SELECT * FROM plans").execute(&test.db.pool);
        AccessError::from(insert.await.unwrap_err())
    };
    let duplicate = Some(1062);
    assert_eq!(database_error_number(&twice().await), duplicate);
    assert_eq!(database_error_number(&CatalogueError::from(twice().await)), duplicate);
}
