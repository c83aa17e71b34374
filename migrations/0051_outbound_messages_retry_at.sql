-- When a failed row is due again, so that new work in its lane does not cut its pause short. An upgrade that was killed
-- may have added the column already, and MySQL has no ADD COLUMN IF NOT EXISTS.
SET @change = IF(
    EXISTS (SELECT 1 FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name = 'outbound_messages' AND column_name = 'retry_at'),
    'DO 0',
    'ALTER TABLE outbound_messages ADD COLUMN retry_at DATETIME(6) NULL COMMENT ''UTC, after a failure: not sent again before'''
);
PREPARE change_it FROM @change;
EXECUTE change_it;
DEALLOCATE PREPARE change_it;
