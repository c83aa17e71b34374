//! inbound_events, outbound_messages and jobs, as far as they are alike.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::models::event::QueueStatus::{self, Dead, Pending};
use crate::models::lane::{Queue, Standing};

/// How the three queues stand, in the order of [`Queue::ALL`].
pub async fn standing(conn: &mut MySqlConnection) -> sqlx::Result<[Standing; 3]> {
    // The indices alone tell the counts and the first ids; only of the first ones the row is read.
    let rows = sqlx::query!(
        "SELECT 0 AS `queue!: i64`, f.status AS `status!: QueueStatus`, f.count AS `count!: i64`, \
         e.received_at AS `oldest!: Timestamp` FROM inbound_events e JOIN \
         (SELECT status, COUNT(*) AS count, MIN(id) AS id FROM inbound_events WHERE status IN (?, ?) \
         GROUP BY status) f ON f.id = e.id \
         UNION ALL SELECT 1, f.status, f.count, m.created_at FROM outbound_messages m JOIN \
         (SELECT status, COUNT(*) AS count, MIN(id) AS id FROM outbound_messages WHERE status IN (?, ?) \
         GROUP BY status) f ON f.id = m.id \
         UNION ALL SELECT 2, f.status, f.count, j.created_at FROM jobs j JOIN \
         (SELECT status, COUNT(*) AS count, MIN(id) AS id FROM jobs WHERE status IN (?, ?) \
         GROUP BY status) f ON f.id = j.id",
        Pending,
        Dead,
        Pending,
        Dead,
        Pending,
        Dead
    )
    .fetch_all(conn)
    .await?;
    Ok(Queue::ALL.map(|queue| {
        let of = |status| rows.iter().find(|row| row.queue == queue as i64 && row.status == status);
        Standing {
            queue,
            waiting: of(Pending).map_or(0, |row| row.count),
            oldest: of(Pending).map(|row| row.oldest),
            dead: of(Dead).map_or(0, |row| row.count),
        }
    }))
}
