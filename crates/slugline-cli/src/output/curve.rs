//! The course of a training as a picture of characters.

use std::fmt;

use slugline::nn::History;

use super::{BEST, HELD_OUT, QUIET, score};

/// Characters of the plot.
const COLUMNS: usize = 48;
const ROWS: usize = 10;

/// Dots of a character of Braille, across and down.
const ACROSS: usize = 2;
const DOWN: usize = 4;

/// Fewer epochs make no curve.
const FEWEST: usize = 3;

/// Width of the numbers beside the axis.
const MARGIN: usize = 8;

/// Training and validation loss over the epochs: lines of Braille dots, the one solid and the other
/// dashed, each with its name where it ends, so that no colour is needed to tell them apart.
pub(crate) struct Curve {
    training: Vec<f64>,
    validation: Vec<f64>,
    /// The epoch with the lowest validation loss, counted from 1.
    best: Option<usize>,
}

impl Curve {
    /// The curve of a history; `None` of fewer than three epochs.
    pub(crate) fn of(history: &History) -> Option<Self> {
        let training = history.series("loss").filter(|loss| loss.len() >= FEWEST)?;
        let validation = history.series("val_loss").unwrap_or_default();
        Some(Self { training, validation, best: history.best_epoch("val_loss") })
    }

    /// The lowest and the highest value.
    fn range(&self) -> (f64, f64) {
        let all = self.training.iter().chain(&self.validation);
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
        // Of a flat line, the middle.
        if low < high { (low, high) } else { (low - 0.5, high + 0.5) }
    }

    /// The place of an epoch, counted from 0, in dots from the left.
    fn across(&self, epoch: usize) -> usize {
        let last = COLUMNS * ACROSS - 1;
        (epoch * last + (self.training.len() - 1) / 2) / (self.training.len() - 1)
    }
}

/// Dots that are set, in the characters that have them.
struct Dots {
    rows: [[u8; COLUMNS]; ROWS],
    /// The row in which the line ends.
    end: Option<usize>,
}

impl Dots {
    /// The line through values; `dash` dots of it are drawn and as many left out, or all with 0.
    fn line(curve: &Curve, values: &[f64], dash: usize) -> Self {
        let (low, high) = curve.range();
        let last = (ROWS * DOWN - 1) as f64;
        let points: Vec<(f64, f64)> = values
            .iter()
            .enumerate()
            .map(|(i, value)| {
                (curve.across(i) as f64, ((high - value) / (high - low) * last).round())
            })
            .collect();
        let mut dots = Self { rows: [[0; COLUMNS]; ROWS], end: None };
        let mut drawn: usize = 0;
        for pair in points.windows(2) {
            let ((x, y), (dx, dy)) = (pair[0], (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1));
            let steps = dx.abs().max(dy.abs()).max(1.0);
            for step in 0..steps as usize {
                let part = step as f64 / steps;
                if dash == 0 || (drawn / dash).is_multiple_of(2) {
                    dots.set((x + dx * part).round() as usize, (y + dy * part).round() as usize);
                }
                drawn += 1;
            }
        }
        // The end is drawn in any case: there stands the name.
        if let Some(&(x, y)) = points.last() {
            dots.set(x as usize, y as usize);
            dots.end = Some(y as usize / DOWN);
        }
        dots
    }

    fn set(&mut self, x: usize, y: usize) {
        // The order of the dots in Unicode: down the left, down the right, then the lowest two.
        const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        self.rows[y / DOWN][x / ACROSS] |= BITS[y % DOWN][x % ACROSS];
    }
}

/// A value beside the axis, as exact as its size asks for.
fn tick(value: f64, high: f64) -> String {
    match high.abs() {
        1000.0.. => format!("{value:.3e}"),
        1.0.. => format!("{value:.2}"),
        0.01.. => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// A character with dots of both lines.
fn cell(training: u8, validation: u8) -> String {
    let dots = match training | validation {
        0 => ' ',
        dots => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
    };
    match (training, validation) {
        (0, 1..) => format!("{HELD_OUT}{dots}{HELD_OUT:#}"),
        _ => dots.to_string(),
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let training = Dots::line(self, &self.training, 0);
        let validation = Dots::line(self, &self.validation, 3);
        let (low, high) = self.range();
        let names = self.names(&training, &validation);
        writeln!(f, "{QUIET}{:>MARGIN$}{QUIET:#}", "loss")?;
        for (row, name) in names.iter().enumerate() {
            let number = match row {
                0 => tick(high, high),
                row if row == ROWS - 1 => tick(low, high),
                _ => String::new(),
            };
            let axis = if number.is_empty() { '│' } else { '┤' };
            write!(f, "{QUIET}{number:>MARGIN$} {axis}{QUIET:#}")?;
            let cells = training.rows[row].iter().zip(&validation.rows[row]);
            let line: String = cells.map(|(ours, theirs)| cell(*ours, *theirs)).collect();
            match name {
                Some(name) => writeln!(f, "{line} {name}")?,
                None => writeln!(f, "{}", line.trim_end())?,
            }
        }
        let best = self.best.map(|epoch| (epoch, self.across(epoch - 1) / ACROSS));
        let mut axis = vec!["─".to_owned(); COLUMNS];
        if let Some((_, column)) = best {
            axis[column] = format!("{QUIET:#}{BEST}▲{BEST:#}{QUIET}");
        }
        writeln!(f, "{QUIET}{:>MARGIN$} └{}{QUIET:#}", "", axis.concat())?;
        let last = self.training.len().to_string();
        let space = COLUMNS - 1;
        write!(f, "{QUIET}{:>MARGIN$}  1{last:>space$} epochs{QUIET:#}", "")?;
        if let Some((epoch, _)) = best {
            write!(f, "\n{:>MARGIN$}  {BEST}▲{BEST:#} lowest validation loss, epoch {epoch}", "")?;
        }
        Ok(())
    }
}

impl Curve {
    /// The names of the lines with their last values, each beside the row in which its line ends, or the
    /// next one where both end in the same.
    fn names(&self, training: &Dots, validation: &Dots) -> [Option<String>; ROWS] {
        let mut names = [const { None }; ROWS];
        let last = |values: &[f64]| match values.last() {
            Some(&value) if value.abs() >= 1e4 => format!("{value:.3e}"),
            value => value.copied().map(score).unwrap_or_default(),
        };
        let Some(row) = training.end else { return names };
        let own = format!("training {}", last(&self.training));
        let Some(other) = validation.end else {
            names[row] = Some(own);
            return names;
        };
        let held_out = format!("{HELD_OUT}validation {}{HELD_OUT:#}", last(&self.validation));
        // The row above or below is free, as there are two names.
        let other = match other {
            other if other != row => other,
            0 => 1,
            _ if row + 1 == ROWS || self.validation.last() > self.training.last() => row - 1,
            _ => row + 1,
        };
        names[row] = Some(own);
        names[other] = Some(held_out);
        names
    }
}

#[cfg(test)]
mod tests {
    use slugline::nn::{EpochLogs, Scores};

    use super::*;

    fn history(training: &[f64], validation: &[f64]) -> History {
        let scores = |loss: f64| Scores { loss, metrics: Vec::new() };
        let epochs = training.iter().enumerate().map(|(i, &loss)| EpochLogs {
            epoch: i + 1,
            train: scores(loss),
            validation: validation.get(i).map(|&loss| scores(loss)),
            learning_rate: 0.1,
        });
        History { epochs: epochs.collect(), ..History::default() }
    }

    fn drawn(training: &[f64], validation: &[f64]) -> String {
        let curve = Curve::of(&history(training, validation)).unwrap();
        anstream::adapter::strip_str(&curve.to_string()).to_string()
    }

    #[test]
    fn a_curve_is_drawn_to_the_dot() {
        let text = drawn(&[4.0, 2.0, 1.0, 0.5, 0.25], &[3.0, 2.0, 1.5, 2.0, 2.5]);
        let wanted = [
            "    loss",
            "    4.00 ┤⠑⢄",
            "         │  ⠉⠢⡀",
            "         │⠤⡀  ⠈⠢⣀",
            "         │   ⠒⠄  ⠑⢄",
            "         │      ⠉⠁ ⢕⡤⡀                           ⢀⡀ ⠤⠄ ⠒⠂⠈ validation 2.5000",
            "         │           ⠈⠒⠦⣀⠤⡀             ⣀⡀ ⠤⠄ ⠒⠁ ⠁",
            "         │               ⠉⠑⠢⠭⣁ ⠒⠂ ⠤⠄ ⠊⠁",
            "         │                    ⠉⠒⠢⢄⣀⡀",
            "         │                         ⠈⠉⠑⠒⠒⠤⠤⢄⣀⡀",
            "    0.25 ┤                                  ⠈⠉⠉⠑⠒⠒⠒⠢⠤⠤⠤⢄⣀⣀ training 0.2500",
            "         └────────────────────────▲───────────────────────",
            "          1                                              5 epochs",
            "          ▲ lowest validation loss, epoch 3",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), wanted, "\n{text}");
    }

    #[test]
    fn a_line_is_named_where_it_ends() {
        // So many epochs that the last column has the last two of them.
        let mut values = vec![5.0; 250];
        values[248..].copy_from_slice(&[9.0, 1.0]);
        let text = drawn(&values, &[]);
        let named = text.lines().position(|line| line.ends_with(" training 1.0000"));
        assert_eq!(named, Some(ROWS), "{text}");
    }

    #[test]
    fn every_line_is_even_and_fits_80_columns() {
        let falling: Vec<f64> = (0..250).map(|i| 3.0 / f64::from(i + 1)).collect();
        let rising: Vec<f64> = (0..250).map(|i| 1.0 + f64::from(i) / 100.0).collect();
        for (training, validation) in [
            (falling.as_slice(), rising.as_slice()),
            (&falling, &falling),
            (&falling, &[]),
            (&[1.0; 3], &[1.0; 3]),
            (&[0.0; 3], &[]),
            (&[1e9, 1e-9, 3.0], &[1e9, 1.0, 1e9]),
            (&[1e-9, 2e-9, 3e-9], &[]),
        ] {
            let text = drawn(training, validation);
            let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
            for line in &lines {
                assert!(line.len() <= 80, "{text}");
            }
            for line in &lines[1..=ROWS] {
                assert!(matches!(line[MARGIN + 1], '│' | '┤'), "{text}");
            }
            let names = ["training", "validation"].map(|name| text.matches(name).count());
            let validated = usize::from(!validation.is_empty());
            assert_eq!(names, [1, 2 * validated], "{text}");
            assert_eq!(text.matches('▲').count(), 2 * validated, "{text}");
        }
        assert!(Curve::of(&history(&[2.0, 1.0], &[])).is_none());
    }
}
