//! What a network should answer: integer labels or a row of target values a sample.

use std::borrow::Cow;
use std::ops::Range;

use super::Matrix;
use crate::NnError;

/// The wanted answers, one a sample.
///
/// Integer labels go with `sparse_categorical_crossentropy`, rows with the other losses; the two
/// forms of the same single labels are turned into each other by [`to_categorical`] and
/// [`to_classes`] and train the same model to the last bit.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class a sample.
    Classes(Vec<u32>),
    /// One row a sample, one column an output unit: one-hot, several-hot, soft labels, or values.
    Rows(Matrix),
}

impl Targets {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Rows(rows) => rows.rows(),
        }
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of a range of samples; the range is cut at the end of the data.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        let range = range.start.min(self.len())..range.end.min(self.len());
        match self {
            Self::Classes(labels) => Self::Classes(labels[range].to_vec()),
            Self::Rows(m) => Self::Rows(
                Matrix::new(
                    range.len(),
                    m.cols(),
                    m.data()[range.start * m.cols()..range.end * m.cols()].to_vec(),
                )
                .unwrap_or_default(),
            ),
        }
    }

    /// The class of each sample: the label, or the column of the largest value of its row.
    pub fn classes(&self) -> Vec<u32> {
        match self {
            Self::Classes(labels) => labels.clone(),
            Self::Rows(rows) => rows.argmax_rows(),
        }
    }

    /// The same targets, as labels where all rows are one-hot: less to read in every step.
    pub(crate) fn compact(&self) -> Cow<'_, Self> {
        match self {
            Self::Rows(rows) => to_classes(rows)
                .map_or(Cow::Borrowed(self), |labels| Cow::Owned(Self::Classes(labels))),
            Self::Classes(_) => Cow::Borrowed(self),
        }
    }

    /// Checks that the targets fit a network of `units` outputs.
    pub(crate) fn check(&self, units: usize) -> Result<(), NnError> {
        match self {
            Self::Classes(labels) => {
                match labels.iter().enumerate().find(|(_, l)| **l as usize >= units) {
                    Some((sample, &label)) => Err(NnError::Label { sample, label, classes: units }),
                    None => Ok(()),
                }
            }
            Self::Rows(m) if m.cols() != units => Err(NnError::Shape {
                what: "columns of the targets (units of the last layer)",
                expected: units,
                got: m.cols(),
            }),
            Self::Rows(m) => match m.data().iter().position(|v| !v.is_finite()) {
                Some(i) => Err(NnError::NotFinite {
                    what: "targets",
                    row: i / m.cols().max(1),
                    value: m.data()[i],
                }),
                None => Ok(()),
            },
        }
    }
}

impl From<Vec<u32>> for Targets {
    fn from(labels: Vec<u32>) -> Self {
        Self::Classes(labels)
    }
}

impl From<Matrix> for Targets {
    fn from(rows: Matrix) -> Self {
        Self::Rows(rows)
    }
}

/// One-hot rows of integer labels: shape `[labels.len(), classes]`, 1 at the label, else 0.
///
/// ```
/// use slugline_nn::{to_categorical, to_classes};
///
/// let one_hot = to_categorical(&[2, 0], 3)?;
/// assert_eq!(one_hot.row(0), [0.0, 0.0, 1.0]);
/// assert_eq!(to_classes(&one_hot)?, [2, 0]);
/// # Ok::<(), slugline_nn::NnError>(())
/// ```
///
/// # Errors
/// [`NnError::Label`] for a label that is not below `classes`.
pub fn to_categorical(labels: &[u32], classes: usize) -> Result<Matrix, NnError> {
    let mut out = Matrix::zeros(labels.len(), classes);
    for (sample, &label) in labels.iter().enumerate() {
        if label as usize >= classes {
            return Err(NnError::Label { sample, label, classes });
        }
        out.data_mut()[sample * classes + label as usize] = 1.0;
    }
    Ok(out)
}

/// The labels of one-hot rows.
///
/// # Errors
/// [`NnError::Setting`] for a row that is not one-hot: exactly one 1, else zeros.
pub fn to_classes(one_hot: &Matrix) -> Result<Vec<u32>, NnError> {
    one_hot
        .iter_rows()
        .enumerate()
        .map(|(sample, row)| {
            let hot = row.iter().position(|&v| v == 1.0);
            match hot {
                Some(c) if row.iter().filter(|v| **v != 0.0).count() == 1 => Ok(c as u32),
                _ => Err(NnError::Setting {
                    name: "one-hot labels",
                    value: format!("row {sample}"),
                    expected: "exactly one 1 and zeros elsewhere",
                }),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_out_of_range_name_the_sample() {
        let err = to_categorical(&[0, 3], 3).unwrap_err();
        assert_eq!(err.to_string(), "sample 1: label 3 is out of range for 3 classes (0 to 2)");
        assert!(Targets::from(vec![3]).check(3).is_err());
    }

    #[test]
    fn rows_that_are_not_one_hot_are_refused() {
        for row in [vec![0.0, 0.0], vec![1.0, 1.0], vec![0.5, 0.5]] {
            assert!(to_classes(&Matrix::new(1, 2, row).unwrap()).is_err());
        }
    }

    #[test]
    fn targets_of_the_wrong_width_or_not_finite_are_refused() {
        let wide = Targets::from(Matrix::zeros(2, 4));
        assert!(wide.check(3).unwrap_err().to_string().contains("expected 3, got 4"));
        let nan = Targets::from(Matrix::new(1, 2, vec![0.0, f32::NAN]).unwrap());
        assert!(nan.check(2).unwrap_err().to_string().contains("targets, row 0"));
    }

    #[test]
    fn slicing_keeps_the_samples() {
        let classes = Targets::from(vec![0, 1, 2]);
        let rows = Targets::from(to_categorical(&[0, 1, 2], 3).unwrap());
        assert_eq!(classes.slice(1..9).classes(), [1, 2]);
        assert_eq!(rows.slice(1..9).classes(), [1, 2]);
    }
}
