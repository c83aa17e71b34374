//! `usipipo migrate` on an empty database, again, twice at once, and after it was killed half way.

use futures::future::join_all;
use sqlx::AssertSqlSafe;
use usipipo::db::{Db, migrate};

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

/// Every column as it is, and how many rows each table holds.
async fn shape(db: &TestDb) -> Vec<String> {
    let columns = "SELECT CONCAT_WS(' ', table_name, column_name, column_type, is_nullable, column_key, extra) \
                   FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name <> 'migration_lease' \
                   ORDER BY table_name, ordinal_position";
    let mut shape: Vec<String> = sqlx::query_scalar(columns).fetch_all(&db.pool).await.unwrap();
    for table in ["plans", "plan_texts", "plan_prices"] {
        let rows = format!("SELECT CONCAT('{table} ', COUNT(*)) FROM {table}");
        shape.extend(sqlx::query_scalar(AssertSqlSafe(rows)).fetch_all(&db.pool).await.unwrap() as Vec<String>);
    }
    shape
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_ran_and_was_not_written_down_runs_again() {
    let db = TestDb::new().await;
    let house = Db::open(db.url(), 2).unwrap();
    let before = shape(&db).await;
    let versions: Vec<i64> =
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations").fetch_all(&db.pool).await.unwrap();
    for version in versions {
        let forget = "DELETE FROM _sqlx_migrations WHERE version = ?";
        sqlx::query(forget).bind(version).execute(&db.pool).await.unwrap();
        migrate::run(&house).await.unwrap_or_else(|error| panic!("{version}: {error}"));
        assert!(shape(&db).await == before, "{version} is not safe to run again");
        assert_eq!(count(&db, APPLIED).await, all());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_start_on_half_of_a_schema_finish_it_together() {
    let whole = TestDb::new().await;
    for half in [1, 10, 26] {
        let db = TestDb::empty().await;
        // The first statements ran; the last of them left no mark, the one before it an unfinished one.
        let mut migrator = sqlx::migrate!();
        migrator.migrations.to_mut().truncate(half);
        migrator.run(&db.pool).await.unwrap();
        let unmark = ["DELETE FROM _sqlx_migrations", "UPDATE _sqlx_migrations SET success = FALSE"];
        for change in unmark {
            let change = format!("{change} ORDER BY version DESC LIMIT 1");
            sqlx::query(AssertSqlSafe(change)).execute(&db.pool).await.unwrap();
        }
        let houses = [0; 3].map(|_| Db::open(db.url(), 2).unwrap());
        for done in join_all(houses.iter().map(migrate::run)).await {
            done.unwrap();
        }
        assert_eq!(shape(&db).await, shape(&whole).await, "from {half} on");
        assert_eq!(count(&db, APPLIED).await, all());
    }
}
