//! Root-mean-square norm on the CPU, forward and backward.
//!
//! With `r = (mean x² + ε)^(-1/2)` a row, `y = g x r`, `dx = r (g dy) - x r³/d Σ (g dy) x` and `dg = Σ_rows dy x r`.

use crate::parallel::{SharedMut, for_each_job, written_by};
use crate::simd::{Kernel, Vector, dispatch};

/// Rows a job; also how many rows are summed before their gain gradients are added up.
const ROWS: usize = 256;

/// `x` is `[rows, gain.len()]`; returns `y`, and `r` for each row.
pub(crate) fn forward(
    x: &[f32],
    dimension: usize,
    gain: Option<&[f32]>,
    epsilon: f32,
) -> (Vec<f32>, Vec<f32>) {
    let rows = x.len() / dimension;
    let mut r = vec![0.0; rows];
    let r_shared = SharedMut::new(&mut r);
    // SAFETY: each job writes all of the rows of its own.
    let y = unsafe {
        written_by(x.len(), |y| {
            for_each_job(rows.div_ceil(ROWS), |job| {
                let (start, count) = (job * ROWS, ROWS.min(rows - job * ROWS));
                let (y, r) = (y.range(start * dimension, count * dimension), r_shared.range(start, count));
                let x = &x[start * dimension..(start + count) * dimension];
                dispatch(Forward { x, dimension, gain, epsilon, y, r });
            });
        })
    };
    (y, r)
}

/// Returns `dx` and, where there is a gain, `dg`.
pub(crate) fn backward(
    dy: &[f32],
    x: &[f32],
    dimension: usize,
    gain: Option<&[f32]>,
    r: &[f32],
) -> (Vec<f32>, Option<Vec<f32>>) {
    let rows = x.len() / dimension;
    let jobs = rows.div_ceil(ROWS);
    let mut partial = vec![0.0; if gain.is_some() { jobs * dimension } else { 0 }];
    let partial_shared = SharedMut::new(&mut partial);
    // SAFETY: each job writes all of the rows of its own, and has a partial sum of its own.
    let dx = unsafe {
        written_by(x.len(), |dx| {
            for_each_job(jobs, |job| {
                let (start, count) = (job * ROWS, ROWS.min(rows - job * ROWS));
                let range = start * dimension..(start + count) * dimension;
                let d_gain = gain.map(|_| partial_shared.range(job * dimension, dimension));
                let dx = dx.range(start * dimension, count * dimension);
                let r = &r[start..start + count];
                dispatch(Backward { dy: &dy[range.clone()], x: &x[range], dimension, gain, r, dx, d_gain });
            });
        })
    };
    let d_gain = gain.map(|_| {
        let mut sum = vec![0.0; dimension];
        for part in partial.chunks_exact(dimension) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
        sum
    });
    (dx, d_gain)
}

struct Forward<'a> {
    x: &'a [f32],
    dimension: usize,
    gain: Option<&'a [f32]>,
    epsilon: f32,
    y: &'a mut [f32],
    r: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let d = self.dimension;
        let rows = self.x.chunks_exact(d).zip(self.y.chunks_exact_mut(d)).zip(self.r);
        for ((x, y), r) in rows {
            let mut squares = V::splat(0.0);
            for i in (0..d).step_by(V::LANES) {
                // SAFETY: `d - i` numbers are left in `x`.
                let x = unsafe { V::load_up_to(x.as_ptr().add(i), d - i) };
                squares = x.mul_add(x, squares);
            }
            *r = 1.0 / (squares.sum() / d as f32 + self.epsilon).sqrt();
            let factor = V::splat(*r);
            for i in (0..d).step_by(V::LANES) {
                // SAFETY: `d - i` numbers are left in `x`, `y` and the gain.
                unsafe {
                    let mut out = V::load_up_to(x.as_ptr().add(i), d - i).mul(factor);
                    if let Some(gain) = self.gain {
                        out = out.mul(V::load_up_to(gain.as_ptr().add(i), d - i));
                    }
                    out.store_up_to(y.as_mut_ptr().add(i), d - i);
                }
            }
        }
    }
}

struct Backward<'a> {
    dy: &'a [f32],
    x: &'a [f32],
    dimension: usize,
    gain: Option<&'a [f32]>,
    r: &'a [f32],
    dx: &'a mut [f32],
    d_gain: Option<&'a mut [f32]>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let d = self.dimension;
        let mut d_gain = self.d_gain;
        let rows =
            self.x.chunks_exact(d).zip(self.dy.chunks_exact(d)).zip(self.dx.chunks_exact_mut(d)).zip(self.r);
        for (((x, dy), dx), &r) in rows {
            let factor = V::splat(r);
            let mut inner = V::splat(0.0);
            for i in (0..d).step_by(V::LANES) {
                // SAFETY: `d - i` numbers are left in every slice of length `d`.
                unsafe {
                    let x = V::load_up_to(x.as_ptr().add(i), d - i);
                    let mut dy = V::load_up_to(dy.as_ptr().add(i), d - i);
                    if let (Some(gain), Some(sum)) = (self.gain, d_gain.as_deref_mut()) {
                        let sum = sum.as_mut_ptr().add(i);
                        let more = dy.mul(x).mul_add(factor, V::load_up_to(sum, d - i));
                        more.store_up_to(sum, d - i);
                        dy = dy.mul(V::load_up_to(gain.as_ptr().add(i), d - i));
                    }
                    dy.store_up_to(dx.as_mut_ptr().add(i), d - i);
                    inner = dy.mul_add(x, inner);
                }
            }
            let inner = V::splat(-inner.sum() * r * r * r / d as f32);
            for i in (0..d).step_by(V::LANES) {
                // SAFETY: `d - i` numbers are left in `x` and `dx`.
                unsafe {
                    let x = V::load_up_to(x.as_ptr().add(i), d - i);
                    let scaled_dy = V::load_up_to(dx.as_ptr().add(i), d - i);
                    x.mul_add(inner, scaled_dy.mul(factor)).store_up_to(dx.as_mut_ptr().add(i), d - i);
                }
            }
        }
    }
}
