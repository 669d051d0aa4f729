//! What compute buys the baseline: the local slope that turns a difference into a compute multiplier.
//!
//! Between two neighbouring computes the slope is their secant. The slope of a power law with any floor falls
//! geometrically in ln C, so that secants are interpolated, and continued to the ends of the ladder, on a logarithmic
//! scale; no irreducible loss is assumed. Where the change of slope is lost in the noise, the nearest secant stands.

use serde::{Deserialize, Serialize};

use crate::judge::defined::Defined;

/// How much the baseline improves with each factor e of compute, at one compute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slope {
    /// Improvement in the metric's unit for each unit of ln compute.
    pub value: f64,
    /// Its standard error over runs.
    pub error: f64,
}

/// The baseline at one compute: ln FLOPs, goodness (higher is better) and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Anchor {
    pub(crate) x: f64,
    pub(crate) goodness: f64,
    pub(crate) error: f64,
}

struct Secant {
    x: f64,
    value: f64,
    error: f64,
}

/// The slope at `x`, from anchors in the order of their compute.
pub(crate) fn local_slope(anchors: &[Anchor], x: f64) -> Defined<Slope> {
    let secants: Vec<Secant> = anchors
        .windows(2)
        .filter(|w| w[1].x - w[0].x > 1e-6)
        .map(|w| {
            let run = w[1].x - w[0].x;
            Secant {
                x: 0.5 * (w[0].x + w[1].x),
                value: (w[1].goodness - w[0].goodness) / run,
                error: w[0].error.hypot(w[1].error) / run,
            }
        })
        .collect();
    let Some(nearest) = secants.iter().min_by(|a, b| (a.x - x).abs().total_cmp(&(b.x - x).abs())) else {
        return Defined::undefined(
            "the baseline was run at one compute only, which does not show what compute buys",
        );
    };
    if nearest.value.is_nan() || nearest.value <= 0.0 {
        return Defined::undefined("the baseline does not improve with compute here");
    }
    if nearest.value < 2.0 * nearest.error {
        return Defined::undefined(
            "the baseline's improvement with compute is lost in the noise between seeds",
        );
    }
    let plain = Slope { value: nearest.value, error: nearest.error };
    // The two secants next to x, whichever side they are on.
    let mut by_distance: Vec<&Secant> = secants.iter().filter(|s| s.value > 2.0 * s.error).collect();
    by_distance.sort_by(|a, b| (a.x - x).abs().total_cmp(&(b.x - x).abs()));
    let [a, b, ..] = by_distance[..] else { return Defined::Value(plain) };
    let fall = (b.value / a.value).ln();
    let noise = (a.error / a.value).hypot(b.error / b.value);
    let between = (a.x - x) * (b.x - x) <= 0.0;
    if !between && fall.abs() < 2.0 * noise {
        return Defined::Value(plain);
    }
    let share = (x - a.x) / (b.x - a.x);
    let value = a.value * (fall * share).exp();
    let relative = ((1.0 - share) * a.error / a.value).hypot(share * b.error / b.value);
    Defined::Value(Slope { value, error: value * relative })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn power_law(error: f64) -> Vec<Anchor> {
        (0..4)
            .map(|i| f64::from(i) * 1.6)
            .map(|x| Anchor { x, goodness: -(1.7 + 3.0 * (-0.12 * x).exp()), error })
            .collect()
    }

    #[test]
    fn the_slope_of_a_power_law_is_found_everywhere_on_the_ladder() {
        let anchors = power_law(1e-4);
        for a in &anchors {
            let truth = 3.0 * 0.12 * (-0.12 * a.x).exp();
            let found = local_slope(&anchors, a.x).value().unwrap().value;
            assert!((found / truth - 1.0).abs() < 0.005, "{found} {truth}");
        }
    }

    #[test]
    fn noise_leaves_the_nearest_secant_and_too_much_of_it_nothing() {
        let anchors = power_law(0.05);
        let secant = (anchors[3].goodness - anchors[2].goodness) / 1.6;
        assert!((local_slope(&anchors, 4.8).value().unwrap().value - secant).abs() < 1e-12);
        let why = |anchors: &[Anchor]| match local_slope(anchors, 0.0) {
            Defined::Undefined(why) => why,
            Defined::Value(slope) => panic!("{slope:?}"),
        };
        assert!(why(&power_law(0.5)).contains("lost in the noise"));
        assert!(why(&anchors[..1]).contains("one compute only"));
        let rising =
            [Anchor { x: 0.0, goodness: 1.0, error: 0.0 }, Anchor { x: 1.0, goodness: 0.9, error: 0.0 }];
        assert!(why(&rising).contains("does not improve"));
    }
}
