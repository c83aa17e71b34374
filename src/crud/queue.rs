//! inbound_events, outbound_messages and jobs, as far as they are alike.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;
use crate::models::event::QueueStatus::{self, Dead, Pending};
use crate::models::lane::{Queue, Standing};

/// How the three queues stand, in the order of [`Queue::ALL`].
pub async fn standing(conn: &mut MySqlConnection) -> sqlx::Result<[Standing; 3]> {
    let rows = sqlx::query!(
        "SELECT 0 AS `queue!: i64`, status AS `status!: QueueStatus`, COUNT(*) AS `count!: i64`, \
         MIN(received_at) AS `oldest: Timestamp` FROM inbound_events WHERE status IN (?, ?) GROUP BY status \
         UNION ALL SELECT 1, status, COUNT(*), MIN(created_at) \
         FROM outbound_messages WHERE status IN (?, ?) GROUP BY status \
         UNION ALL SELECT 2, status, COUNT(*), MIN(created_at) \
         FROM jobs WHERE status IN (?, ?) GROUP BY status",
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
            oldest: of(Pending).and_then(|row| row.oldest),
            dead: of(Dead).map_or(0, |row| row.count),
        }
    }))
}
