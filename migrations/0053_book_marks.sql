CREATE TABLE IF NOT EXISTS book_marks (
    book       VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'provider and account, e.g. stars:7204918365',
    position   BIGINT UNSIGNED NOT NULL COMMENT 'rows of the book that were compared with ours',
    updated_at DATETIME(6)     NOT NULL COMMENT 'UTC',
    PRIMARY KEY (book)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'how far the books of providers were read';
