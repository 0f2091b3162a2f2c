//! What a model is.

use serde::Serialize;

use crate::classifier::{
    Ancestor, AutoRecord, Classifier, CorpusRecord, FoldScores, FoldsRecord, Spread,
    TrainingOptions,
};
use crate::corpus::SequenceOptions;
use crate::decision::Decisions;
use crate::evaluation::Calibration;
use crate::nn::{History, StopReason, Summary};
use crate::text::{MultiHotVectorizer, Vocabulary};
use crate::tune::TuneRecord;

/// All that there is to say of a classifier; as JSON it has the same fields.
#[derive(Debug, Serialize)]
pub struct DescribedModel<'a> {
    /// The layers and their parameters.
    pub summary: Summary,
    /// Names of the classes.
    pub classes: &'a [String],
    /// Number of words that it knows.
    pub words: usize,
    /// How it was trained.
    pub settings: &'a TrainingOptions,
    /// How its corpus was loaded; `None` for a classifier that reads text without numbers.
    pub loading: Option<&'a SequenceOptions>,
    /// What calibrates its probabilities.
    pub calibration: &'a Calibration,
    /// When it answers.
    pub decisions: &'a Decisions,
    /// What was tried and chosen; `None` with settings given.
    pub auto: Option<&'a AutoRecord>,
    /// The search that found its settings, if there was one.
    pub tune: Option<&'a TuneRecord>,
    /// The scores of its cross-validation, if there was one.
    pub cross_validation: Option<FoldsSummary<'a>>,
    /// Its index of documents, if it has one.
    pub index: Option<DescribedIndex>,
    /// The course of its training.
    pub history: EpochSeries,
    /// Why that ended.
    pub stop_reason: StopReason,
    /// Epochs trained.
    pub epochs: usize,
    /// Epoch whose weights it has.
    pub best_epoch: usize,
    /// Where it comes from.
    pub provenance: Provenance<'a>,
}

/// An index of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DescribedIndex {
    /// Number of documents.
    pub documents: usize,
}

/// Where a model comes from.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Provenance<'a> {
    /// Version of Slugline that trained it.
    pub slugline_version: &'a str,
    /// The command that did.
    pub command: Option<&'a str>,
    /// What it was trained on.
    pub corpus: &'a CorpusRecord,
    /// The model that it goes on from.
    pub ancestor: Option<&'a Ancestor>,
    /// Training documents of each class.
    pub class_counts: &'a [u64],
}

/// The course of a training: one number an epoch, `None` for what was not measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EpochSeries {
    /// Training loss.
    pub loss: Vec<f64>,
    /// Training accuracy.
    pub accuracy: Option<Vec<f64>>,
    /// Validation loss.
    pub val_loss: Option<Vec<f64>>,
    /// Validation accuracy.
    pub val_accuracy: Option<Vec<f64>>,
    /// Micro F1 of models that give any number of labels, which have no accuracy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_f1: Option<Vec<f64>>,
    /// Its value on validation documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_micro_f1: Option<Vec<f64>>,
}

impl EpochSeries {
    /// The series of a history.
    pub fn of(history: &History) -> Self {
        Self {
            loss: history.series("loss").unwrap_or_default(),
            accuracy: history.series("accuracy"),
            val_loss: history.series("val_loss"),
            val_accuracy: history.series("val_accuracy"),
            micro_f1: history.series("micro_f1"),
            val_micro_f1: history.series("val_micro_f1"),
        }
    }
}

/// Scores of the folds, each of them, and mean and standard deviation of every score.
#[derive(Debug, Clone, Serialize)]
pub struct FoldsSummary<'a> {
    /// Each fold.
    pub folds: &'a [FoldScores],
    /// Share of right answers.
    pub accuracy: Spread,
    /// Mean F1 of the classes.
    pub macro_f1: Spread,
    /// Mean of `−ln p` of the true classes.
    pub log_loss: Spread,
    /// Calibration error.
    pub ece: Spread,
}

impl<'a> FoldsSummary<'a> {
    /// Of the folds of a record.
    pub fn of(record: &'a FoldsRecord) -> Self {
        Self {
            folds: &record.folds,
            accuracy: record.spread(|fold| fold.accuracy),
            macro_f1: record.spread(|fold| fold.macro_f1),
            log_loss: record.spread(|fold| fold.log_loss),
            ece: record.spread(|fold| fold.ece),
        }
    }
}

impl Classifier {
    /// All that there is to say of the classifier.
    pub fn description(&self) -> DescribedModel<'_> {
        let record = self.record();
        DescribedModel {
            summary: self.network().summary(),
            classes: self.class_names(),
            words: self.vectorizer().words().map_or(0, Vocabulary::len),
            settings: &record.options,
            loading: self.vectorizer().as_multi_hot().map(MultiHotVectorizer::options),
            calibration: self.calibration(),
            decisions: self.decisions(),
            auto: record.auto.as_ref(),
            tune: record.tune.as_ref(),
            cross_validation: record.cross_validation.as_ref().map(FoldsSummary::of),
            index: self.index().map(|index| DescribedIndex { documents: index.len() }),
            history: EpochSeries::of(&record.history),
            stop_reason: record.history.stop_reason,
            epochs: record.history.epochs.len(),
            best_epoch: record.best_epoch,
            provenance: Provenance {
                slugline_version: &record.slugline_version,
                command: record.command.as_deref(),
                corpus: &record.corpus,
                ancestor: record.ancestor.as_ref(),
                class_counts: &record.class_counts,
            },
        }
    }
}
