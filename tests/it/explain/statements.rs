//! Statements as texts: what two runs of one have in common, and values for one that was not run.

use std::collections::BTreeMap;
use std::path::Path;

/// A statement without its values: those of a run, its question marks, and lists of any length look the same.
pub fn fingerprint(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for (is_value, piece) in pieces(sql) {
        if is_value {
            out.push('?');
            continue;
        }
        let mut rest = piece.chars().peekable();
        while let Some(c) = rest.next() {
            let in_word = out.ends_with(|last: char| last.is_alphanumeric() || last == '_');
            if c.is_ascii_digit() && !in_word {
                while rest.next_if(|next| next.is_ascii_digit() || *next == '.').is_some() {}
                out.push('?');
            } else if !c.is_whitespace() {
                out.push(c);
            } else if !out.ends_with(' ') {
                out.push(' ');
            }
        }
    }
    let mut out =
        out.replace("_binary?", "?").replace("TIMESTAMP?", "?").replace("NULL", "?").replace("-?", "?");
    for (long, short) in [("?, ?", "?"), ("?,?", "?"), ("(?), (?)", "(?)"), ("(?),(?)", "(?)")] {
        while out.contains(long) {
            out = out.replace(long, short);
        }
    }
    out.trim().to_owned()
}

/// The statement with plain words in place of texts that hold bytes: the database writes them into its plans as they
/// are, and then those cannot be read.
pub fn readable(sql: &str) -> String {
    let plain = |text: &str| !text.contains(|c: char| c.is_control() || c == '\\' || c == '\u{fffd}');
    let piece = |(is_value, text): (bool, &str)| match is_value && !plain(text) {
        true => "'bytes'".to_owned(),
        false => text.to_owned(),
    };
    pieces(sql).into_iter().map(piece).collect()
}

/// What stands between quotes, with them, and what does not.
fn pieces(sql: &str) -> Vec<(bool, &str)> {
    let (mut pieces, mut from, mut inside) = (Vec::new(), 0, false);
    let mut rest = sql.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' if inside => drop(rest.next()),
            '\'' if inside && rest.peek().is_some_and(|(_, next)| *next == '\'') => drop(rest.next()),
            '\'' => {
                let cut = if inside { at + 1 } else { at };
                pieces.push((inside, &sql[from..cut]));
                (from, inside) = (cut, !inside);
            }
            _ => {}
        }
    }
    pieces.push((false, &sql[from..]));
    pieces
}

/// Every statement that the code has, as the build knows them, by fingerprint.
pub fn known() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let statement = |file| {
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        json["query"].as_str().unwrap().to_owned()
    };
    files.map(statement).map(|sql| (fingerprint(&sql), sql)).collect()
}

/// A statement with values in place of its question marks, each like those that stand in its column.
pub fn with_values(sql: &str) -> String {
    let mut parts = sql.split('?');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(value_after(&out));
        out.push_str(part);
    }
    out
}

/// What is compared with what `before` ends in.
fn value_after(before: &str) -> &'static str {
    let before = before.trim_end().trim_end_matches(['=', '<', '>', '(', ' ']);
    if before.ends_with("LIMIT") || before.ends_with("OFFSET") {
        return "100";
    }
    let column = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
    match column {
        // A backlog is what is rare and asked for; most rows are done.
        "status" => "'pending'",
        "queue" | "class" => "1",
        "lane" => "'client:2000000042'",
        "id" | "user_id" | "chat_id" | "subscription_id" | "server_id" | "config_id" | "payment_id" => "'42'",
        "after" | "BETWEEN" | "AND" | "SECOND" | "created_at" => "'2026-01-01 00:00:00'",
        column if column.ends_with("_at") || column == "not_before" => "'2026-01-01 00:00:00'",
        _ => "'7'",
    }
}

#[cfg(test)]
mod tests {
    use super::{fingerprint, readable};

    #[test]
    fn two_runs_of_a_statement_look_the_same() {
        let known = "SELECT a FROM t1 WHERE b = ? AND c IN (?, ?) LIMIT ?";
        let run = "SELECT a FROM t1\n WHERE b = 'it''s \\' 7' AND c IN (1, -2.5, NULL) LIMIT 100";
        let dated = "SELECT a FROM t1 WHERE b = TIMESTAMP'2026-01-01' AND c IN (7) LIMIT 1";
        assert_eq!(fingerprint(known), fingerprint(dated));
        assert_eq!(fingerprint(known), fingerprint(run));
        assert_eq!(fingerprint(known), "SELECT a FROM t1 WHERE b = ? AND c IN (?) LIMIT ?");
        assert_eq!(readable("a = 'it''s' AND b = '\u{1}\\''"), "a = 'it''s' AND b = 'bytes'");
    }
}
