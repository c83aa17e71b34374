CREATE TABLE IF NOT EXISTS plan_texts (
    plan_id     BIGINT       NOT NULL COMMENT 'plans.id',
    language    VARCHAR(8)   CHARACTER SET ascii NOT NULL COMMENT 'es, en or ru',
    name        VARCHAR(32)  NOT NULL COMMENT 'at most 32 characters: it is the title of an invoice',
    description VARCHAR(255) NOT NULL COMMENT 'at most 255 characters: it is the text of an invoice',
    PRIMARY KEY (plan_id, language),
    CONSTRAINT plan_texts_plan FOREIGN KEY (plan_id) REFERENCES plans (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COMMENT = 'plans in each language';
