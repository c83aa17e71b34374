//! book_marks.

use sqlx::MySqlConnection;

use crate::clock::Timestamp;

/// How many rows of a book were read; None for a book that was never opened.
pub async fn find(conn: &mut MySqlConnection, book: &str) -> sqlx::Result<Option<u64>> {
    sqlx::query_scalar!("SELECT position FROM book_marks WHERE book = ?", book).fetch_optional(conn).await
}

/// Moves the mark on; answers with the instant at which the book was first opened, or None when the mark does not
/// stand at `from` any more.
pub async fn advance(
    conn: &mut MySqlConnection,
    book: &str,
    from: u64,
    to: u64,
    now: Timestamp,
) -> sqlx::Result<Option<Timestamp>> {
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
        "UPDATE book_marks SET position = ?, opened_at = COALESCE(opened_at, ?), updated_at = ? \
         WHERE book = ? AND position = ?",
        to,
        now,
        now,
        book,
        from
    )
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(None);
    }
    let opened = sqlx::query_scalar!(
        "SELECT opened_at AS `opened_at: Timestamp` FROM book_marks WHERE book = ?",
        book
    );
    opened.fetch_one(conn).await
}
