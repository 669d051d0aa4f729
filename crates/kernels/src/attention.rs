//! Fused causal attention on the CPU, forward and backward.
//!
//! One job is one key head of one row of the batch, with all query heads that share it; jobs run in parallel and
//! write to places of their own, and within a job everything happens in a fixed order. Queries are taken in groups
//! of some rows. For a group only the keys between the first and the last one that any of its rows may see are
//! touched, in chunks, so nothing as large as sequence × sequence ever exists.
//!
//! Forward (online softmax over chunks of keys): Milakov & Gimelshein 2018; Rabe & Staats 2021; backward from `lse`
//! alone: Dao et al., FlashAttention, 2022, with `dS = P ∘ (dP + δ)`, `δ_i = ∂/∂lse_i - do_i·o_i`.

use std::borrow::Cow;
use std::ops::Range;

use crate::allowed::Allowed;
use crate::parallel::{SharedMut, for_each_job, with_vector, written_by};
use crate::product::{Plus, Product};
use crate::simd::{Kernel, MAX_LANES, Vector, dispatch};

/// A tensor `[batch, sequence, heads, head_dim]` whose last dimension is contiguous.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a> {
    /// The storage from the first element on.
    pub data: &'a [f32],
    /// Distances between rows of the batch, positions, and heads.
    pub strides: [usize; 3],
}

impl Heads<'_> {
    fn row(&self, batch: usize, position: usize, head: usize, head_dim: usize) -> &[f32] {
        let start = batch * self.strides[0] + position * self.strides[1] + head * self.strides[2];
        &self.data[start..start + head_dim]
    }
}

/// Keys as they lie.
#[derive(Clone, Copy)]
pub(crate) enum Keys<'a> {
    /// A head's numbers follow one another.
    Rows(Heads<'a>),
    /// Those of the one head of the one row that the job is for, as a cache holds them: whole panels of positions as
    /// `[head_dim, KEY_PANEL]`, so that nothing need be transposed, and the positions after them as `[positions, head_dim]`. There is
    /// room for a whole panel.
    Held(&'a [f32]),
}

/// Positions of a panel of keys in a cache: two of the widest vectors.
pub(crate) const KEY_PANEL: usize = 2 * MAX_LANES;

/// The sizes of one call.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// Rows of the batch.
    pub batch: usize,
    /// Positions of queries; they are the last ones of the keys' positions.
    pub queries: usize,
    /// Positions of keys.
    pub keys: usize,
    /// Query heads.
    pub heads: usize,
    /// Key heads; divides `heads`.
    pub kv_heads: usize,
    /// Numbers a head.
    pub head_dim: usize,
}

impl Sizes {
    fn scale(&self) -> f32 {
        (1.0 / (self.head_dim as f64).sqrt()) as f32
    }
    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }
}

/// Where a result `[batch, sequence, heads, head_dim]` goes; its heads lie side by side.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// All that is written.
    pub to: &'a SharedMut<'a>,
    /// Its first element.
    pub first: usize,
    /// Positions of a row of the batch.
    pub sequence: usize,
    /// Distance between positions.
    pub position: usize,
    /// Numbers a head.
    pub head_dim: usize,
}

impl<'a> Place<'a> {
    /// All of `to`.
    fn all(to: &'a SharedMut<'a>, sequence: usize, heads: usize, head_dim: usize) -> Self {
        Place { to, first: 0, sequence, position: heads * head_dim, head_dim }
    }

    /// # Safety
    /// No two jobs may use the same head of the same position.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "a part of `SharedMut`; the caller keeps the parts apart")]
    unsafe fn row(&self, batch: usize, position: usize, head: usize) -> &mut [f32] {
        let at = self.first + (batch * self.sequence + position) * self.position + head * self.head_dim;
        // SAFETY: passed on to the caller.
        unsafe { self.to.range(at, self.head_dim) }
    }
}

/// Keys taken at once. Sums over keys are cut here, counted from the first key.
const CHUNK: usize = 512;
/// Distance between rows of scores: not a power of two, so that columns do not fall into one set of the cache.
const SCORE_ROW: usize = CHUNK + 16;
/// Query rows taken at once, forward and backward: enough that a panel of keys is used often while it is in the
/// first cache, few enough that little is computed beyond the causal edge.
const ROWS: usize = 12;
const ROWS_BACKWARD: usize = 24;

/// The gradients `(dq, dk, dv)`, contiguous.
pub(crate) type Gradients = (Vec<f32>, Vec<f32>, Vec<f32>);

/// Returns `o` `[batch, queries, heads, head_dim]` and `lse` `[batch, heads, queries]`.
pub(crate) fn forward(
    sizes: &Sizes,
    q: Heads<'_>,
    k: Keys<'_>,
    v: Heads<'_>,
    allowed: &Allowed,
) -> (Vec<f32>, Vec<f32>) {
    let mut lse = vec![0.0; sizes.batch * sizes.heads * sizes.queries];
    let lse_shared = SharedMut::new(&mut lse);
    // SAFETY: every head of every position is written, by the job of its key head.
    let o = unsafe {
        written_by(sizes.batch * sizes.queries * sizes.heads * sizes.head_dim, |o| {
            let o = Place::all(o, sizes.queries, sizes.heads, sizes.head_dim);
            for_each_job(sizes.batch * sizes.kv_heads, |job| {
                let (batch, kv_head) = (job / sizes.kv_heads, job % sizes.kv_heads);
                with_vector(|room| {
                    dispatch(Forward {
                        sizes,
                        batch,
                        kv_head,
                        q,
                        k,
                        v,
                        allowed,
                        o,
                        lse: Some(&lse_shared),
                        room,
                    });
                });
            });
        })
    };
    (o, lse)
}

/// `-do·o` for each query and head: `[batch, heads, queries]`.
pub(crate) fn delta(sizes: &Sizes, d_o: Heads<'_>, o: Heads<'_>) -> Vec<f32> {
    let Sizes { batch, queries, heads, .. } = *sizes;
    // SAFETY: each job writes the queries of its own head.
    unsafe {
        written_by(batch * heads * queries, |delta| {
            for_each_job(batch * heads, |job| {
                let (batch, head) = (job / heads, job % heads);
                let delta = delta.range(job * queries, queries);
                dispatch(Delta { sizes, batch, head, d_o, o, delta });
            });
        })
    }
}

struct Delta<'a> {
    sizes: &'a Sizes,
    batch: usize,
    head: usize,
    d_o: Heads<'a>,
    o: Heads<'a>,
    delta: &'a mut [f32],
}

impl Kernel for Delta<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let head_dim = self.sizes.head_dim;
        for (position, delta) in self.delta.iter_mut().enumerate() {
            let d_o = self.d_o.row(self.batch, position, self.head, head_dim);
            let o = self.o.row(self.batch, position, self.head, head_dim);
            let mut sum = V::splat(0.0);
            for i in (0..head_dim).step_by(V::LANES) {
                let left = head_dim - i;
                // SAFETY: `left` numbers are left in both rows.
                unsafe {
                    let d_o = V::load_up_to(d_o.as_ptr().add(i), left);
                    sum = d_o.mul_add(V::load_up_to(o.as_ptr().add(i), left), sum);
                }
            }
            *delta = -sum.sum();
        }
    }
}

/// What a backward pass is given.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    /// The sizes.
    pub sizes: &'a Sizes,
    /// The operands of the forward pass.
    pub qkv: [Heads<'a>; 3],
    /// The mask.
    pub allowed: &'a Allowed,
    /// `[batch, heads, queries]`, from the forward pass.
    pub lse: &'a [f32],
    /// The gradient of `o`, if the loss depends on it.
    pub d_o: Option<Heads<'a>>,
    /// `[batch, heads, queries]`: the gradient of `lse` minus `do·o`.
    pub delta: &'a [f32],
}

/// Returns the gradients of `q`, `k` and `v`.
pub(crate) fn backward(given: Given<'_>) -> Gradients {
    let Sizes { batch, queries, keys, heads, kv_heads, head_dim } = *given.sizes;
    let (mut dk, mut dv) = (Vec::new(), Vec::new());
    let of_keys = batch * keys * kv_heads * head_dim;
    // SAFETY: every head of every position is written, by the job of its key head.
    let dq = unsafe {
        written_by(batch * queries * heads * head_dim, |dq| {
            dk = written_by(of_keys, |dk| {
                dv = written_by(of_keys, |dv| {
                    let dq = Place::all(dq, queries, heads, head_dim);
                    let [dk, dv] = [dk, dv].map(|to| Place::all(to, keys, kv_heads, head_dim));
                    backward_into(given, dq, dk, dv);
                });
            });
        })
    };
    (dq, dk, dv)
}

/// Returns the gradients of `q`, `k` and `v` side by side: `[batch, sequence, heads + 2 kv_heads, head_dim]`.
pub(crate) fn backward_packed(given: Given<'_>) -> Vec<f32> {
    let Sizes { batch, queries, heads, kv_heads, head_dim, .. } = *given.sizes;
    let position = (heads + 2 * kv_heads) * head_dim;
    // SAFETY: every head of every position is written, by the job of its key head.
    unsafe {
        written_by(batch * queries * position, |to| {
            let from = |head| Place { to, first: head * head_dim, sequence: queries, position, head_dim };
            backward_into(given, from(0), from(heads), from(heads + kv_heads));
        })
    }
}

fn backward_into(given: Given<'_>, dq: Place<'_>, dk: Place<'_>, dv: Place<'_>) {
    let kv_heads = given.sizes.kv_heads;
    for_each_job(given.sizes.batch * kv_heads, |job| {
        let (batch, kv_head) = (job / kv_heads, job % kv_heads);
        dispatch(Backward { given, batch, kv_head, dq, dk, dv });
    });
}

/// One job of the forward pass: a key head of a row of the batch, with the query heads that share it.
pub(crate) struct Forward<'a> {
    /// The sizes of all jobs.
    pub sizes: &'a Sizes,
    /// The row of the batch.
    pub batch: usize,
    /// The key head.
    pub kv_head: usize,
    /// Queries, keys and values of all jobs.
    pub q: Heads<'a>,
    /// See `q`.
    pub k: Keys<'a>,
    /// See `q`.
    pub v: Heads<'a>,
    /// The mask.
    pub allowed: &'a Allowed,
    /// Where `o` goes.
    pub o: Place<'a>,
    /// Where `lse`, `[batch, heads, queries]`, goes, if it is wanted.
    pub lse: Option<&'a SharedMut<'a>>,
    /// Room to work in.
    pub room: &'a mut Vec<f32>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Sizes { queries, keys, heads, head_dim, .. } = *self.sizes;
        let panel = 2 * V::LANES;
        let width = head_dim.next_multiple_of(V::LANES);
        let first_query = keys - queries;
        // Decoding with a window, or late in a row of documents, sees few of the keys that the cache holds.
        let visible = self.allowed.chunks(self.batch, first_query..keys, CHUNK, panel).next();
        let seen = visible.map_or(0, |(low, _)| low);
        let packed_from = match self.k {
            Keys::Rows(_) => seen,
            Keys::Held(_) => keys / KEY_PANEL * KEY_PANEL,
        };
        let to_pack = match self.k {
            Keys::Rows(_) => packed_from..keys,
            // Numbers of nobody beyond the last key are masked like keys to come.
            Keys::Held(_) => packed_from..keys.next_multiple_of(V::LANES),
        };
        let most = ROWS.min(queries);
        let lengths = [
            most * SCORE_ROW,
            most * head_dim,
            most * width,
            to_pack.len().next_multiple_of(panel) * head_dim,
        ];
        let needed = lengths.iter().sum();
        if self.room.len() < needed {
            self.room.resize(needed, 0.0);
        }
        let (scores, room) = self.room.split_at_mut(lengths[0]);
        let (q_rows, room) = room.split_at_mut(lengths[1]);
        let (o_rows, room) = room.split_at_mut(lengths[2]);
        let packed = &mut room[..lengths[3]];
        match self.k {
            Keys::Rows(k) => pack_panels_to::<V>(packed, k, [self.batch, self.kv_head], head_dim, to_pack),
            Keys::Held(held) => {
                let k = Heads { data: held, strides: [0, head_dim, 0] };
                pack_panels_to::<V>(packed, k, [0, 0], head_dim, to_pack);
            }
        }
        let v_rows = Rows::of::<V>(self.v, self.batch, self.kv_head, head_dim, seen..keys);
        for head in self.kv_head * self.sizes.group()..(self.kv_head + 1) * self.sizes.group() {
            for start in (0..queries).step_by(ROWS) {
                let rows = ROWS.min(queries - start);
                for r in 0..rows {
                    let q = self.q.row(self.batch, start + r, head, head_dim);
                    scaled_copy(&mut q_rows[r * head_dim..(r + 1) * head_dim], q, self.sizes.scale());
                }
                let mut largest = [f32::NEG_INFINITY; ROWS];
                let mut sums = [0.0; ROWS];
                o_rows.fill(0.0);
                let positions = first_query + start..first_query + start + rows;
                for (low, high) in self.allowed.chunks(self.batch, positions.clone(), CHUNK, panel) {
                    let mut from = low;
                    while from < high {
                        let (columns, b, b_row, b_panel) = match self.k {
                            _ if from >= packed_from => (
                                high - from,
                                &packed[(from - packed_from) * head_dim..],
                                panel,
                                panel * head_dim,
                            ),
                            Keys::Rows(_) => unreachable!("all that is seen is packed"),
                            Keys::Held(keys) => {
                                let (index, within) = (from / KEY_PANEL, from % KEY_PANEL);
                                let columns = (KEY_PANEL - within).min(high - from);
                                (columns, &keys[index * KEY_PANEL * head_dim + within..], KEY_PANEL, panel)
                            }
                        };
                        // SAFETY: `q_rows` has `rows` rows; `b` holds the keys up to the next multiple of a panel after
                        // `keys`, which bounds `high`; a row of `scores` holds a chunk.
                        unsafe {
                            V::product(&Product {
                                rows,
                                columns,
                                depth: head_dim,
                                a: q_rows.as_ptr(),
                                a_row: head_dim,
                                a_column: 1,
                                b: b.as_ptr(),
                                b_row,
                                b_panel,
                                c: scores.as_mut_ptr().add(from - low),
                                c_row: SCORE_ROW,
                                plus: Plus::Nothing,
                            });
                        }
                        from += columns;
                    }
                    for r in 0..rows {
                        let scores = &mut scores[r * SCORE_ROW..r * SCORE_ROW + high - low];
                        self.allowed.mask(self.batch, positions.start + r, low, scores, f32::NEG_INFINITY);
                        let chunk_largest = largest_of::<V>(scores);
                        if chunk_largest == f32::NEG_INFINITY {
                            scores.fill(0.0);
                            continue;
                        }
                        // Not `f32::max`, which would drop a NaN.
                        let new = if largest[r] > chunk_largest { largest[r] } else { chunk_largest };
                        let sum = exp_minus::<V>(scores, new);
                        if new > largest[r] && largest[r] > f32::NEG_INFINITY {
                            let factor = (largest[r] - new).exp();
                            sums[r] *= factor;
                            o_rows[r * width..(r + 1) * width].iter_mut().for_each(|o| *o *= factor);
                        }
                        largest[r] = new;
                        sums[r] += sum;
                    }
                    // Beyond the last key the scores are nought, and there is no row of `v` to multiply them with.
                    let depth = high.min(keys) - low;
                    // SAFETY: `v_rows` has a row of `width` for each key from `seen` to `keys`; the others as above.
                    unsafe {
                        V::product(&Product {
                            rows,
                            columns: width,
                            depth,
                            a: scores.as_ptr(),
                            a_row: SCORE_ROW,
                            a_column: 1,
                            b: v_rows.from(low - seen),
                            b_row: v_rows.stride,
                            b_panel: panel,
                            c: o_rows.as_mut_ptr(),
                            c_row: width,
                            plus: Plus::Result,
                        });
                    }
                }
                for r in 0..rows {
                    // SAFETY: this job alone writes the rows of its heads.
                    let o = unsafe { self.o.row(self.batch, start + r, head) };
                    scaled_copy(o, &o_rows[r * width..r * width + head_dim], 1.0 / sums[r]);
                    if let Some(lse) = self.lse {
                        let at = (self.batch * heads + head) * queries + start + r;
                        // SAFETY: likewise.
                        unsafe { lse.range(at, 1)[0] = largest[r] + sums[r].ln() };
                    }
                }
            }
        }
    }
}

struct Backward<'a> {
    given: Given<'a>,
    batch: usize,
    kv_head: usize,
    dq: Place<'a>,
    dk: Place<'a>,
    dv: Place<'a>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let Given { sizes, qkv: [q, k, v], allowed, lse, d_o, delta } = self.given;
        let Sizes { queries, keys, heads, head_dim, .. } = *sizes;
        let panel = 2 * V::LANES;
        let width = head_dim.next_multiple_of(V::LANES);
        let first_query = keys - queries;
        let scale = sizes.scale();
        let k_panels = pack_panels::<V>(k, self.batch, self.kv_head, head_dim, 0..keys);
        let v_panels = pack_panels::<V>(v, self.batch, self.kv_head, head_dim, 0..keys);
        let k_rows = Rows::of::<V>(k, self.batch, self.kv_head, head_dim, 0..keys);
        let mut dk_rows = vec![0.0; keys * width];
        let mut dv_rows = vec![0.0; keys * width];
        let mut p = vec![0.0; ROWS_BACKWARD * SCORE_ROW];
        let mut ds = vec![0.0; ROWS_BACKWARD * SCORE_ROW];
        let mut q_rows = vec![0.0; ROWS_BACKWARD * width];
        let mut do_rows = vec![0.0; ROWS_BACKWARD * width];
        let mut dq_rows = vec![0.0; ROWS_BACKWARD * width];
        for head in self.kv_head * sizes.group()..(self.kv_head + 1) * sizes.group() {
            for start in (0..queries).step_by(ROWS_BACKWARD) {
                let rows = ROWS_BACKWARD.min(queries - start);
                for r in 0..rows {
                    let q = q.row(self.batch, start + r, head, head_dim);
                    scaled_copy(&mut q_rows[r * width..r * width + head_dim], q, scale);
                    if let Some(d_o) = d_o {
                        let d_o = d_o.row(self.batch, start + r, head, head_dim);
                        do_rows[r * width..r * width + head_dim].copy_from_slice(d_o);
                    }
                }
                dq_rows.fill(0.0);
                let of_rows = (self.batch * heads + head) * queries + start;
                let positions = first_query + start..first_query + start + rows;
                for (low, high) in allowed.chunks(self.batch, positions.clone(), CHUNK, panel) {
                    let scores = |a: &[f32], b: &[f32], c: &mut [f32]| {
                        // SAFETY: `a` has `rows` rows of `width`; `b` holds the keys in panels, see the forward pass.
                        unsafe {
                            V::product(&Product {
                                rows,
                                columns: high - low,
                                depth: head_dim,
                                a: a.as_ptr(),
                                a_row: width,
                                a_column: 1,
                                b: b.as_ptr().add(low * head_dim),
                                b_row: panel,
                                b_panel: panel * head_dim,
                                c: c.as_mut_ptr(),
                                c_row: SCORE_ROW,
                                plus: Plus::Nothing,
                            });
                        }
                    };
                    scores(&q_rows, &k_panels, &mut p);
                    scores(&do_rows, &v_panels, &mut ds);
                    for r in 0..rows {
                        let p = &mut p[r * SCORE_ROW..r * SCORE_ROW + high - low];
                        let ds = &mut ds[r * SCORE_ROW..r * SCORE_ROW + high - low];
                        allowed.mask(self.batch, positions.start + r, low, p, f32::NEG_INFINITY);
                        softmax_gradient::<V>(p, ds, lse[of_rows + r], delta[of_rows + r]);
                    }
                    let depth = high.min(keys) - low;
                    // SAFETY: `k_rows`, `dk_rows` and `dv_rows` have a row of `width` for each key below `keys`;
                    // `q_rows`, `do_rows` and `dq_rows` have `rows` rows; rows of `p` and `ds` hold a chunk.
                    unsafe {
                        V::product(&Product {
                            rows,
                            columns: width,
                            depth,
                            a: ds.as_ptr(),
                            a_row: SCORE_ROW,
                            a_column: 1,
                            b: k_rows.from(low),
                            b_row: k_rows.stride,
                            b_panel: panel,
                            c: dq_rows.as_mut_ptr(),
                            c_row: width,
                            plus: Plus::Result,
                        });
                        let of_keys = Product {
                            rows: depth,
                            columns: width,
                            depth: rows,
                            a: ds.as_ptr(),
                            a_row: 1,
                            a_column: SCORE_ROW,
                            b: q_rows.as_ptr(),
                            b_row: width,
                            b_panel: panel,
                            c: dk_rows.as_mut_ptr().add(low * width),
                            c_row: width,
                            plus: Plus::Result,
                        };
                        V::product(&of_keys);
                        if d_o.is_some() {
                            V::product(&Product {
                                a: p.as_ptr(),
                                b: do_rows.as_ptr(),
                                c: dv_rows.as_mut_ptr().add(low * width),
                                ..of_keys
                            });
                        }
                    }
                }
                for r in 0..rows {
                    // SAFETY: this job alone writes the rows of its heads.
                    let dq = unsafe { self.dq.row(self.batch, start + r, head) };
                    scaled_copy(dq, &dq_rows[r * width..r * width + head_dim], scale);
                }
            }
        }
        for position in 0..keys {
            let from = position * width..position * width + head_dim;
            // SAFETY: this job alone writes the rows of its key head.
            unsafe {
                self.dk.row(self.batch, position, self.kv_head).copy_from_slice(&dk_rows[from.clone()]);
                self.dv.row(self.batch, position, self.kv_head).copy_from_slice(&dv_rows[from]);
            }
        }
    }
}

#[inline(always)]
fn scaled_copy(to: &mut [f32], from: &[f32], factor: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from * factor;
    }
}

/// One head of positions `range` as `[keys / panel][head_dim][panel]`, nought beyond the last key. The first position is a
/// multiple of the panel's width, which is that of two vectors.
#[inline(always)]
fn pack_panels<V: Vector>(
    x: Heads<'_>,
    batch: usize,
    head: usize,
    head_dim: usize,
    range: Range<usize>,
) -> Vec<f32> {
    let mut out = vec![0.0; range.len().next_multiple_of(2 * V::LANES) * head_dim];
    pack_panels_to::<V>(&mut out, x, [batch, head], head_dim, range);
    out
}

/// The same into `out`; what is beyond the last key stays as it was.
#[inline(always)]
fn pack_panels_to<V: Vector>(
    out: &mut [f32],
    x: Heads<'_>,
    [batch, head]: [usize; 2],
    head_dim: usize,
    range: Range<usize>,
) {
    let panel = 2 * V::LANES;
    let squares = head_dim / V::LANES * V::LANES;
    for start in (0..range.len()).step_by(V::LANES) {
        let to = start / panel * panel * head_dim + start % panel;
        let positions = V::LANES.min(range.len() - start);
        let whole = if positions == V::LANES { squares } else { 0 };
        for column in (0..whole).step_by(V::LANES) {
            let from = &x.row(batch, range.start + start, head, head_dim)[column..];
            // SAFETY: `x` has LANES rows from this position on, with LANES columns from this one on; so has `out`.
            unsafe {
                let to = out.as_mut_ptr().add(to + column * panel);
                V::transpose(from.as_ptr(), x.strides[1], to, panel);
            }
        }
        for position in 0..positions {
            let row = x.row(batch, range.start + start + position, head, head_dim);
            for (column, &x) in row.iter().enumerate().skip(whole) {
                out[to + position + column * panel] = x;
            }
        }
    }
}

/// The rows of one head, each a whole number of vectors wide.
struct Rows<'a> {
    data: Cow<'a, [f32]>,
    /// Distance between positions.
    stride: usize,
}

impl<'a> Rows<'a> {
    /// Positions `range` of a head: where they lie, if its width is a whole number of vectors; otherwise a copy with noughts
    /// beyond `head_dim`.
    #[inline(always)]
    fn of<V: Vector>(x: Heads<'a>, batch: usize, head: usize, head_dim: usize, range: Range<usize>) -> Self {
        if head_dim.is_multiple_of(V::LANES) {
            let start = batch * x.strides[0] + range.start * x.strides[1] + head * x.strides[2];
            return Rows { data: Cow::Borrowed(&x.data[start..]), stride: x.strides[1] };
        }
        let width = head_dim.next_multiple_of(V::LANES);
        let mut out = vec![0.0; range.len() * width];
        for (position, out) in range.zip(out.chunks_exact_mut(width)) {
            out[..head_dim].copy_from_slice(x.row(batch, position, head, head_dim));
        }
        Rows { data: Cow::Owned(out), stride: width }
    }

    /// The row of a position, counted from the first.
    ///
    /// # Safety
    /// There must be such a row.
    #[inline(always)]
    unsafe fn from(&self, position: usize) -> *const f32 {
        // SAFETY: passed on to the caller.
        unsafe { self.data.as_ptr().add(position * self.stride) }
    }
}

/// The largest of `x`, whose length is a multiple of the lanes.
#[inline(always)]
fn largest_of<V: Vector>(x: &[f32]) -> f32 {
    let mut largest = V::splat(f32::NEG_INFINITY);
    for x in x.chunks_exact(V::LANES) {
        // SAFETY: a chunk has LANES numbers.
        largest = largest.max(unsafe { V::load(x.as_ptr()) });
    }
    largest.largest()
}

/// `x ← exp(x - m)`; returns the sum. The length is a multiple of the lanes.
#[inline(always)]
fn exp_minus<V: Vector>(x: &mut [f32], m: f32) -> f32 {
    let m = V::splat(m);
    let mut sum = V::splat(0.0);
    for x in x.chunks_exact_mut(V::LANES) {
        // SAFETY: a chunk has LANES numbers.
        unsafe {
            let y = V::load(x.as_ptr()).sub(m).exp();
            y.store(x.as_mut_ptr());
            sum = sum.add(y);
        }
    }
    sum.sum()
}

/// From scores and `dP`, in place: `P = exp(s - lse)` and `dS = P (dP + delta)`.
#[inline(always)]
fn softmax_gradient<V: Vector>(p: &mut [f32], ds: &mut [f32], lse: f32, delta: f32) {
    let (lse, delta) = (V::splat(lse), V::splat(delta));
    for (p, ds) in p.chunks_exact_mut(V::LANES).zip(ds.chunks_exact_mut(V::LANES)) {
        // SAFETY: the chunks have LANES numbers.
        unsafe {
            let probability = V::load(p.as_ptr()).sub(lse).exp();
            probability.store(p.as_mut_ptr());
            probability.mul(V::load(ds.as_ptr()).add(delta)).store(ds.as_mut_ptr());
        }
    }
}
