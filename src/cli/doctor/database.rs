//! The database: reachable, of a version we know, with the rights we need, up to date, and with the right time.

use std::time::Duration;

use sqlx::MySqlConnection;

use super::report::{Finding, Mark, within};
use crate::clock::Clock;
use crate::db::{migrate, probe};

const LIMIT: Duration = Duration::from_secs(10);
/// A clock that is further off makes leases and expiries wrong.
pub const CLOCK_TOLERANCE: chrono::Duration = chrono::Duration::seconds(5);

const SCHEMA: &str = "schema";

pub async fn check(url: &str, clock: &Clock) -> Vec<Finding> {
    let mend = "see that the database runs and that no firewall is between; check DATABASE_URL";
    within(LIMIT, "database", mend, async {
        match probe::connect(url).await {
            Ok(mut conn) => {
                look(&mut conn, clock).await.unwrap_or_else(|error| vec![failed("database", error)])
            }
            Err(error) => vec![Finding::bad("database", error, mend)],
        }
    })
    .await
}

/// Whether the checks that read tables make sense.
pub fn has_tables(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.subject == SCHEMA && finding.mark == Mark::Good)
}

async fn look(conn: &mut MySqlConnection, clock: &Clock) -> sqlx::Result<Vec<Finding>> {
    let mut findings = vec![version(&probe::version(conn).await?)];
    let (before, theirs, after) = (clock.now(), probe::now(conn).await?, clock.now());
    let ours = before + after.since(before) / 2;
    findings.push(clock_finding("database clock", theirs.since(ours), "its machine and this one"));
    findings.push(durability(conn).await?);
    let (held, most) = probe::prepared(conn).await?;
    findings.push(prepared(held, most));
    findings.push(rights(conn).await);
    findings.push(match migrate::pending(conn).await {
        Ok(0) => Finding::good(SCHEMA, "up to date"),
        Ok(missing) => Finding::bad(SCHEMA, format!("{missing} migrations are missing"), "usipipo migrate"),
        Err(error) => failed(SCHEMA, error),
    });
    Ok(findings)
}

/// MariaDB 10.6 and MySQL 8 are the first that know SKIP LOCKED and all else we use.
fn version(text: &str) -> Finding {
    let mut numbers = text.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let needed = if text.contains("MariaDB") { (10, 6) } else { (8, 0) };
    match found >= needed {
        true => Finding::good("database", text),
        false => Finding::bad("database", text, "use MariaDB 10.6 or MySQL 8, or newer"),
    }
}

pub fn clock_finding(subject: &str, difference: chrono::Duration, whose: &str) -> Finding {
    let seconds = difference.num_milliseconds().abs();
    let detail = format!("{}.{} s apart", seconds / 1000, seconds % 1000 / 100);
    match difference.abs() > CLOCK_TOLERANCE {
        true => Finding::bad(subject, detail, format!("set the clocks of {whose} by NTP")),
        false => Finding::good(subject, detail),
    }
}

async fn durability(conn: &mut MySqlConnection) -> sqlx::Result<Finding> {
    let flush = probe::variable(conn, "innodb_flush_log_at_trx_commit").await?;
    Ok(match flush.as_deref() {
        Some("1") | None => Finding::good("durability", "every commit is written to disk"),
        Some(other) => Finding::look(
            "durability",
            format!(
                "innodb_flush_log_at_trx_commit is {other}: a power cut can lose a payment that was acknowledged"
            ),
            "set it to 1",
        ),
    })
}

/// At the limit the database refuses whatever it has not prepared yet, to everybody.
fn prepared(held: u64, most: u64) -> Finding {
    let detail = format!("{held} of {most}");
    match held > most / 4 * 3 {
        true => Finding::look(
            "prepared statements",
            detail,
            "raise the database's max_prepared_stmt_count: each copy of the server keeps up to 2,500",
        ),
        false => Finding::good("prepared statements", detail),
    }
}

/// The rights of DATABASE_URL's user, and the isolation that a session may ask for.
async fn rights(conn: &mut MySqlConnection) -> Finding {
    let mend = "GRANT ALL ON the database of DATABASE_URL TO its user";
    if let Err(refused) = probe::try_rights(conn).await {
        return Finding::bad("rights", refused, mend);
    }
    let wanted = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";
    if let Err(error) = sqlx::raw_sql(wanted).execute(&mut *conn).await {
        return failed("rights", error);
    }
    match probe::isolation(conn).await {
        Ok(Some(level)) if level == "READ-COMMITTED" => {
            Finding::good("rights", "all that is needed; READ COMMITTED")
        }
        Ok(level) => Finding::bad("rights", format!("transactions are {level:?}"), "allow READ COMMITTED"),
        Err(error) => failed("rights", error),
    }
}

fn failed(subject: &str, error: sqlx::Error) -> Finding {
    Finding::bad(subject, error, "see the database's log")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_databases_are_refused() {
        let good =
            ["10.11.6-MariaDB-0+deb12u1", "10.6.0-MariaDB", "11.4.2-MariaDB", "8.0.36", "8.4.0", "9.1.0"];
        assert!(good.iter().all(|text| version(text).mark == Mark::Good));
        let old = ["10.5.23-MariaDB", "5.7.44", "", "nonsense"];
        assert!(old.iter().all(|text| version(text).mark == Mark::Bad));
    }

    #[test]
    fn who_nears_the_limit_of_prepared_statements_is_warned() {
        assert_eq!([0, 12_000].map(|held| prepared(held, 16_382).mark), [Mark::Good; 2]);
        assert_eq!([12_300, 16_382].map(|held| prepared(held, 16_382).mark), [Mark::Look; 2]);
    }

    #[test]
    fn clocks_may_differ_by_five_seconds() {
        let mark = |millis| clock_finding("x", chrono::Duration::milliseconds(millis), "both").mark;
        assert_eq!([0, -5000, 5000].map(mark), [Mark::Good; 3]);
        assert_eq!([-5001, 5001].map(mark), [Mark::Bad; 2]);
        assert_eq!(clock_finding("x", chrono::Duration::milliseconds(-1250), "").detail, "1.2 s apart");
    }
}
