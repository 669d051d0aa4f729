//! Rotary position embedding on the CPU.
//!
//! The gradient of a rotation is the rotation by the opposite angle, so one kernel serves both passes.

use crate::parallel::{for_each_job, written_by};
use crate::simd::{Kernel, Vector, dispatch};
use std::sync::{Arc, Mutex};

/// Cosines and sines `[positions, head_dim / 2]` of the angles `t · base^(-2i / head_dim)`.
pub(crate) struct Angles {
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Angles {
    fn new(base: f64, head_dim: usize, positions: usize) -> Angles {
        let half = head_dim / 2;
        let frequencies: Vec<f64> = (0..half).map(|i| base.powf(-2.0 * i as f64 / head_dim as f64)).collect();
        let mut angles = Angles { cos: Vec::new(), sin: Vec::new() };
        for position in 0..positions {
            for frequency in &frequencies {
                // The product is taken in f64: in f32 the angle of a late position would be off.
                let (sin, cos) = (position as f64 * frequency).sin_cos();
                angles.cos.push(cos as f32);
                angles.sin.push(sin as f32);
            }
        }
        angles
    }

    /// Cosines and sines of one position; `half` is half of head_dim.
    #[inline(always)]
    pub fn at(&self, position: usize, half: usize) -> (&[f32], &[f32]) {
        let range = position * half..(position + 1) * half;
        (&self.cos[range.clone()], &self.sin[range])
    }
}

struct Known {
    base: u64,
    head_dim: usize,
    positions: usize,
    angles: Arc<Angles>,
}

/// The angles of at least `positions` positions. They cost more than the rotation, so those computed once are kept.
pub(crate) fn angles(base: f64, head_dim: usize, positions: usize) -> Arc<Angles> {
    static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());
    // Nothing can be half done under this lock, so a panic elsewhere does no harm.
    let mut known = KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let of_kind = |k: &Known| k.base == base.to_bits() && k.head_dim == head_dim;
    if let Some(known) = known.iter().find(|k| of_kind(k) && k.positions >= positions) {
        return known.angles.clone();
    }
    known.retain(|k| !of_kind(k));
    let positions = positions.next_power_of_two();
    let angles = Arc::new(Angles::new(base, head_dim, positions));
    known.push(Known { base: base.to_bits(), head_dim, positions, angles: angles.clone() });
    angles
}

/// Where the elements of `[batch, sequence, …]` stand.
#[derive(Clone, Debug)]
pub enum Positions {
    /// Each row of the batch begins at this position.
    From(usize),
    /// The position of each element, `[batch · sequence]`, for rows that decode side by side.
    Each(Arc<[usize]>),
}

impl Positions {
    /// The position of element `at` of all, where a row of the batch has `sequence`.
    #[inline(always)]
    pub(crate) fn of(&self, at: usize, sequence: usize) -> usize {
        match self {
            Positions::From(first) => first + at % sequence,
            Positions::Each(positions) => positions[at],
        }
    }

    /// One more than the last position.
    pub(crate) fn end(&self, sequence: usize) -> usize {
        match self {
            Positions::From(first) => first + sequence,
            Positions::Each(positions) => positions.iter().max().map_or(0, |last| last + 1),
        }
    }
}

/// Cosines and sines of these positions, `[rows · sequence, head_dim / 2]` each.
pub(crate) fn tables(
    base: f64,
    head_dim: usize,
    positions: &Positions,
    rows: usize,
    sequence: usize,
) -> [Vec<f32>; 2] {
    let angles = angles(base, head_dim, positions.end(sequence));
    let (mut cos, mut sin) = (Vec::new(), Vec::new());
    for at in 0..rows * sequence {
        let (of_cos, of_sin) = angles.at(positions.of(at, sequence), head_dim / 2);
        cos.extend_from_slice(of_cos);
        sin.extend_from_slice(of_sin);
    }
    [cos, sin]
}

/// How to rotate `[batch, sequence, heads, head_dim]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotation {
    /// Positions.
    pub sequence: usize,
    /// Heads.
    pub heads: usize,
    /// Numbers a head; even.
    pub head_dim: usize,
    /// Base of the frequencies.
    pub base: f64,
    /// The first position.
    pub offset: usize,
    /// Whether to rotate back.
    pub inverse: bool,
}

/// Rotates `x`, which is contiguous.
pub(crate) fn rotate(x: &[f32], rotation: Rotation) -> Vec<f32> {
    let Rotation { sequence, heads, head_dim, .. } = rotation;
    let angles = angles(rotation.base, head_dim, rotation.offset + sequence);
    let of_row = sequence * heads * head_dim;
    // SAFETY: each job writes all of a row of the batch of its own.
    unsafe {
        written_by(x.len(), |out| {
            for_each_job(x.len() / of_row, |job| {
                let range = job * of_row..(job + 1) * of_row;
                let out = out.range(range.start, of_row);
                dispatch(Rotate { x: &x[range], out, angles: &angles, rotation });
            });
        })
    }
}

struct Rotate<'a> {
    x: &'a [f32],
    out: &'a mut [f32],
    angles: &'a Angles,
    rotation: Rotation,
}

impl Kernel for Rotate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Rotation { heads, head_dim, offset, .. } = self.rotation;
        let half = head_dim / 2;
        let sign = V::splat(if self.rotation.inverse { -1.0 } else { 1.0 });
        let positions =
            self.x.chunks_exact(heads * head_dim).zip(self.out.chunks_exact_mut(heads * head_dim));
        for (position, (x, out)) in positions.enumerate() {
            let (cos, sin) = self.angles.at(offset + position, half);
            for (x, out) in x.chunks_exact(head_dim).zip(out.chunks_exact_mut(head_dim)) {
                let (a, b) = x.split_at(half);
                let (first, second) = out.split_at_mut(half);
                for i in (0..half).step_by(V::LANES) {
                    let left = half - i;
                    // SAFETY: `left` numbers are left in each half and in the angles.
                    unsafe {
                        let a = V::load_up_to(a.as_ptr().add(i), left);
                        let b = V::load_up_to(b.as_ptr().add(i), left);
                        let cos = V::load_up_to(cos.as_ptr().add(i), left);
                        let sin = V::load_up_to(sin.as_ptr().add(i), left).mul(sign);
                        a.mul(cos).sub(b.mul(sin)).store_up_to(first.as_mut_ptr().add(i), left);
                        b.mul_add(cos, a.mul(sin)).store_up_to(second.as_mut_ptr().add(i), left);
                    }
                }
            }
        }
    }
}
