//! The directions in which rows differ most.

use rayon::prelude::*;

use crate::nn::Matrix;

/// Rows in the plane of their first two principal components.
pub(super) struct Plane {
    /// The rows in the plane.
    pub(super) points: Vec<[f64; 2]>,
    /// The share of the rows' variance along each component.
    pub(super) explained: [f64; 2],
}

/// Rounds of the iteration, and how little has to change for it to end. What is left then is far
/// below what can be seen.
const ROUNDS: usize = 1000;
const STILL: f64 = 1e-10;

impl Plane {
    /// Principal component analysis by orthogonal iteration on the covariance of the columns: the same
    /// for any number of threads. A component points to where its largest weight is positive.
    pub(super) fn of(rows: &Matrix) -> Self {
        let (n, d) = (rows.rows(), rows.cols());
        let mut means = vec![0.0; d];
        for row in rows.iter_rows() {
            means.iter_mut().zip(row).for_each(|(mean, &x)| *mean += f64::from(x));
        }
        for mean in &mut means {
            *mean /= n.max(1) as f64;
        }
        // Column after column, so that a product is one walk over memory.
        let centred: Vec<Vec<f64>> = (0..d)
            .map(|j| rows.iter_rows().map(|row| f64::from(row[j]) - means[j]).collect())
            .collect();
        let covariance: Vec<Vec<f64>> = (0..d)
            .into_par_iter()
            .map(|a| (0..d).map(|b| dot(&centred[a], &centred[b])).collect())
            .collect();
        let total: f64 = (0..d).map(|j| covariance[j][j]).sum();
        let axes = leading(&covariance);
        let along = |axis: &[f64]| dot(axis, &product(&covariance, axis));
        let share = |axis: &[f64]| if total > 0.0 { along(axis) / total } else { 0.0 };
        let explained = [share(&axes[0]), share(&axes[1])];
        let place = |i: usize, axis: &[f64]| -> f64 {
            centred.iter().zip(axis).map(|(column, weight)| column[i] * weight).sum()
        };
        let points = (0..n).map(|i| [place(i, &axes[0]), place(i, &axes[1])]).collect();
        Self { points, explained }
    }
}

/// Two orthogonal unit vectors along which a symmetric matrix is largest; zeros where there are none.
fn leading(matrix: &[Vec<f64>]) -> [Vec<f64>; 2] {
    let d = matrix.len();
    // Neither is orthogonal to any direction that is likely to occur.
    let start = |k: f64| (0..d).map(|i| libm::sin(k + k * i as f64) + 0.1).collect::<Vec<f64>>();
    let mut axes = [start(1.0), start(2.3)];
    for _ in 0..ROUNDS {
        let mut next = [product(matrix, &axes[0]), product(matrix, &axes[1])];
        unit(&mut next[0]);
        let [first, second] = &mut next;
        // Twice, as once leaves what rounding put there.
        for _ in 0..2 {
            let shared = dot(first, second);
            second.iter_mut().zip(first.iter()).for_each(|(x, f)| *x -= shared * f);
            unit(second);
        }
        let change = axes.iter().zip(&next).map(|(a, b)| 1.0 - dot(a, b).abs()).fold(0.0, f64::max);
        axes = next;
        if change < STILL {
            break;
        }
    }
    for axis in &mut axes {
        let largest =
            axis.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
        if largest < 0.0 {
            for x in axis.iter_mut() {
                *x = -*x;
            }
        }
    }
    axes
}

fn product(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, vector)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Gives a vector the length 1, unless it is as good as 0.
fn unit(vector: &mut [f64]) {
    let length = libm::sqrt(dot(vector, vector));
    let factor = if length > 1e-150 { 1.0 / length } else { 0.0 };
    for x in vector {
        *x *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plane_is_where_rows_differ_most() {
        // Far along (3, 4, 0)/5, less along (0, 0, 1), hardly along (4, −3, 0)/5.
        let rows: Vec<f32> = (0..200_u16)
            .flat_map(|i| {
                let a = f32::from(i % 20) - 9.5;
                let b = (f32::from(i / 20) - 4.5) * 0.8;
                let c = if i % 2 == 0 { 0.01 } else { -0.01 };
                [3.0 * a / 5.0 + 4.0 * c, 4.0 * a / 5.0 - 3.0 * c, b + 7.0]
            })
            .collect();
        let plane = Plane::of(&Matrix::new(200, 3, rows).unwrap());
        for (i, point) in plane.points.iter().enumerate() {
            let (a, b) = ((i % 20) as f64 - 9.5, ((i / 20) as f64 - 4.5) * 0.8);
            assert!((point[0] - a).abs() < 0.01 && (point[1] - b).abs() < 0.01, "{i} {point:?}");
        }
        let [first, second] = plane.explained;
        assert!(first > 0.8 && second > 0.1 && first + second <= 1.0 + 1e-12);
    }

    #[test]
    fn there_may_be_no_differences() {
        for (n, d) in [(0, 3), (1, 3), (4, 1), (5, 0), (3, 2)] {
            let plane = Plane::of(&Matrix::zeros(n, d));
            assert_eq!(plane.points, vec![[0.0; 2]; n]);
            assert_eq!(plane.explained, [0.0; 2]);
        }
        let line = Plane::of(&Matrix::new(3, 1, vec![1.0, 2.0, 6.0]).unwrap());
        assert_eq!(line.points, [[-2.0, 0.0], [-1.0, 0.0], [3.0, 0.0]]);
        assert!((line.explained[0] - 1.0).abs() < 1e-12);
    }
}
