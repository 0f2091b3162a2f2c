//! `slugline completions`: what shells need to complete commands.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use crate::cli::Cli;
use crate::failure::Failure;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  slugline completions bash > ~/.local/share/bash-completion/completions/slugline
  slugline completions zsh > ~/.zfunc/_slugline
  slugline completions fish > ~/.config/fish/completions/slugline.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        // By way of a buffer: the generator would panic where the pipe is closed.
        let mut script = Vec::new();
        generate(self.shell, &mut Cli::command(), "slugline", &mut script);
        io::stdout().lock().write_all(&script)?;
        Ok(())
    }
}
