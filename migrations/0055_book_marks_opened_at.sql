ALTER TABLE book_marks
    ADD COLUMN opened_at DATETIME(6) NULL COMMENT 'UTC, when the book was first read: older money of orders that are not ours is no news' AFTER position;
