//! Rows of a table by number, and the sums that come back, on the CPU.

use crate::parallel::{SharedMut, for_each_job, written_by};

/// Rows of the table a job, on the way back.
const ROWS: usize = 256;
/// Positions a job, on the way there.
const POSITIONS: usize = 512;

/// `table`: `[rows, dimension]`; returns `[ids.len(), dimension]`.
pub(crate) fn gather(table: &[f32], dimension: usize, ids: &[usize]) -> Vec<f32> {
    // SAFETY: every position of every job is written, and belongs to one job.
    unsafe {
        written_by(ids.len() * dimension, |out| {
            for_each_job(ids.len().div_ceil(POSITIONS), |job| {
                let first = job * POSITIONS;
                let ids = &ids[first..ids.len().min(first + POSITIONS)];
                for (position, &id) in ids.iter().enumerate() {
                    let row = &table[id * dimension..(id + 1) * dimension];
                    out.range((first + position) * dimension, dimension).copy_from_slice(row);
                }
            });
        })
    }
}

/// The gradient of the table, `[rows, dimension]`: each row is the sum of its positions' gradients, in their order.
pub(crate) fn scatter(d_out: &[f32], dimension: usize, ids: &[usize], rows: usize) -> Vec<f32> {
    let mut d_table = vec![0.0; rows * dimension];
    let shared = SharedMut::new(&mut d_table);
    for_each_job(rows.div_ceil(ROWS), |job| {
        let own = job * ROWS..rows.min((job + 1) * ROWS);
        for (&id, d_out) in ids.iter().zip(d_out.chunks_exact(dimension)) {
            if own.contains(&id) {
                // SAFETY: each job has rows of the table of its own.
                let row = unsafe { shared.range(id * dimension, dimension) };
                row.iter_mut().zip(d_out).for_each(|(sum, d_out)| *sum += d_out);
            }
        }
    });
    d_table
}
