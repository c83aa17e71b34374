//! What waits in the lanes: lanes that ask at the same time are answered by one statement.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use scoped_futures::ScopedFutureExt;
use sqlx::MySqlConnection;

use super::batch::{BatchOptions, Batcher, of_all};
use crate::db::Db;

/// A row of a queue.
#[async_trait]
pub trait LaneRow: Sized + Send + 'static {
    /// Rows read at once from one lane.
    const AHEAD: u32;

    fn lane(&self) -> &str;
    /// The next rows of a lane, up to `limit`.
    async fn of_lane(conn: &mut MySqlConnection, lane: &str, limit: u32) -> sqlx::Result<Vec<Self>>;
    /// The next rows of several lanes, up to `limit` in all, lane by lane in the order of their names.
    async fn of_lanes(conn: &mut MySqlConnection, lanes: &[String], limit: u32) -> sqlx::Result<Vec<Self>>;
}

/// Lanes read by one statement.
const LANES: usize = 64;
/// Rows read by one statement.
const ROWS: u32 = 256;

/// None: not everything that waits in the lane was read.
type Read<T> = Result<Option<Vec<T>>, Arc<sqlx::Error>>;

/// Reads what waits in lanes.
pub struct Waiting<T> {
    db: Db,
    lanes: Batcher<String, Read<T>>,
}

impl<T: LaneRow> Waiting<T> {
    /// Starts the reading task.
    pub fn start(db: Db) -> Self {
        let slow = Duration::from_millis(500);
        let options =
            BatchOptions { waiting: 1024, most: LANES, weight: |_| 0, heaviest: 1, abreast: 1, slow };
        let of_many = db.clone();
        let lanes = Batcher::start(options, move |lanes| {
            let db = of_many.clone();
            async move { read(&db, &lanes).await }
        });
        Self { db, lanes }
    }

    /// The next rows of a lane; fewer than [`LaneRow::AHEAD`] are all there are.
    pub async fn next(&self, lane: &str) -> sqlx::Result<Vec<T>> {
        if let Ok(answer) = self.lanes.ask(lane.to_owned()).await
            && let Some(rows) = answer.map_err(of_all)?
        {
            return Ok(rows);
        }
        let mut conn = self.db.acquire().await?;
        T::of_lane(&mut conn, lane, T::AHEAD).await
    }
}

async fn read<T: LaneRow>(db: &Db, lanes: &[String]) -> Vec<Read<T>> {
    let rows = db.read(|conn| {
        async move {
            match lanes {
                [lane] => T::of_lane(conn, lane, T::AHEAD).await,
                lanes => T::of_lanes(conn, lanes, ROWS).await,
            }
        }
        .scope_boxed()
    });
    match rows.await {
        Ok(rows) => by_lane(lanes, rows),
        Err(error) => {
            let error = Arc::new(error);
            lanes.iter().map(|_| Err(error.clone())).collect()
        }
    }
}

/// Rows by the lane they are of. Where the statement's limit was reached, what comes last is not known. Who asks for a
/// lane that somebody else asks for, too, reads for himself: a lease may have gone from one of them to the other, and to
/// the second of them the lane would be empty.
fn by_lane<T: LaneRow>(lanes: &[String], rows: Vec<T>) -> Vec<Read<T>> {
    let cut = (rows.len() >= ROWS as usize).then(|| rows.last().map(|row| row.lane().to_owned())).flatten();
    let mut found: HashMap<&str, Vec<T>> = lanes.iter().map(|lane| (lane.as_str(), Vec::new())).collect();
    for row in rows {
        if let Some(of_lane) = found.get_mut(row.lane()).filter(|rows| rows.len() < T::AHEAD as usize) {
            of_lane.push(row);
        }
    }
    let mut answer = |lane: &String| {
        let known = cut.as_ref().is_none_or(|cut| lane < cut);
        Ok(found.remove(lane.as_str()).filter(|_| known))
    };
    lanes.iter().map(&mut answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row(&'static str);

    #[async_trait]
    impl LaneRow for Row {
        const AHEAD: u32 = 2;

        fn lane(&self) -> &str {
            self.0
        }
        async fn of_lane(_: &mut MySqlConnection, _: &str, _: u32) -> sqlx::Result<Vec<Self>> {
            Ok(Vec::new())
        }
        async fn of_lanes(_: &mut MySqlConnection, _: &[String], _: u32) -> sqlx::Result<Vec<Self>> {
            Ok(Vec::new())
        }
    }

    /// How many rows each is told of.
    fn told(lanes: &[&str], rows: Vec<Row>) -> Vec<Option<usize>> {
        let lanes: Vec<String> = lanes.iter().map(|lane| (*lane).to_owned()).collect();
        by_lane(&lanes, rows).into_iter().map(|read| read.unwrap().map(|rows| rows.len())).collect()
    }

    #[test]
    fn each_is_told_of_its_own_lane_and_a_second_asker_never_that_it_is_empty() {
        let rows = || vec![Row("a"), Row("b"), Row("b"), Row("b")];
        assert_eq!(told(&["a", "b", "c"], rows()), [Some(1), Some(2), Some(0)]);
        assert_eq!(told(&["a", "b", "b", "a"], rows()), [Some(1), Some(2), None, None]);
    }

    #[test]
    fn what_comes_after_the_last_row_that_was_read_is_not_known() {
        let rows = (0..ROWS).map(|n| Row(if n == 0 { "a" } else { "b" })).collect();
        assert_eq!(told(&["a", "b", "c"], rows), [Some(1), None, None]);
    }
}
