//! What the database says it would do.

use serde_json::Value;
use sqlx::mysql::MySqlPool;
use sqlx::{AssertSqlSafe, Row};

/// Tables that grow with people, money and time. All others stay small: plans, servers, roles, and what is counted by
/// bots or by the schedules of two days.
const GROWING: &[&str] = &[
    "users",
    "user_settings",
    "audit_logs",
    "lanes",
    "inbound_events",
    "outbound_messages",
    "jobs",
    "dialogs",
    "subscriptions",
    "trials",
    "reminders",
    "payments",
    "ledger_entries",
    "addresses",
    "vpn_configs",
    "unmatched_charges",
];
/// An index that is read in its order until a limit is reached is no scan: the database expects so few rows then.
const A_PAGE: u64 = 1000;

/// The tables that a statement would read from end to end.
pub async fn scans(pool: &MySqlPool, statement: &str) -> Vec<String> {
    let row = sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN FORMAT=JSON {statement}")));
    let row = row.fetch_one(pool).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
    let json = without_conditions(&row.get::<String, _>(0));
    let plan: Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let aliases = Aliases::of(statement);
    let mut found = Vec::new();
    visit(&plan, &aliases, &mut found);
    found
}

/// A plan without what it says of conditions: they hold bytes and quotes just as they stand in the statement.
fn without_conditions(plan: &str) -> String {
    let mut pieces = plan.split("_condition\": \"");
    let mut json = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = ["\",\n", "\"\n"].iter().filter_map(|end| piece.find(end)).min().unwrap();
        json += &format!("_condition\": \"{}", &piece[end..]);
    }
    json
}

fn visit(node: &Value, aliases: &Aliases, found: &mut Vec<String>) {
    match node {
        Value::Object(fields) => {
            if let (Some(name), Some(access)) = (text(node, "table_name"), text(node, "access_type")) {
                let table = aliases.table(name);
                let rows = node["rows"].as_u64().unwrap_or(u64::MAX);
                let whole = access == "ALL" || access == "index" && rows > A_PAGE;
                if whole && GROWING.contains(&table) {
                    found.push(format!("{table} ({access}, {rows} rows)"));
                }
            }
            fields.values().for_each(|value| visit(value, aliases, found));
        }
        Value::Array(values) => values.iter().for_each(|value| visit(value, aliases, found)),
        _ => {}
    }
}

fn text<'a>(node: &'a Value, field: &str) -> Option<&'a str> {
    node.get(field).and_then(Value::as_str)
}

/// What the tables of a statement are called in it.
struct Aliases<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Aliases<'a> {
    fn of(statement: &'a str) -> Self {
        let words: Vec<&str> = statement
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        let tables = words.windows(2).filter(|pair| GROWING.contains(&pair[0]));
        Self(tables.map(|pair| (pair[1], pair[0])).collect())
    }

    fn table<'b>(&'b self, name: &'b str) -> &'b str {
        let aliased = self.0.iter().find(|(alias, _)| *alias == name);
        aliased.filter(|_| !GROWING.contains(&name)).map_or(name, |(_, table)| table)
    }
}
