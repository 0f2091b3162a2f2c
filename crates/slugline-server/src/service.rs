//! What all requests share.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use slugline::feedback::Feedback;
use subtle::{Choice, ConstantTimeEq};

use crate::error::ServeError;
use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::models::{Models, Slot};
use crate::options::Options;
use crate::problem::{Code, Problem, chain};
use crate::routes::Sample;

/// Addresses that the rate limit remembers before it forgets those that have not come lately.
const REMEMBERED: usize = 65_536;

/// Bytes of a body or an answer that is small.
pub(crate) const SMALL: usize = 64 << 10;

/// A key that a request must have is at least so long.
const SHORTEST_KEY: usize = 8;

/// A service: its models, and what all requests share.
pub struct Service {
    options: Options,
    pub(crate) models: Models,
    pub(crate) metrics: Metrics,
    pub(crate) gate: Gate,
    /// Corrections go one after the other, and wait here and not in threads.
    pub(crate) corrections: Gate,
    /// Digests of the keys: of one length, so that comparing them tells nothing of theirs.
    keys: Vec<[u8; 32]>,
    rates: Option<DefaultKeyedRateLimiter<IpAddr>>,
    feedback: Option<Mutex<Feedback>>,
    /// Bytes of bodies that are held.
    buffered: AtomicUsize,
    draining: AtomicBool,
    /// Generated texts to try, made when first asked for.
    pub(crate) samples: OnceLock<Vec<Sample>>,
}

/// A model that is in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Number of its classes.
    pub classes: usize,
    /// The checksum of its file.
    pub checksum: String,
    /// The size of that.
    pub size_bytes: u64,
}

impl Service {
    /// Loads the models, and opens the database of corrections where one is named.
    ///
    /// # Errors
    /// [`ServeError`], for whatever keeps it from being served.
    pub fn new(options: Options) -> Result<Self, ServeError> {
        let metrics = Metrics::new();
        let models = Models::load(&options.models, &metrics)?;
        for slot in models.slots() {
            let model = slot.model();
            metrics.put_in_place(slot.name(), "", &model.checksum);
        }
        let fits =
            |key: &str| key.len() >= SHORTEST_KEY && key.bytes().all(|b| b.is_ascii_graphic());
        if let Some(at) = options.api_keys.iter().position(|key| !fits(key)) {
            return Err(ServeError::ApiKey { number: at + 1 });
        }
        let keys =
            options.api_keys.iter().map(|key| Sha256::digest(key.as_bytes()).into()).collect();
        crate::router::cors(&options.cors_origins)?;
        let feedback = options.feedback.as_ref().map(Feedback::open).transpose()?.map(Mutex::new);
        let concurrency = match options.limits.max_concurrency {
            0 => options.thread_count(),
            most => most,
        };
        let gate = Gate::new(
            concurrency,
            options.limits.max_queue,
            options.timeouts.queue,
            metrics.queue.clone(),
        );
        let corrections =
            Gate::new(1, options.limits.max_queue, options.timeouts.queue, metrics.queue.clone());
        let rate = std::num::NonZeroU32::new(options.limits.rate_limit);
        Ok(Self {
            models,
            metrics,
            gate,
            corrections,
            keys,
            rates: rate.map(|rate| RateLimiter::keyed(Quota::per_second(rate))),
            feedback,
            buffered: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            samples: OnceLock::new(),
            options,
        })
    }

    /// What it was told to be.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The models that are in place, the default one first.
    pub fn loaded(&self) -> Vec<Loaded> {
        let loaded = |slot: &Slot| {
            let model = slot.model();
            Loaded {
                name: slot.name().to_owned(),
                path: slot.path().clone(),
                classes: model.classifier().class_names().len(),
                checksum: model.checksum.clone(),
                size_bytes: model.size_bytes,
            }
        };
        self.models.slots().iter().map(loaded).collect()
    }

    /// Loads all model files anew, and says in the log what came of it. Blocks while it reads.
    pub fn reload(&self) {
        self.reload_if(|_| true);
    }

    /// Loads those model files anew that are others than before, once they have stopped changing. Blocks
    /// while it reads.
    pub fn reload_changed(&self) {
        self.reload_if(Slot::changed);
    }

    fn reload_if(&self, wanted: impl Fn(&Slot) -> bool) {
        for slot in self.models.slots() {
            if !wanted(slot) {
                continue;
            }
            let (model, file) = (slot.name(), slot.path().display());
            match slot.reload(&self.metrics) {
                Ok(now) => {
                    tracing::info!(model, %file, checksum = now.checksum, "loaded a model anew");
                }
                Err(error) => tracing::error!(
                    model, %file, error = chain(&error),
                    "a model file cannot be used, and the model before it stays in place"
                ),
            }
        }
    }

    /// Says that the service is about to end: it is no longer ready, and every answer closes its
    /// connection.
    pub fn stop(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    /// Checks the key of a request.
    pub(crate) fn check_key(&self, headers: &HeaderMap) -> Result<(), Problem> {
        if self.keys.is_empty() {
            return Ok(());
        }
        let given = headers
            .get("authorization")
            .and_then(|value| value.as_bytes().split_at_checked(7))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
            .map(|(_, key)| key.trim_ascii())
            .or_else(|| headers.get("x-api-key").map(|value| value.as_bytes().trim_ascii()));
        let refused = |what: &str| {
            let detail = format!("{what}; send `Authorization: Bearer KEY` or `X-API-Key: KEY`.");
            Problem::new(Code::Unauthorized, detail)
        };
        let Some(given) = given else { return Err(refused("This service asks for an API key")) };
        let digest: [u8; 32] = Sha256::digest(given).into();
        let equals = self.keys.iter().map(|key| key.ct_eq(&digest));
        match bool::from(equals.fold(Choice::from(0), |any, equal| any | equal)) {
            true => Ok(()),
            false => Err(refused("The API key is not one of this service")),
        }
    }

    /// Checks how often an address asks.
    pub(crate) fn check_rate(&self, address: Option<IpAddr>) -> Result<(), Problem> {
        let (Some(rates), Some(address)) = (&self.rates, address) else { return Ok(()) };
        if rates.len() > REMEMBERED {
            rates.retain_recent();
        }
        rates.check_key(&address).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let most = self.options.limits.rate_limit;
            Problem::new(
                Code::TooManyRequests,
                format!("At most {most} requests a second are taken from one address."),
            )
            .retry_after(wait)
        })
    }

    /// The database of corrections. To be used on a thread that may wait.
    pub(crate) fn feedback(&self) -> Result<std::sync::MutexGuard<'_, Feedback>, Problem> {
        match &self.feedback {
            Some(feedback) => Ok(feedback.lock().unwrap_or_else(PoisonError::into_inner)),
            None => Err(Problem::new(
                Code::FeedbackOff,
                "This service keeps no corrections; it does when it is started with --feedback FILE.",
            )),
        }
    }

    pub(crate) fn takes_feedback(&self) -> bool {
        self.feedback.is_some()
    }

    /// Room for more bytes of something that has so many then. A quarter is kept for what is small, so
    /// that a few clients with large bodies do not turn away all others.
    pub(crate) fn buffer(&self, bytes: usize, whole: usize) -> Result<(), Problem> {
        let most = self.options.limits.max_buffer;
        let most = if whole <= SMALL { most } else { most - most / 4 };
        let before = self.buffered.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes <= most {
            return Ok(());
        }
        self.unbuffer(bytes);
        Err(Problem::new(
            Code::Overloaded,
            "The service holds as many bytes of requests and answers as it may. Try again later.",
        )
        .retry_after(Duration::from_secs(1)))
    }

    pub(crate) fn unbuffer(&self, bytes: usize) {
        self.buffered.fetch_sub(bytes, Ordering::Relaxed);
    }
}
