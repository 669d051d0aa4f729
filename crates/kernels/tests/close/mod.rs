//! Comparison of numbers.

/// Equal up to `tolerance`, relative to the root mean square of what is expected (or to the number, if larger, or to 0.01:
/// where the exact result is nought, what is left of terms that cancel is not).
#[track_caller]
pub fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let mean_square = expected.iter().map(|x| x * x).sum::<f32>() / expected.len() as f32;
    for (i, (&found, &expected)) in found.iter().zip(expected).enumerate() {
        let scale = mean_square.sqrt().max(expected.abs()).max(1e-2);
        let near = (found - expected).abs() <= tolerance * 4.0 * scale;
        assert!(near, "{what}: {found} instead of {expected} at {i}");
    }
}
