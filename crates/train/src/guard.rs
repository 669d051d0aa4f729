//! The stability guard: stops a run that has left the rails and counts its spikes.

use serde::{Deserialize, Serialize};

/// Steps of loss that the guard remembers.
const WINDOW: usize = 64;
/// A loss this far (nats) above the median of the window is a spike.
const SPIKE: f64 = 0.5;
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
    Spike { above: f64 },
    Diverged(String),
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

impl Guard {
    /// Judges a step by its loss and gradient norm before the update is made.
    pub(crate) fn check(&mut self, loss: f64, gradient_norm: f64) -> Finding {
        if !loss.is_finite() {
            return Finding::Diverged(format!("the loss is {loss}"));
        }
        if !gradient_norm.is_finite() {
            return Finding::Diverged(format!("the gradient norm is {gradient_norm}"));
        }
        let mut finding = Finding::Calm;
        if self.recent.len() == WINDOW {
            let level = median(&self.recent);
            let best = self.best.map_or(level, |b| b.min(level));
            self.best = Some(best);
            if loss > level + SPIKE {
                self.spikes += 1;
                finding = Finding::Spike { above: loss - level };
            }
            if level > best + EXPLOSION {
                return Finding::Diverged(format!(
                    "the loss has risen to {level:.2} nats from {best:.2} (medians of {WINDOW} steps)"
                ));
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
        for _ in 0..WINDOW {
            assert_eq!(g.check(2.0, 1.0), Finding::Calm);
        }
        assert!(matches!(g.check(2.9, 1.0), Finding::Spike { .. }));
        assert_eq!(g.spikes, 1);
        assert!(matches!(g.clone().check(f64::NAN, 1.0), Finding::Diverged(_)));
        assert!(matches!(g.clone().check(2.0, f64::INFINITY), Finding::Diverged(_)));
        let mut stopped = false;
        for _ in 0..2 * WINDOW {
            stopped |= matches!(g.check(6.0, 1.0), Finding::Diverged(_));
        }
        assert!(stopped);
    }
}
