//! The invariants: what must hold over the whole database at any time. An operator may ask at any moment, and a job
//! asks every night.

use chrono::TimeDelta;

use super::audit;
use crate::crud;
use crate::models::audit::Action;
use crate::models::notice::Alert;
use crate::work::Work;

/// What takes longer than this to come right does not come right by itself.
const SETTLED: TimeDelta = TimeDelta::minutes(15);

/// How many rules there are.
pub const RULES: usize = crud::books::RULES.len();

/// A rule that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub what: &'static str,
    /// Rows that break it.
    pub count: i64,
}

/// Rules that were broken, none when all is well.
pub async fn check(work: &mut Work) -> sqlx::Result<Vec<Broken>> {
    let settled = work.now() - SETTLED;
    let broken = crud::books::broken(work.conn(), settled).await?;
    Ok(broken.into_iter().map(|(what, count)| Broken { what, count }).collect())
}

/// Tells the admins of `broken` rules.
pub async fn report(work: &mut Work, broken: &[Broken]) -> sqlx::Result<()> {
    if broken.is_empty() {
        return Ok(());
    }
    let findings = broken.iter().map(|rule| format!("{} {}", rule.count, rule.what)).collect();
    audit::notify_admins(work, Action::BooksWrong, Alert::BooksWrong { findings }).await
}
