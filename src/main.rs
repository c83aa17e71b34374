//! The program. Everything it can do is in [`usipipo::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    usipipo::cli::run()
}
