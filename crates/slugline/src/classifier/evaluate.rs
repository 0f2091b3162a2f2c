//! Scoring a classifier on labelled documents.

use std::borrow::Cow;

use super::labels::targets;
use super::{Classifier, ClassifierError};
use crate::corpus::{Documents, LabelKind, Labels, Sequences};
use crate::decision::{Answer, DecisionOptions, Decisions, Known};
use crate::evaluation::{Evaluation, EvaluationOptions, Judged};
use crate::nn::Matrix;
use crate::text::multi_hot;

impl Classifier {
    /// Scores on labelled documents, which must be numbered as the training documents were; see
    /// [`check_corpus`](Self::check_corpus). The loss is that of the training.
    ///
    /// # Errors
    /// [`ClassifierError::Network`] if there is no document, or one has an id or a label beyond those
    /// of the training corpus; [`ClassifierError::TakesText`] for a model that was trained on text
    /// without numbers.
    pub fn evaluate(&self, documents: &Sequences) -> Result<Evaluation, ClassifierError> {
        self.evaluate_with(documents, &EvaluationOptions::without_intervals())
    }

    /// [`evaluate`](Self::evaluate) with options.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate), and for options out of range.
    pub fn evaluate_with(
        &self,
        documents: &Sequences,
        options: &EvaluationOptions,
    ) -> Result<Evaluation, ClassifierError> {
        let x = multi_hot(documents, self.vectorizer.width())?;
        let known: Vec<Known> =
            documents.iter().map(|ids| self.known(ids)).collect::<Result<_, _>>()?;
        let single = Labels::Single(documents.labels().to_vec());
        let labels = self.labels_to_score(&single)?;
        let mut probabilities = self.network.predict(&x)?;
        let loss = match self.label_kind() {
            LabelKind::Multi => None,
            LabelKind::Single | LabelKind::Soft => {
                let y = targets(self.record.options.loss, &single, self.class_names.len())?;
                Some(self.network.evaluate(&x, &y)?.loss)
            }
        };
        self.calibration.apply_rows(&mut probabilities);
        let rows = probabilities.iter_rows().zip(known);
        let answers: Vec<Answer> =
            rows.map(|(row, known)| self.decisions.answer(self.label_kind(), row, known)).collect();
        let evaluation = self.judge(&labels, &probabilities, &answers, options)?;
        Ok(match loss {
            Some(loss) => evaluation.with_loss(loss),
            None => evaluation,
        })
    }

    /// Scores on documents whose classes are the model's, without intervals.
    ///
    /// A multi-label classifier takes documents of one class as such with one label; one that gives one
    /// class takes documents with one or with soft labels.
    ///
    /// # Errors
    /// [`ClassifierError::OtherContent`] for texts where the model takes lists of features, or the other
    /// way round; [`ClassifierError::OtherClasses`] if the classes differ, [`ClassifierError::LabelKind`] for
    /// labels of a kind that the classifier does not give, [`ClassifierError::Network`] if there is no
    /// document.
    pub fn evaluate_documents(
        &self,
        documents: &Documents,
        name: &str,
    ) -> Result<Evaluation, ClassifierError> {
        self.evaluate_documents_with(documents, name, &EvaluationOptions::without_intervals())
    }

    /// [`evaluate_documents`](Self::evaluate_documents) with options.
    ///
    /// # Errors
    /// As [`evaluate_documents`](Self::evaluate_documents), and for options out of range.
    pub fn evaluate_documents_with(
        &self,
        documents: &Documents,
        name: &str,
        options: &EvaluationOptions,
    ) -> Result<Evaluation, ClassifierError> {
        self.check_documents(name, documents)?;
        let labels = self.labels_to_score(documents.labels())?;
        let (probabilities, answers) = self.answers(documents)?;
        self.judge(&labels, &probabilities, &answers, options)
    }

    /// The decisions that are asked for, their thresholds fitted on labelled documents, which should
    /// not be those that the classifier was trained on.
    ///
    /// # Errors
    /// As [`evaluate_documents`](Self::evaluate_documents); [`ClassifierError::Decision`] for a number
    /// out of range, or thresholds to be fitted on no document.
    pub fn fit_decisions(
        &self,
        documents: &Documents,
        name: &str,
        options: &DecisionOptions,
    ) -> Result<Decisions, ClassifierError> {
        self.check_documents(name, documents)?;
        let labels = self.labels_to_score(documents.labels())?;
        let (probabilities, _) = self.answers(documents)?;
        Ok(options.fit(&probabilities, &labels)?)
    }

    /// Calibrated probabilities and the answer for each document.
    pub(crate) fn answers(
        &self,
        documents: &Documents,
    ) -> Result<(Matrix, Vec<Answer>), ClassifierError> {
        let texts: Vec<&str> = documents.texts().collect();
        let classes = self.class_names.len();
        let mut rows = Vec::with_capacity(texts.len() * classes);
        let mut answers = Vec::with_capacity(texts.len());
        for prediction in self.predict_batch(&texts) {
            rows.extend(prediction.probabilities);
            answers.push(prediction.answer);
        }
        Ok((Matrix::new(texts.len(), classes, rows)?, answers))
    }

    /// Labels in the form in which this classifier is scored on them.
    pub(crate) fn labels_to_score<'a>(
        &self,
        labels: &'a Labels,
    ) -> Result<Cow<'a, Labels>, ClassifierError> {
        match (self.label_kind(), labels) {
            (LabelKind::Multi, Labels::Single(classes)) => {
                let sets = classes.iter().map(|&class| vec![class]).collect();
                Ok(Cow::Owned(Labels::Multi(sets)))
            }
            (LabelKind::Multi, Labels::Multi(_))
            | (LabelKind::Single | LabelKind::Soft, Labels::Single(_) | Labels::Soft(_)) => {
                Ok(Cow::Borrowed(labels))
            }
            _ => Err(ClassifierError::LabelKind { found: labels.kind() }),
        }
    }

    /// The scores of calibrated probabilities of documents of which everything is known, without
    /// intervals.
    pub(crate) fn scores(
        &self,
        probabilities: &Matrix,
        labels: &Labels,
    ) -> Result<Evaluation, ClassifierError> {
        let known = Known { words: 1, unknown_words: 0, nothing: false };
        let answer = |row| self.decisions.answer(self.label_kind(), row, known);
        let answers: Vec<Answer> = probabilities.iter_rows().map(answer).collect();
        self.judge(labels, probabilities, &answers, &EvaluationOptions::without_intervals())
    }

    /// The scores of calibrated probabilities and the answers by them.
    fn judge(
        &self,
        labels: &Labels,
        probabilities: &Matrix,
        answers: &[Answer],
        options: &EvaluationOptions,
    ) -> Result<Evaluation, ClassifierError> {
        let judged = Judged {
            class_names: &self.class_names,
            labels,
            probabilities,
            answers,
            thresholds: &self.decisions.thresholds,
            training_counts: &self.record.class_counts,
        };
        Ok(Evaluation::new(&judged, options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::{TrainingOptions, TrainingRecord, ValidationSplit};
    use crate::corpus::{Corpus, CorpusInfo, SequenceOptions};
    use crate::decision::{Aim, DecisionError, Reason, Threshold};
    use crate::evaluation::{Mean, Score};
    use crate::nn::Loss;
    use crate::nn::{LearningRate, Optimizer};

    const TEXTS: [(&str, u32); 6] = [
        ("wheat and corn fell", 0),
        ("gold rose", 1),
        ("wheat rose", 0),
        ("silver and gold fell", 1),
        ("corn and wheat", 0),
        ("gold and silver", 1),
    ];

    fn options() -> TrainingOptions {
        TrainingOptions {
            max_features: 30,
            hidden: vec![16],
            epochs: 40,
            batch_size: 2,
            optimizer: Optimizer::rmsprop().with_learning_rate(LearningRate::Constant(0.02)),
            validation: ValidationSplit::None,
            ..TrainingOptions::default()
        }
    }

    fn train(options: &TrainingOptions) -> Result<Classifier, ClassifierError> {
        let info = CorpusInfo {
            name: "metals".into(),
            description: "made up for a test".into(),
            class_names: vec!["grain".into(), "metal".into()],
        };
        let sequences =
            SequenceOptions { num_words: Some(30), test_split: 0.0, ..SequenceOptions::default() };
        Classifier::train(&Corpus::from_texts(info, TEXTS, &sequences).unwrap(), options)
    }

    /// A classifier whose outputs answer for themselves.
    fn multi_label() -> Classifier {
        let options = TrainingOptions { loss: Loss::BINARY_CROSSENTROPY, ..options() };
        let c = train(&options).unwrap();
        let record = TrainingRecord { label_kind: LabelKind::Multi, ..c.record.clone() };
        Classifier::from_parts(c.vectorizer, c.network, c.class_names, record).unwrap()
    }

    fn documents(labels: Labels) -> Documents {
        let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
        for (text, label) in TEXTS {
            documents.push(text, label);
        }
        documents.with_labels(labels).unwrap()
    }

    fn single() -> Labels {
        Labels::Single(TEXTS.map(|(_, label)| label).to_vec())
    }

    #[test]
    fn a_multi_label_classifier_answers_with_labels_and_is_scored_by_them() {
        let classifier = multi_label();
        let answer = classifier.predict("wheat and corn fell");
        assert_eq!((answer.answer, answer.label.as_str()), (Answer::Labels(vec![0]), "grain"));
        let never = Decisions { thresholds: vec![1.0, 1.0], ..Decisions::default() };
        let none = classifier.clone().with_decisions(never).unwrap().predict("gold rose");
        assert_eq!((none.answer, none.label.as_str()), (Answer::Labels(vec![]), ""));

        let sets = Labels::Multi(TEXTS.iter().map(|(_, label)| vec![*label]).collect());
        let scores = classifier.evaluate_documents(&documents(sets.clone()), "x").unwrap();
        assert_eq!((scores.label_kind, scores.accuracy), (LabelKind::Multi, 1.0));
        assert_eq!(scores.score(Score::HammingLoss), Some(0.0));
        assert_eq!(scores.score(Score::F1(Mean::Samples)), Some(1.0));
        assert_eq!(scores.score(Score::RocAuc(Mean::Micro)), Some(1.0));
        // One class a document is a set of one label.
        assert_eq!(classifier.evaluate_documents(&documents(single()), "x").unwrap(), scores);
        let soft = Labels::Soft(Matrix::new(6, 2, vec![0.5; 12]).unwrap());
        let refused = classifier.evaluate_documents(&documents(soft), "x").unwrap_err();
        assert!(matches!(refused, ClassifierError::LabelKind { found: LabelKind::Soft }));
        let refused = train(&options()).unwrap().evaluate_documents(&documents(sets), "x");
        assert!(matches!(refused, Err(ClassifierError::LabelKind { found: LabelKind::Multi })));
    }

    #[test]
    fn soft_labels_are_scored_by_their_largest_share_and_by_cross_entropy() {
        let classifier = train(&options()).unwrap();
        let shares = TEXTS.iter().flat_map(|(_, label)| match label {
            0 => [0.75, 0.25],
            _ => [0.125, 0.875],
        });
        let soft = Labels::Soft(Matrix::new(6, 2, shares.collect()).unwrap());
        let soft = classifier.evaluate_documents(&documents(soft), "x").unwrap();
        let hard = classifier.evaluate_documents(&documents(single()), "x").unwrap();
        assert_eq!((soft.accuracy, soft.macro_f1), (hard.accuracy, hard.macro_f1));
        assert_eq!(soft.score(Score::LogLoss), hard.score(Score::LogLoss));
        assert!(soft.loss > hard.loss && soft.score(Score::CrossEntropy) == Some(soft.loss));
    }

    #[test]
    fn thresholds_are_fitted_on_what_is_held_out_or_on_other_documents() {
        let threshold = Threshold::Fitted(Aim::Precision(0.9));
        let decision = DecisionOptions { threshold, min_confidence: 0.2, ..Default::default() };
        let refused = train(&TrainingOptions { decision, ..options() }).unwrap_err();
        let wanted = DecisionError::NothingHeldOut { aim: Aim::Precision(0.9) };
        assert!(matches!(refused, ClassifierError::Decision(error) if error == wanted));
        let validation = ValidationSplit::First(2);
        let fitted = train(&TrainingOptions { validation, decision, ..options() }).unwrap();
        let decisions = fitted.decisions();
        assert_eq!((decisions.thresholds.len(), decisions.min_confidence), (2, 0.2));
        assert_eq!(decisions.fitted.as_ref().unwrap().documents, 2);

        let plain = train(&options()).unwrap();
        assert!(plain.decisions().are_default());
        let later = plain.fit_decisions(&documents(single()), "x", &decision).unwrap();
        assert_eq!(later.fitted.as_ref().unwrap().reached(), 2);
        let scores =
            plain.with_decisions(later).unwrap().evaluate_documents(&documents(single()), "x");
        let decided = scores.unwrap().decisions;
        assert!(decided.classes.iter().all(|class| class.precision >= 0.9), "{decided:?}");
    }

    #[test]
    fn texts_of_which_nothing_is_known_are_unknown() {
        let classifier = train(&options()).unwrap();
        for text in ["", "barley oats", "!"] {
            let answer = classifier.predict(text);
            assert_eq!(answer.answer, Answer::Unknown(Reason::NothingKnown), "{text}");
            assert_eq!(answer.label, "unknown");
        }
        let answer = classifier.predict("wheat barley oats rye");
        assert_eq!((answer.answer.clone(), answer.unknown_share()), (Answer::Class(0), 0.75));
        let strict = Decisions { max_unknown_words: 0.7, ..Decisions::default() };
        let strict = classifier.with_decisions(strict).unwrap().predict("wheat barley oats rye");
        assert_eq!(strict.answer, Answer::Unknown(Reason::UnknownWords));
        assert_eq!(strict.probabilities, answer.probabilities);
    }
}
