-- The income of /stats: without it, every completed payment there ever was is read. An upgrade that was killed may have
-- added the index already, and MySQL has no ADD KEY IF NOT EXISTS.
SET @change = IF(
    EXISTS (SELECT 1 FROM information_schema.statistics
            WHERE table_schema = DATABASE() AND table_name = 'payments' AND index_name = 'payments_by_completion'),
    'DO 0',
    'ALTER TABLE payments ADD KEY payments_by_completion (status, completed_at)'
);
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
