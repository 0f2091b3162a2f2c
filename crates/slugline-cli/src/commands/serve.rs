//! `slugline serve`: models as an HTTP service, with a page.

use std::env::VarError;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use serde_json::json;
use slugline_server::{
    Limits, LogFormat, LogLevel, Options, ServeError, Service, Source, Timeouts, log_to_stderr,
};

use crate::failure::Failure;
use crate::options::{self, duration, positive, threads};
use crate::output::{Console, out, write_json};

/// Serve models over HTTP: labels, probabilities, reasons, a page to try them
///
/// The first MODEL answers requests that name none. A model file that is replaced by another (or
/// changed) is loaded anew while requests go on; one that cannot be used leaves the model before it in
/// place. SIGHUP loads all models anew, SIGTERM and Ctrl-C end the service once every request under way
/// is answered.
///
/// Every option can be given by the environment too, as `SLUGLINE_SERVE_` and its name in capitals:
/// `SLUGLINE_SERVE_LISTEN=0.0.0.0:8080`. One key for requests can be given by `SLUGLINE_SERVE_API_KEY`.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct ServeArgs {
    /// The model files, each with a name before it or by the name of its file
    #[arg(value_name = "[NAME=]FILE", required = true, value_parser = Named::from_str)]
    models: Vec<Named>,
    /// Address and port to listen on; port 0 for any free one
    #[arg(long, value_name = "HOST:PORT", env = "SLUGLINE_SERVE_LISTEN", default_value = "127.0.0.1:8080",
        value_parser = address)]
    listen: SocketAddr,
    /// Threads to work on, 0 for one a core
    #[arg(long, value_name = "N", env = "SLUGLINE_SERVE_THREADS", default_value_t = 0,
        value_parser = threads())]
    threads: usize,
    /// Load the models, check all options, and end
    #[arg(long)]
    check: bool,
    /// Keep corrections in this database, for `slugline feedback export`; made where it is not there
    #[arg(long, value_name = "FILE", env = "SLUGLINE_SERVE_FEEDBACK")]
    feedback: Option<PathBuf>,
    /// No pages for people: neither / nor /docs
    #[arg(long, env = "SLUGLINE_SERVE_NO_PAGE")]
    no_page: bool,
    /// Do not look whether model files change; SIGHUP still loads them anew
    #[arg(long, env = "SLUGLINE_SERVE_NO_WATCH")]
    no_watch: bool,
    /// How often to look
    #[arg(long, value_name = "TIME", env = "SLUGLINE_SERVE_WATCH_INTERVAL", default_value = "2s",
        value_parser = duration)]
    watch_interval: Duration,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    limits: LimitArgs,
    #[command(flatten)]
    timeouts: TimeoutArgs,
    #[command(flatten)]
    log: LogArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline serve reuters.slug
  curl --json '{\"text\": \"Wheat prices rose.\"}' http://127.0.0.1:8080/v1/classify
  slugline serve news=reuters.slug tickets.slug --listen 0.0.0.0:8080 --api-key-file keys.txt
  slugline serve reuters.slug --feedback corrections.sqlite
  slugline serve reuters.slug --log-format json --log-level warn
  slugline serve reuters.slug --check --format json

Routes (all of them, with forms to try them, stand at /docs):
  POST /v1/classify      {\"text\": …} or {\"texts\": […]}: the answers of `predict --format json`
  POST /v1/explain       {\"text\": …}: what every word adds to the label
  GET  /v1/models        what is served; /v1/model has all of a model
  POST /v1/feedback      {\"text\": …, \"label\": …}: what the answer should have been
  /v2                    the Open Inference Protocol, for clients of KServe and Triton
  POST /predict          the form of Text Embeddings Inference
  GET  /healthz /readyz /metrics /openapi.json

Sizes take KiB, MiB and GiB, times ms, s, m and h. A request beyond a limit is answered with 413, 408, 429
or 503 and a problem document that says which.

With --check, JSON (stable; more fields may be added): one object with
  models       [{name, file, classes, checksum, size_bytes}]
  listen       the address
  feedback     the database of corrections, or null
It ends with 1 and says why where the service could not be started.";

/// Who may ask.
#[derive(Debug, Args)]
#[command(next_help_heading = "Access")]
struct AccessArgs {
    /// File with the keys that requests may have, one a line; without keys everybody may ask
    #[arg(long, value_name = "FILE", env = "SLUGLINE_SERVE_API_KEY_FILE")]
    api_key_file: Option<PathBuf>,
    /// Let pages of this origin call the service from a browser, `*` for all; may be given several times
    #[arg(long, value_name = "ORIGIN", env = "SLUGLINE_SERVE_CORS_ORIGIN", value_delimiter = ',')]
    cors_origin: Vec<String>,
    /// Requests a second from one address, 0 for any number
    #[arg(long, value_name = "N", env = "SLUGLINE_SERVE_RATE_LIMIT", default_value_t = 0)]
    rate_limit: u32,
}

/// How much is taken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
struct LimitArgs {
    /// Size of a request's body
    #[arg(long, value_name = "SIZE", env = "SLUGLINE_SERVE_MAX_BODY", default_value = "2MiB",
        value_parser = size)]
    max_body: usize,
    /// Texts of a request
    #[arg(long, value_name = "N", env = "SLUGLINE_SERVE_MAX_BATCH", default_value_t = 1024,
        value_parser = positive())]
    max_batch: usize,
    /// Size of a text
    #[arg(long, value_name = "SIZE", env = "SLUGLINE_SERVE_MAX_TEXT", default_value = "256KiB",
        value_parser = size)]
    max_text: usize,
    /// Connections at a time; further ones wait to be accepted
    #[arg(long, value_name = "N", env = "SLUGLINE_SERVE_MAX_CONNECTIONS", default_value_t = 16_384,
        value_parser = positive())]
    max_connections: usize,
    /// Requests computed at a time, 0 for one a thread
    #[arg(long, value_name = "N", env = "SLUGLINE_SERVE_MAX_CONCURRENCY", default_value_t = 0)]
    max_concurrency: usize,
    /// Requests that wait for that
    #[arg(long, value_name = "N", env = "SLUGLINE_SERVE_MAX_QUEUE", default_value_t = 512)]
    max_queue: usize,
    /// Size of all bodies that are held at a time
    #[arg(long, value_name = "SIZE", env = "SLUGLINE_SERVE_MAX_BUFFER", default_value = "256MiB",
        value_parser = size)]
    max_buffer: usize,
}

/// How long is waited.
#[derive(Debug, Args)]
#[command(next_help_heading = "Time-outs")]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
struct TimeoutArgs {
    /// For a request's headers, from their first byte on
    #[arg(long, value_name = "TIME", env = "SLUGLINE_SERVE_HEADER_TIMEOUT", default_value = "10s",
        value_parser = duration)]
    header_timeout: Duration,
    /// For its body
    #[arg(long, value_name = "TIME", env = "SLUGLINE_SERVE_BODY_TIMEOUT", default_value = "30s",
        value_parser = duration)]
    body_timeout: Duration,
    /// For the next request on an open connection
    #[arg(long, value_name = "TIME", env = "SLUGLINE_SERVE_IDLE_TIMEOUT", default_value = "75s",
        value_parser = duration)]
    idle_timeout: Duration,
    /// For a client to take more of an answer
    #[arg(long, value_name = "TIME", env = "SLUGLINE_SERVE_WRITE_TIMEOUT", default_value = "30s",
        value_parser = duration)]
    write_timeout: Duration,
    /// For a request's turn to be computed
    #[arg(long, value_name = "TIME", env = "SLUGLINE_SERVE_QUEUE_TIMEOUT", default_value = "5s",
        value_parser = duration)]
    queue_timeout: Duration,
    /// For requests under way when the service ends
    #[arg(long, value_name = "TIME", env = "SLUGLINE_SERVE_DRAIN_TIMEOUT", default_value = "30s",
        value_parser = duration)]
    drain_timeout: Duration,
}

/// What is told on standard error.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
#[expect(clippy::struct_field_names, reason = "the names of the options")]
struct LogArgs {
    /// Form of the log on standard error
    #[arg(long, value_enum, env = "SLUGLINE_SERVE_LOG_FORMAT", default_value_t = Form::Text)]
    log_format: Form,
    /// What is worth a line; every request is at `info`
    #[arg(long, value_enum, value_name = "LEVEL", env = "SLUGLINE_SERVE_LOG_LEVEL",
        default_value_t = Level::Info)]
    log_level: Level,
    /// Write the texts that are classified into the log too
    #[arg(long, env = "SLUGLINE_SERVE_LOG_TEXTS")]
    log_texts: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Error,
    Warn,
    Info,
    Debug,
}

/// A model file and its name.
#[derive(Debug, Clone, PartialEq)]
struct Named(Source);

impl FromStr for Named {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A file whose own name has the sign is meant as it stands.
        let (name, file) = match text.split_once('=') {
            Some((name, file)) if !Path::new(text).exists() => (Some(name.to_owned()), file),
            _ => (None, text),
        };
        let path = PathBuf::from(file);
        let name = name.or_else(|| Some(path.file_stem()?.to_string_lossy().into_owned()));
        match name {
            Some(name) if !name.is_empty() => Ok(Self(Source { name, path })),
            _ => Err("expected a model file, or NAME=FILE".into()),
        }
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let expected = "expected an address and a port, such as 127.0.0.1:8080 or localhost:0";
    let mut all = text.to_socket_addrs().map_err(|error| format!("{expected} ({error})"))?;
    all.next().ok_or_else(|| expected.into())
}

/// A number of bytes.
fn size(text: &str) -> Result<usize, String> {
    usize::try_from(options::size(text)?)
        .map_err(|_| "expected a size that fits into memory".into())
}

/// Environment variable with a key: on a command line others could read it.
const API_KEY_VAR: &str = "SLUGLINE_SERVE_API_KEY";

impl ServeArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let options = self.options()?;
        if self.check {
            return check(options, console);
        }
        let format = match self.log.log_format {
            Form::Text => LogFormat::Text,
            Form::Json => LogFormat::Json,
        };
        let level = match self.log.log_level {
            _ if console.quiet => LogLevel::Error,
            Level::Error => LogLevel::Error,
            Level::Warn => LogLevel::Warn,
            Level::Info if console.verbose => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Debug => LogLevel::Debug,
        };
        let colour =
            io::stderr().is_terminal() && AutoStream::choice(&io::stderr()) != ColorChoice::Never;
        let _log = log_to_stderr(format, level, colour)
            .map_err(|error| Failure::Other(format!("cannot begin the log: {error}")))?;
        Ok(slugline_server::run(&options)?)
    }

    fn options(&self) -> Result<Options, Failure> {
        let Self { access, limits, timeouts, .. } = self;
        Ok(Options {
            listen: self.listen,
            models: self.models.iter().map(|named| named.0.clone()).collect(),
            threads: self.threads,
            limits: Limits {
                max_body: limits.max_body,
                max_batch: limits.max_batch,
                max_text: limits.max_text,
                max_connections: limits.max_connections,
                max_concurrency: limits.max_concurrency,
                max_queue: limits.max_queue,
                max_buffer: limits.max_buffer,
                rate_limit: access.rate_limit,
            },
            timeouts: Timeouts {
                header: timeouts.header_timeout,
                body: timeouts.body_timeout,
                idle: timeouts.idle_timeout,
                write: timeouts.write_timeout,
                queue: timeouts.queue_timeout,
                drain: timeouts.drain_timeout,
            },
            api_keys: access.keys()?,
            cors_origins: access.cors_origin.clone(),
            feedback: self.feedback.clone(),
            page: !self.no_page,
            watch: (!self.no_watch).then_some(self.watch_interval),
            log_texts: self.log.log_texts,
        })
    }
}

impl AccessArgs {
    /// The keys of the file and of the environment.
    fn keys(&self) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        if let Some(path) = &self.api_key_file {
            let text = fs::read_to_string(path).map_err(|source| Failure::File {
                action: "read the API keys in",
                path: path.clone(),
                source,
            })?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            keys.extend(lines.filter(|line| !line.starts_with('#')).map(str::to_owned));
            if keys.is_empty() {
                // Nobody names a file of keys to let everybody in.
                let problem = format!("{} has no API key: expected one a line", path.display());
                return Err(Failure::Other(problem));
            }
        }
        match std::env::var(API_KEY_VAR) {
            Ok(key) => keys.push(key),
            Err(VarError::NotPresent) => {}
            Err(VarError::NotUnicode(_)) => {
                let problem = format!("{API_KEY_VAR} is not UTF-8: expected printable ASCII");
                return Err(Failure::Other(problem));
            }
        }
        Ok(keys)
    }
}

/// Checks that the nearest folder there is would take a file.
fn could_be_made(path: &Path) -> io::Result<()> {
    let folders = path.ancestors().skip(1);
    let mut folders = folders.map(|f| if f.as_os_str().is_empty() { Path::new(".") } else { f });
    folders.find(|folder| folder.exists()).map_or(Ok(()), |f| tempfile::tempfile_in(f).map(drop))
}

/// Checks that a service could be started, and says what it would serve.
fn check(options: Options, console: Console) -> Result<(), Failure> {
    // A database that is not there is made when the service starts.
    let feedback = options.feedback.clone();
    let there = feedback.as_ref().is_some_and(|path| path.exists());
    if let Some(path) = feedback.as_deref().filter(|_| !there) {
        could_be_made(path).map_err(|source| Failure::File {
            action: "make the feedback file",
            path: path.to_owned(),
            source,
        })?;
    }
    let service =
        Service::new(Options { feedback: feedback.clone().filter(|_| there), ..options })?;
    let models = service.loaded();
    let address = service.options().listen;
    std::net::TcpListener::bind(address)
        .map_err(|source| ServeError::Listen { address, source })?;
    if console.json() {
        let models: Vec<_> = models
            .iter()
            .map(|model| {
                json!({
                    "name": model.name, "file": model.path.display().to_string(),
                    "classes": model.classes, "checksum": model.checksum,
                    "size_bytes": model.size_bytes,
                })
            })
            .collect();
        return write_json(&json!({
            "models": models,
            "listen": address.to_string(),
            "feedback": feedback.map(|path| path.display().to_string()),
        }));
    }
    let mut out = out();
    for model in models {
        let (name, path, classes) = (model.name, model.path.display(), model.classes);
        writeln!(out, "{name}: {path}, {classes} classes, checksum {}", model.checksum)?;
    }
    writeln!(out, "all is well; it would listen on http://{address}")?;
    out.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(
            (size("64KiB"), size("2 MiB"), size("1000")),
            (Ok(65_536), Ok(2 << 20), Ok(1000))
        );
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert!(["", "0", "x", "-1"].iter().all(|bad| size(bad).is_err()));
        assert!(["", "0s", "5 days", "-1s", "1..5s"].iter().all(|bad| duration(bad).is_err()));
    }

    #[test]
    fn a_model_is_called_as_its_file_or_as_is_said() {
        let of = |text: &str| text.parse::<Named>().map(|Named(s)| (s.name, s.path));
        assert_eq!(of("models/news.slug"), Ok(("news".into(), "models/news.slug".into())));
        assert_eq!(of("a=b/c.slug"), Ok(("a".into(), "b/c.slug".into())));
        assert!(of("=c.slug").is_err() && of("").is_err());
    }

    #[test]
    fn defaults_are_the_librarys() {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            serve: ServeArgs,
        }
        let line = <Line as clap::Parser>::parse_from(["serve", "a.slug"]);
        let options = line.serve.options().unwrap();
        let default = Options::default();
        assert_eq!((options.limits, options.timeouts), (default.limits, default.timeouts));
        assert_eq!((options.listen, options.watch), (default.listen, default.watch));
    }
}
