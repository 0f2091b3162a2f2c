//! A classifier with what its threads have prepared, in one piece that can be handed around.

use std::sync::{Mutex, OnceLock, PoisonError};

use self_cell::self_cell;
use slugline::classifier::{Classifier, Prediction, TextPredictor};
use slugline::explain::{ExplainOptions, Explainer, Explanation};
use slugline::nn::NnError;

/// What answers, and lies ready for the next request.
struct Workers<'a> {
    predictor: TextPredictor<'a>,
    predictors: Mutex<Vec<TextPredictor<'a>>>,
    /// Prepared when the first text is to be explained.
    explainer: OnceLock<Explainer<'a>>,
    explainers: Mutex<Vec<Explainer<'a>>>,
}

self_cell! {
    /// A classifier and its workers.
    pub(crate) struct Engine {
        owner: Classifier,
        #[not_covariant]
        dependent: Workers,
    }
}

/// Lends the last one laid down, or a new one, and lays it down again.
fn lend<T, R>(stock: &Mutex<Vec<T>>, new: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
    let lock = || stock.lock().unwrap_or_else(PoisonError::into_inner);
    let laid_down = lock().pop();
    let mut worker = laid_down.unwrap_or_else(new);
    let result = work(&mut worker);
    lock().push(worker);
    result
}

impl Engine {
    pub(crate) fn of(classifier: Classifier) -> Self {
        Self::new(classifier, |classifier| Workers {
            predictor: classifier.predictor(),
            predictors: Mutex::default(),
            explainer: OnceLock::new(),
            explainers: Mutex::default(),
        })
    }

    pub(crate) fn classifier(&self) -> &Classifier {
        self.borrow_owner()
    }

    /// The answers for texts, in their order, on this thread.
    pub(crate) fn predict<T: AsRef<str>>(&self, texts: &[T]) -> Vec<Prediction> {
        self.with_dependent(|_, workers| {
            let new = || workers.predictor.fork();
            lend(&workers.predictors, new, |predictor| predictor.predict_batch(texts))
        })
    }

    /// Why a text has a class, on this thread.
    pub(crate) fn explain(&self, text: &str, what: ExplainOptions) -> Result<Explanation, NnError> {
        self.with_dependent(|classifier, workers| {
            let new = || workers.explainer.get_or_init(|| classifier.explainer()).fork();
            lend(&workers.explainers, new, |explainer| explainer.explain(text, what))
        })
    }
}
