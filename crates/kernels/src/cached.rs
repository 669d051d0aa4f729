//! Attention for decoding on the CPU: rows of a cache side by side, each as far as it has come.
//!
//! One job is one key head of one row: it writes the new keys and values, and then attends over all that the row
//! holds, as [`crate::attention`] does, to the same bits.

use crate::allowed::Allowed;
use crate::attention::{Forward, Heads, KEY_PANEL, Keys, Place, Sizes};
use crate::parallel::{SharedMut, for_each_job, with_vector, written_by};
use crate::simd::dispatch;

/// Numbers of a page of memory, and how many of a job's pages are sent for beforehand: what the first cache holds.
const PAGE: usize = 1024;
const PAGES: usize = 16;

/// What a row of a cache takes in one step of decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advance {
    /// The row.
    pub row: usize,
    /// How many positions it holds already.
    pub held: usize,
    /// How many it takes now; at least 1.
    pub taken: usize,
}

/// The sizes of a cache's layer and of the heads that look into it.
#[derive(Clone, Copy)]
pub(crate) struct CacheSizes {
    /// Query heads.
    pub heads: usize,
    /// Key heads.
    pub kv_heads: usize,
    /// Numbers a head.
    pub head_dim: usize,
    /// Positions that a row has room for; a multiple of [`KEY_PANEL`].
    pub capacity: usize,
}

/// Writes the keys and values of `qkv`, `[taken, heads + 2 kv_heads, head_dim]`, into the cache, `[rows, kv_heads, capacity,
/// head_dim]` each, and returns `o`, `[taken, heads, head_dim]`. A panel of keys is transposed when it is full.
pub(crate) fn forward(
    qkv: &[f32],
    keys: &mut [f32],
    values: &mut [f32],
    sizes: CacheSizes,
    rows: &[Advance],
    window: Option<usize>,
) -> Vec<f32> {
    let CacheSizes { heads, kv_heads, head_dim, capacity } = sizes;
    let of_head = capacity * head_dim;
    let of_position = (heads + 2 * kv_heads) * head_dim;
    // The first new position of each row among all of them.
    let firsts: Vec<usize> =
        rows.iter().scan(0, |first, row| Some(std::mem::replace(first, *first + row.taken))).collect();
    let (held_keys, held_values) = (&SharedMut::new(keys), &SharedMut::new(values));
    // SAFETY: every query head of every position is written, by the job of its key head; a job has a head of a row of
    // the cache for itself, since no row stands twice in `rows`.
    unsafe {
        written_by(qkv.len() / of_position * heads * head_dim, |o| {
            for_each_job(rows.len() * kv_heads, |job| {
                let (index, kv_head) = (job / kv_heads, job % kv_heads);
                let (Advance { row, held, taken }, first) = (rows[index], firsts[index]);
                let place = (row * kv_heads + kv_head) * of_head;
                let keys = held_keys.range(place, of_head);
                let values = held_values.range(place, of_head);
                // What the next job reads comes from far away, and the processor does not look beyond a page by itself: the
                // beginnings of the pages are sent for while this job works.
                if let Some(&Advance { row, held, .. }) = rows.get((job + 1) / kv_heads) {
                    let next = (row * kv_heads + (job + 1) % kv_heads) * of_head;
                    let end = next + held * head_dim;
                    let seen = next + held.saturating_sub(window.unwrap_or(held)) * head_dim;
                    for start in (seen..end).step_by(PAGE).take(PAGES).chain([end]) {
                        held_keys.prefetch(start, 4);
                        held_values.prefetch(start, 4);
                    }
                }
                let new = &qkv[first * of_position..(first + taken) * of_position];
                for (position, new) in (held..).zip(new.chunks_exact(of_position)) {
                    let part = |head: usize| &new[head * head_dim..(head + 1) * head_dim];
                    let place = position * head_dim..(position + 1) * head_dim;
                    keys[place.clone()].copy_from_slice(part(heads + kv_head));
                    values[place].copy_from_slice(part(heads + kv_heads + kv_head));
                    if (position + 1).is_multiple_of(KEY_PANEL) {
                        transpose_panel(&mut keys[..(position + 1) * head_dim], head_dim);
                    }
                }
                with_vector(|room| {
                    dispatch(Forward {
                        sizes: &Sizes {
                            batch: 1,
                            queries: taken,
                            keys: held + taken,
                            heads,
                            kv_heads,
                            head_dim,
                        },
                        batch: 0,
                        kv_head,
                        q: Heads { data: new, strides: [0, of_position, head_dim] },
                        k: Keys::Held(keys),
                        v: Heads { data: values, strides: [0, head_dim, 0] },
                        allowed: &Allowed::new(held + taken, window, None),
                        o: Place {
                            to: o,
                            first: first * heads * head_dim,
                            sequence: taken,
                            position: heads * head_dim,
                            head_dim,
                        },
                        lse: None,
                        room,
                    })
                });
            });
        })
    }
}

/// The last panel of `keys` from `[KEY_PANEL, head_dim]` to `[head_dim, KEY_PANEL]`.
fn transpose_panel(keys: &mut [f32], head_dim: usize) {
    let start = keys.len() - KEY_PANEL * head_dim;
    let panel = &mut keys[start..];
    let rows = panel.to_vec();
    for (number, to) in panel.chunks_exact_mut(KEY_PANEL).enumerate() {
        to.iter_mut().zip(rows[number..].iter().step_by(head_dim)).for_each(|(to, &x)| *to = x);
    }
}
