//! The feed-forward layer's activations on the CPU: SwiGLU and squared ReLU, forward and backward.

use crate::parallel::{for_each_job, written_by};
use crate::simd::{Kernel, Vector, dispatch};
use std::ops::Range;

/// Which of the two activations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Activation {
    /// `silu(gate) · up`, half as wide as its operand.
    Swiglu,
    /// `max(0, x)²`.
    ReluSquared,
}

impl Activation {
    /// How wide its operand is where its result is `half` wide.
    pub fn width(self, half: usize) -> usize {
        match self {
            Activation::Swiglu => 2 * half,
            Activation::ReluSquared => half,
        }
    }
}

/// The activation of rows of `x` on this thread; `half` is the width of the result.
pub(crate) fn activate(x: &[f32], activation: Activation, half: usize, out: &mut [f32]) {
    match activation {
        Activation::Swiglu => dispatch(Swiglu { gate_up: x, half, out }),
        Activation::ReluSquared => dispatch(ReluSquared { x, out }),
    }
}

/// The gradient of rows of `x` for `d_out`, and the activation itself, on this thread.
pub(crate) fn activate_backward(
    x: &[f32],
    activation: Activation,
    half: usize,
    d_out: &[f32],
    d_x: &mut [f32],
    out: &mut [f32],
) {
    match activation {
        Activation::Swiglu => {
            dispatch(SwigluBackward { gate_up: x, half, d_out, d_gate_up: d_x, out: Some(out) });
        }
        Activation::ReluSquared => {
            dispatch(ReluSquared { x, out });
            dispatch(ReluSquaredBackward { x, d_out, dx: d_x });
        }
    }
}

/// Numbers a job.
const JOB: usize = 1 << 15;

/// `silu(a) b` for rows `[a, b]` of `2 · half` numbers.
pub(crate) fn swiglu(gate_up: &[f32], half: usize) -> Vec<f32> {
    let work = |rows: Range<usize>, out: &mut [f32]| {
        dispatch(Swiglu { gate_up: &gate_up[rows.start * 2 * half..rows.end * 2 * half], half, out });
    };
    // SAFETY: the kernel writes all of the rows that it is given.
    unsafe { rows_in_parallel(gate_up.len() / half / 2, half, half, work) }
}

/// The gradient of [`swiglu`] for `d_out`: with `s = σ(a)`, `da = d b s (1 + a (1 - s))` and `db = d a s`.
pub(crate) fn swiglu_backward(gate_up: &[f32], half: usize, d_out: &[f32]) -> Vec<f32> {
    let work = |rows: Range<usize>, d_gate_up: &mut [f32]| {
        let gate_up = &gate_up[rows.start * 2 * half..rows.end * 2 * half];
        let d_out = &d_out[rows.start * half..rows.end * half];
        dispatch(SwigluBackward { gate_up, half, d_out, d_gate_up, out: None });
    };
    // SAFETY: the kernel writes all of the rows that it is given.
    unsafe { rows_in_parallel(d_out.len() / half, half, 2 * half, work) }
}

/// `max(x, 0)²`.
pub(crate) fn relu_squared(x: &[f32]) -> Vec<f32> {
    let work = |range: Range<usize>, out: &mut [f32]| dispatch(ReluSquared { x: &x[range], out });
    // SAFETY: the kernel writes all that it is given.
    unsafe { rows_in_parallel(x.len(), 1, 1, work) }
}

/// The gradient of [`relu_squared`]: `2 d max(x, 0)`.
pub(crate) fn relu_squared_backward(x: &[f32], d_out: &[f32]) -> Vec<f32> {
    let work = |range: Range<usize>, dx: &mut [f32]| {
        dispatch(ReluSquaredBackward { x: &x[range.clone()], d_out: &d_out[range], dx });
    };
    // SAFETY: the kernel writes all that it is given.
    unsafe { rows_in_parallel(x.len(), 1, 1, work) }
}

/// `rows` rows of `out_width` numbers, written by `work` in ranges. `width` is what a row costs, in numbers.
///
/// # Safety
/// `work` must write all of the rows that it is given.
unsafe fn rows_in_parallel(
    rows: usize,
    width: usize,
    out_width: usize,
    work: impl Fn(Range<usize>, &mut [f32]) + Send + Sync,
) -> Vec<f32> {
    let of_job = (JOB / width).max(1);
    // SAFETY: the ranges cover all rows, and each is written by its own job, as the caller vouches.
    unsafe {
        written_by(rows * out_width, |out| {
            for_each_job(rows.div_ceil(of_job), |job| {
                let range = job * of_job..rows.min((job + 1) * of_job);
                let out = out.range(range.start * out_width, range.len() * out_width);
                work(range, out);
            });
        })
    }
}

struct Swiglu<'a> {
    gate_up: &'a [f32],
    half: usize,
    out: &'a mut [f32],
}

impl Kernel for Swiglu<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let n = self.half;
        for (row, out) in self.gate_up.chunks_exact(2 * n).zip(self.out.chunks_exact_mut(n)) {
            let (gate, up) = row.split_at(n);
            for i in (0..n).step_by(V::LANES) {
                // SAFETY: `n - i` numbers are left in `gate`, `up` and `out`.
                unsafe {
                    let a = V::load_up_to(gate.as_ptr().add(i), n - i);
                    let b = V::load_up_to(up.as_ptr().add(i), n - i);
                    a.mul(sigmoid(a)).mul(b).store_up_to(out.as_mut_ptr().add(i), n - i);
                }
            }
        }
    }
}

struct SwigluBackward<'a> {
    gate_up: &'a [f32],
    half: usize,
    d_out: &'a [f32],
    d_gate_up: &'a mut [f32],
    /// Where the activation goes, if it is wanted.
    out: Option<&'a mut [f32]>,
}

impl Kernel for SwigluBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let n = self.half;
        let one = V::splat(1.0);
        let out = self.out.map(|out| out.as_mut_ptr());
        let rows = self.gate_up.chunks_exact(2 * n).zip(self.d_out.chunks_exact(n));
        for (index, ((row, d_out), d_row)) in rows.zip(self.d_gate_up.chunks_exact_mut(2 * n)).enumerate() {
            let (gate, up) = row.split_at(n);
            let (d_gate, d_up) = d_row.split_at_mut(n);
            for i in (0..n).step_by(V::LANES) {
                // SAFETY: `n - i` numbers are left in every half row, and `out` has as many rows.
                unsafe {
                    let a = V::load_up_to(gate.as_ptr().add(i), n - i);
                    let b = V::load_up_to(up.as_ptr().add(i), n - i);
                    let d = V::load_up_to(d_out.as_ptr().add(i), n - i);
                    let s = sigmoid(a);
                    if let Some(out) = out {
                        a.mul(s).mul(b).store_up_to(out.add(index * n + i), n - i);
                    }
                    d.mul(a).mul(s).store_up_to(d_up.as_mut_ptr().add(i), n - i);
                    let slope = a.mul(one.sub(s)).add(one).mul(s);
                    d.mul(b).mul(slope).store_up_to(d_gate.as_mut_ptr().add(i), n - i);
                }
            }
        }
    }
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
fn sigmoid<V: Vector>(x: V) -> V {
    let one = V::splat(1.0);
    one.div(one.add(V::splat(0.0).sub(x).exp()))
}

struct ReluSquared<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Kernel for ReluSquared<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        for (x, out) in self.x.chunks(V::LANES).zip(self.out.chunks_mut(V::LANES)) {
            // SAFETY: the chunks have `x.len()` numbers.
            unsafe {
                let positive = V::splat(0.0).max(V::load_up_to(x.as_ptr(), x.len()));
                positive.mul(positive).store_up_to(out.as_mut_ptr(), x.len());
            }
        }
    }
}

struct ReluSquaredBackward<'a> {
    x: &'a [f32],
    d_out: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for ReluSquaredBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let chunks =
            self.x.chunks(V::LANES).zip(self.d_out.chunks(V::LANES)).zip(self.dx.chunks_mut(V::LANES));
        for ((x, d_out), dx) in chunks {
            // SAFETY: the chunks have `x.len()` numbers.
            unsafe {
                let positive = V::splat(0.0).max(V::load_up_to(x.as_ptr(), x.len()));
                let d_out = V::load_up_to(d_out.as_ptr(), x.len());
                positive.add(positive).mul(d_out).store_up_to(dx.as_mut_ptr(), x.len());
            }
        }
    }
}
