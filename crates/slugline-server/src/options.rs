//! What a service is told to be.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What is served, where, and within which limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; port 0 for any free one. Default 127.0.0.1:8080, which other machines
    /// do not reach.
    pub listen: SocketAddr,
    /// The models; the first is the one that is meant where a request names none.
    pub models: Vec<Source>,
    /// Threads, 0 for one a core. Default 0.
    pub threads: usize,
    /// How much is taken.
    pub limits: Limits,
    /// How long is waited.
    pub timeouts: Timeouts,
    /// Keys, one of which a request must have. Default none: no key is asked for.
    pub api_keys: Vec<String>,
    /// Origins whose pages may call the service from a browser, `*` for all. Default none.
    pub cors_origins: Vec<String>,
    /// The database that keeps corrections; it is made where it is not there. Default none: none are
    /// taken.
    pub feedback: Option<PathBuf>,
    /// Whether there are pages for people. Default yes.
    pub page: bool,
    /// How often model files are looked at, so that a changed one is loaded; `None` for never. Default
    /// every 2 seconds.
    pub watch: Option<Duration>,
    /// Whether texts stand in the log. Default no.
    pub log_texts: bool,
}

/// A model file and the name that it is served under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// How much a service takes; see [`Code`](crate::Code) for what is answered beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body. Default 2 MiB.
    pub max_body: usize,
    /// Texts of a request. Default 1024.
    pub max_batch: usize,
    /// Bytes of a text in UTF-8. Default 256 KiB.
    pub max_text: usize,
    /// Connections at a time; further ones wait to be accepted. Default 16,384.
    pub max_connections: usize,
    /// Requests that are computed at a time, 0 for one a thread. Default 0.
    pub max_concurrency: usize,
    /// Requests that wait for that. Default 512.
    pub max_queue: usize,
    /// Bytes of all bodies that are held at a time. Default 256 MiB.
    pub max_buffer: usize,
    /// Requests a second from one address, 0 for any number; as many may come at once. Default 0.
    pub rate_limit: u32,
}

/// How long a service waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a request's headers, from their first byte on. Default 10 s.
    pub header: Duration,
    /// For its body. Default 30 s.
    pub body: Duration,
    /// For the next request on an open connection. Default 75 s.
    pub idle: Duration,
    /// For a client to take more of an answer. Default 30 s.
    pub write: Duration,
    /// For its turn to be computed. Default 5 s.
    pub queue: Duration,
    /// For open requests when the service ends. Default 30 s.
    pub drain: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            models: Vec::new(),
            threads: 0,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            api_keys: Vec::new(),
            cors_origins: Vec::new(),
            feedback: None,
            page: true,
            watch: Some(Duration::from_secs(2)),
            log_texts: false,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body: 2 << 20,
            max_batch: 1024,
            max_text: 256 << 10,
            max_connections: 16_384,
            max_concurrency: 0,
            max_queue: 512,
            max_buffer: 256 << 20,
            rate_limit: 0,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            header: seconds(10),
            body: seconds(30),
            idle: seconds(75),
            write: seconds(30),
            queue: seconds(5),
            drain: seconds(30),
        }
    }
}

impl Options {
    /// The threads that `threads` means.
    pub fn thread_count(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }
}
