//! x
use burn::tensor::{Device, Int, Tensor};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let device = Device::flex().autodiff();
    let (b, t, h, hd) = (8, 256, 3, 32);
    let mk = |s: usize| {
        let v: Vec<f32> = (0..b * t * h * hd).map(|i| ((i * s) % 1999) as f32 / 1000.0 - 1.0).collect();
        Tensor::<1>::from_data(v.as_slice(), &device).reshape([b, t, h, hd]).detach().require_grad()
    };
    let (q, k, v, g) = (mk(7919), mk(104729), mk(1299709), mk(31).detach());
    let ids: Vec<i64> = (0..b * t).map(|i| ((i % t) / 100) as i64).collect();
    let docs = Tensor::<1, Int>::from_data(ids.as_slice(), &device).reshape([b, t]);
    for _ in 0..a[2].parse().unwrap() {
        let (o, _) = groundwork_kernels::attention(
            q.clone(),
            k.clone(),
            v.clone(),
            (a[1] == "docs").then(|| docs.clone()),
            None,
        );
        (o * g.clone()).sum().backward();
    }
}
