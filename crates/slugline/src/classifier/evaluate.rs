//! Scoring a classifier on labelled documents.

use std::borrow::Cow;

use super::{Classifier, ClassifierError, train};
use crate::corpus::{Documents, LabelKind, Labels, Sequences};
use crate::decision::{Answer, DecisionOptions, Decisions, Known};
use crate::evaluation::{Evaluation, EvaluationOptions, Judged};
use crate::nn::{Loss, Matrix};
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
        let loss = match self.record.options.loss {
            Loss::BinaryCrossentropy { .. } if self.label_kind() == LabelKind::Multi => None,
            loss => {
                let y = train::targets(loss, documents.labels(), self.class_names.len())?;
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
    /// [`ClassifierError::OtherClasses`] if the classes differ, [`ClassifierError::LabelKind`] for
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
        self.check_classes(name, documents.class_names())?;
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
        self.check_classes(name, documents.class_names())?;
        let labels = self.labels_to_score(documents.labels())?;
        let (probabilities, _) = self.answers(documents)?;
        Ok(options.fit(&probabilities, &labels)?)
    }

    /// Calibrated probabilities and the answer for each document.
    fn answers(&self, documents: &Documents) -> Result<(Matrix, Vec<Answer>), ClassifierError> {
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
    fn labels_to_score<'a>(&self, labels: &'a Labels) -> Result<Cow<'a, Labels>, ClassifierError> {
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
