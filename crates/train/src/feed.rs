//! Which rows every step trains on.

use groundwork_corpus::{Row, Shards};
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

use crate::TrainError;

/// The order of a corpus's rows: a new permutation every epoch, a function of the seed alone, so
/// that a resumed run needs nothing but its step.
pub(crate) struct Feed {
    shards: Shards,
    seed: u64,
    epoch: Option<(u64, Vec<u32>)>,
}

impl Feed {
    pub(crate) fn new(shards: Shards, seed: u64) -> Self {
        Feed { shards, seed, epoch: None }
    }

    fn permutation(&self, epoch: u64) -> Vec<u32> {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&epoch.to_le_bytes());
        key[16] = 3;
        let mut rng = Pcg64::from_seed(key);
        let rows = u32::try_from(self.shards.len()).expect("a corpus has fewer than 2³² rows");
        let mut order: Vec<u32> = (0..rows).collect();
        for i in (1..order.len()).rev() {
            let j = ((u128::from(rng.next_u64()) * (i as u128 + 1)) >> 64) as usize;
            order.swap(i, j);
        }
        order
    }

    /// The rows of a step and a number for each that no other visit of a row has.
    pub(crate) fn rows(&mut self, step: u64, batch: usize) -> Result<(Vec<Row>, Vec<u64>), TrainError> {
        let n = self.shards.len() as u64;
        let mut rows = Vec::with_capacity(batch);
        let mut keys = Vec::with_capacity(batch);
        for visit in step * batch as u64..(step + 1) * batch as u64 {
            let epoch = visit / n;
            if self.epoch.as_ref().is_none_or(|(e, _)| *e != epoch) {
                self.epoch = Some((epoch, self.permutation(epoch)));
            }
            let order = &self.epoch.as_ref().expect("set above").1;
            rows.push(self.shards.row(order[(visit % n) as usize] as usize)?);
            keys.push(visit);
        }
        Ok((rows, keys))
    }
}
