//! What attention's queries and keys go through, in one pass on the CPU: their norm, its gain, and the rotation.
//!
//! For a query or key head `x` with gain `g`: `r = (mean x² + ε)^(-1/2)`, `n = g x r`, `y = rotate(n)`; values are
//! passed on. Backward: `dn = rotate⁻¹(dy)`, then as in [`crate::norm`]. Only `x` is kept; `r` costs less than to load.

use crate::parallel::{SharedMut, for_each_job, written_by};
use crate::rotation::{Angles, Positions, angles};
use crate::simd::{Kernel, Vector, dispatch};

/// Positions a job; also how many positions' gain gradients are summed before the sums are added up.
const POSITIONS: usize = 64;

/// What is to be done to `[batch, sequence, heads + 2 kv_heads, head_dim]`.
#[derive(Clone, Debug)]
pub(crate) struct QkHeads {
    /// Query heads, which come first.
    pub queries: usize,
    /// Key heads, then as many value heads.
    pub keys: usize,
    /// Numbers a head; even.
    pub head_dim: usize,
    /// Added to the mean square.
    pub epsilon: f32,
    /// Base of the rotation's frequencies.
    pub base: f64,
    /// Positions of a row of the batch.
    pub sequence: usize,
    /// Where they stand.
    pub positions: Positions,
}

impl QkHeads {
    fn position(&self) -> usize {
        (self.queries + 2 * self.keys) * self.head_dim
    }
    fn angles(&self) -> std::sync::Arc<Angles> {
        angles(self.base, self.head_dim, self.positions.end(self.sequence))
    }
}

/// Returns what is shaped like `x`.
pub(crate) fn forward(x: &[f32], gains: [&[f32]; 2], heads: &QkHeads) -> Vec<f32> {
    let of_position = heads.position();
    let positions = x.len() / of_position;
    let angles = &heads.angles();
    // SAFETY: the jobs' positions cover the result, and each belongs to one job.
    unsafe {
        written_by(x.len(), |out| {
            for_each_job(positions.div_ceil(POSITIONS), |job| {
                let first = job * POSITIONS;
                let range = first * of_position..positions.min(first + POSITIONS) * of_position;
                let out = out.range(range.start, range.len());
                dispatch(Forward { x: &x[range], out, first, gains, angles, heads });
            });
        })
    }
}

/// Returns the gradients of `x` and of the two gains.
pub(crate) fn backward(
    dy: &[f32],
    x: &[f32],
    gains: [&[f32]; 2],
    heads: &QkHeads,
) -> (Vec<f32>, [Vec<f32>; 2]) {
    let of_position = heads.position();
    let head_dim = heads.head_dim;
    let positions = x.len() / of_position;
    let jobs = positions.div_ceil(POSITIONS);
    let angles = &heads.angles();
    let mut partial = vec![0.0; jobs * 2 * head_dim];
    let partial_shared = SharedMut::new(&mut partial);
    // SAFETY: the jobs' positions cover the result, and each belongs to one job, as does each partial sum.
    let dx = unsafe {
        written_by(x.len(), |dx| {
            for_each_job(jobs, |job| {
                let first = job * POSITIONS;
                let range = first * of_position..positions.min(first + POSITIONS) * of_position;
                let dx = dx.range(range.start, range.len());
                let d_gains = partial_shared.range(job * 2 * head_dim, 2 * head_dim);
                let (x, dy) = (&x[range.clone()], &dy[range]);
                dispatch(Backward { dy, x, dx, d_gains, first, gains, angles, heads });
            });
        })
    };
    let mut d_gains = [vec![0.0; head_dim], vec![0.0; head_dim]];
    for part in partial.chunks_exact(2 * head_dim) {
        for (sum, part) in d_gains.iter_mut().zip(part.chunks_exact(head_dim)) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    (dx, d_gains)
}

/// `Σ x²` over the head, in a fixed order.
#[inline(always)]
fn squares<V: Vector>(x: &[f32]) -> f32 {
    let mut squares = V::splat(0.0);
    for i in (0..x.len()).step_by(V::LANES) {
        // SAFETY: `x.len() - i` numbers are left.
        let x = unsafe { V::load_up_to(x.as_ptr().add(i), x.len() - i) };
        squares = x.mul_add(x, squares);
    }
    squares.sum()
}

struct Forward<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
    first: usize,
    gains: [&'a [f32]; 2],
    angles: &'a Angles,
    heads: &'a QkHeads,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let &QkHeads { queries, keys, head_dim, epsilon, sequence, ref positions, .. } = self.heads;
        let half = head_dim / 2;
        let of_position = self.heads.position();
        let each = self.x.chunks_exact(of_position).zip(self.out.chunks_exact_mut(of_position));
        for (position, (x, out)) in each.enumerate() {
            let (cos, sin) = self.angles.at(positions.of(self.first + position, sequence), half);
            let of_heads = x.chunks_exact(head_dim).zip(out.chunks_exact_mut(head_dim));
            for (head, (x, out)) in of_heads.enumerate() {
                if head >= queries + keys {
                    out.copy_from_slice(x);
                    continue;
                }
                let gain = self.gains[usize::from(head >= queries)];
                let r = V::splat(1.0 / (squares::<V>(x) / head_dim as f32 + epsilon).sqrt());
                for i in (0..half).step_by(V::LANES) {
                    let left = half - i;
                    // SAFETY: `left` numbers are left in each half of `x`, `gain` and `out`, and in the angles.
                    unsafe {
                        let normed = |at: usize| {
                            let gain = V::load_up_to(gain.as_ptr().add(at), left);
                            V::load_up_to(x.as_ptr().add(at), left).mul(r).mul(gain)
                        };
                        let (a, b) = (normed(i), normed(half + i));
                        let cos = V::load_up_to(cos.as_ptr().add(i), left);
                        let sin = V::load_up_to(sin.as_ptr().add(i), left);
                        a.mul(cos).sub(b.mul(sin)).store_up_to(out.as_mut_ptr().add(i), left);
                        b.mul_add(cos, a.mul(sin)).store_up_to(out.as_mut_ptr().add(half + i), left);
                    }
                }
            }
        }
    }
}

struct Backward<'a> {
    dy: &'a [f32],
    x: &'a [f32],
    dx: &'a mut [f32],
    /// Of the queries, then of the keys.
    d_gains: &'a mut [f32],
    first: usize,
    gains: [&'a [f32]; 2],
    angles: &'a Angles,
    heads: &'a QkHeads,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let &QkHeads { queries, keys, head_dim, epsilon, sequence, ref positions, .. } = self.heads;
        let half = head_dim / 2;
        let of_position = self.heads.position();
        let each = self.x.chunks_exact(of_position).zip(self.dy.chunks_exact(of_position));
        for (position, ((x, dy), dx)) in each.zip(self.dx.chunks_exact_mut(of_position)).enumerate() {
            let (cos, sin) = self.angles.at(positions.of(self.first + position, sequence), half);
            let of_heads = x.chunks_exact(head_dim).zip(dy.chunks_exact(head_dim));
            for (head, ((x, dy), dx)) in of_heads.zip(dx.chunks_exact_mut(head_dim)).enumerate() {
                if head >= queries + keys {
                    dx.copy_from_slice(dy);
                    continue;
                }
                let of_keys = usize::from(head >= queries);
                let gain = self.gains[of_keys];
                let d_gain = &mut self.d_gains[of_keys * head_dim..(of_keys + 1) * head_dim];
                let r = 1.0 / (squares::<V>(x) / head_dim as f32 + epsilon).sqrt();
                let factor = V::splat(r);
                let mut inner = V::splat(0.0);
                for i in (0..half).step_by(V::LANES) {
                    let left = half - i;
                    // SAFETY: `left` numbers are left in each half of the head's slices, and in the angles.
                    unsafe {
                        let a = V::load_up_to(dy.as_ptr().add(i), left);
                        let b = V::load_up_to(dy.as_ptr().add(half + i), left);
                        let cos = V::load_up_to(cos.as_ptr().add(i), left);
                        let sin = V::load_up_to(sin.as_ptr().add(i), left);
                        let turned_back = [a.mul_add(cos, b.mul(sin)), b.mul(cos).sub(a.mul(sin))];
                        for (d_normed, at) in turned_back.into_iter().zip([i, half + i]) {
                            let x = V::load_up_to(x.as_ptr().add(at), left);
                            let sum = d_gain.as_mut_ptr().add(at);
                            d_normed.mul(x).mul_add(factor, V::load_up_to(sum, left)).store_up_to(sum, left);
                            let scaled = d_normed.mul(V::load_up_to(gain.as_ptr().add(at), left));
                            scaled.store_up_to(dx.as_mut_ptr().add(at), left);
                            inner = scaled.mul_add(x, inner);
                        }
                    }
                }
                let inner = V::splat(-inner.sum() * r * r * r / head_dim as f32);
                for i in (0..head_dim).step_by(V::LANES) {
                    let left = head_dim - i;
                    // SAFETY: `left` numbers are left in `x` and `dx`.
                    unsafe {
                        let x = V::load_up_to(x.as_ptr().add(i), left);
                        let scaled = V::load_up_to(dx.as_ptr().add(i), left);
                        x.mul_add(inner, scaled.mul(factor)).store_up_to(dx.as_mut_ptr().add(i), left);
                    }
                }
            }
        }
    }
}
