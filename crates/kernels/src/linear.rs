//! A linear layer on the CPU: `y = x W + residual`, `dx = dy Wᵀ`, `dW = xᵀ dy`.
//!
//! Nothing is transposed or copied beforehand, and the residual is added while the product is written.

use crate::matmul::{Matrix, matmul, matmul_packed};
use crate::packed::Packed;
use crate::precision::Precision;

/// `x`: `[rows, in]`, `weight`: `[in, out]`, `residual`: `[rows, out]`. Returns `[rows, out]`.
pub(crate) fn forward(
    x: &[f32],
    weight: &[f32],
    sizes: [usize; 2],
    residual: Option<&[f32]>,
    precision: Precision,
) -> Vec<f32> {
    let [inputs, outputs] = sizes;
    matmul(Matrix::by_rows(x, inputs), Matrix::by_rows(weight, outputs), residual, precision)
}

/// [`forward`] by a weight that was packed beforehand.
pub(crate) fn forward_packed(x: &[f32], weight: &Packed, residual: Option<&[f32]>) -> Vec<f32> {
    matmul_packed(Matrix::by_rows(x, weight.rows()), weight, residual)
}

/// The gradient of `x`.
pub(crate) fn d_input(d_y: &[f32], weight: &[f32], outputs: usize, precision: Precision) -> Vec<f32> {
    matmul(Matrix::by_rows(d_y, outputs), Matrix::by_rows(weight, outputs).transposed(), None, precision)
}

/// The gradient of `weight`.
pub(crate) fn d_weight(x: &[f32], d_y: &[f32], sizes: [usize; 2], precision: Precision) -> Vec<f32> {
    let [inputs, outputs] = sizes;
    matmul(Matrix::by_rows(x, inputs).transposed(), Matrix::by_rows(d_y, outputs), None, precision)
}
