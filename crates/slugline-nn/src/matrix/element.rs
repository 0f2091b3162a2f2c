//! Dense numbers of any kind to sparse rows.

use rayon::prelude::*;

use super::CsrMatrix;
use crate::NnError;

/// A number that a dense matrix may hold.
pub trait Element: Copy + Send + Sync {
    /// Whether it is left out of a sparse row.
    fn is_zero(self) -> bool;

    /// The nearest 32-bit number; an infinity where it is too large for one.
    fn to_f32(self) -> f32;
}

macro_rules! elements {
    ($zero:literal: $($number:ty),*) => {$(
        impl Element for $number {
            #[inline]
            fn is_zero(self) -> bool {
                self == $zero
            }

            #[inline]
            #[allow(clippy::cast_lossless, reason = "one form for numbers of every width")]
            fn to_f32(self) -> f32 {
                self as f32
            }
        }
    )*};
}

elements!(0.0: f32, f64);
elements!(0: u8, u16, u32, u64, i8, i16, i32, i64);

impl Element for bool {
    #[inline]
    fn is_zero(self) -> bool {
        !self
    }

    #[inline]
    fn to_f32(self) -> f32 {
        f32::from(u8::from(self))
    }
}

/// Elements that are passed over together where all are zero.
const STRIDE: usize = 16;

/// Elements that one task reads.
const TASK: usize = 1 << 18;

/// What is not zero in some rows.
#[derive(Default)]
struct Found {
    indices: Vec<u32>,
    values: Vec<f32>,
    ends: Vec<usize>,
}

impl Found {
    fn of<T: Element>(rows: &[T], cols: usize) -> Self {
        let mut found = Self::default();
        for row in rows.chunks_exact(cols) {
            for (number, stride) in row.chunks(STRIDE).enumerate() {
                if stride.iter().fold(true, |zero, v| zero & v.is_zero()) {
                    continue;
                }
                let values = stride.iter().map(|v| v.to_f32()).enumerate();
                for (i, v) in values.filter(|(_, v)| *v != 0.0) {
                    found.indices.push((number * STRIDE + i) as u32);
                    found.values.push(v);
                }
            }
            found.ends.push(found.indices.len());
        }
        found
    }
}

impl CsrMatrix {
    /// The sparse form of a dense matrix of `cols` columns that lies in `data` row by row. Runs on all
    /// threads of the current pool. Numbers are rounded to 32 bits, and those that this makes zero are
    /// left out too.
    ///
    /// ```
    /// use slugline_nn::CsrMatrix;
    ///
    /// let x = CsrMatrix::from_dense(3, &[0.0, 2.5, 0.0, 1.0, 0.0, 3.0_f64])?;
    /// assert_eq!((x.rows(), x.nnz()), (2, 3));
    /// assert_eq!(x.row(1).indices, [0, 2]);
    /// # Ok::<(), slugline_nn::NnError>(())
    /// ```
    ///
    /// # Errors
    /// [`NnError::Shape`] if the data are no whole number of rows, or a row has more than 2³² columns;
    /// [`NnError::NotFinite`] for a number that is none, or too large.
    pub fn from_dense<T: Element>(cols: usize, data: &[T]) -> Result<Self, NnError> {
        let left = data.len().checked_rem(cols).unwrap_or(data.len());
        if left != 0 || u32::try_from(cols).is_err() {
            let expected = data.len() - left;
            return Err(NnError::Shape {
                what: "elements of whole rows",
                expected,
                got: data.len(),
            });
        }
        let rows = (TASK / cols.max(1)).max(1);
        let parts: Vec<Found> =
            data.par_chunks((rows * cols).max(1)).map(|rows| Found::of(rows, cols)).collect();
        let count = parts.iter().map(|part| part.indices.len()).sum();
        let (mut indices, mut values) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut indptr = vec![0];
        for part in parts {
            let before = indices.len();
            indices.extend(part.indices);
            values.extend(part.values);
            indptr.extend(part.ends.into_iter().map(|end| before + end));
        }
        Self::new(cols, indptr, indices, values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_element_that_is_not_zero_is_found(
            (cols, data) in (1_usize..70, 0_usize..9).prop_flat_map(|(cols, rows)| {
                let value = prop_oneof![6 => Just(0_i16), 1 => any::<i16>()];
                (Just(cols), prop::collection::vec(value, cols * rows))
            })
        ) {
            let x = CsrMatrix::from_dense(cols, &data).unwrap();
            prop_assert_eq!(x.rows(), data.len() / cols);
            let back: Vec<f32> = x.to_dense().data().to_vec();
            let wanted: Vec<f32> = data.iter().map(|&v| f32::from(v)).collect();
            prop_assert_eq!(back, wanted);
            prop_assert_eq!(x.nnz(), data.iter().filter(|&&v| v != 0).count());
            let other: Vec<f64> = data.iter().map(|&v| f64::from(v)).collect();
            prop_assert!(CsrMatrix::from_dense(cols, &other).unwrap() == x);
        }
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        assert!(CsrMatrix::from_dense(3, &[1.0_f32; 4]).is_err());
        assert!(CsrMatrix::from_dense(0, &[1.0_f32]).is_err());
        assert_eq!(CsrMatrix::from_dense(0, &[0_u8; 0]).unwrap().rows(), 0);
        let err = CsrMatrix::from_dense(2, &[0.0, 0.0, 0.0, f64::MAX]).unwrap_err().to_string();
        assert_eq!(err, "sparse matrix, row 1: inf is not a finite number");
        assert_eq!(CsrMatrix::from_dense(2, &[1e-60, 1.0]).unwrap().nnz(), 1);
        assert_eq!(CsrMatrix::from_dense(2, &[true, false]).unwrap().row(0).indices, [0]);
    }
}
