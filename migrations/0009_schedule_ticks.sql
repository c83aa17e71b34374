CREATE TABLE IF NOT EXISTS schedule_ticks (
    name    VARCHAR(40) CHARACTER SET ascii NOT NULL COMMENT 'name of the schedule',
    tick_at DATETIME(6) NOT NULL COMMENT 'the instant that is due, UTC; whoever inserts the row runs it',
    PRIMARY KEY (name, tick_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'leader election of the schedules';
