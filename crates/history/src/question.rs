//! Anyone's run histories as the judge's table: the question that is asked of them, and what they answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use groundwork_lab::judge::{CostBasis, Outcome, Problem, Rule, RunRow, RunTable, Scale};
use groundwork_lab::{Direction, Guardrail};
use serde::{Deserialize, Serialize};

use crate::gather::collect;
use crate::survey::survey;
use crate::{Columns, Finding, Findings, Gathered, HistoryError, MetricSpec, RunHistory, Table, read};

/// What is asked of run histories, as a TOML file states it or flags do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HistoryQuestion {
    /// The question in one sentence, for the report.
    pub question: String,
    /// The arm that stands for what is done today. With two arms of which one is called `baseline`, `base` or `control`, it
    /// need not be named.
    pub baseline: String,
    /// The arms that are compared with it; all others if there are none here.
    pub candidates: Vec<String>,
    /// The metric that decides.
    pub metric: String,
    /// Which way of it is better; told by the metric's name if it is not given.
    pub direction: Option<Direction>,
    /// All runs were planned beforehand and are here, so that there is one look. Otherwise the interval holds over looks
    /// after every pair.
    pub once: bool,
    /// Where metrics are that are not in a column of their own name.
    #[serde(rename = "in")]
    pub places: Vec<MetricSpec>,
    /// Which columns hold what.
    pub columns: Columns,
    /// The rule. Its metric, direction and looks are those above.
    pub rule: RuleParts,
}

/// The parts of the rule that may be stated for histories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RuleParts {
    /// On which scale it decides. If it is not given: by multiplier where the baseline's runs have several computes, in the
    /// metric's unit otherwise.
    pub scale: Option<Scale>,
    /// Which cost a multiplier charges for.
    pub cost: Option<CostBasis>,
    /// The smallest gain worth having: a share of compute, or in the metric's unit.
    pub margin: Option<f64>,
    /// Differences smaller than this are none.
    pub equal: Option<f64>,
    /// The scale that the verdict is about, as a multiple of the largest size's compute.
    pub target: Option<f64>,
    /// Price of an hour of training.
    pub price: Option<f64>,
    /// Metrics that must not get worse.
    #[serde(rename = "guardrail")]
    pub guardrails: Vec<Guardrail>,
}

/// Why histories cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum HistoriesError {
    /// The files cannot be read.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// The file with the question cannot be read.
    #[error("cannot read `{}`: {source}\n  hint: give a TOML file with `metric`, `baseline` and `[columns]`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file with the question is wrong at one place.
    #[error("{}:{line}:{column}: {message}\n  hint: docs/run-histories.md has the fields", path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The question cannot be put to these runs.
    #[error("{message}\n  hint: {hint}")]
    Question {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
}

/// Histories ready for the judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Histories {
    /// The runs as the judge takes them.
    pub table: RunTable,
    /// The rule by which they are judged.
    pub rule: Rule,
    /// The arms to be judged against the baseline.
    pub candidates: Vec<String>,
    /// Everything that was wrong with the data, and what was done about it.
    pub problems: Vec<Problem>,
    /// What was assumed because nothing said otherwise.
    pub assumed: Vec<String>,
}

impl HistoryQuestion {
    /// Reads a question.
    ///
    /// # Errors
    /// [`HistoriesError`] names the file, and for a mistake in it the line and column.
    pub fn load(path: &Path) -> Result<HistoryQuestion, HistoriesError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| HistoriesError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|e| {
            let before = text.get(..e.span().map_or(0, |s| s.start)).unwrap_or_default();
            HistoriesError::At {
                path: path.to_owned(),
                line: before.matches('\n').count() + 1,
                column: before.rsplit('\n').next().unwrap_or_default().chars().count() + 1,
                message: e.message().trim_end().replace('\n', "; "),
            }
        })
    }

    /// Reads the files and makes the judge's table of them.
    ///
    /// # Errors
    /// [`HistoriesError`] if a file cannot be read, a column is missing, or the arms are not there.
    pub fn ask(&self, files: &[PathBuf]) -> Result<Histories, HistoriesError> {
        let mut findings = Findings::default();
        let tables = read(files, &mut findings)?;
        if self.metric.is_empty() {
            let hint = format!("name the column that decides; the columns are {}", names_of(&tables));
            return Err(question("no metric is named", hint));
        }
        let metrics = self.metrics();
        let (mut all, findings) = collect(&tables, &self.columns, &metrics, findings)?;
        let (baseline, candidates) = self.arms(&all, &findings)?;
        // What is wrong with runs that nobody asks about is nobody's business.
        all.retain(|r| r.arm == baseline || candidates.contains(&r.arm));
        let Gathered { runs: kept, left_out, findings } =
            survey(all, &tables, &metrics, self.columns.at, findings);
        let mut assumed = Vec::new();
        let direction = match self.direction {
            Some(direction) => direction,
            None => {
                let told = direction_by_name(&self.metric).ok_or_else(|| {
                    let message = format!("nothing says which way of `{}` is better", self.metric);
                    question(message, "give the direction: lower or higher")
                })?;
                assumed.push(format!("{told} is better in `{}`, by its name.", self.metric));
                told
            }
        };
        let mut of_size: Vec<&RunHistory> = kept.iter().collect();
        // Where nothing says the cost, sizes are at least in their order.
        if of_size.iter().all(|r| r.params.is_some()) {
            of_size.sort_by(|a, b| a.params.unwrap_or(0.0).total_cmp(&b.params.unwrap_or(0.0)));
        }
        let mut runs: Vec<RunRow> = of_size.into_iter().map(|r| self.row(r)).collect();
        let rule = self.rule(direction, &runs, &baseline, &mut assumed);
        let mut problems: Vec<Problem> = findings.into_list().into_iter().map(problem).collect();
        problems.extend(single_seeds(&runs));
        // Runs that diverged are out of the means, and count for stability.
        runs.extend(left_out.iter().filter(|r| r.diverged.is_some()).map(|r| RunRow {
            diverged: true,
            metrics: BTreeMap::new(),
            ..self.row(r)
        }));
        Ok(Histories {
            table: RunTable { baseline, planned: Vec::new(), runs },
            rule,
            candidates,
            problems,
            assumed,
        })
    }

    /// The primary metric, then the guardrails.
    fn metrics(&self) -> Vec<MetricSpec> {
        let names = std::iter::once(&self.metric).chain(self.rule.guardrails.iter().map(|g| &g.metric));
        names
            .map(|name| {
                let stated = self.places.iter().find(|m| m.name == *name);
                stated.cloned().unwrap_or_else(|| MetricSpec::named(name))
            })
            .collect()
    }

    fn arms(
        &self,
        runs: &[RunHistory],
        findings: &Findings,
    ) -> Result<(String, Vec<String>), HistoriesError> {
        let mut found: Vec<&str> = Vec::new();
        for run in runs {
            if !found.contains(&run.arm.as_str()) {
                found.push(&run.arm);
            }
        }
        let list = found.iter().take(12).map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ");
        let more = found.len().saturating_sub(12);
        let list = if more > 0 { format!("{list} and {more} more") } else { list };
        let known = |arm: &str| {
            if found.contains(&arm) {
                return Ok(arm.to_owned());
            }
            let like = |a: &&&str| strsim::jaro_winkler(arm, a);
            let near = found.iter().max_by(|a, b| like(a).total_cmp(&like(b))).filter(|a| like(a) > 0.85);
            let near = near.map_or_else(String::new, |a| format!("did you mean `{a}`? "));
            // Rows that were left out may be why it is not there.
            let lost = findings.list().iter().find(|f| f.consequence == "the row is left out");
            let lost = lost.map_or_else(String::new, |f| format!("; in the data: {f}"));
            Err(question(
                format!("no run belongs to the arm `{arm}`"),
                format!("{near}the arms are {list}{lost}"),
            ))
        };
        let baseline = if self.baseline.is_empty() {
            let usual = ["baseline", "base", "control"];
            found
                .iter()
                .find(|a| usual.contains(&a.to_lowercase().as_str()))
                .map(|a| (*a).to_owned())
                .ok_or_else(|| {
                    question(
                        "nothing says which arm is the baseline",
                        format!("name it; the arms are {list}"),
                    )
                })?
        } else {
            known(&self.baseline)?
        };
        let candidates = if self.candidates.is_empty() {
            found.iter().filter(|a| **a != baseline).map(|a| (*a).to_owned()).collect()
        } else {
            self.candidates.iter().map(|arm| known(arm)).collect::<Result<Vec<_>, _>>()?
        };
        if candidates.is_empty() {
            let message = format!("there are no runs of another arm to compare with `{baseline}`");
            return Err(question(message, "is the column of the arm the right one?"));
        }
        if candidates.contains(&baseline) {
            return Err(question("the baseline is among the candidates", "name two different arms"));
        }
        Ok((baseline, candidates))
    }

    fn row(&self, run: &RunHistory) -> RunRow {
        let last = run.last(&self.metric);
        RunRow {
            arm: run.arm.clone(),
            rung: run.size.clone(),
            pair: run.seed.clone(),
            flops: last.and_then(|p| p.flops),
            seconds: last.and_then(|p| p.seconds),
            metrics: run
                .metrics
                .iter()
                .filter_map(|(name, curve)| Some((name.clone(), Outcome::Value(curve.last()?.value))))
                .collect(),
            curve: run
                .metrics
                .get(&self.metric)
                .map_or_else(Vec::new, |curve| curve.iter().map(|p| (p.step, p.value)).collect()),
            ..RunRow::default()
        }
    }

    fn rule(&self, direction: Direction, runs: &[RunRow], baseline: &str, assumed: &mut Vec<String>) -> Rule {
        let parts = &self.rule;
        let usual = Rule::default();
        let of_baseline = || runs.iter().filter(|r| r.arm == baseline);
        let mut computes: Vec<f64> = of_baseline().filter_map(|r| r.flops).collect();
        computes.sort_by(f64::total_cmp);
        let several = computes.first().zip(computes.last()).is_some_and(|(low, high)| *high > 1.2 * low);
        let scale = parts.scale.unwrap_or(if several { Scale::Multiplier } else { Scale::Metric });
        if parts.scale.is_none() && scale == Scale::Metric {
            assumed.push(
                "The baseline has runs at one compute only, or nothing says their cost, so that what compute buys cannot be \
                 told: the verdict is in the metric's own unit."
                    .into(),
            );
        }
        let unit = match scale {
            Scale::Multiplier => usual.margin,
            Scale::Metric => 0.0,
        };
        if parts.margin.is_none() && scale == Scale::Metric {
            assumed.push("No margin was given: any improvement is worth having.".into());
        }
        let mut most = BTreeMap::<&str, u32>::new();
        of_baseline().for_each(|r| *most.entry(&r.rung).or_default() += 1);
        let pairs: BTreeMap<String, u32> = most
            .into_iter()
            .map(|(rung, n)| (rung.to_owned(), if self.once { n.max(2) } else { n.max(usual.cap) }))
            .collect();
        let looks = if self.once { pairs.values().copied().collect() } else { Vec::new() };
        Rule {
            metric: self.metric.clone(),
            direction,
            scale,
            cost: parts.cost.unwrap_or(usual.cost),
            margin: parts.margin.unwrap_or(unit),
            equal: parts.equal.or(parts.margin).unwrap_or(unit),
            target: parts.target.or(usual.target),
            price: parts.price,
            guardrails: parts.guardrails.clone(),
            pairs,
            looks,
            ..usual
        }
    }
}

pub(crate) fn question(message: impl Into<String>, hint: impl Into<String>) -> HistoriesError {
    HistoriesError::Question { message: message.into(), hint: hint.into() }
}

fn problem(finding: Finding) -> Problem {
    let more = match finding.more {
        0 => String::new(),
        1 => " (and one more place)".into(),
        n => format!(" (and {n} more places)"),
    };
    Problem {
        place: format!("{}{more}", finding.place),
        what: finding.what,
        consequence: finding.consequence,
    }
}

/// The columns of all tables, in words.
fn names_of(tables: &[Table]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in tables.iter().flat_map(Table::names) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(30);
    let few: Vec<String> = names.iter().take(30).map(|n| format!("`{n}`")).collect();
    few.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// Arms with a single run at a size.
fn single_seeds(runs: &[RunRow]) -> Vec<Problem> {
    let mut cells = BTreeMap::<(&str, &str), usize>::new();
    runs.iter().for_each(|r| *cells.entry((&r.arm, &r.rung)).or_default() += 1);
    let mut alone = BTreeMap::<&str, Vec<&str>>::new();
    for ((arm, rung), _) in cells.into_iter().filter(|(_, n)| *n == 1) {
        alone.entry(arm).or_default().push(rung);
    }
    alone
        .into_iter()
        .map(|(arm, rungs)| Problem {
            place: format!("{arm} at {}", rungs.join(", ")),
            what: "there is one run only".into(),
            consequence: match rungs.len() {
                1 => "nothing tells its noise, and one pair decides nothing; the difference is shown".into(),
                _ => "one pair of a size decides nothing; name the column of the size as that of the seed too, and the sizes \
                      are the pairs of one comparison"
                    .into(),
            },
        })
        .collect()
}

/// Which way is better, as the usual names of metrics tell.
pub(crate) fn direction_by_name(metric: &str) -> Option<Direction> {
    let name = metric.to_lowercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
    let has = |of: &[&str]| of.iter().any(|w| words.contains(w));
    let lower = has(&["ce", "nll", "bpb", "bpc", "ppl", "bits", "err", "error", "perplexity", "wer", "loss"])
        || ["loss", "perplexity", "error"].iter().any(|w| name.ends_with(w));
    let higher =
        has(&["acc", "accuracy", "success", "score", "reward", "f1", "em", "recall", "precision", "bleu"])
            || ["accuracy", "reward", "score"].iter().any(|w| name.ends_with(w));
    match (lower, higher) {
        (true, false) => Some(Direction::Lower),
        (false, true) => Some(Direction::Higher),
        _ => None,
    }
}
