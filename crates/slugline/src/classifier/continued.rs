//! A model that goes on learning: new documents, new classes, new words.

use super::documents::{identity, single_labels};
use super::train::Fitting;
use super::{
    Ancestor, Classifier, ClassifierError, CorpusRecord, TrainingOptions, ValidationSplit,
};
use crate::checkpoint::Checkpoints;
use crate::corpus::split::stratified_split;
use crate::corpus::{Documents, LabelKind, Labels};
use crate::evaluation::Calibration;
use crate::nn::{Callback, CsrMatrix, Layer, LearningRate, NnError};
use crate::text::{Earlier, FeatureBuffer, Tokenised, Vectorizer};

/// How a model goes on. What is not set here stays as it was when the model was trained: features,
/// hidden layers, dropout, penalties, loss, kind of optimizer, class weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ContinueOptions {
    /// Passes over the documents. `None`, the default, for as many as the model had.
    pub epochs: Option<usize>,
    /// The learning rate to begin with. `None`, the default, for the model's. A rate that fell
    /// over the model's training in a straight line or a cosine falls again over this one; any other
    /// stays.
    pub learning_rate: Option<f64>,
    /// Samples a step. `None`, the default, for the model's.
    pub batch_size: Option<usize>,
    /// Share of the documents, replayed ones included, that is held out of every class and calibrates
    /// the probabilities; with 0 the model's calibration stays. Default 0.1.
    pub validation: f64,
    /// Epochs, the last ones, whose weights are averaged. Default 1.
    pub average: usize,
    /// Settles the weights of new classes, the split, the order and dropout. Default 0.
    pub seed: u64,
    /// Threads to work on, 0 for one a core. The model does not depend on it.
    pub threads: usize,
}

impl Default for ContinueOptions {
    fn default() -> Self {
        Self {
            epochs: None,
            learning_rate: None,
            batch_size: None,
            validation: 0.1,
            average: 1,
            seed: 0,
            threads: 0,
        }
    }
}

/// Documents like those that a model has learned from, to be trained on again beside new ones. Without
/// them a network forgets what it is no longer shown.
#[derive(Debug, Clone, Copy)]
pub struct Replay<'a> {
    /// The documents; all of their classes are the model's.
    pub documents: &'a Documents,
    /// The share of them, from every class, above 0 and at most 1. `None` for as many as there are new
    /// documents, or all if there are fewer.
    pub share: Option<f64>,
}

impl Classifier {
    /// Goes on training `parent` with more documents; `name` is what the record calls them.
    ///
    /// **Classes.** Those of the model keep their numbers; names that it does not have follow, sorted.
    /// The weights of a new class are drawn by the output layer's initializer, its bias is 0.
    ///
    /// **Features.** Those of the model keep their numbers and factors, since the network has learned
    /// with them. New terms are selected in the new documents by the model's own settings, and come
    /// behind; of a multi-hot model, the words of at least two new documents. Frequencies and spread of
    /// new terms count the model's documents as without them. Their weights begin at 0, so that before
    /// the first step old classes have the sums that they had.
    ///
    /// **Weights** of all layers go on from where they are; the optimizer's moments, which a model file
    /// does not hold, begin anew. An ensemble goes on as the one network that it is.
    ///
    /// **Forgetting.** Classes that the new documents do not have are unlearned within a few epochs.
    /// `replay` shows the network old documents again: with 15 classes of 20 Newsgroups learned by
    /// `auto` and the other 5 to go on with, test accuracy over all 20 is 0.39 without, and 0.86 with as
    /// many old documents as new ones. Without old documents a lower learning rate forgets less and
    /// learns less.
    ///
    /// ```
    /// use slugline::checkpoint::Checkpoints;
    /// use slugline::classifier::{AutoOptions, Classifier, ContinueOptions, Replay};
    /// use slugline::corpus::Documents;
    /// use slugline::nn::Flow;
    ///
    /// let mut old = Documents::new(vec!["grain".into(), "metal".into()]);
    /// let mut new = Documents::new(vec!["ship".into()]);
    /// for i in 0..20 {
    ///     old.push(&format!("wheat and corn fell {i}"), 0);
    ///     old.push(&format!("gold and silver rose {i}"), 1);
    ///     new.push(&format!("a tanker sank {i}"), 0);
    /// }
    /// let parent = Classifier::train_auto(&old, "old", AutoOptions::default(), &|| Flow::Continue, &mut [])?;
    /// let replay = Replay { documents: &old, share: None };
    /// let options = ContinueOptions::default();
    /// let child = Classifier::train_from(&parent, &new, "new", Some(replay), &options, &mut [], &Checkpoints::none())?;
    /// assert_eq!(child.class_names(), ["grain", "metal", "ship"]);
    /// assert_eq!(child.predict("the tanker").label, "ship");
    /// assert_eq!(child.predict("silver and gold").label, "metal");
    /// assert_eq!(child.record().ancestor.as_ref().map(|a| a.classes), Some(2));
    /// # Ok::<(), slugline::classifier::ClassifierError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClassifierError::LabelKind`] for documents, or a parent, with several labels or soft ones, [`ClassifierError::NotReplay`]
    /// for documents to be replayed that have other classes; [`ClassifierError::Network`] for a setting
    /// out of range or no documents; [`ClassifierError::Diverged`] and [`ClassifierError::Checkpoint`]
    /// as for [`train_resumable`](Self::train_resumable).
    pub fn train_from(
        parent: &Self,
        documents: &Documents,
        name: &str,
        replay: Option<Replay<'_>>,
        options: &ContinueOptions,
        callbacks: &mut [&mut dyn Callback],
        checkpoints: &Checkpoints,
    ) -> Result<Self, ClassifierError> {
        let setting = |name, value: String, expected| {
            ClassifierError::from(NnError::Setting { name, value, expected })
        };
        if !(0.0..1.0).contains(&options.validation) {
            let value = options.validation.to_string();
            return Err(setting("validation", value, "a share of at least 0 and below 1"));
        }
        if let Some(share) = replay.and_then(|r| r.share).filter(|s| !(*s > 0.0 && *s <= 1.0)) {
            return Err(setting("share of replay", share.to_string(), "above 0 and at most 1"));
        }
        if documents.is_empty() {
            return Err(NnError::Empty { what: "the documents to go on with" }.into());
        }
        parent.check_content(name, documents)?;
        if parent.label_kind() != LabelKind::Single {
            return Err(ClassifierError::LabelKind { found: parent.label_kind() });
        }
        let union = Union::new(parent, documents, replay, options.seed)?;
        let all = &union.documents;
        let labels = single_labels(all)?;
        let (train, held_out) = stratified_split(labels, options.validation, options.seed);
        let settings = parent.settings(options, train.len());
        let checksum = parent.checksum().map_err(|e| ClassifierError::Parent(Box::new(e)))?;
        let fingerprint = all.fingerprint();
        let run = serde_json::json!({ "options": settings, "from": checksum });
        let part = checkpoints.begin(identity(name, &fingerprint, run))?;

        let fresh: Vec<usize> = train.iter().copied().filter(|&i| i < union.new).collect();
        let (vectorizer, x, x_held_out) = parent.rows(all, &fresh, &train, &held_out)?;
        let classes = all.class_names().len();
        let start = parent.network.grown(vectorizer.width(), classes, options.seed)?;
        let of = |rows: &[usize]| rows.iter().map(|&i| labels[i]).collect::<Vec<u32>>();
        let (y, y_held_out) = (Labels::Single(of(&train)), Labels::Single(of(&held_out)));
        let weights = all.weights().map(|w| train.iter().map(|&i| w[i]).collect::<Vec<f32>>());
        let fitting = Fitting {
            options: &settings,
            class_names: all.class_names(),
            x: &x,
            y: &y,
            held_out: (!held_out.is_empty()).then_some((&x_held_out, &y_held_out)),
            weights: weights.as_deref(),
            start: Some(&start),
        };
        if held_out.is_empty() && classes > parent.class_names.len() {
            // Thresholds of new classes can only be found on documents that are held out.
            settings.decision.unfitted(classes)?;
        }
        let fitted = fitting.run(&part, callbacks)?;
        let corpus = CorpusRecord {
            name: name.to_owned(),
            description: format!("{} documents of {classes} classes", all.len()),
            fingerprint,
            train_samples: train.len(),
            validation_samples: held_out.len(),
        };
        // What is replayed was counted when it was new.
        let mut counts = Labels::Single(labels[..union.new].to_vec()).class_counts(classes);
        counts.iter_mut().zip(&parent.record.class_counts).for_each(|(all, old)| *all += old);
        let names = all.class_names().to_vec();
        let finish = |mut classifier: Self| {
            classifier.record.ancestor = Some(Ancestor {
                checksum,
                corpus: parent.record.corpus.clone(),
                classes: parent.class_names.len(),
                features: parent.vectorizer.width(),
                replayed: all.len() - union.new,
            });
            classifier.record.class_counts = counts;
            classifier.calibration = parent.calibration.widened(classes);
            if !y_held_out.is_empty() {
                let probabilities = classifier.network.predict(&x_held_out)?;
                classifier.calibration = Calibration::fit(&probabilities, &y_held_out);
                let mut calibrated = probabilities;
                classifier.calibration.apply_rows(&mut calibrated);
                classifier.decisions = settings.decision.fit(&calibrated, &y_held_out)?;
            } else if classes == parent.class_names.len() {
                classifier.decisions.clone_from(&parent.decisions);
            }
            Ok::<Self, ClassifierError>(classifier)
        };
        match fitted.classifier(vectorizer, names, corpus, &settings, all.labels()) {
            Ok(classifier) => finish(classifier),
            Err(ClassifierError::Diverged { error, reached }) => {
                let reached = Box::new(finish(*reached)?);
                Err(ClassifierError::Diverged { error, reached })
            }
            Err(error) => Err(error),
        }
    }

    /// The settings of a training that goes on with so many documents.
    fn settings(&self, options: &ContinueOptions, samples: usize) -> TrainingOptions {
        let ours = &self.record.options;
        let epochs = options.epochs.unwrap_or(ours.epochs);
        let batch_size = options.batch_size.unwrap_or(ours.batch_size);
        let steps = (samples.div_ceil(batch_size.max(1)) * epochs).max(1) as u64;
        let before = ours.optimizer.learning_rate();
        let rate = schedule_again(before, options.learning_rate, steps);
        // The hidden layers as they are: of an ensemble, side by side.
        let dense = self.network.layers().iter().filter_map(|layer| match layer {
            Layer::Dense(dense) => Some(dense.units),
            Layer::Dropout(_) => None,
        });
        let mut hidden: Vec<usize> = dense.collect();
        hidden.pop();
        TrainingOptions {
            hidden,
            optimizer: ours.optimizer.clone().with_learning_rate(rate),
            batch_size,
            epochs,
            validation: match options.validation > 0.0 {
                true => ValidationSplit::Fraction(options.validation),
                false => ValidationSplit::None,
            },
            patience: None,
            average: options.average,
            ensemble: 1,
            seed: options.seed,
            threads: options.threads,
            ..ours.clone()
        }
    }

    /// A vectorizer that has the terms of the `fresh` documents too, and the rows of some.
    fn rows(
        &self,
        documents: &Documents,
        fresh: &[usize],
        train: &[usize],
        held_out: &[usize],
    ) -> Result<(Vectorizer, CsrMatrix, CsrMatrix), ClassifierError> {
        match &self.vectorizer {
            Vectorizer::Terms(terms) => {
                let texts: Vec<&str> = documents.texts().collect();
                let tokenised = Tokenised::new(&texts, &terms.options().analyzer);
                let mut class_sizes = self.record.class_counts.clone();
                class_sizes.resize(documents.class_names().len(), 0);
                let earlier = Earlier {
                    documents: class_sizes.iter().sum::<u64>() as usize,
                    class_sizes: &class_sizes,
                };
                let terms = terms.extended(&tokenised, fresh, documents.labels(), &earlier)?;
                let x = terms.transform(&tokenised, train)?;
                let x_held_out = terms.transform(&tokenised, held_out)?;
                Ok((terms.into(), x, x_held_out))
            }
            Vectorizer::Features(_) => Err(ClassifierError::GivenFeatures),
            Vectorizer::MultiHot(words) => {
                let words = words.extended(fresh.iter().map(|&i| documents.text(i)))?;
                let mut buffer = FeatureBuffer::default();
                let mut rows = |positions: &[usize]| {
                    let mut x = CsrMatrix::with_cols(words.width());
                    for &i in positions {
                        words.vectorize(documents.text(i), &mut buffer);
                        let row = buffer.row();
                        x.push_row(row.indices, row.values)?;
                    }
                    Ok::<CsrMatrix, NnError>(x)
                };
                let (x, x_held_out) = (rows(train)?, rows(held_out)?);
                Ok((words.into(), x, x_held_out))
            }
        }
    }
}

/// A schedule of the kind of `before` over other steps, from its rate or a given one on.
fn schedule_again(before: &LearningRate, first: Option<f64>, decay_steps: u64) -> LearningRate {
    let start = match before {
        LearningRate::CosineDecay { warmup_target: Some(target), .. } => *target,
        other => other.at(0),
    };
    let initial_learning_rate = first.unwrap_or(start);
    match before {
        LearningRate::PolynomialDecay { end_learning_rate, power, .. } => {
            let left = if start > 0.0 { end_learning_rate / start } else { 0.0 };
            LearningRate::PolynomialDecay {
                initial_learning_rate,
                decay_steps,
                end_learning_rate: initial_learning_rate * left,
                power: *power,
            }
        }
        LearningRate::CosineDecay { alpha, .. } => LearningRate::CosineDecay {
            initial_learning_rate,
            decay_steps,
            alpha: *alpha,
            warmup_target: None,
            warmup_steps: 0,
        },
        _ => LearningRate::Constant(initial_learning_rate),
    }
}

/// New documents and those that are shown again, in this order, with the classes of both.
struct Union {
    documents: Documents,
    /// Number of the new ones.
    new: usize,
}

impl Union {
    fn new(
        parent: &Classifier,
        documents: &Documents,
        replay: Option<Replay<'_>>,
        seed: u64,
    ) -> Result<Self, ClassifierError> {
        let ours = &parent.class_names;
        let counts = documents.class_counts();
        let used = documents.class_names().iter().zip(&counts).filter(|(_, count)| **count > 0);
        let mut new: Vec<String> =
            used.map(|(name, _)| name).filter(|name| !ours.contains(name)).cloned().collect();
        new.sort();
        let names = [ours.clone(), new].concat();
        let mut union = Documents::new(names);
        let mut weights = Vec::new();
        let mut labels = Vec::new();
        let mut add = |from: &Documents, positions: &[usize]| {
            let place = |name: &String| {
                union.class_names().iter().position(|n| n == name).map(|at| at as u32)
            };
            let places: Vec<Option<u32>> = from.class_names().iter().map(place).collect();
            let theirs = single_labels(from)?;
            for &i in positions {
                let class = theirs[i] as usize;
                let Some(label) = places[class] else {
                    let class = from.class_names()[class].clone();
                    return Err(ClassifierError::NotReplay { class });
                };
                labels.push(label);
                union.push_text(from.text(i));
                weights.push(from.weights().map_or(1.0, |w| w[i]));
            }
            Ok(())
        };
        add(documents, &(0..documents.len()).collect::<Vec<_>>())?;
        let mut weighted = documents.weights().is_some();
        if let Some(Replay { documents: old, share }) = replay {
            if let Some((name, _)) = (old.class_names().iter().zip(old.class_counts()))
                .find(|(name, count)| *count > 0 && !ours.contains(name))
            {
                return Err(ClassifierError::NotReplay { class: name.clone() });
            }
            let share = share.unwrap_or_else(|| documents.len() as f64 / old.len().max(1) as f64);
            let shown = match share < 1.0 {
                true => stratified_split(single_labels(old)?, share, seed).1,
                false => (0..old.len()).collect(),
            };
            add(old, &shown)?;
            weighted |= old.weights().is_some();
        }
        let union = union.with_labels(Labels::Single(labels))?;
        let union = union.with_weights(weighted.then_some(weights))?;
        Ok(Self { documents: union, new: documents.len() })
    }
}

#[cfg(test)]
mod tests;
