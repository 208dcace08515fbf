//! The command `comptoir`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    comptoir_cli::run(std::env::args_os()).into()
}
