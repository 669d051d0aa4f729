//! Scaling fits on anyone's runs: loss against compute, or against parameters and tokens.

use std::fmt::Write;
use std::path::PathBuf;

use groundwork_lab::Direction;
use groundwork_lab::fit::{LossFit, LossLaw, LossPoint};
use groundwork_lab::judge::{BackTest, Defined, PowerLaw};
use serde::Serialize;

use crate::gather::collect;
use crate::question::question;
use crate::{Columns, Finding, Findings, HistoriesError, MetricSpec, read};

/// What is to be fitted. A point is a run at its end.
#[derive(Clone, Debug, PartialEq)]
pub struct FitQuestion {
    /// The loss.
    pub metric: String,
    /// Which columns hold what; `size` counts the parameters.
    pub columns: Columns,
    /// So many runs with the largest losses are left out as outliers.
    pub drop_largest: usize,
    /// Bootstrap samples for the standard errors.
    pub resamples: u32,
    /// Seed of the bootstrap.
    pub seed: u64,
}

/// What was fitted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fit {
    /// Runs used.
    pub points: usize,
    /// Loss against compute, and its back-test; of the best run of each compute.
    pub compute: Defined<PowerLaw>,
    /// The largest compute predicted from those below.
    pub back_test: Defined<BackTest>,
    /// Loss against parameters and tokens.
    pub loss: Defined<FittedLoss>,
    /// What was wrong with the data.
    pub findings: Vec<Finding>,
}

/// L = E + A/N^α + B/D^β with standard errors of E, A, B, α, β.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FittedLoss {
    /// The law and how well it is determined.
    pub fit: LossFit,
    /// Standard errors, by bootstrap over runs.
    pub errors: [f64; 5],
}

impl FitQuestion {
    /// Reads the files and fits.
    ///
    /// # Errors
    /// [`HistoriesError`] if a file cannot be read or a column is missing.
    pub fn ask(&self, files: &[PathBuf]) -> Result<Fit, HistoriesError> {
        let columns = Columns { only_arm: Some("all".into()), ..self.columns.clone() };
        let mut findings = Findings::default();
        let tables = read(files, &mut findings)?;
        // Seeds and lengths may differ here: every row without a step, and every run with one, is a point.
        let (all, mut findings) = collect(&tables, &columns, &[MetricSpec::named(&self.metric)], findings)?;
        for run in all.iter().filter(|r| r.diverged.is_some()) {
            let what = format!("`{}` is no number at the end: the run diverged", self.metric);
            findings.note("diverged", &run.name, what, "it is left out");
        }
        let mut runs: Vec<(Option<f64>, crate::Point)> = all
            .iter()
            .filter(|r| r.diverged.is_none())
            .filter_map(|r| Some((r.params, *r.last(&self.metric)?)))
            .collect();
        if runs.len() <= self.drop_largest {
            return Err(question(
                "no run is left to fit",
                "fewer outliers are to be left out than there are runs",
            ));
        }
        runs.sort_by(|a, b| a.1.value.total_cmp(&b.1.value));
        runs.truncate(runs.len() - self.drop_largest);
        let points: Vec<LossPoint> = runs
            .iter()
            .filter_map(|(params, p)| {
                Some(LossPoint { params: (*params)?, tokens: p.tokens?, loss: p.value })
            })
            .collect();
        let computes = frontier(&runs);
        Ok(Fit {
            points: runs.len(),
            compute: PowerLaw::fit(&computes, Direction::Lower),
            back_test: BackTest::of(&computes, Direction::Lower),
            loss: self.loss(&points, runs.len()),
            findings: findings.into_list(),
        })
    }

    fn loss(&self, points: &[LossPoint], runs: usize) -> Defined<FittedLoss> {
        if points.len() < runs {
            let n = runs - points.len();
            return Defined::Undefined(format!("{n} of {runs} runs do not say their parameters and tokens"));
        }
        let fitted = LossLaw::fit(points).and_then(|fit| {
            let errors = LossLaw::standard_errors(points, self.resamples, self.seed)?;
            Ok(FittedLoss { fit, errors })
        });
        fitted.map_or_else(Defined::Undefined, Defined::Value)
    }
}

/// The best loss of each compute (computes within 2 % are one), if every run says its compute; by compute. What a cheaper run
/// beats, was not made for its compute: it says nothing of what compute buys, and is left out.
fn frontier(runs: &[(Option<f64>, crate::Point)]) -> Vec<(f64, f64)> {
    let mut all: Vec<(f64, f64)> = runs.iter().filter_map(|(_, p)| Some((p.flops?, p.value))).collect();
    if all.len() < runs.len() {
        return Vec::new();
    }
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut best: Vec<(f64, f64)> = Vec::new();
    for (flops, value) in all {
        match best.last_mut() {
            Some(last) if flops < 1.02 * last.0 => last.1 = last.1.min(value),
            _ => best.push((flops, value)),
        }
    }
    let mut least = f64::INFINITY;
    best.retain(|(_, value)| {
        let better = *value < least;
        least = least.min(*value);
        better
    });
    best
}

impl Fit {
    /// The fit as text for a terminal.
    pub fn to_text(&self) -> String {
        let mut out = format!("{} runs\n", self.points);
        let _ = match &self.loss {
            Defined::Value(FittedLoss { fit, errors }) => {
                let mut lines = "\nL = E + A/N^alpha + B/D^beta\n".to_owned();
                for ((name, value), error) in
                    ["E", "A", "B", "alpha", "beta"].iter().zip(fit.law.values()).zip(errors)
                {
                    let _ = writeln!(lines, "  {name:6} {value:>12.5}  ± {error:.5}");
                }
                writeln!(
                    out,
                    "{lines}  Huber's loss {:.8}; condition number {:.1} (all five at once: {:.1e})",
                    fit.objective, fit.condition, fit.condition_of_five
                )
            }
            Defined::Undefined(why) => writeln!(out, "\nno fit in parameters and tokens: {why}"),
        };
        let _ = match &self.compute {
            Defined::Value(law) => writeln!(
                out,
                "\nL = {:.5} + {:.5} · C^-{:.5}, misfit {:.2} %, over the {} runs that no cheaper one beats",
                law.floor,
                law.scale,
                law.exponent,
                100.0 * law.misfit,
                law.sizes
            ),
            Defined::Undefined(why) => writeln!(out, "\nno fit in compute: {why}"),
        };
        if let Defined::Value(test) = &self.back_test {
            let error = 100.0 * test.error();
            let _ = writeln!(
                out,
                "  back-test: predicted {:.4}, measured {:.4}, {error:+.2} %",
                test.predicted, test.measured
            );
        }
        if !self.findings.is_empty() {
            out += "\nin the data\n";
            for finding in &self.findings {
                let _ = writeln!(out, "  - {finding}");
            }
        }
        out
    }
}
