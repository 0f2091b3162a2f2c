//! Log lines on standard error.

use std::io;

use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// What is worth a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What is broken.
    Error,
    /// What may become so.
    Warn,
    /// Every request, and what the service does.
    Info,
    /// Connections that end early too.
    Debug,
}

/// Lines that wait to be written at most; further ones are lost.
const WAITING_LINES: usize = 8_192;

/// Writes what is still to be written when it goes.
#[must_use]
pub struct LogGuard {
    _worker: WorkerGuard,
}

/// Begins to write log lines on standard error, by a thread of its own: where nobody reads them, lines
/// are lost rather than requests held up. Once for the process.
///
/// # Errors
/// Where the process has a log already.
pub fn log_to_stderr(
    format: LogFormat,
    level: LogLevel,
    colour: bool,
) -> Result<LogGuard, Box<dyn std::error::Error + Send + Sync>> {
    let (writer, worker) =
        NonBlockingBuilder::default().buffered_lines_limit(WAITING_LINES).finish(io::stderr());
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let lines =
        tracing_subscriber::fmt().with_writer(writer).with_max_level(level).with_target(false);
    match format {
        LogFormat::Text => lines.with_ansi(colour).try_init()?,
        LogFormat::Json => lines.json().flatten_event(true).try_init()?,
    }
    Ok(LogGuard { _worker: worker })
}
