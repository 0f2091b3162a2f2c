//! The `slugline` command: arguments in, library calls, words and pictures out.
//!
//! A command goes three steps: its arguments declare what can be said, a plan is made of them and
//! checked before anything long begins, and the plan is run. Whatever a user of the library would
//! miss lives in the library.
//!
//! * `cli`: the command line as a whole
//! * `commands`: one module a command
//! * `input`: texts that are answered one by one
//! * `options`: arguments that commands share, and settings as arguments
//! * `output`: results on standard output, talk on standard error
//! * `failure`: what can go wrong, and the exit code of it
//! * `interrupt`: Ctrl-C while training

mod cli;
mod commands;
mod failure;
mod input;
mod interrupt;
mod options;
mod output;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let console = cli.output.console();
    match commands::run(&cli.command, console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
