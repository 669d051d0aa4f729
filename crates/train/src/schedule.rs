//! The learning-rate schedule: warm up, hold, decay.

use serde::{Deserialize, Serialize};

/// How the rate falls in the decay phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecayShape {
    /// In a straight line.
    #[default]
    Linear,
    /// As 1 − √t (2405.18392).
    Sqrt,
}

/// The recipe's `[schedule]` section: warm-up, stable, decay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSpec {
    /// Steps over which the rate rises linearly: 1/n of it at the first, all of it at the n-th.
    pub warmup_steps: u64,
    /// The last share of all steps, in which the rate falls; 0 to 1.
    pub decay: f64,
    /// The form of the fall.
    pub shape: DecayShape,
    /// The share of the rate that the fall ends at, a step after the last.
    pub floor: f64,
}

impl Default for ScheduleSpec {
    fn default() -> Self {
        ScheduleSpec { warmup_steps: 20, decay: 0.4, shape: DecayShape::Linear, floor: 0.0 }
    }
}

impl ScheduleSpec {
    /// The factor on the learning rate at `step` (from 0) of `steps`.
    pub fn factor(&self, step: u64, steps: u64) -> f64 {
        let warm = ((step + 1) as f64 / self.warmup_steps.max(1) as f64).min(1.0);
        let done = step as f64 / steps.max(1) as f64;
        let start = 1.0 - self.decay;
        let fall = if done <= start || self.decay <= 0.0 {
            1.0
        } else {
            let t = (done - start) / self.decay;
            let left = match self.shape {
                DecayShape::Linear => 1.0 - t,
                DecayShape::Sqrt => 1.0 - t.sqrt(),
            };
            self.floor + (1.0 - self.floor) * left
        };
        warm * fall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rises_holds_and_falls() {
        let s = ScheduleSpec { warmup_steps: 10, decay: 0.5, ..ScheduleSpec::default() };
        assert_eq!(s.factor(0, 100), 0.1);
        assert_eq!(s.factor(9, 100), 1.0);
        assert_eq!(s.factor(50, 100), 1.0);
        assert!((s.factor(75, 100) - 0.5).abs() < 1e-12);
        assert!(s.factor(99, 100) > 0.0 && s.factor(99, 100) < 0.03);
        let floor = ScheduleSpec { floor: 0.1, shape: DecayShape::Sqrt, ..s };
        assert!(floor.factor(99, 100) > 0.1 && floor.factor(75, 100) < 0.5);
    }
}
