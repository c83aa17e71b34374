//! Running `ip` and `wg`. Secrets go in by stdin only: a command line can be read by everybody on the machine.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::fault;
use crate::integrations::vpn::BackendError;

/// Long enough for thousands of peers on a busy machine.
const TIME_LIMIT: Duration = Duration::from_secs(30);
/// So much of a command line names it in a message.
const NAMED: usize = 40;
/// Texts of `ip` and `wg` that no further try will change.
const FOR_GOOD: [&str; 4] = ["not permitted", "ermission denied", "nknown device type", "ot supported"];

/// Runs commands, inside a network namespace when there is one.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    pub netns: Option<String>,
}

impl Commands {
    /// The command without its streams; `ip netns exec` becomes the program, so the process id is the program's own.
    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = match &self.netns {
            None => Command::new(program),
            Some(netns) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", netns, program]);
                command
            }
        };
        command.args(args).env("LC_ALL", "C");
        command
    }

    /// Runs to the end and gives what it wrote. [`BackendError::Incompatible`] means that this machine or our rights
    /// do not allow it, [`BackendError::Transient`] everything else.
    pub async fn run(
        &self,
        program: &str,
        args: &[&str],
        stdin: Option<&str>,
    ) -> Result<String, BackendError> {
        fault::before(format_args!("wireguard:{program}"));
        let mut command = self.command(program, args);
        command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let what = || [&[program], args].concat().join(" ").chars().take(NAMED).collect::<String>();
        let mut child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                BackendError::Incompatible(format!("`{program}` is not installed"))
            }
            _ => BackendError::Transient(format!("`{}`: {error}", what())),
        })?;
        let input = child.stdin.take();
        let feed = async {
            if let (Some(mut input), Some(text)) = (input, stdin) {
                // A program that fails early reads no input; its own message says more than the broken pipe.
                let _ = input.write_all(text.as_bytes()).await;
            }
        };
        let work = async { tokio::join!(feed, child.wait_with_output()).1 };
        let ended = tokio::time::timeout(TIME_LIMIT, work).await;
        fault::after(format_args!("wireguard:{program}"));
        let output = match ended {
            Err(_) => return Err(BackendError::Transient(format!("`{}` does not end", what()))),
            Ok(output) => {
                output.map_err(|error| BackendError::Transient(format!("`{}`: {error}", what())))?
            }
        };
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let text = format!("`{}`: {}", what(), without_keys(&String::from_utf8_lossy(&output.stderr)));
        let hopeless = FOR_GOOD.iter().any(|reason| text.contains(reason));
        Err(if hopeless { BackendError::Incompatible(text) } else { BackendError::Transient(text) })
    }
}

/// The message on one line, without anything as long as a key: `wg` repeats the line that it does not like.
fn without_keys(text: &str) -> String {
    let key_like =
        |word: &str| word.chars().filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c)).count() > 40;
    let words = text.split_whitespace().map(|word| if key_like(word) { "(key)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_stand_in_a_message() {
        let key = "SA2QBT9QPi9XcXOTowyCn/2fQu/airMmo2j58pbFi0w=";
        let text =
            without_keys(&format!("Line unrecognized: `PresharedKey={key}'\nConfiguration parsing error\n"));
        assert_eq!(text, "Line unrecognized: (key) Configuration parsing error");
    }

    #[tokio::test]
    async fn a_missing_program_and_a_failing_one_are_told_apart() {
        let commands = Commands { netns: None };
        let missing = commands.run("no-such-program", &[], None).await.unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the server is of a kind we cannot drive: `no-such-program` is not installed"
        );
        let failing = commands.run("sh", &["-c", "cat >&2; exit 3"], Some("oh dear")).await.unwrap_err();
        assert!(failing.is_transient() && failing.to_string().ends_with("oh dear"), "{failing}");
        let denied =
            commands.run("sh", &["-c", "echo Operation not permitted >&2; exit 2"], None).await.unwrap_err();
        assert!(matches!(denied, BackendError::Incompatible(_)), "{denied}");
        assert_eq!(commands.run("cat", &[], Some("in")).await.unwrap(), "in");
    }
}
