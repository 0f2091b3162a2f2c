//! An HTTP service over Slugline's classifiers: an API, a page, and what it takes to run them.
//!
//! The modules stand along the road of a request:
//!
//! 1. `connection`: sockets, slow clients, the end of a connection
//! 2. `router`: every route; what is the same for all of them (`around`: identity, keys, rates, counts,
//!    log lines)
//! 3. `body`: a request's body, within limits
//! 4. `gate`: how much is computed at once, and what waits
//! 5. `routes`: what each route does
//! 6. `models`: classifiers by name, put in place of others while requests go on
//! 7. `problem`: every way to refuse, with its status
//! 8. `metrics`: what is counted
//!
//! [`app`] is the whole service as a router, which tests call without a socket; [`run`] serves it until
//! the process is told to end.
//!
//! ```no_run
//! use slugline_server::{Options, Source, run};
//!
//! let models = vec![Source { name: "news".into(), path: "news.slug".into() }];
//! run(&Options { models, ..Options::default() })?;
//! # Ok::<(), slugline_server::ServeError>(())
//! ```

mod around;
mod body;
mod connection;
mod error;
mod gate;
mod log;
mod metrics;
mod models;
mod options;
mod problem;
mod router;
mod routes;
mod run;
mod service;

pub use around::Peer;
pub use connection::{Drained, serve};
pub use error::ServeError;
pub use log::{LogFormat, LogGuard, LogLevel, log_to_stderr};
pub use options::{Limits, Options, Source, Timeouts};
pub use problem::Code;
pub use router::{ROUTES, Route, app};
pub use run::run;
pub use service::{Loaded, Service};
