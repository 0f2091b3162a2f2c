//! What is counted, in the form that Prometheus reads.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use slugline::classifier::Prediction;
use slugline::decision::{Answer, UNKNOWN};

use crate::problem::Code;

/// Upper ends of the buckets of durations, in seconds: from what one text takes to the limits.
const SECONDS: [f64; 15] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 5.0,
];

/// Upper ends of the buckets of shares.
const SHARES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteStatus {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfCode {
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfModel {
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabel {
    model: String,
    label: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelOutcome {
    model: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelChecksum {
    model: String,
    checksum: String,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Everything that is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RouteStatus, Counter>,
    durations: Histograms<OfRoute>,
    refusals: Family<OfCode, Counter>,
    documents: Family<OfModel, Counter>,
    answers: Family<ModelLabel, Counter>,
    confidence: Histograms<OfModel>,
    unknown_share: Histograms<OfModel>,
    reloads: Family<ModelOutcome, Counter>,
    corrections: Family<OfModel, Counter>,
    models: Family<ModelChecksum, Gauge>,
    /// Requests that are under way.
    pub(crate) in_flight: Gauge,
    /// Requests that wait for their turn.
    pub(crate) queue: Gauge,
    /// Open connections.
    pub(crate) connections: Gauge,
}

/// What is counted of one model, looked up once.
pub(crate) struct ModelMetrics {
    documents: Counter,
    /// Of each class.
    answers: Vec<Counter>,
    unknown: Counter,
    confidence: Histogram,
    unknown_share: Histogram,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("slugline");
        let seconds: fn() -> Histogram = || Histogram::new(SECONDS);
        let shares: fn() -> Histogram = || Histogram::new(SHARES);
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(seconds),
            refusals: Family::default(),
            documents: Family::default(),
            answers: Family::default(),
            confidence: Family::new_with_constructor(shares),
            unknown_share: Family::new_with_constructor(shares),
            reloads: Family::default(),
            corrections: Family::default(),
            models: Family::default(),
            in_flight: Gauge::default(),
            queue: Gauge::default(),
            connections: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests by route and status", metrics.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from the headers of a request to the headers of its response",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register("refusals", "Requests refused, by code", metrics.refusals.clone());
        registry.register("documents", "Texts answered", metrics.documents.clone());
        registry.register(
            "answers",
            "Answers by label; a text with several labels counts for each of them",
            metrics.answers.clone(),
        );
        registry.register(
            "confidence",
            "Largest probability of the answers",
            metrics.confidence.clone(),
        );
        registry.register(
            "unknown_word_share",
            "Share of the words of a text that the model does not know",
            metrics.unknown_share.clone(),
        );
        registry.register(
            "reloads",
            "Model files loaded anew, by outcome",
            metrics.reloads.clone(),
        );
        registry.register("corrections", "Corrections stored", metrics.corrections.clone());
        registry.register("model_info", "Models that are served", metrics.models.clone());
        let in_flight = metrics.in_flight.clone();
        registry.register("requests_in_flight", "Requests that are under way", in_flight);
        let queue = metrics.queue.clone();
        registry.register("queue_length", "Requests that wait to be computed", queue);
        registry.register("connections", "Open connections", metrics.connections.clone());
        Self { registry, ..metrics }
    }

    /// Counts a response.
    pub(crate) fn count_response(&self, route: &'static str, status: u16, time: Duration) {
        self.requests.get_or_create(&RouteStatus { route, status }).inc();
        self.durations.get_or_create(&OfRoute { route }).observe(time.as_secs_f64());
    }

    pub(crate) fn count_refusal(&self, code: Code) {
        self.refusals.get_or_create(&OfCode { code: code.name() }).inc();
    }

    pub(crate) fn count_reload(&self, model: &str, outcome: &'static str) {
        self.reloads.get_or_create(&ModelOutcome { model: model.to_owned(), outcome }).inc();
    }

    pub(crate) fn count_correction(&self, model: &str) {
        self.corrections.get_or_create(&OfModel { model: model.to_owned() }).inc();
    }

    /// Notes that a model has taken the place of another.
    pub(crate) fn put_in_place(&self, model: &str, before: &str, now: &str) {
        let of = |checksum: &str| ModelChecksum {
            model: model.to_owned(),
            checksum: checksum.to_owned(),
        };
        self.models.remove(&of(before));
        self.models.get_or_create(&of(now)).set(1);
    }

    /// What is counted of a model with these classes.
    pub(crate) fn of_model(&self, name: &str, classes: &[String]) -> ModelMetrics {
        let model = OfModel { model: name.to_owned() };
        // There from the start, so that the first event is an increase.
        let _ = self.corrections.get_or_create(&model);
        for outcome in ["loaded", "refused"] {
            let of = ModelOutcome { model: name.to_owned(), outcome };
            let _ = self.reloads.get_or_create(&of);
        }
        let answers = |label: &str| {
            let label = ModelLabel { model: name.to_owned(), label: label.to_owned() };
            self.answers.get_or_create(&label).clone()
        };
        ModelMetrics {
            documents: self.documents.get_or_create(&model).clone(),
            answers: classes.iter().map(|class| answers(class)).collect(),
            unknown: answers(UNKNOWN),
            confidence: self.confidence.get_or_create(&model).clone(),
            unknown_share: self.unknown_share.get_or_create(&model).clone(),
        }
    }

    /// All of it as text.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

impl ModelMetrics {
    /// Counts answers.
    pub(crate) fn count(&self, predictions: &[Prediction]) {
        self.documents.inc_by(predictions.len() as u64);
        for prediction in predictions {
            match &prediction.answer {
                Answer::Class(class) => self.count_class(*class),
                Answer::Labels(labels) => labels.iter().for_each(|&class| self.count_class(class)),
                Answer::Unknown(_) => drop(self.unknown.inc()),
            }
            self.confidence.observe(f64::from(prediction.largest_probability()));
            self.unknown_share.observe(f64::from(prediction.unknown_share()));
        }
    }

    fn count_class(&self, class: u32) {
        if let Some(counter) = self.answers.get(class as usize) {
            counter.inc();
        }
    }
}
