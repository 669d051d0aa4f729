//! What decoding remembers: the keys and values of the tokens so far.

use burn::tensor::{Int, Tensor, TensorData};

/// Keys and values of every layer for a batch of sequences of equal length.
///
/// The tensors are allocated ahead in doubling steps, so that a step writes one position instead
/// of copying what is there.
#[derive(Clone, Debug)]
pub struct Cache {
    pub(crate) layers: Vec<LayerCache>,
    pub(crate) batch: usize,
    pub(crate) len: usize,
}

/// Keys (normalised and rotated) and values of one layer. Keys lie as attention multiplies with them, position by position for
/// each number of a head, so that a step need not transpose all that is held.
#[derive(Clone, Debug)]
pub(crate) struct LayerCache {
    /// `[batch · kv_heads · head_dim, capacity]`.
    keys: Tensor<2>,
    /// `[batch, capacity, kv_heads, head_dim]`.
    values: Tensor<4>,
}

impl Cache {
    /// Number of positions that every row has taken.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no position has been taken yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of rows.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Keeps these rows, in this order, and forgets the others.
    ///
    /// # Panics
    /// If a row is not one of the batch's.
    pub fn keep(&mut self, rows: &[usize]) {
        assert!(rows.iter().all(|&r| r < self.batch), "a kept row lies outside the batch of {}", self.batch);
        self.batch = rows.len();
        let index: Vec<i64> = rows.iter().map(|&r| r as i64).collect();
        for layer in &mut self.layers {
            let device = layer.keys.device();
            let index = Tensor::<1, Int>::from_data(TensorData::new(index.clone(), [rows.len()]), &device);
            let [batch, capacity, heads, width] = layer.values.dims();
            let keys = layer.keys.clone().reshape([batch, heads * width, capacity]);
            layer.keys = keys.select(0, index.clone()).reshape([rows.len() * heads * width, capacity]);
            layer.values = layer.values.clone().select(0, index);
        }
    }
}

impl LayerCache {
    /// Room for `[batch, capacity, kv_heads, head_dim]`.
    pub(crate) fn empty(shape: [usize; 4], device: &burn::tensor::Device) -> Self {
        let [batch, capacity, heads, width] = shape;
        let keys = Tensor::zeros([batch * heads * width, capacity], device);
        LayerCache { keys, values: Tensor::zeros(shape, device) }
    }

    /// Keys and values of the first `positions` positions: `[batch, positions, kv_heads, head_dim]` each.
    pub(crate) fn seen(&self, positions: usize) -> (Tensor<4>, Tensor<4>) {
        let [batch, capacity, heads, width] = self.values.dims();
        let keys = self.keys.clone().reshape([batch, heads, width, capacity]);
        let keys = keys.narrow(3, 0, positions).permute([0, 3, 1, 2]);
        (keys, self.values.clone().narrow(1, 0, positions))
    }

    /// Writes the keys and values of the positions from `at` on, `[batch, n, kv_heads, head_dim]` each.
    pub(crate) fn write(&mut self, at: usize, keys: Tensor<4>, values: Tensor<4>) {
        let [batch, capacity, heads, width] = self.values.dims();
        let n = keys.dims()[1];
        let mut room = capacity;
        while room < at + n {
            room *= 2;
        }
        if room > capacity {
            let mut larger = LayerCache::empty([batch, room, heads, width], &self.values.device());
            let rows = 0..batch * heads * width;
            larger.keys.inplace(|to| to.slice_assign([rows, 0..capacity], self.keys.clone()));
            let positions = [0..batch, 0..capacity, 0..heads, 0..width];
            larger.values.inplace(|to| to.slice_assign(positions, self.values.clone()));
            *self = larger;
        }
        let keys = keys.permute([0, 2, 3, 1]).reshape([batch * heads * width, n]);
        self.keys.inplace(|held| held.slice_assign([0..batch * heads * width, at..at + n], keys));
        let positions = [0..batch, at..at + n, 0..heads, 0..width];
        self.values.inplace(|held| held.slice_assign(positions, values));
    }
}
