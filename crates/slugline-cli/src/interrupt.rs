//! Ctrl-C while training: the first one asks the run to stop and keep what was reached, the second
//! one ends the program.
//!
//! Elsewhere Ctrl-C has its usual meaning: nothing is half written then, as files are written beside
//! their place and renamed.

use std::sync::atomic::{AtomicBool, Ordering};

/// Exit code of a program that Ctrl-C ended, as shells have it: 128 + SIGINT.
const ENDED_BY_INTERRUPT: i32 = 130;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Begins to take Ctrl-C (and a request to terminate) as a wish to stop training.
///
/// Nothing is said here: what this thread wrote would run into the progress bar of another one.
pub(crate) fn watch() -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(ENDED_BY_INTERRUPT);
        }
    })
}

/// Whether the run should stop.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
