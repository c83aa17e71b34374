//! What commands print: lines and plain tables. A reader that has gone away (`| head`) is no reason to fail, and
//! texts of the outside cannot play with the terminal.

use std::fmt::Display;
use std::io::{self, Write};

/// Prints a line.
pub fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints a line for the person at the terminal, beside what may be piped on.
pub fn aside(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Says why the command ends.
pub fn complain(error: &dyn Display) {
    aside(format_args!("usipipo: {error}"));
}

/// A text of the outside on one line, with blanks for control characters.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Columns under a head, as wide as they need to be.
pub struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    pub fn new(head: [&str; N]) -> Self {
        Self { rows: vec![head.map(str::to_owned)] }
    }

    pub fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells.map(|cell| printable(cell.trim())));
    }

    /// Prints the table, or `nothing` when it has no row.
    pub fn print(&self, nothing: &str) {
        match self.rows.len() {
            1 => line(nothing),
            _ => self.lines().for_each(line),
        }
    }

    fn lines(&self) -> impl Iterator<Item = String> {
        let width = |cell: &String| cell.chars().count();
        let widths: [usize; N] =
            std::array::from_fn(|column| self.rows.iter().map(|row| width(&row[column])).max().unwrap_or(0));
        self.rows.iter().map(move |row| {
            let mut text = String::new();
            for (cell, full) in row.iter().zip(widths) {
                text.push_str(cell);
                text.push_str(&" ".repeat(full - width(cell) + 2));
            }
            text.truncate(text.trim_end().len());
            text
        })
    }
}

/// `-` where there is nothing.
pub fn or_dash(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// A span of time in its largest unit: `45 s`, `12 min`, `3 h`, `5 d`.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..=119 => format!("{s} s"),
        s @ 120..=7_199 => format!("{} min", s / 60),
        s @ 7_200..=172_799 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_they_need_to_be() {
        let mut table = Table::new(["NAME", "LOCATION", "HEALTH"]);
        table.row(["de-1".into(), "🇩🇪 Frankfurt".into(), "up".into()]);
        table.row(["a-longer-name".into(), "-".into(), "\u{1b}[31mdown\nhere".into()]);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(
            lines,
            [
                "NAME           LOCATION      HEALTH",
                "de-1           🇩🇪 Frankfurt  up",
                "a-longer-name  -              [31mdown here",
            ]
        );
    }

    #[test]
    fn spans_are_told_in_their_largest_unit() {
        assert_eq!([0, 119, 120, 7_200, 172_800].map(span), ["0 s", "119 s", "2 min", "2 h", "2 d"]);
    }
}
