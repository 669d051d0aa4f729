//! From one dial, the number of non-embedding parameters, to a shape.

/// Width and depth of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of layers.
    pub layers: usize,
    /// Width of an attention head.
    pub head_dim: usize,
}

/// Finds the shape whose non-embedding parameters, 12 · layers · d², come nearest to `parameters`.
///
/// The ratio of width to depth is steered towards 32 up to a million parameters, 64 from ten
/// million on and between the two in between (the shapes used in practice: 2 × 64 at 0.1M,
/// 6 × 384 at 10M, 12 × 768 at 85M, 26 × 1664 at 860M).
pub fn shape_for(parameters: u64) -> Shape {
    let n = parameters as f64;
    let ratio = 32.0 * 2f64.powf(((n / 1e6).log10()).clamp(0.0, 1.0));
    let mut best = (f64::INFINITY, Shape { d_model: 32, layers: 1, head_dim: 32 });
    for d_model in (32..=4096).step_by(32) {
        let head_dim = match d_model {
            0..384 => 32,
            384..768 => 64,
            _ => 128,
        };
        if d_model % head_dim != 0 {
            continue;
        }
        let d = d_model as f64;
        for layers in 1..=64 {
            let size = 12.0 * layers as f64 * d * d;
            let miss = 4.0 * (size / n).ln().abs() + (d / layers as f64 / ratio).ln().abs();
            if miss < best.0 {
                best = (miss, Shape { d_model, layers, head_dim });
            }
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dial_reaches_every_size() {
        for (n, d_model, layers) in [
            (100_000, 64, 2),
            (330_000, 96, 3),
            (1_000_000, 128, 5),
            (10_600_000, 384, 6),
            (85_000_000, 768, 12),
        ] {
            let s = shape_for(n);
            assert_eq!((s.d_model, s.layers), (d_model, layers), "{n}");
        }
        let mut n = 100_000u64;
        while n <= 1_000_000_000 {
            let s = shape_for(n);
            let size = 12 * s.layers as u64 * (s.d_model as u64).pow(2);
            let off = (size as f64 / n as f64).ln().abs();
            assert!(off < 0.25, "{n} becomes {size}");
            n = n * 5 / 4;
        }
    }
}
