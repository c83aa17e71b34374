//! `usipipo migrate` on an empty database, again, twice at once, and after it was killed half way.

use crate::support::cli::Shell;
use crate::support::db::TestDb;

async fn shell(db: &TestDb) -> Shell {
    Shell::new(vec![("DATABASE_URL", db.url().to_owned())])
}

async fn count(db: &TestDb, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&db.pool).await.unwrap()
}

const APPLIED: &str = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success";

fn all() -> i64 {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
    files.count().try_into().unwrap()
}

#[tokio::test]
async fn needs_the_database_alone_and_may_be_repeated() {
    let db = TestDb::empty().await;
    let shell = shell(&db).await;
    let first = shell.run(&["migrate"]).await.ok();
    assert!(first.contains("migrations were missing"), "{first}");
    assert_eq!(shell.run(&["migrate"]).await.ok(), "The database is up to date.\n");
    assert_eq!(count(&db, APPLIED).await, all());
    assert!(count(&db, "SELECT COUNT(*) FROM plans").await > 0, "a catalogue is there");
}

#[tokio::test]
async fn several_at_once_take_turns() {
    let db = TestDb::empty().await;
    let shell = shell(&db).await;
    let plans = async || count(&db, "SELECT COUNT(*) FROM plans").await;
    let (one, other, third) =
        tokio::join!(shell.run(&["migrate"]), shell.run(&["migrate"]), shell.run(&["migrate"]));
    for ended in [one, other, third] {
        ended.ok();
    }
    let alone = TestDb::new().await;
    assert_eq!(plans().await, count(&alone, "SELECT COUNT(*) FROM plans").await, "seeded once");
    assert_eq!(count(&db, APPLIED).await, all());
}

#[tokio::test]
async fn what_was_killed_half_way_is_done_again() {
    let db = TestDb::new().await;
    // As a process leaves it that was killed between a statement and its mark.
    sqlx::query("UPDATE _sqlx_migrations SET success = FALSE ORDER BY version DESC LIMIT 1")
        .execute(&db.pool)
        .await
        .unwrap();
    let shell = shell(&db).await;
    let told = Shell::over(db.url()).run(&["plan", "list"]).await.failed(1);
    assert!(told.contains("lacks 1 migration"), "{told}");
    shell.run(&["migrate"]).await.ok();
    assert_eq!(count(&db, APPLIED).await, all());
    assert_eq!(count(&db, "SELECT COUNT(*) FROM _sqlx_migrations WHERE NOT success").await, 0);
}
