//! What decoding holds: the keys and values of the tokens so far, and the weights as it multiplies with them.

use burn::tensor::{Device, Tensor};
use groundwork_kernels::{CACHE_PANEL, ReadyWeight};

/// First allocation of a cache, in positions.
const FIRST_CAPACITY: usize = 64;

/// Keys and values of every layer for rows that decode side by side, each as far as it has come.
///
/// The tensors are allocated ahead in doubling steps, so that a step writes its own positions instead of copying what
/// is there. All rows have room for as much as the longest needs.
#[derive(Clone, Debug)]
pub struct Cache {
    pub(crate) layers: Vec<LayerCache>,
    /// How many positions each row holds.
    pub(crate) lengths: Vec<usize>,
    /// The output head, made ready.
    pub(crate) head: ReadyWeight,
    capacity: usize,
}

/// Keys (normalised and rotated), values and weights of one layer, as [`groundwork_kernels::cached_attention`] takes them.
#[derive(Clone, Debug)]
pub(crate) struct LayerCache {
    /// `[rows, kv_heads, capacity, head_dim]`, like `values`.
    pub(crate) keys: Tensor<4>,
    /// See `keys`.
    pub(crate) values: Tensor<4>,
    /// The layer's matrices, made ready.
    pub(crate) weights: [ReadyWeight; 4],
}

impl Cache {
    /// An empty cache of `rows` rows, for as many layers as there are weights.
    pub(crate) fn empty(
        rows: usize,
        [kv_heads, head_dim]: [usize; 2],
        weights: Vec<[ReadyWeight; 4]>,
        head: ReadyWeight,
        device: &Device,
    ) -> Cache {
        let empty = || Tensor::zeros([rows, kv_heads, FIRST_CAPACITY, head_dim], device);
        let layers = weights.into_iter();
        let layers = layers.map(|weights| LayerCache { keys: empty(), values: empty(), weights }).collect();
        Cache { layers, lengths: vec![0; rows], head, capacity: FIRST_CAPACITY }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.lengths.len()
    }

    /// How many tokens a row has taken.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn len(&self, row: usize) -> usize {
        self.lengths[row]
    }

    /// Whether no row has taken a token.
    pub fn is_empty(&self) -> bool {
        self.lengths.iter().all(|&len| len == 0)
    }

    /// Forgets all that a row has taken but its first tokens, and returns how many those are: at most `len`, and a multiple of
    /// [`CACHE_PANEL`] where something is forgotten. Nothing moves: another sequence that begins with the same tokens goes on from
    /// there.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn truncate(&mut self, row: usize, len: usize) -> usize {
        if len < self.lengths[row] {
            self.lengths[row] = len / CACHE_PANEL * CACHE_PANEL;
        }
        self.lengths[row]
    }

    /// Makes room for `positions` in every row.
    pub(crate) fn reserve(&mut self, positions: usize) {
        let (held, mut room) = (self.capacity, self.capacity);
        while room < positions {
            room *= 2;
        }
        if room == held {
            return;
        }
        for layer in &mut self.layers {
            for tensor in [&mut layer.keys, &mut layer.values] {
                let [rows, heads, _, width] = tensor.dims();
                let all = [0..rows, 0..heads, 0..held, 0..width];
                let larger = Tensor::zeros([rows, heads, room, width], &tensor.device());
                tensor.inplace(|old| larger.slice_assign(all, old));
            }
        }
        self.capacity = room;
    }
}
