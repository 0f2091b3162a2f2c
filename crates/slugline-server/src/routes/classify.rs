//! `POST /v1/classify`: labels and probabilities.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use axum::extract::{Request, State};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use slugline::classifier::DescribedAnswer;
use slugline::decision::Threshold;

use super::{Reply, check_texts, compute, invalid, log_texts};
use crate::body::{self, Buffered};
use crate::models::decisions;
use crate::problem::Problem;
use crate::service::Service;

/// Classes that are told where nothing is said of it.
const TOP_K: usize = 5;

/// A text as it stands in the body, copied only where it has escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `text` or `texts`")]
struct Question<'a> {
    #[serde(borrow)]
    text: Option<Text<'a>>,
    #[serde(borrow)]
    texts: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(default)]
    top_k: Option<TopK>,
    threshold: Option<Limit>,
    min_confidence: Option<Share>,
    max_unknown_words: Option<Share>,
}

#[derive(Serialize)]
struct Answers<'a> {
    answers: Vec<DescribedAnswer<'a>>,
}

pub(crate) async fn classify(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Reply, Problem> {
    let body = body::json(&service, request).await?;
    compute(&service, body, 1, answer).await
}

fn answer(service: &Service, body: &Buffered) -> Result<Reply, Problem> {
    let question: Question<'_> = body::parse(&body.bytes)?;
    let (texts, one) = match (question.text, question.texts) {
        (Some(text), None) => (vec![text], true),
        (None, Some(texts)) if texts.is_empty() => {
            return Err(invalid("`texts` is empty: expected at least one text."));
        }
        (None, Some(texts)) => (texts, false),
        (Some(_), Some(_)) => {
            return Err(invalid("There are `text` and `texts`: send one of them."));
        }
        (None, None) => return Err(invalid("There is no text: send `text`, or a list `texts`.")),
    };
    check_texts(&texts, &service.options().limits)?;
    let model = service.models.get(question.model.as_deref())?;
    log_texts(body, &texts);
    let classifier = model.classifier();
    let decisions = decisions(
        classifier.decisions(),
        classifier.class_names().len(),
        question.threshold.map(|limit| limit.0),
        question.min_confidence.map(|share| share.0),
        question.max_unknown_words.map(|share| share.0),
    );
    let top_k = question.top_k.map_or(TOP_K, |k| k.0);
    let predictions = model.answer(&texts, decisions.as_ref());
    let mut answers = predictions.iter().map(|p| classifier.described(p, top_k));
    match answers.next() {
        Some(answer) if one => Reply::of(Arc::clone(&model), &answer),
        first => {
            let answers = first.into_iter().chain(answers).collect();
            Reply::of(Arc::clone(&model), &Answers { answers })
        }
    }
}

/// How many classes to tell.
#[derive(Clone, Copy)]
struct TopK(usize);

impl<'de> Deserialize<'de> for TopK {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = TopK;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number from 1 to 4294967295, or \"all\", as `top_k`")
            }

            fn visit_u64<E: Error>(self, k: u64) -> Result<TopK, E> {
                match usize::try_from(k) {
                    Ok(n) if (1..=u64::from(u32::MAX)).contains(&k) => Ok(TopK(n)),
                    _ => Err(E::invalid_value(Unexpected::Unsigned(k), &self)),
                }
            }

            fn visit_f64<E: Error>(self, k: f64) -> Result<TopK, E> {
                // JSON does not tell 5.0 from 5.
                match k.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&k) {
                    true => Ok(TopK(k as usize)),
                    false => Err(E::invalid_value(Unexpected::Float(k), &self)),
                }
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<TopK, E> {
                match word {
                    "all" => Ok(TopK(usize::MAX)),
                    _ => Err(E::invalid_value(Unexpected::Str(word), &self)),
                }
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A number from 0 to 1.
#[derive(Clone, Copy)]
struct Share(f32);

/// A threshold of all classes, or none.
#[derive(Clone, Copy)]
struct Limit(Threshold);

struct ShareReader {
    word: bool,
}

impl Visitor<'_> for ShareReader {
    /// `None` for the word `none`.
    type Value = Option<f32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.word {
            "a number from 0 to 1, or \"none\""
        } else {
            "a number from 0 to 1"
        })
    }

    fn visit_f64<E: Error>(self, p: f64) -> Result<Option<f32>, E> {
        match (0.0..=1.0).contains(&p) {
            true => Ok(Some(p as f32)),
            false => Err(E::invalid_value(Unexpected::Float(p), &self)),
        }
    }

    fn visit_u64<E: Error>(self, p: u64) -> Result<Option<f32>, E> {
        self.visit_f64(p as f64)
    }

    fn visit_i64<E: Error>(self, p: i64) -> Result<Option<f32>, E> {
        self.visit_f64(p as f64)
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Option<f32>, E> {
        match self.word && word == "none" {
            true => Ok(None),
            false => Err(E::invalid_value(Unexpected::Str(word), &self)),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = deserializer.deserialize_any(ShareReader { word: false })?;
        Ok(Self(share.unwrap_or_default()))
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let share = deserializer.deserialize_any(ShareReader { word: true })?;
        Ok(Self(share.map_or(Threshold::None, Threshold::All)))
    }
}
