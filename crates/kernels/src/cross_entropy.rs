//! Linear head and weighted cross-entropy in one, on the CPU.
//!
//! Logits exist for one block of rows at a time. Where gradients are wanted they are computed together with the
//! loss, while the block is in the cache, for an upstream gradient of one; the backward pass only scales them.
//! With `p = softmax(h W)`: `ℓ = log Σ exp - logit_target`, `dlogits = w (p - onehot)`, `dh = dlogits Wᵀ`,
//! `dW = hᵀ dlogits`.

use crate::matmul::{MANY_ROWS, Matrix, matmul_into};
use crate::packed::Packed;
use crate::parallel::{SharedMut, for_each_job};
use crate::precision::Precision;
use crate::product::Plus;
use crate::simd::{Kernel, MAX_LANES, Vector, dispatch};

/// What is to be computed.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    /// `[rows, dimension]`.
    pub hidden: &'a [f32],
    /// `[dimension, vocabulary]`.
    pub head: &'a [f32],
    /// Size of a hidden vector.
    pub dimension: usize,
    /// Number of classes.
    pub vocabulary: usize,
    /// The right class of each row.
    pub targets: &'a [usize],
    /// The weight of each row.
    pub weights: &'a [f32],
    /// How exactly the three products take their operands.
    pub precision: Precision,
}

/// What comes out.
pub(crate) struct Outcome {
    /// `Σ wᵢ ℓᵢ`.
    pub sum: f32,
    /// `ℓᵢ`, nought where the weight is nought.
    pub losses: Vec<f32>,
    /// The gradients of `sum` with respect to `hidden` and `head`, if asked for.
    pub gradients: Option<(Vec<f32>, Vec<f32>)>,
}

/// Numbers of logits alive at most, unless the smallest block has more.
const BLOCK_LOGITS: usize = 1 << 22;
/// Rows of a block, at least and at most.
const BLOCK_ROWS: [usize; 2] = [256, 2048];
/// Rows of a job at most: their logits shall stay in the second cache.
const JOB_ROWS: usize = 96;

/// Rows of weight nought are left out altogether.
pub(crate) fn cross_entropy(task: Task<'_>, with_gradients: bool) -> Outcome {
    let Task { dimension, vocabulary, .. } = task;
    let kept: Vec<usize> = (0..task.weights.len()).filter(|&i| task.weights[i] != 0.0).collect();
    // The sums of the head's gradient go by blocks, so that a block must not depend on the threads; a job may.
    let block = (BLOCK_LOGITS / vocabulary).clamp(BLOCK_ROWS[0], BLOCK_ROWS[1]);
    let jobs = 2 * rayon::current_num_threads();
    let chunk = block.min(kept.len()).div_ceil(jobs).next_multiple_of(32).min(JOB_ROWS);
    let head = Matrix::by_rows(task.head, vocabulary);
    let forward = Head::new(head, kept.len(), task.precision);
    let backward = with_gradients.then(|| Head::new(head.transposed(), kept.len(), task.precision));
    let row = vocabulary.next_multiple_of(MAX_LANES);
    let mut logits = vec![0.0; block.min(kept.len()) * row];
    let mut hidden = vec![0.0; block.min(kept.len()) * dimension];
    let mut losses = vec![0.0; task.weights.len()];
    let mut d_hidden = vec![0.0; if with_gradients { task.hidden.len() } else { 0 }];
    let mut d_head = vec![0.0; if with_gradients { task.head.len() } else { 0 }];
    let mut sum = 0.0;
    for kept in kept.chunks(block) {
        let shared = (
            SharedMut::new(&mut logits),
            SharedMut::new(&mut hidden),
            SharedMut::new(&mut losses),
            SharedMut::new(&mut d_hidden),
        );
        for_each_job(kept.len().div_ceil(chunk), |job| {
            let start = job * chunk;
            let kept = &kept[start..kept.len().min(start + chunk)];
            // SAFETY: each job has rows of the block of its own, and each row of the block one of the input.
            unsafe {
                let logits = shared.0.range(start * row, kept.len() * row);
                let hidden = shared.1.range(start * dimension, kept.len() * dimension);
                for (to, &i) in hidden.chunks_exact_mut(dimension).zip(kept) {
                    to.copy_from_slice(&task.hidden[i * dimension..(i + 1) * dimension]);
                }
                forward.multiply_into(Matrix::by_rows(hidden, dimension), logits.as_mut_ptr(), row);
                for (logits, &i) in logits.chunks_exact_mut(row).zip(kept) {
                    let (target, weight) = (task.targets[i], task.weights[i]);
                    let loss = dispatch(Row { logits, vocabulary, target, weight, with_gradients });
                    shared.2.range(i, 1)[0] = loss;
                }
                if let Some(backward) = &backward {
                    let d_logits = Matrix::by_rows(logits, row).columns_from(0, vocabulary);
                    let mut out = vec![0.0; kept.len() * dimension];
                    backward.multiply_into(d_logits, out.as_mut_ptr(), dimension);
                    for (from, &i) in out.chunks_exact(dimension).zip(kept) {
                        shared.3.range(i * dimension, dimension).copy_from_slice(from);
                    }
                }
            }
        });
        if with_gradients {
            add_head_gradient(
                &task,
                &hidden[..kept.len() * dimension],
                &logits[..kept.len() * row],
                row,
                &mut d_head,
            );
        }
        sum += kept.iter().map(|&i| f64::from(task.weights[i]) * f64::from(losses[i])).sum::<f64>();
    }
    Outcome { sum: sum as f32, losses, gradients: with_gradients.then_some((d_hidden, d_head)) }
}

/// The head or its transpose, as the right operand of the products of all blocks.
enum Head<'a> {
    /// Packed once, as many rows meet it.
    Packed(Packed),
    /// As it lies.
    Lying(Matrix<'a>, Precision),
}

impl<'a> Head<'a> {
    fn new(head: Matrix<'a>, rows: usize, precision: Precision) -> Self {
        if rows >= MANY_ROWS {
            Head::Packed(Packed::new(head, precision))
        } else {
            Head::Lying(head, precision)
        }
    }

    /// `c = a · head` on this thread.
    ///
    /// # Safety
    /// `a` must have as many columns as this has rows; `c` must be writable for the result, with rows `c_row` apart.
    unsafe fn multiply_into(&self, a: Matrix<'_>, c: *mut f32, c_row: usize) {
        // SAFETY: passed on to the caller.
        unsafe {
            match self {
                Head::Packed(head) => head.multiply_into(a, 0, head.columns(), Plus::Nothing, c, c_row),
                Head::Lying(head, precision) => matmul_into(a, *head, Plus::Nothing, c, c_row, *precision),
            }
        }
    }
}

/// `d_head += hiddenᵀ dlogits`, in jobs of columns.
fn add_head_gradient(task: &Task<'_>, hidden: &[f32], d_logits: &[f32], row: usize, d_head: &mut [f32]) {
    let Task { dimension, vocabulary, .. } = *task;
    let shared = SharedMut::new(d_head);
    let wide = vocabulary.div_ceil(2 * rayon::current_num_threads()).next_multiple_of(2 * MAX_LANES);
    for_each_job(vocabulary.div_ceil(wide), |job| {
        let start = job * wide;
        let columns = wide.min(vocabulary - start);
        let d_logits = Matrix::by_rows(d_logits, row).columns_from(start, columns);
        // SAFETY: `d_head` has `dimension` rows of `vocabulary` numbers, and each job writes columns of its own.
        unsafe {
            let hidden = Matrix::by_rows(hidden, dimension).transposed();
            matmul_into(
                hidden,
                d_logits,
                Plus::Result,
                shared.pointer().add(start),
                vocabulary,
                task.precision,
            );
        }
    });
}

/// One row of logits: returns the loss and, if asked, turns the logits into their gradient.
struct Row<'a> {
    logits: &'a mut [f32],
    vocabulary: usize,
    target: usize,
    weight: f32,
    with_gradients: bool,
}

impl Kernel for Row<'_> {
    type Output = f32;

    #[inline(always)]
    fn run<V: Vector>(self) -> f32 {
        self.logits[self.vocabulary..].fill(f32::NEG_INFINITY);
        let of_target = self.logits[self.target];
        let mut largest = V::splat(f32::NEG_INFINITY);
        for x in self.logits.chunks_exact(V::LANES) {
            // SAFETY: the row's length is a multiple of MAX_LANES, hence of LANES.
            largest = largest.max(unsafe { V::load(x.as_ptr()) });
        }
        let largest = largest.largest();
        let shift = V::splat(largest);
        let mut sum = V::splat(0.0);
        for x in self.logits.chunks_exact_mut(V::LANES) {
            // SAFETY: as above.
            unsafe {
                let y = V::load(x.as_ptr()).sub(shift).exp();
                y.store(x.as_mut_ptr());
                sum = sum.add(y);
            }
        }
        let sum = sum.sum();
        if self.with_gradients {
            let factor = V::splat(self.weight / sum);
            for x in self.logits.chunks_exact_mut(V::LANES) {
                // SAFETY: as above.
                unsafe { V::load(x.as_ptr()).mul(factor).store(x.as_mut_ptr()) };
            }
            self.logits[self.target] -= self.weight;
        }
        largest + sum.ln() - of_target
    }
}
