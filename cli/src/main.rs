//! `xianmeng` (县盟): one binary that makes, runs and asks a node.
//!
//! `arguments` says what can be asked, `command` has one file per command, `client` talks to the running node, and
//! every failure is a [`failure::Failure`] with one of the [`exit_codes`].

mod arguments;
mod bundle_file;
mod card;
mod client;
mod code;
mod command;
mod confirm;
mod context;
mod demo;
mod exit_codes;
mod failure;
mod home;
mod invitation;
mod output;
mod passphrase;
mod problem;
mod time;
mod usage;

use std::io::Write;
use std::process::ExitCode;

use clap::FromArgMatches;

use crate::arguments::{Arguments, command_line};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;

/// A node runs for months and now and then builds an index: what that took must go back to the system, and a static
/// binary must not depend on musl's allocator, which is slow where threads allocate at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // clap has not read the line yet when it fails, and a program wants to read its failures too.
    let json = std::env::args_os().any(|argument| argument == "--json");
    let parsed = command_line().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
        Ok(arguments) => arguments,
        Err(error) => return report_usage(&error, json),
    };
    let context = Context::new(arguments.global.data, Output::new(arguments.global.json));
    let checks_kinds = arguments.command.checks_kind_files();
    let ready = if checks_kinds { Ok(()) } else { home::install_kinds(&context, arguments.global.kinds.as_deref()) };
    match ready.and_then(|()| command::perform(&context, arguments.command)) {
        Ok(()) => exit_codes::ExitCode::Ok.number().into(),
        Err(failure) => report(&failure, context.out),
    }
}

fn report(failure: &Failure, out: Output) -> ExitCode {
    out.failure(&failure.to_json());
    // A standard error that takes nothing, for instance on a disk that failed, must not hide how it ends.
    let _ = write!(std::io::stderr(), "{failure}");
    failure.exit.number().into()
}

/// Help and version are no failures; a wrong line is explained by clap.
fn report_usage(error: &clap::Error, json: bool) -> ExitCode {
    if !error.use_stderr() {
        return if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    report(&usage::failure(error), Output::new(json))
}
