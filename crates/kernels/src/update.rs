//! One optimiser step of one parameter, on the CPU: every number is read once and written once.

use crate::matmul::{Matrix, matmul};
use crate::parallel::{SharedMut, for_each_job};
use crate::precision::Precision::F32;
use crate::simd::{Kernel, Vector, dispatch};

/// Numbers a job; also how many squares are summed before the sums are added up.
const NUMBERS: usize = 1 << 14;

/// A step of AdamW (Loshchilov & Hutter 2019):
/// `m ← β₁ m + (1-β₁) g`, `v ← β₂ v + (1-β₂) g²`, `x ← keep x - rate (m/c₁) / (√(v/c₂) + ε)`, `cᵢ = 1 - βᵢ^step`.
#[derive(Clone, Copy, Debug)]
pub struct Adamw {
    /// Learning rate.
    pub rate: f64,
    /// Factor on the parameter: 1 minus learning rate times weight decay.
    pub keep: f64,
    /// Factor on the gradient (clipping).
    pub gradient_scale: f64,
    /// β₁.
    pub beta1: f64,
    /// β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// The number of this step, from 1.
    pub step: u64,
}

impl Adamw {
    /// `c₁` and `c₂`.
    pub(crate) fn corrections(&self) -> [f64; 2] {
        let power = i32::try_from(self.step).unwrap_or(i32::MAX);
        [self.beta1, self.beta2].map(|beta| 1.0 - beta.powi(power))
    }
}

/// A step of Muon (Jordan 2024) on a hidden matrix, with Nesterov's look-ahead:
/// `m ← μ m + g`, `x ← keep x - rate · orthogonalised(g + μ m)`.
#[derive(Clone, Copy, Debug)]
pub struct Muon {
    /// Learning rate times whatever the shape asks for.
    pub rate: f64,
    /// Factor on the parameter: 1 minus learning rate times weight decay.
    pub keep: f64,
    /// Factor on the gradient (clipping).
    pub gradient_scale: f64,
    /// μ.
    pub momentum: f64,
}

/// Coefficients (a, b, c) of Muon's five Newton-Schulz iterations `X ← aX + (bA + cA²)X`, `A = XXᵀ`.
pub(crate) const NEWTON_SCHULZ: [f64; 3] = [3.4445, -4.7750, 2.0315];
/// Added to the norm that a matrix is divided by before they start.
pub(crate) const NORM_EPSILON: f64 = 1e-7;

/// `x`, `m` and `v` move by one step along `g`.
pub(crate) fn adamw(x: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], step: Adamw) {
    let length = x.len();
    assert!(g.len() == length && m.len() == length && v.len() == length);
    let (x, m, v) = (SharedMut::new(x), SharedMut::new(m), SharedMut::new(v));
    for_each_job(length.div_ceil(NUMBERS), |job| {
        let (first, count) = (job * NUMBERS, NUMBERS.min(length - job * NUMBERS));
        // SAFETY: each job has numbers of its own.
        let (x, m, v) = unsafe { (x.range(first, count), m.range(first, count), v.range(first, count)) };
        dispatch(AdamwJob { x, g: &g[first..first + count], m, v, step });
    });
}

struct AdamwJob<'a> {
    x: &'a mut [f32],
    g: &'a [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    step: Adamw,
}

impl Kernel for AdamwJob<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let AdamwJob { x, g, m, v, step } = self;
        let [c1, c2] = step.corrections();
        let of = |x: f64| V::splat(x as f32);
        let (beta1, beta2, scale, keep) =
            (of(step.beta1), of(step.beta2), of(step.gradient_scale), of(step.keep));
        let (rest1, rest2) = (of(1.0 - step.beta1), of(1.0 - step.beta2));
        let (rate, over_c2, epsilon) = (of(-step.rate / c1), of(1.0 / c2), of(step.epsilon));
        for i in (0..x.len()).step_by(V::LANES) {
            let left = x.len() - i;
            // SAFETY: `left` numbers are left in all four, which are equally long.
            unsafe {
                let g = V::load_up_to(g.as_ptr().add(i), left).mul(scale);
                let m_new = V::load_up_to(m.as_ptr().add(i), left).mul_add(beta1, g.mul(rest1));
                let v_new = V::load_up_to(v.as_ptr().add(i), left).mul_add(beta2, g.mul(g).mul(rest2));
                m_new.store_up_to(m.as_mut_ptr().add(i), left);
                v_new.store_up_to(v.as_mut_ptr().add(i), left);
                let change = m_new.mul(rate).div(v_new.mul(over_c2).sqrt().add(epsilon));
                let x_new = V::load_up_to(x.as_ptr().add(i), left).mul_add(keep, change);
                x_new.store_up_to(x.as_mut_ptr().add(i), left);
            }
        }
    }
}

/// `Σ x²`, each job's part in f32 lanes, the parts in f64.
pub(crate) fn squared_norm(x: &[f32]) -> f64 {
    let mut parts = vec![0.0; x.len().div_ceil(NUMBERS)];
    let shared = SharedMut::new(&mut parts);
    for_each_job(x.len().div_ceil(NUMBERS), |job| {
        let x = &x[job * NUMBERS..x.len().min((job + 1) * NUMBERS)];
        // SAFETY: each job has a part of its own.
        unsafe { shared.range(job, 1)[0] = dispatch(Squares(x)) };
    });
    parts.into_iter().map(f64::from).sum()
}

struct Squares<'a>(&'a [f32]);

impl Kernel for Squares<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        let x = self.0;
        // Four sums, so that one addition need not wait for the one before.
        let mut sums = [V::splat(0.0); 4];
        let mut at = 0;
        while at < x.len() {
            for sum in &mut sums {
                let left = x.len().saturating_sub(at);
                // SAFETY: `left` numbers are left; where none are, nothing is read.
                let x = unsafe { V::load_up_to(x.as_ptr().wrapping_add(at), left) };
                *sum = x.mul_add(x, *sum);
                at += V::LANES;
            }
        }
        sums[0].add(sums[1]).add(sums[2].add(sums[3])).sum()
    }
}

/// `x` and the momentum `m`, both `[rows, columns]`, move by one step along `g`.
pub(crate) fn muon(x: &mut [f32], g: &[f32], m: &mut [f32], columns: usize, step: Muon) {
    let length = x.len();
    assert!(g.len() == length && m.len() == length);
    let mut ahead = vec![0.0; length];
    let (m, ahead_shared) = (SharedMut::new(m), SharedMut::new(&mut ahead));
    let jobs = length.div_ceil(NUMBERS);
    let range = |job: usize| (job * NUMBERS, NUMBERS.min(length - job * NUMBERS));
    for_each_job(jobs, |job| {
        let (first, count) = range(job);
        // SAFETY: each job has numbers of its own.
        let (m, ahead) = unsafe { (m.range(first, count), ahead_shared.range(first, count)) };
        dispatch(Momentum { g: &g[first..first + count], m, ahead, step });
    });
    let direction = orthogonalised(ahead, columns);
    let x = SharedMut::new(x);
    for_each_job(jobs, |job| {
        let (first, count) = range(job);
        // SAFETY: each job has numbers of its own.
        let to = unsafe { x.range(first, count) };
        let (keep, rate) = (step.keep as f32, -step.rate as f32);
        dispatch(Combine { to, keep, other: &direction[first..first + count], factor: rate });
    });
}

struct Momentum<'a> {
    g: &'a [f32],
    m: &'a mut [f32],
    ahead: &'a mut [f32],
    step: Muon,
}

impl Kernel for Momentum<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Momentum { g, m, ahead, step } = self;
        let (scale, momentum) = (V::splat(step.gradient_scale as f32), V::splat(step.momentum as f32));
        for i in (0..g.len()).step_by(V::LANES) {
            let left = g.len() - i;
            // SAFETY: `left` numbers are left in all three, which are equally long.
            unsafe {
                let g = V::load_up_to(g.as_ptr().add(i), left).mul(scale);
                let m_new = V::load_up_to(m.as_ptr().add(i), left).mul_add(momentum, g);
                m_new.store_up_to(m.as_mut_ptr().add(i), left);
                m_new.mul_add(momentum, g).store_up_to(ahead.as_mut_ptr().add(i), left);
            }
        }
    }
}

/// `to ← keep · to + factor · other`.
struct Combine<'a> {
    to: &'a mut [f32],
    keep: f32,
    other: &'a [f32],
    factor: f32,
}

impl Kernel for Combine<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Combine { to, keep, other, factor } = self;
        assert_eq!(to.len(), other.len());
        let (keep, factor) = (V::splat(keep), V::splat(factor));
        for i in (0..to.len()).step_by(V::LANES) {
            let left = to.len() - i;
            // SAFETY: `left` numbers are left in both.
            unsafe {
                let kept = V::load_up_to(to.as_ptr().add(i), left).mul(keep);
                let sum = V::load_up_to(other.as_ptr().add(i), left).mul_add(factor, kept);
                sum.store_up_to(to.as_mut_ptr().add(i), left);
            }
        }
    }
}

/// Five Newton-Schulz iterations: the nearest semi-orthogonal matrix, roughly.
///
/// `A = XXᵀ` of a wide matrix, `XᵀX` of a tall one, so that it is small and nothing needs to be transposed. With
/// `B = aI + A(bI + cA)` the iteration is `X ← BX`, or `XB`.
fn orthogonalised(mut x: Vec<f32>, columns: usize) -> Vec<f32> {
    let rows = x.len() / columns;
    let small = rows.min(columns);
    let norm = squared_norm(&x).sqrt() as f32;
    let scale = 1.0 / (norm + NORM_EPSILON as f32);
    x.iter_mut().for_each(|x| *x *= scale);
    let [a, b, c] = NEWTON_SCHULZ.map(|coefficient| coefficient as f32);
    for _ in 0..5 {
        let wide = Matrix::by_rows(&x, columns);
        let gram = if rows <= columns {
            matmul(wide, wide.transposed(), None, F32)
        } else {
            matmul(wide.transposed(), wide, None, F32)
        };
        let mut inner: Vec<f32> = gram.iter().map(|gram| gram * c).collect();
        inner.iter_mut().step_by(small + 1).for_each(|diagonal| *diagonal += b);
        let mut step = matmul(Matrix::by_rows(&gram, small), Matrix::by_rows(&inner, small), None, F32);
        step.iter_mut().step_by(small + 1).for_each(|diagonal| *diagonal += a);
        let step = Matrix::by_rows(&step, small);
        x = if rows <= columns { matmul(step, wide, None, F32) } else { matmul(wide, step, None, F32) };
    }
    x
}
