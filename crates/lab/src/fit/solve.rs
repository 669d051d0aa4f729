//! Small dense systems.

// Rows and columns of matrices are named by their numbers, as in the formulas.
#![allow(clippy::needless_range_loop)]

/// Solves a symmetric positive definite system in place by Cholesky; `None` where it is not one.
pub(super) fn solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> Option<[f64; N]> {
    for i in 0..N {
        for j in 0..=i {
            let mut sum = a[i][j];
            for k in 0..j {
                sum -= a[i][k] * a[j][k];
            }
            if i == j {
                if sum <= 0.0 || !sum.is_finite() {
                    return None;
                }
                a[i][i] = sum.sqrt();
            } else {
                a[i][j] = sum / a[j][j];
            }
        }
    }
    for i in 0..N {
        for k in 0..i {
            b[i] -= a[i][k] * b[k];
        }
        b[i] /= a[i][i];
    }
    for i in (0..N).rev() {
        for k in i + 1..N {
            b[i] -= a[k][i] * b[k];
        }
        b[i] /= a[i][i];
    }
    Some(b)
}

/// Solves min ‖x‖ subject to x ≥ 0 of the quadratic form xᵀAx − 2bᵀx with three unknowns, by trying every set of unknowns
/// that may be free.
pub(super) fn non_negative(a: [[f64; 3]; 3], b: [f64; 3]) -> [f64; 3] {
    let mut best = ([0.0; 3], 0.0);
    for free in 1u8..8 {
        let is_free = |i: usize| free & (1 << i) != 0;
        let (mut sub, mut rhs) = (a, b);
        for i in 0..3 {
            if !is_free(i) {
                rhs[i] = 0.0;
                for j in 0..3 {
                    sub[i][j] = 0.0;
                    sub[j][i] = 0.0;
                }
                sub[i][i] = 1.0;
            }
        }
        let Some(x) = solve(sub, rhs) else { continue };
        if x.iter().any(|v| *v < 0.0) {
            continue;
        }
        let value: f64 =
            (0..3).map(|i| x[i] * (0..3).map(|j| a[i][j] * x[j]).sum::<f64>() - 2.0 * b[i] * x[i]).sum();
        if value < best.1 {
            best = (x, value);
        }
    }
    best.0
}

/// Ratio of the largest to the smallest eigenvalue of a symmetric matrix whose rows and columns were scaled to a unit
/// diagonal or not, as the caller chose (Jacobi's method).
pub(super) fn condition<const N: usize>(mut a: [[f64; N]; N]) -> f64 {
    for _ in 0..60 {
        let mut off = 0.0;
        for p in 0..N {
            for q in p + 1..N {
                off += a[p][q] * a[p][q];
                if a[p][q].abs() < 1e-300 {
                    continue;
                }
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let c = 1.0 / (t * t + 1.0).sqrt();
                let s = t * c;
                for k in 0..N {
                    let (x, y) = (a[k][p], a[k][q]);
                    a[k][p] = c * x - s * y;
                    a[k][q] = s * x + c * y;
                }
                for k in 0..N {
                    let (x, y) = (a[p][k], a[q][k]);
                    a[p][k] = c * x - s * y;
                    a[q][k] = s * x + c * y;
                }
            }
        }
        if off < 1e-30 {
            break;
        }
    }
    let values = (0..N).map(|i| a[i][i].abs());
    let (low, high) = values.fold((f64::INFINITY, 0.0), |m, v| (f64::min(m.0, v), f64::max(m.1, v)));
    high / low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_systems_are_solved() {
        let a = [[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]];
        let x = solve(a, [6.0, 10.0, 8.0]).unwrap();
        for (got, want) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((got - want).abs() < 1e-12);
        }
        assert!(solve([[0.0]], [1.0]).is_none());
        // The free solution would be negative in the second unknown.
        let x = non_negative([[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]], [2.0, 0.1, 1.0]);
        assert!((x[0] - 2.0).abs() < 1e-12 && x[1] == 0.0 && (x[2] - 1.0).abs() < 1e-12);
        assert!((condition([[2.0, 1.0], [1.0, 2.0]]) - 3.0).abs() < 1e-9);
    }
}
