//! Samples that stand there more than once.

use std::cmp::Ordering;

use rayon::prelude::*;

use super::{CsrMatrix, Matrix, SparseRow, Targets};
use crate::NnError;

/// Samples that differ from each other, and how much each counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Distinct {
    /// Their rows.
    pub x: CsrMatrix,
    /// Their targets.
    pub y: Targets,
    /// The sum of the weights of all samples that are equal to each.
    pub weights: Vec<f64>,
}

impl Targets {
    /// The targets of samples in an order of their own.
    ///
    /// # Panics
    /// If a number is not below [`len`](Self::len).
    #[must_use]
    pub fn select(&self, samples: &[usize]) -> Self {
        match self {
            Self::Classes(labels) => samples.iter().map(|&i| labels[i]).collect::<Vec<_>>().into(),
            Self::Rows(rows) => {
                let data = samples.iter().flat_map(|&i| rows.row(i)).copied().collect();
                Matrix::new(samples.len(), rows.cols(), data).unwrap_or_default().into()
            }
        }
    }

    fn compare(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Classes(labels) => labels[a].cmp(&labels[b]),
            Self::Rows(rows) => compare(rows.row(a), rows.row(b)),
        }
    }
}

/// Makes equal samples one, which counts as much as they together: of weight 0 none is left. Their
/// order follows from what they are, not from the order given, so that the same samples train the same
/// network in whatever order they come, and one of weight 2 trains it as two of weight 1 do.
///
/// ```
/// use slugline_nn::{CsrMatrix, Targets, distinct_samples};
///
/// let x = CsrMatrix::from_dense(2, &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0_f32])?;
/// let y = Targets::from(vec![0, 1, 0]);
/// let distinct = distinct_samples(&x, &y, None)?;
/// assert_eq!((distinct.x.rows(), distinct.weights), (2, vec![1.0, 2.0]));
/// assert_eq!(distinct.y, Targets::from(vec![1, 0]));
/// # Ok::<(), slugline_nn::NnError>(())
/// ```
///
/// # Errors
/// [`NnError::Shape`] if there is not one target and, if any, one weight for each row;
/// [`NnError::Setting`] for a weight below 0 or not finite; [`NnError::Empty`] if none is above 0.
pub fn distinct_samples(
    x: &CsrMatrix,
    y: &Targets,
    weights: Option<&[f64]>,
) -> Result<Distinct, NnError> {
    let shape = |what, got| match got == x.rows() {
        true => Ok(()),
        false => Err(NnError::Shape { what, expected: x.rows(), got }),
    };
    shape("targets (rows of the input)", y.len())?;
    shape("sample weights (rows of the input)", weights.map_or(x.rows(), <[f64]>::len))?;
    let weight = |i: usize| weights.map_or(1.0, |weights| weights[i]);
    if let Some(i) = (0..x.rows()).find(|&i| !(weight(i).is_finite() && weight(i) >= 0.0)) {
        return Err(NnError::Setting {
            name: "sample weight",
            value: format!("{} (sample {i})", weight(i)),
            expected: "a finite number of at least 0",
        });
    }
    let mut order: Vec<usize> = (0..x.rows()).filter(|&i| weight(i) > 0.0).collect();
    let by_content =
        |a: usize, b: usize| compare_rows(x.row(a), x.row(b)).then_with(|| y.compare(a, b));
    order.par_sort_by(|&a, &b| by_content(a, b));
    let (mut kept, mut sums): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
    for i in order {
        match (kept.last(), sums.last_mut()) {
            (Some(&last), Some(sum)) if by_content(last, i).is_eq() => *sum += weight(i),
            _ => {
                kept.push(i);
                sums.push(weight(i));
            }
        }
    }
    if kept.is_empty() {
        return Err(NnError::Empty { what: "the samples with a weight above 0" });
    }
    Ok(Distinct { x: x.select_rows(&kept)?, y: y.select(&kept), weights: sums })
}

fn compare_rows(a: SparseRow<'_>, b: SparseRow<'_>) -> Ordering {
    b.indices.cmp(a.indices).then_with(|| compare(a.values, b.values))
}

fn compare(a: &[f32], b: &[f32]) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn weights_stand_for_repetition_in_any_order(
            samples in prop::collection::vec((0_u8..4, 0_u8..3, 0_u32..2, 0_usize..4), 1..20),
            seed in any::<u64>(),
        ) {
            let build = |list: &[(u8, u8, u32, usize)]| {
                let dense: Vec<u8> = list.iter().flat_map(|s| [s.0, s.1]).collect();
                let y: Vec<u32> = list.iter().map(|s| s.2).collect();
                (CsrMatrix::from_dense(2, &dense).unwrap(), Targets::from(y))
            };
            let mut repeated: Vec<_> =
                samples.iter().flat_map(|s| std::iter::repeat_n(*s, s.3)).collect();
            prop_assume!(!repeated.is_empty());
            let mut order = crate::random::Stream::new(seed, 0, 0);
            order.shuffle(&mut repeated);
            let weights: Vec<f64> = samples.iter().map(|s| s.3 as f64).collect();
            let (x, y) = build(&samples);
            let weighted = distinct_samples(&x, &y, Some(&weights)).unwrap();
            let (x, y) = build(&repeated);
            prop_assert_eq!(&weighted, &distinct_samples(&x, &y, None).unwrap());
            prop_assert_eq!(weighted.weights.iter().sum::<f64>(), repeated.len() as f64);
            let again = distinct_samples(&weighted.x, &weighted.y, None).unwrap();
            prop_assert_eq!(again.x, weighted.x);
        }
    }

    #[test]
    fn weights_that_are_none_are_refused() {
        let x = CsrMatrix::from_dense(1, &[1.0, 2.0_f32]).unwrap();
        let y = Targets::from(vec![0, 0]);
        let refused = |weights: &[f64]| distinct_samples(&x, &y, Some(weights)).unwrap_err();
        assert!(matches!(refused(&[1.0]), NnError::Shape { .. }));
        assert!(refused(&[1.0, -1.0]).to_string().contains("-1 (sample 1)"));
        assert!(matches!(refused(&[0.0, 0.0]), NnError::Empty { .. }));
        let rows = Matrix::new(2, 1, vec![0.5, 0.25]).unwrap();
        let distinct = distinct_samples(&x, &rows.into(), None).unwrap();
        assert_eq!(distinct.y.len(), 2);
    }
}
