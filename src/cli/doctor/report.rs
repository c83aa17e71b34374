//! What was found, a line each.

use std::fmt::{self, Display};
use std::time::Duration;

use crate::cli::out;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Good,
    /// Works, but is worth a look.
    Look,
    Bad,
}

#[derive(Clone, Debug)]
pub struct Finding {
    pub mark: Mark,
    /// What was looked at.
    pub subject: String,
    pub detail: String,
    /// What to do about it; empty when nothing is to be done.
    pub mend: String,
}

impl Finding {
    pub fn good(subject: impl Display, detail: impl Display) -> Self {
        Self::new(Mark::Good, subject, detail, "")
    }

    pub fn look(subject: impl Display, detail: impl Display, mend: impl Display) -> Self {
        Self::new(Mark::Look, subject, detail, mend)
    }

    pub fn bad(subject: impl Display, detail: impl Display, mend: impl Display) -> Self {
        Self::new(Mark::Bad, subject, detail, mend)
    }

    fn new(mark: Mark, subject: impl Display, detail: impl Display, mend: impl Display) -> Self {
        let text = |part: &dyn Display| out::printable(&part.to_string());
        Self { mark, subject: text(&subject), detail: text(&detail), mend: text(&mend) }
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.mark {
            Mark::Good => '✓',
            Mark::Look => '!',
            Mark::Bad => '✗',
        };
        write!(f, "{mark} {:<18} {}", self.subject, self.detail)?;
        if self.mend.is_empty() { Ok(()) } else { write!(f, "\n  {:<18} → {}", "", self.mend) }
    }
}

/// Prints findings as they come, and remembers the worst.
#[derive(Default)]
pub struct Report {
    bad: usize,
    look: usize,
}

impl Report {
    pub fn note(&mut self, finding: Finding) {
        self.bad += usize::from(finding.mark == Mark::Bad);
        self.look += usize::from(finding.mark == Mark::Look);
        out::line(finding);
    }

    pub fn extend(&mut self, findings: Vec<Finding>) {
        findings.into_iter().for_each(|finding| self.note(finding));
    }

    pub fn is_bad(&self) -> bool {
        self.bad > 0
    }

    pub fn verdict(&self) -> String {
        match (self.bad, self.look) {
            (0, 0) => "All is well.".to_owned(),
            (0, look) => format!("Nothing is broken; {look} to look at."),
            (bad, 0) => format!("{bad} to mend."),
            (bad, look) => format!("{bad} to mend, {look} to look at."),
        }
    }
}

/// Runs a check for as long as it may take; then its silence is what was found.
pub async fn within(
    limit: Duration,
    subject: &str,
    mend: &str,
    check: impl Future<Output = Vec<Finding>>,
) -> Vec<Finding> {
    match tokio::time::timeout(limit, check).await {
        Ok(findings) => findings,
        Err(_) => vec![Finding::bad(subject, format!("no answer within {} s", limit.as_secs()), mend)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_and_what_to_do_another() {
        let good = Finding::good("database", "10.11.6-MariaDB");
        assert_eq!(good.to_string(), "✓ database           10.11.6-MariaDB");
        let bad = Finding::bad("client bot", "the token\nis wrong", "ask @BotFather");
        assert_eq!(
            bad.to_string(),
            "✗ client bot         the token is wrong\n                     → ask @BotFather"
        );
    }

    #[tokio::test]
    async fn silence_is_a_finding() {
        let found = within(Duration::from_millis(1), "a peer", "wake it", std::future::pending()).await;
        assert_eq!((found.len(), found[0].mark), (1, Mark::Bad));
    }
}
