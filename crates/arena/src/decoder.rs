//! The decoder as a policy.

use burn::tensor::{Int, Tensor, TensorData};
use groundwork_model::{Cache, Decoder};

use crate::Policy;

/// Play with [`Decoder::inner`]'s weights: the step form has no gradient.
impl Policy for Decoder {
    type State = Cache;

    fn vocabulary(&self) -> usize {
        self.config().vocabulary
    }

    fn start(&self, rows: usize) -> Cache {
        self.cache(rows)
    }

    fn step(&self, advances: &[(usize, &[u32])], state: &mut Cache) -> Vec<f32> {
        floats(Decoder::step(self, advances, state))
    }

    fn follow(&self, advances: &[(usize, &[u32])], state: &mut Cache) -> Vec<f32> {
        floats(Decoder::follow(self, advances, state))
    }

    fn rewind(&self, state: &mut Cache, row: usize, len: usize) -> usize {
        state.truncate(row, len)
    }

    fn logits(&self, tokens: &[u32], documents: &[u32], rows: usize) -> Vec<f32> {
        let grid = |ids: &[u32]| {
            let ids: Vec<i64> = ids.iter().map(|&id| i64::from(id)).collect();
            let shape = [rows, ids.len() / rows];
            Tensor::<2, Int>::from_data(TensorData::new(ids, shape), &self.device())
        };
        floats(Decoder::logits(self, grid(tokens), Some(grid(documents))))
    }
}

fn floats<const D: usize>(logits: Tensor<D>) -> Vec<f32> {
    logits.try_into_vec_as::<f32>().expect("logits are floats")
}
