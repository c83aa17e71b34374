//! book_marks.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;

/// How many rows of a book were read; 0 for a book that was never opened.
pub async fn find(conn: &mut MySqlConnection, book: &str) -> sqlx::Result<u64> {
    let position = sqlx::query_scalar!("SELECT position FROM book_marks WHERE book = ?", book);
    Ok(position.fetch_optional(conn).await?.unwrap_or(0))
}

/// Moves the mark on; false when it does not stand at `from` any more.
pub async fn advance(
    conn: &mut MySqlConnection,
    book: &str,
    from: u64,
    to: u64,
    now: Timestamp,
) -> sqlx::Result<bool> {
    if from == 0 {
        sqlx::query!(
            "INSERT INTO book_marks (book, position, updated_at) VALUES (?, 0, ?) \
             ON DUPLICATE KEY UPDATE book = book",
            book,
            now
        )
        .execute(&mut *conn)
        .await?;
    }
    let done = sqlx::query!(
        "UPDATE book_marks SET position = ?, updated_at = ? WHERE book = ? AND position = ?",
        to,
        now,
        book,
        from
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
