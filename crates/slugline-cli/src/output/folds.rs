//! The scores of a cross-validation.

use slugline::classifier::{FoldScores, FoldsRecord};

use super::{Align, Table, grouped, score};

type ScoreOf = fn(&FoldScores) -> f64;

const SCORES: [(&str, ScoreOf); 4] = [
    ("accuracy", |fold| fold.accuracy),
    ("macro F1", |fold| fold.macro_f1),
    ("log loss", |fold| fold.log_loss),
    ("ECE", |fold| fold.ece),
];

/// A line a fold, then their mean and standard deviation.
pub(crate) fn folds_table(record: &FoldsRecord) -> Table {
    let right = Align::Right;
    let [accuracy, macro_f1, log_loss, ece] = SCORES.map(|(name, _)| (name, right));
    let mut table = Table::new([
        ("fold", Align::Left),
        ("documents", right),
        accuracy,
        macro_f1,
        log_loss,
        ece,
    ]);
    for (i, fold) in record.folds.iter().enumerate() {
        let [a, b, c, d] = SCORES.map(|(_, of)| score(of(fold)));
        table.row([&(i + 1), &grouped(fold.samples), &a, &b, &c, &d]);
    }
    let spreads = SCORES.map(|(_, of)| record.spread(of));
    let [a, b, c, d] = spreads.map(|spread| score(spread.mean));
    table.strong_row([&"mean", &"", &a, &b, &c, &d]);
    let [a, b, c, d] = spreads.map(|spread| format!("±{}", score(spread.std)));
    table.row([&"standard deviation", &"", &a, &b, &c, &d]);
    table
}

/// The scores of one fold in a line.
pub(crate) fn fold_line(scores: &FoldScores) -> String {
    let shown = SCORES.map(|(name, of)| format!("{name} {}", score(of(scores))));
    shown.join("   ")
}

#[cfg(test)]
mod tests {
    use slugline::classifier::FoldsSummary;

    use super::*;

    #[test]
    fn folds_stand_above_their_mean() {
        let fold = |accuracy| FoldScores {
            train_samples: 8,
            samples: 2,
            accuracy,
            macro_f1: 0.5,
            log_loss: 1.0,
            ece: 0.1,
        };
        let record = FoldsRecord { folds: vec![fold(0.5), fold(1.0)] };
        let table = anstream::adapter::strip_str(&folds_table(&record).to_string()).to_string();
        let lines: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["1", "2", "0.5000", "0.5000", "1.0000", "0.1000"]);
        assert_eq!(lines[3], ["mean", "0.7500", "0.5000", "1.0000", "0.1000"]);
        assert_eq!(lines[4][2], "±0.3536");
        let json = serde_json::to_value(FoldsSummary::of(&record)).unwrap();
        assert_eq!(json["accuracy"]["mean"], 0.75);
        assert_eq!(json["folds"][1]["accuracy"], 1.0);
    }
}
