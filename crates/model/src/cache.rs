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

/// Keys (normalised and rotated) and values of one layer: `[batch, capacity, kv_heads, head_dim]`.
#[derive(Clone, Debug)]
pub(crate) struct LayerCache {
    pub keys: Tensor<4>,
    pub values: Tensor<4>,
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
            layer.keys = layer.keys.clone().select(0, index.clone());
            layer.values = layer.values.clone().select(0, index);
        }
    }
}

impl LayerCache {
    pub(crate) fn empty(shape: [usize; 4], device: &burn::tensor::Device) -> Self {
        LayerCache { keys: Tensor::zeros(shape, device), values: Tensor::zeros(shape, device) }
    }

    /// Keys and values of the first `positions` positions: `[batch, positions, kv_heads, head_dim]` each.
    pub(crate) fn seen(&self, positions: usize) -> (Tensor<4>, Tensor<4>) {
        (self.keys.clone().narrow(1, 0, positions), self.values.clone().narrow(1, 0, positions))
    }

    /// Writes the keys and values of the positions from `at` on, `[batch, n, kv_heads, head_dim]` each.
    pub(crate) fn write(&mut self, at: usize, keys: Tensor<4>, values: Tensor<4>) {
        let [batch, capacity, heads, width] = self.keys.dims();
        let end = at + keys.dims()[1];
        let positions = [0..batch, at..end, 0..heads, 0..width];
        let mut room = capacity;
        while room < end {
            room *= 2;
        }
        let write = |held: &mut Tensor<4>, new: Tensor<4>| {
            held.inplace(|held| {
                let held = if room > capacity {
                    let more = Tensor::zeros([batch, room - capacity, heads, width], &held.device());
                    Tensor::cat(vec![held, more], 1)
                } else {
                    held
                };
                held.slice_assign(positions.clone(), new)
            });
        };
        write(&mut self.keys, keys);
        write(&mut self.values, values);
    }
}
