//! The turn of the validation loss.

use super::TrainingRecord;

/// Patience that is offered, unless a longer one is needed.
const USUAL_PATIENCE: usize = 3;

impl TrainingRecord {
    /// Where the network overfits (see [`History::overfits_after`](crate::nn::History::overfits_after)),
    /// a sentence that says so and what follows from it, with options as the command line has them.
    pub fn turn(&self) -> Option<String> {
        let best = self.history.overfits_after()?;
        let validation = self.history.series("val_loss")?;
        let (lowest, last) = (validation.get(best - 1)?, validation.last()?);
        Some(format!(
            "validation loss was lowest after epoch {best} ({lowest:.4}) and has risen since to \
             {last:.4}, while training loss fell: the network overfits{}",
            consequence(self, best, &validation)
        ))
    }
}

/// What the user may do about it, or need not do.
fn consequence(record: &TrainingRecord, best: usize, validation: &[f64]) -> String {
    let options = &record.options;
    match (options.patience, options.ensemble) {
        (Some(_), 1) => return format!("; the model has the weights of epoch {best}"),
        (Some(_), _) => return "; each network has the weights of its own best epoch".into(),
        _ => {}
    }
    if record.auto.is_some() {
        return "; the number of epochs was chosen on held-out documents".into();
    }
    // Of an average of weights the losses of the epochs do not tell.
    if options.average > 1 {
        return String::new();
    }
    if record.ancestor.is_some() {
        return format!("; `--epochs {best}` makes the better model");
    }
    let patience = patience(&validation[..best]);
    format!("; `--epochs {best}` or `--patience {patience}` makes the better model")
}

/// The patience that does not give up before the last of these losses, which is the lowest.
fn patience(losses: &[f64]) -> usize {
    let (mut lowest, mut waited, mut longest) = (f64::INFINITY, 0, 0);
    for &loss in losses {
        if loss < lowest {
            (lowest, waited) = (loss, 0);
        } else {
            waited += 1;
        }
        longest = longest.max(waited);
    }
    USUAL_PATIENCE.max(longest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::{Classifier, TrainingOptions, ValidationSplit};
    use crate::corpus::Documents;
    use crate::nn::{EpochLogs, Scores};

    /// The record of a training with these losses.
    fn record(training: &[f64], validation: &[f64]) -> TrainingRecord {
        let mut documents = Documents::new(vec!["a".into(), "b".into()]);
        for (text, label) in [("x", 0), ("y", 1), ("x", 0)] {
            documents.push(text, label);
        }
        let options = TrainingOptions {
            epochs: 1,
            hidden: vec![],
            validation: ValidationSplit::None,
            ..TrainingOptions::default()
        };
        let classifier = Classifier::train_documents(&documents, "n", &options, &mut []).unwrap();
        let mut record = classifier.record().clone();
        let scores = |loss| Scores { loss, metrics: Vec::new() };
        let logs = |(i, (&loss, &held_out)): (usize, (&f64, &f64))| EpochLogs {
            epoch: i + 1,
            train: scores(loss),
            validation: Some(scores(held_out)),
            learning_rate: 0.1,
        };
        record.history.epochs = training.iter().zip(validation).enumerate().map(logs).collect();
        record
    }

    #[test]
    fn the_turn_is_told_with_what_follows() {
        let record = record(&[3.0, 2.0, 1.0, 0.5], &[2.0, 1.0, 1.5, 2.0]);
        let fact = "validation loss was lowest after epoch 2 (1.0000) and has risen since to 2.0000, \
            while training loss fell: the network overfits";
        let told = |change: &dyn Fn(&mut TrainingRecord)| {
            let mut record = record.clone();
            change(&mut record);
            record.turn()
        };
        let advice = "; `--epochs 2` or `--patience 3` makes the better model";
        assert_eq!(told(&|_| ()), Some(format!("{fact}{advice}")));
        let patient = told(&|record| record.options.patience = Some(1));
        assert_eq!(patient, Some(format!("{fact}; the model has the weights of epoch 2")));
        assert_eq!(told(&|record| record.options.average = 2).as_deref(), Some(fact));
        assert_eq!(told(&|record| record.history.epochs[3].train.loss = 9.0), None);
    }

    #[test]
    fn nothing_is_told_where_nothing_has_turned() {
        for validation in [[2.0, 1.0, 0.5], [2.0, 1.0, 1.001]] {
            assert_eq!(record(&[3.0, 2.0, 1.0], &validation).turn(), None);
        }
    }

    #[test]
    fn the_patience_offered_reaches_the_best_epoch() {
        assert_eq!(patience(&[3.0, 2.0]), 3);
        assert_eq!(patience(&[3.0, 4.0, 4.0, 5.0, 4.0, 2.0]), 5);
    }
}
