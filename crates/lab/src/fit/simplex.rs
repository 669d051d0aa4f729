//! The downhill simplex of Nelder and Mead (1965), in two dimensions.

/// The minimum of `f` from `start` with a first step of `step`.
pub(super) fn minimise(
    start: [f64; 2],
    step: [f64; 2],
    iterations: u32,
    f: &mut dyn FnMut([f64; 2]) -> f64,
) -> [f64; 2] {
    let mut corners =
        [start, [start[0] + step[0], start[1]], [start[0], start[1] + step[1]]].map(|x| (x, f(x)));
    for _ in 0..iterations {
        corners.sort_by(|a, b| a.1.total_cmp(&b.1));
        let [best, middle, worst] = corners;
        if (worst.1 - best.1).abs() <= 1e-14 * best.1.abs() {
            break;
        }
        let centre = [(best.0[0] + middle.0[0]) / 2.0, (best.0[1] + middle.0[1]) / 2.0];
        let mut at = |factor: f64| {
            let x = [0, 1].map(|i| centre[i] + factor * (worst.0[i] - centre[i]));
            (x, f(x))
        };
        let reflected = at(-1.0);
        corners[2] = if reflected.1 < best.1 {
            let expanded = at(-2.0);
            if expanded.1 < reflected.1 { expanded } else { reflected }
        } else if reflected.1 < middle.1 {
            reflected
        } else {
            let contracted = if reflected.1 < worst.1 { at(-0.5) } else { at(0.5) };
            if contracted.1 < worst.1.min(reflected.1) {
                contracted
            } else {
                for i in [1, 2] {
                    let x = [0, 1].map(|k| (corners[i].0[k] + best.0[k]) / 2.0);
                    corners[i] = (x, f(x));
                }
                continue;
            }
        };
    }
    corners.sort_by(|a, b| a.1.total_cmp(&b.1));
    corners[0].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curved_valley_is_followed_to_its_end() {
        let mut rosenbrock = |x: [f64; 2]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
        let x = minimise([-1.2, 1.0], [0.5, 0.5], 400, &mut rosenbrock);
        assert!((x[0] - 1.0).abs() < 1e-5 && (x[1] - 1.0).abs() < 1e-5, "{x:?}");
    }
}
