//! How long the runs of a bet still take: from FLOPs, a speed known beforehand, and the speeds seen.

use std::collections::BTreeMap;

use crate::plan::Plan;

/// What is known about speed before anything ran.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Floating-point operations a second of one training process, with the others running beside it; `None` where nobody
    /// knows, as of a trainer that is not ours.
    pub flops_per_second: Option<f64>,
    /// Seconds that one evaluation takes.
    pub evaluation_seconds: f64,
}

impl Speed {
    /// Seconds from start to end of `plan` with `parallel` runs side by side, if they can be told.
    pub fn seconds(&self, plan: &Plan, parallel: usize) -> Option<f64> {
        TimeLeft::new(plan, *self, parallel).seconds()
    }
}

/// Shares done and rates seen, cell by cell.
#[derive(Clone, Debug)]
pub(crate) struct TimeLeft {
    prior: Speed,
    parallel: usize,
    cells: Vec<CellShare>,
    /// By size: FLOPs done and seconds taken in this session. Small models run at a lower rate than large ones.
    seen: BTreeMap<String, (f64, f64)>,
    evaluations: (f64, f64),
}

#[derive(Clone, Debug)]
struct CellShare {
    size: String,
    flops: f64,
    trained: f64,
    evaluated: f64,
}

impl TimeLeft {
    pub(crate) fn new(plan: &Plan, prior: Speed, parallel: usize) -> TimeLeft {
        let cells = plan
            .cells
            .iter()
            .map(|c| CellShare { size: c.size.clone(), flops: c.recipe.flops, trained: 0.0, evaluated: 0.0 })
            .collect();
        TimeLeft { prior, parallel: parallel.max(1), cells, seen: BTreeMap::new(), evaluations: (0.0, 0.0) }
    }

    /// Cell `cell` has done the share `share` of its training; `moved` of it took `seconds` just now.
    pub(crate) fn trained(&mut self, cell: usize, share: f64, moved: f64, seconds: f64) {
        let c = &mut self.cells[cell];
        c.trained = share.clamp(0.0, 1.0);
        let seen = self.seen.entry(c.size.clone()).or_default();
        seen.0 += moved.max(0.0) * c.flops;
        seen.1 += seconds;
    }

    pub(crate) fn evaluated(&mut self, cell: usize, share: f64) {
        let c = &mut self.cells[cell];
        c.trained = 1.0;
        c.evaluated = share.clamp(0.0, 1.0);
    }

    pub(crate) fn evaluation_took(&mut self, seconds: f64) {
        self.evaluations.0 += seconds;
        self.evaluations.1 += 1.0;
    }

    fn rate(&self, size: &str) -> Option<f64> {
        // A second of one size says more than the prior; before that, other sizes do.
        let own = self.seen.get(size).copied().unwrap_or_default();
        if own.1 > 1.0 && own.0 > 0.0 {
            return Some(own.0 / own.1);
        }
        let (flops, seconds) = self.seen.values().fold((0.0, 0.0), |a, s| (a.0 + s.0, a.1 + s.1));
        if seconds > 1.0 && flops > 0.0 { Some(flops / seconds) } else { self.prior.flops_per_second }
    }

    /// Seconds until the last cell ends, cells being taken up in order as places become free.
    pub(crate) fn seconds(&self) -> Option<f64> {
        let evaluation = if self.evaluations.1 > 0.0 {
            self.evaluations.0 / self.evaluations.1
        } else {
            self.prior.evaluation_seconds
        };
        let mut places = vec![0.0_f64; self.parallel];
        for cell in &self.cells {
            let training = match cell.flops * (1.0 - cell.trained) {
                0.0 => 0.0,
                flops => flops / self.rate(&cell.size)?.max(1.0),
            };
            let seconds = training + evaluation * (1.0 - cell.evaluated);
            if let Some(first) = places.iter_mut().min_by(|a, b| a.total_cmp(b)) {
                *first += seconds;
            }
        }
        Some(places.into_iter().fold(0.0, f64::max))
    }

    /// The share of all FLOPs that is done.
    pub(crate) fn share(&self) -> f64 {
        let all: f64 = self.cells.iter().map(|c| c.flops).sum();
        let done: f64 = self.cells.iter().map(|c| c.flops * c.trained).sum();
        if all > 0.0 { done / all } else { 0.0 }
    }
}
