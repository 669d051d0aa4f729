//! What the machine can do, and what this process took of it.

use std::fs;
use std::time::Instant;

use burn::tensor::{Device, Tensor};

/// The rate of matrix products that `device` reaches with this process' threads, in operations a second: the best of
/// 24 in f32, square, of a size that takes milliseconds (384 on the CPU, 2048 elsewhere).
pub fn measure_peak(device: &Device) -> f64 {
    let n = if *device == Device::flex() { 384 } else { 2048 };
    let a = Tensor::<2>::ones([n, n], device);
    let mut best = f64::INFINITY;
    for _ in 0..24 {
        let start = Instant::now();
        let product = a.clone().matmul(a.clone()).sum().into_scalar::<f32>();
        debug_assert!(product > 0.0);
        best = best.min(start.elapsed().as_secs_f64());
    }
    2.0 * (n as f64).powi(3) / best
}

/// The largest resident memory of this process in bytes; 0 where the system does not say.
pub fn peak_memory() -> u64 {
    kilobytes("/proc/self/status", "VmHWM:").unwrap_or(0)
}

/// Memory in bytes that new processes can have without others being pushed out; nothing where the system does not say.
pub fn available_memory() -> Option<u64> {
    kilobytes("/proc/meminfo", "MemAvailable:")
}

/// A line `NAME  123 kB`, in bytes.
fn kilobytes(file: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let number = text.lines().find_map(|l| l.strip_prefix(name))?.trim().trim_end_matches("kB").trim();
    number.parse::<u64>().ok().map(|n| n * 1024)
}
