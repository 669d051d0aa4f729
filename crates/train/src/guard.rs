//! The stability guard: stops a run that has left the rails and counts its spikes.

use serde::{Deserialize, Serialize};

/// Steps of loss that the guard remembers.
const WINDOW: usize = 128;
/// A loss this many standard deviations above the mean of the window is a spike: the spike score of OLMo 2
/// (2501.00656), which counts what stands out from the noise between batches and not that noise itself.
const SPIKE: f64 = 7.0;
/// With a loss above this (nats), a gradient of nought is no perfect fit but a dead network.
const DEAD: f64 = 0.01;
/// A loss this far (nats) above the best median so far has exploded.
const EXPLOSION: f64 = 3.0;

/// What the guard remembers; part of a checkpoint, so that a resumed run decides alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Guard {
    recent: Vec<f64>,
    best: Option<f64>,
    /// Steps whose loss stood out above the window before them.
    pub spikes: u64,
}

/// What the guard says about a step.
#[derive(Debug, PartialEq)]
pub(crate) enum Finding {
    Calm,
    /// The loss stands this many nats, and this many standard deviations, above the mean of the window.
    Spike {
        above: f64,
        deviations: f64,
    },
    /// Training cannot go on. `poisoned`: the weights that the step started from are no good already.
    Diverged {
        what: String,
        poisoned: bool,
    },
}

/// Mean and standard deviation.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt())
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl Guard {
    /// Judges a step by its loss and gradient norm before the update is made.
    pub(crate) fn check(&mut self, loss: f64, gradient_norm: f64) -> Finding {
        let diverged = |what: String, poisoned| Finding::Diverged { what, poisoned };
        if !loss.is_finite() {
            return diverged(format!("the loss is {loss}"), true);
        }
        if !gradient_norm.is_finite() {
            return diverged(format!("the gradient norm is {gradient_norm}"), false);
        }
        // Norms turn activations that have overflowed into noughts, and the loss stays finite for ever.
        if gradient_norm == 0.0 && loss > DEAD {
            return diverged(format!("the gradient is nought everywhere at a loss of {loss:.2} nats"), true);
        }
        let mut finding = Finding::Calm;
        if self.recent.len() == WINDOW {
            let level = median(&self.recent);
            let best = self.best.map_or(level, |b| b.min(level));
            self.best = Some(best);
            let (mean, deviation) = moments(&self.recent);
            if loss > mean + SPIKE * deviation {
                self.spikes += 1;
                finding = Finding::Spike { above: loss - mean, deviations: (loss - mean) / deviation };
            }
            if level > best + EXPLOSION {
                let what = format!(
                    "the loss has risen to {level:.2} nats from {best:.2} (medians of {WINDOW} steps)"
                );
                return diverged(what, false);
            }
            self.recent.remove(0);
        }
        self.recent.push(loss);
        finding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_on_nan_and_explosion_and_counts_spikes() {
        let mut g = Guard::default();
        // Batches that differ by half a nat are noise; one that stands far above all of them is a spike.
        for i in 0..2 * WINDOW {
            assert_eq!(g.check(if i % 2 == 0 { 1.75 } else { 2.25 }, 1.0), Finding::Calm);
        }
        assert!(matches!(g.check(4.5, 1.0), Finding::Spike { deviations, .. } if deviations > SPIKE));
        assert_eq!(g.spikes, 1);
        assert!(matches!(g.clone().check(f64::NAN, 1.0), Finding::Diverged { .. }));
        assert!(matches!(g.clone().check(2.0, f64::INFINITY), Finding::Diverged { poisoned: false, .. }));
        assert!(matches!(g.clone().check(2.0, 0.0), Finding::Diverged { poisoned: true, .. }));
        assert_eq!(g.clone().check(0.0, 0.0), Finding::Calm);
        let mut stopped = false;
        for _ in 0..2 * WINDOW {
            stopped |= matches!(g.check(6.0, 1.0), Finding::Diverged { .. });
        }
        assert!(stopped);
    }
}
