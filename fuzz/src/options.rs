//! Settings in JSON.

use std::fmt::Debug;
use std::sync::LazyLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use slugline::classifier::{Classifier, LoadingSettings, Settings, TrainingOptions};
use slugline::corpus::{Documents, SequenceOptions};
use slugline::text::{AnalyzerOptions, VectorizerOptions};

/// Texts of two classes.
static DOCUMENTS: LazyLock<Documents> = LazyLock::new(|| {
    let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    for i in 0..6 {
        documents.push(&format!("wheat fell corn {i}"), 0);
        documents.push(&format!("gold rose and silver {i}"), 1);
    }
    documents
});

/// The settings of every kind.
pub(crate) fn json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    same::<AnalyzerOptions>(text);
    same::<SequenceOptions>(text);
    if let Some(plan) = same::<Settings>(text).and_then(|settings| settings.plan().ok())
        && plan.preset().is_some()
    {
        let options = plan.options(DOCUMENTS.len());
        // What a preset's settings make is told by settings that make it again.
        let again = Settings::from(&options).plan().expect("options of settings have a plan");
        assert_eq!(again.options(DOCUMENTS.len()).settings(), options.settings());
    }
    if let Some(settings) = same::<LoadingSettings>(text) {
        let again = LoadingSettings::from(&settings.options(10));
        assert_eq!(again.options(10), settings.options(10));
    }
    let texts: Vec<&str> = DOCUMENTS.texts().collect();
    if let Some(options) = same::<VectorizerOptions>(text)
        && affordable(&options)
    {
        super::text::learned(&texts, &options);
    }
    if let Some(options) = same::<TrainingOptions>(text)
        && options.vectorizer.as_ref().is_none_or(affordable)
        && options.epochs <= 20
        && options.max_features <= 10_000
        && options.hidden.len() <= 4
        && options.hidden.iter().all(|&units| units <= 64)
    {
        // Diverging is no fault; a model that is given away has to answer in numbers.
        let Ok(classifier) = Classifier::train_documents(&DOCUMENTS, "fuzz", &options, &mut [])
        else {
            return;
        };
        let answer = classifier.predict("wheat and gold");
        assert!(
            answer.probabilities.iter().all(|p| (0.0..=1.0).contains(p)),
            "{options:?}: {answer:?}"
        );
    }
}

/// Whether features cost little: the limit of 2³⁰ buckets is for those who have the memory.
fn affordable(options: &VectorizerOptions) -> bool {
    options.hashing.is_none_or(|bits| bits <= 12)
}

/// The settings, if the text holds some; written again they are the same.
fn same<T: Serialize + DeserializeOwned + PartialEq + Debug>(text: &str) -> Option<T> {
    let options: T = serde_json::from_str(text).ok()?;
    let written = serde_json::to_string(&options).expect("settings are JSON");
    match serde_json::from_str::<T>(&written) {
        Ok(again) => assert_eq!(again, options),
        // A number beyond those of 32 bits is infinite, which JSON cannot say.
        Err(_) => assert!(written.contains("null"), "{written}"),
    }
    Some(options)
}
