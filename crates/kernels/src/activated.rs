//! A linear layer of an activation on the CPU, `y = φ(x) W + residual`, some rows at a time: what lies between the two stays in
//! the cache of the processor that computes it.

use crate::gating::{Activation, activate, activate_backward};
use crate::matmul::{MANY_ROWS, Matrix, matmul};
use crate::packed::Packed;
use crate::parallel::{for_each_job, with_room, written_by};
use crate::precision::Precision;
use crate::product::Plus;

/// Rows of a job: a multiple of any tile, few enough for the second cache.
const ROWS: usize = 96;

/// `weight`: `[in, out]`, `x`: `[rows, in]`, twice as wide for SwiGLU, `residual`: `[rows, out]`. Returns `[rows, out]`.
pub(crate) fn forward(
    x: &[f32],
    activation: Activation,
    weight: Matrix<'_>,
    residual: &[f32],
    precision: Precision,
) -> Vec<f32> {
    let Matrix { rows: inputs, columns: outputs, .. } = weight;
    let rows = residual.len() / outputs;
    assert_eq!(x.len(), rows * activation.width(inputs));
    if rows < MANY_ROWS {
        let mut activated = vec![0.0; rows * inputs];
        activate(x, activation, inputs, &mut activated);
        return matmul(Matrix::by_rows(&activated, inputs), weight, Some(residual), precision);
    }
    Packed::once(weight, precision, |weight| {
        // SAFETY: the jobs' rows cover the result.
        unsafe {
            written_by(rows * outputs, |y| {
                for_each_job(rows.div_ceil(ROWS), |job| {
                    let (first, rows) = (job * ROWS, ROWS.min(rows - job * ROWS));
                    let width = activation.width(inputs);
                    with_room(rows * inputs, |activated| {
                        activate(&x[first * width..][..rows * width], activation, inputs, activated);
                        let activated = Matrix::by_rows(activated, inputs);
                        let plus = Plus::Other(residual[first * outputs..].as_ptr());
                        let y = y.range(first * outputs, rows * outputs);
                        weight.multiply_into(activated, 0, outputs, plus, y.as_mut_ptr(), outputs);
                    });
                });
            })
        }
    })
}

/// The gradient of `x` for `d_y`, and the activation, of which the gradient of the weight is made.
pub(crate) fn d_input(
    d_y: &[f32],
    x: &[f32],
    activation: Activation,
    weight: Matrix<'_>,
    precision: Precision,
) -> (Vec<f32>, Vec<f32>) {
    let Matrix { rows: inputs, columns: outputs, .. } = weight;
    let (rows, width) = (d_y.len() / outputs, activation.width(inputs));
    assert_eq!(x.len(), rows * width);
    Packed::once(weight.transposed(), precision, |weight| {
        let mut activated = Vec::new();
        // SAFETY: the jobs' rows cover both results.
        let d_x = unsafe {
            written_by(rows * width, |d_x| {
                activated = written_by(rows * inputs, |activated| {
                    for_each_job(rows.div_ceil(ROWS), |job| {
                        let (first, rows) = (job * ROWS, ROWS.min(rows - job * ROWS));
                        with_room(rows * inputs, |d_activated| {
                            let d_y = Matrix::by_rows(&d_y[first * outputs..][..rows * outputs], outputs);
                            let to = d_activated.as_mut_ptr();
                            weight.multiply_into(d_y, 0, inputs, Plus::Nothing, to, inputs);
                            activate_backward(
                                &x[first * width..][..rows * width],
                                activation,
                                inputs,
                                d_activated,
                                d_x.range(first * width, rows * width),
                                activated.range(first * inputs, rows * inputs),
                            );
                        });
                    });
                });
            })
        };
        (d_x, activated)
    })
}
