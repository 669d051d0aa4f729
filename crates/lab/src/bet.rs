//! The bet file: what is asked, how it will be decided, and what is run to find out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::judge::{CostBasis, Rule, Scale};
use crate::locate::{
    did_you_mean, field_at, find_field, first_sentence, key_offset, position, suggestion_in,
};
use crate::outside::{Trainer, Values};
use crate::recipe::merge;
use crate::score;
use crate::tuning::Tuning;

/// A bet as its TOML file states it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bet {
    /// Short name, used for folders: letters, digits, `-` and `_`.
    pub name: String,
    /// The question in one sentence.
    pub question: String,
    /// The number that decides.
    pub primary: Criterion,
    /// How it decides.
    #[serde(default)]
    pub decision: Decision,
    /// The sizes and seeds that both arms run.
    pub ladder: Ladder,
    /// How both arms find their learning rates; without it they take what the file states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<Tuning>,
    /// The suite, passed on to the evaluation as it stands.
    #[serde(default)]
    pub evaluation: toml::Table,
    /// Numbers that must not get worse.
    #[serde(default, rename = "guardrail")]
    pub guardrails: Vec<Guardrail>,
    /// The recipe that both arms share.
    #[serde(default)]
    pub recipe: toml::Table,
    /// The program that trains, where it is not ours. Recipes then hold whatever it wants, metrics are what it reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trainer: Option<Trainer>,
    /// What is done today.
    pub baseline: ArmSpec,
    /// What is proposed.
    pub candidate: ArmSpec,
}

/// A metric, which way is better, and the smallest difference worth having.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Name of a metric.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// The smallest difference worth having: in the metric's unit, or on the scale of multipliers a share of compute.
    pub margin: f64,
    /// On which scale the bet is decided.
    #[serde(default = "in_the_metric")]
    pub scale: Scale,
}

fn in_the_metric() -> Scale {
    Scale::Metric
}

/// A metric that must not get worse by more than its margin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardrail {
    /// Name of a metric.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
    /// The loss that would still be accepted, in the metric's unit.
    pub margin: f64,
    /// What must be shown before the candidate ships.
    #[serde(default)]
    pub require: Require,
}

/// The burden of proof on a guardrail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// The interval must exclude a loss larger than the margin.
    #[default]
    Held,
    /// It is enough that no loss larger than the margin is shown. For metrics too noisy to show the other.
    Unbroken,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Less is better: bits, excess steps, malformed actions.
    Lower,
    /// More is better: success, recovery.
    Higher,
}

impl Direction {
    /// How much better `candidate` is than `baseline`: positive is an improvement.
    pub fn improvement(self, baseline: f64, candidate: f64) -> f64 {
        match self {
            Direction::Lower => baseline - candidate,
            Direction::Higher => candidate - baseline,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Lower => "lower",
            Direction::Higher => "higher",
        })
    }
}

/// Parameters of the decision rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decision {
    /// Confidence level of every interval, two-sided, over all looks together.
    pub confidence: f64,
    /// The numbers of pairs after which a size is looked at; empty: the judge's default.
    pub looks: Vec<u32>,
    /// Differences smaller than this are none, in the unit of the margin; the margin where it is not given.
    pub equal: Option<f64>,
    /// The scale that the verdict is about, as a multiple of the largest size's compute; needs three sizes.
    pub target: f64,
    /// The probability of a gain at the target that a SHIP needs.
    pub assurance: f64,
    /// Below this probability of a SHIP the bet is dropped as futile.
    pub futile: f64,
    /// Which cost the compute multiplier charges for.
    pub cost: CostBasis,
    /// Standard deviation of the effects of past bets, in the unit of the margin; forecasts start from it.
    pub prior: Option<f64>,
    /// Price of an hour of training.
    pub price: Option<f64>,
    /// Bootstrap resamples of the test tasks.
    pub resamples: u32,
    /// Seed of the bootstrap, the calibration and the forecasts.
    pub seed: u64,
    /// How far the arms' FLOPs may lie apart, as a share.
    pub compute_tolerance: f64,
}

impl Default for Decision {
    fn default() -> Self {
        let rule = Rule::default();
        Decision {
            confidence: 0.95,
            looks: Vec::new(),
            equal: None,
            target: 10.0,
            assurance: rule.assurance,
            futile: rule.futile,
            cost: CostBasis::Flops,
            prior: None,
            price: None,
            resamples: 2000,
            seed: 0,
            compute_tolerance: 0.02,
        }
    }
}

/// The sizes and seeds of a bet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ladder {
    /// Model sizes, such as `"0.1M"`, smallest first.
    pub sizes: Vec<String>,
    /// Seeds; each is run by both arms at every size.
    pub seeds: Vec<u64>,
    /// Changes to the shared recipe at one size (tokens, learning rate), for both arms alike.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub at: BTreeMap<String, toml::Table>,
}

/// One side of the comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSpec {
    /// What it is called in reports.
    pub label: String,
    /// What it changes in the shared recipe.
    #[serde(default)]
    pub recipe: toml::Table,
}

/// A side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// What is done today.
    Baseline,
    /// What is proposed.
    Candidate,
}

impl Arm {
    /// Both arms, the baseline first.
    pub const BOTH: [Arm; 2] = [Arm::Baseline, Arm::Candidate];
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arm::Baseline => "baseline",
            Arm::Candidate => "candidate",
        })
    }
}

/// One run that a bet needs: an arm at a size with a seed, and its recipe before resolution.
#[derive(Clone, Debug, PartialEq)]
pub struct CellSpec {
    /// Which side.
    pub arm: Arm,
    /// Model size as the bet writes it.
    pub size: String,
    /// Seed of the run.
    pub seed: u64,
    /// The merged recipe with `name`, `seed` and `model.size` filled in.
    pub recipe: toml::Table,
}

/// What is wrong with a bet file.
#[derive(Debug, thiserror::Error)]
pub enum BetError {
    /// The file cannot be read.
    #[error("cannot read `{}`: {source}\n  hint: give a bet, such as those under `bets/`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be at one place.
    #[error("{}:{line}:{column}: {}{message}{hint}", path.display(), in_field(field))]
    At {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// Dotted path of the field, as far as it is known.
        field: String,
        /// What is wrong.
        message: String,
        /// What to do, starting with `; `, or empty.
        hint: String,
    },
}

fn in_field(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!("field `{field}`: ") }
}

impl Bet {
    /// Reads and checks a bet file.
    ///
    /// # Errors
    /// [`BetError`] names the file, and for a mistake in it the line, the column and the field.
    pub fn load(path: &Path) -> Result<Bet, BetError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| BetError::Read { path: path.to_owned(), source })?;
        Bet::parse(&text, path)
    }

    /// Reads and checks the text of a bet; `path` serves the messages only.
    ///
    /// # Errors
    /// As [`Bet::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Bet, BetError> {
        let bet: Bet = toml::from_str(text).map_err(|e| {
            let (line, column) = position(text, e.span().map_or(0, |s| s.start));
            BetError::At {
                path: path.to_owned(),
                line,
                column,
                field: field_at(text, line),
                message: first_sentence(e.message()),
                hint: suggestion_in(e.message()),
            }
        })?;
        bet.check().map_err(|fault| {
            let (line, column) = find_field(text, &fault.field);
            BetError::At {
                path: path.to_owned(),
                line,
                column,
                field: fault.field,
                message: fault.message,
                hint: fault.hint,
            }
        })?;
        Ok(bet)
    }

    /// Puts file, line and column before a complaint that somebody else has about a part of the bet: of the trainer about a
    /// recipe, of the evaluation about a suite. The complaint names its field between backticks, `root.field`; `sections` are
    /// the dotted places of the bet that the part was laid together from, the strongest first.
    pub fn place(path: &Path, complaint: &str, root: &str, sections: &[String]) -> String {
        let plain = || format!("{}: {complaint}", path.display());
        let Ok(text) = std::fs::read_to_string(path) else { return plain() };
        let named = complaint.split('`').nth(1).unwrap_or("");
        let field = named.strip_prefix(root).map_or(named, |rest| rest.trim_start_matches('.'));
        let mut best: Option<(usize, usize)> = None;
        for section in sections {
            let split = |dotted: &str| dotted.split('\u{0}').map(str::to_owned).collect::<Vec<String>>();
            // A size such as `0.1M` has a dot of its own, so that sections come with their parts apart.
            let mut parts = split(section);
            let outer = parts.len();
            parts.extend(field.split('.').filter(|p| !p.is_empty()).map(str::to_owned));
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            if let Some((offset, depth)) = key_offset(&text, &parts)
                && depth >= outer
                && best.is_none_or(|b| depth - outer > b.1)
            {
                best = Some((offset, depth - outer));
            }
        }
        match best {
            Some((offset, _)) => {
                let (line, column) = position(&text, offset);
                format!("{}:{line}:{column}: {complaint}", path.display())
            }
            None => plain(),
        }
    }

    /// Where the recipe of a run is laid together from, the strongest first, for [`Bet::place`].
    pub fn recipe_sections(arm: Arm, size: &str) -> Vec<String> {
        vec![format!("{arm}\u{0}recipe"), format!("ladder\u{0}at\u{0}{size}"), "recipe".to_owned()]
    }

    fn check(&self) -> Result<(), Fault> {
        let name_ok = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(name_ok) {
            return Err(Fault::new(
                "name",
                format!("`{}` cannot name a folder", self.name),
                "; use letters, digits, `-` and `_`",
            ));
        }
        if self.question.trim().is_empty() {
            return Err(Fault::new("question", "is empty", "; say in one sentence what the bet asks"));
        }
        let check = if self.trainer.is_none() { check_metric } else { check_margin };
        check("primary", &self.primary.metric, self.primary.direction, self.primary.margin)?;
        for guardrail in &self.guardrails {
            check("guardrail", &guardrail.metric, guardrail.direction, guardrail.margin)?;
        }
        let d = &self.decision;
        if !(0.5..1.0).contains(&d.confidence) {
            let message = format!("{} is not a confidence level", d.confidence);
            return Err(Fault::new("decision.confidence", message, "; want at least 0.5 and less than 1"));
        }
        if !(0.0..=0.5).contains(&d.compute_tolerance) {
            let message = format!("{} is not a tolerance", d.compute_tolerance);
            return Err(Fault::new("decision.compute_tolerance", message, "; want a share such as 0.02"));
        }
        self.check_ladder()?;
        if let Some((field, message, hint)) = self.tuning.as_ref().and_then(|t| t.mistake(self)) {
            return Err(Fault::new(&format!("tuning.{field}"), message, hint));
        }
        if let Err((field, message)) = self.rule().check() {
            let section = if field == "margin" { "primary" } else { "decision" };
            return Err(Fault::new(&format!("{section}.{field}"), message, ""));
        }
        if self.baseline.recipe == self.candidate.recipe {
            return Err(Fault::new(
                "candidate",
                "the arms are the same recipe, so there is nothing to compare",
                "; state the change in [candidate.recipe]",
            ));
        }
        self.trainer.as_ref().map_or(Ok(()), |trainer| self.check_trainer(trainer))
    }

    fn check_trainer(&self, trainer: &Trainer) -> Result<(), Fault> {
        if !self.evaluation.is_empty() {
            let message = "is for our own trainer; another's models cannot be put into the worlds";
            return Err(Fault::new(
                "evaluation",
                message,
                "; name the command that measures them in trainer.evaluate",
            ));
        }
        if let Some(name) = trainer.names.keys().find(|name| !Trainer::FIELDS.contains(&name.as_str())) {
            let hint = did_you_mean(name, Trainer::FIELDS.into_iter());
            return Err(Fault::new(&format!("trainer.names.{name}"), "is no field of a record", hint));
        }
        for cell in self.cells() {
            if let Some((field, message)) = trainer.mistake(&Values::of(&cell, &cell.arm.to_string())) {
                return Err(Fault::new(&format!("trainer.{field}"), message, ""));
            }
        }
        Ok(())
    }

    fn check_ladder(&self) -> Result<(), Fault> {
        let ladder = &self.ladder;
        if ladder.sizes.is_empty() {
            return Err(Fault::new("ladder.sizes", "is empty", "; give at least one size, such as \"0.1M\""));
        }
        let mut last = 0.0;
        for size in &ladder.sizes {
            let Some(params) = nominal_params(size) else {
                let message = format!("`{size}` is not a size");
                return Err(Fault::new(
                    "ladder.sizes",
                    message,
                    "; write it as \"0.1M\", \"350M\" or \"1B\"",
                ));
            };
            if params <= last {
                let message = format!("`{size}` does not come after a smaller size");
                return Err(Fault::new("ladder.sizes", message, "; list the sizes smallest first"));
            }
            last = params;
        }
        let distinct: BTreeSet<u64> = ladder.seeds.iter().copied().collect();
        if ladder.seeds.len() < 2 || distinct.len() != ladder.seeds.len() {
            return Err(Fault::new(
                "ladder.seeds",
                "the noise between runs cannot be told from fewer than two different seeds",
                "; list at least two, each once",
            ));
        }
        if let Some(seed) = ladder.seeds.iter().find(|s| i64::try_from(**s).is_err()) {
            return Err(Fault::new("ladder.seeds", format!("{seed} is too large"), "; stay below 2^63"));
        }
        if let Some(size) = ladder.at.keys().find(|s| !ladder.sizes.contains(s)) {
            let hint = did_you_mean(size, ladder.sizes.iter().map(String::as_str));
            return Err(Fault::new("ladder.at", format!("`{size}` is not one of the sizes"), hint));
        }
        Ok(())
    }

    /// The rule as the judge applies it.
    pub fn rule(&self) -> Rule {
        let (p, d) = (&self.primary, &self.decision);
        let usual = match p.scale {
            Scale::Multiplier => Rule::default().prior,
            // A change worth testing is usually a few margins.
            Scale::Metric if p.margin > 0.0 => 3.0 * p.margin,
            Scale::Metric => 1.0,
        };
        let error = 1.0 - d.confidence;
        Rule {
            metric: p.metric.clone(),
            direction: p.direction,
            scale: p.scale,
            cost: d.cost,
            margin: p.margin,
            equal: d.equal.unwrap_or(p.margin),
            error,
            extension: 0.2 * error,
            pairs: BTreeMap::new(),
            cap: u32::try_from(self.ladder.seeds.len()).unwrap_or(u32::MAX),
            looks: d.looks.clone(),
            target: Some(d.target),
            assurance: d.assurance,
            futile: d.futile,
            prior: d.prior.unwrap_or(usual),
            price: d.price,
            guardrails: self.guardrails.clone(),
            resamples: d.resamples,
            seed: d.seed,
        }
    }

    /// The label of an arm.
    pub fn label(&self, arm: Arm) -> &str {
        match arm {
            Arm::Baseline => &self.baseline.label,
            Arm::Candidate => &self.candidate.label,
        }
    }

    /// The largest size, at which the bet is decided.
    pub fn top_size(&self) -> &str {
        self.ladder.sizes.last().map_or("", String::as_str)
    }

    /// All runs of the bet: sizes from the smallest, seeds in order, the two arms of a pair together.
    ///
    /// The recipe of a cell is the shared one, then the changes at its size, then those of its arm.
    pub fn cells(&self) -> Vec<CellSpec> {
        let mut cells = Vec::new();
        for size in &self.ladder.sizes {
            for &seed in &self.ladder.seeds {
                cells.extend(self.pair(size, seed));
            }
        }
        cells
    }

    /// The runs of both arms at a size with a seed.
    pub(crate) fn pair(&self, size: &str, seed: u64) -> [CellSpec; 2] {
        Arm::BOTH.map(|arm| CellSpec {
            arm,
            size: size.to_owned(),
            seed,
            recipe: self.recipe(arm, size, seed),
        })
    }

    fn recipe(&self, arm: Arm, size: &str, seed: u64) -> toml::Table {
        let mut recipe = self.recipe.clone();
        if let Some(over) = self.ladder.at.get(size) {
            merge(&mut recipe, over);
        }
        merge(
            &mut recipe,
            match arm {
                Arm::Baseline => &self.baseline.recipe,
                Arm::Candidate => &self.candidate.recipe,
            },
        );
        let mut identity = toml::Table::new();
        identity.insert("name".into(), format!("{}-{arm}-{size}-s{seed}", self.name).into());
        identity.insert("seed".into(), toml::Value::Integer(seed.cast_signed()));
        let model: toml::Table = [("size".to_owned(), toml::Value::from(size))].into_iter().collect();
        identity.insert("model".into(), toml::Value::Table(model));
        merge(&mut recipe, &identity);
        recipe
    }
}

/// Reads a size such as `"0.1M"`: parameters that are not embeddings.
pub fn nominal_params(size: &str) -> Option<f64> {
    let unit = match size.chars().last()? {
        'K' => 1e3,
        'M' => 1e6,
        'B' => 1e9,
        _ => return None,
    };
    let number: f64 = size[..size.len() - 1].parse().ok()?;
    (number > 0.0 && number.is_finite()).then_some(number * unit)
}

struct Fault {
    field: String,
    message: String,
    hint: String,
}

impl Fault {
    fn new(field: &str, message: impl Into<String>, hint: impl Into<String>) -> Fault {
        Fault { field: field.to_owned(), message: message.into(), hint: hint.into() }
    }
}

fn check_metric(section: &str, metric: &str, direction: Direction, margin: f64) -> Result<(), Fault> {
    let Some(natural) = score::direction_of(metric) else {
        return Err(Fault::new(
            &format!("{section}.metric"),
            format!("there is no metric `{metric}`"),
            did_you_mean(metric, score::metric_names()),
        ));
    };
    if natural != direction {
        return Err(Fault::new(
            &format!("{section}.direction"),
            format!("{direction} is not the better way for `{metric}`"),
            format!("; write direction = \"{natural}\""),
        ));
    }
    check_margin(section, metric, direction, margin)
}

/// The metrics of an outside trainer are its own: only it knows which there are and what they mean.
fn check_margin(section: &str, metric: &str, _: Direction, margin: f64) -> Result<(), Fault> {
    if metric.is_empty() {
        let hint = "; want the name of a number that the trainer reports";
        return Err(Fault::new(&format!("{section}.metric"), "is empty", hint));
    }
    if margin.is_nan() || margin < 0.0 || margin.is_infinite() {
        return Err(Fault::new(
            &format!("{section}.margin"),
            format!("{margin} is not a margin"),
            "; want the smallest difference worth having, zero or more",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) const SAMPLE: &str = r#"
name = "faults"
question = "Do faults help?"

[primary]
metric = "recovery_bits_per_byte"
direction = "lower"
margin = 0.02

[ladder]
sizes = ["0.1M", "0.4M"]
seeds = [1, 2]
at."0.4M" = { schedule = { tokens = 4 } }

[[guardrail]]
metric = "success_clean"
direction = "higher"
margin = 0.05

[recipe]
list = [1, 2]
[recipe.schedule]
tokens = 1
warmup = 3

[baseline]
label = "clean"

[candidate]
label = "faulty"
[candidate.recipe]
list = [9]
[candidate.recipe.schedule]
warmup = 7
"#;

    fn parse(text: &str) -> Result<Bet, BetError> {
        Bet::parse(text, Path::new("bets/x.toml"))
    }

    fn complaint(from: &str, to: &str) -> String {
        assert!(SAMPLE.contains(from));
        parse(&SAMPLE.replacen(from, to, 1)).expect_err("a wrong bet").to_string()
    }

    #[test]
    fn cells_are_pairs_with_the_recipe_merged_in_three_layers() {
        let cells = parse(SAMPLE).unwrap().cells();
        assert_eq!(cells.len(), 8);
        assert!(cells.chunks(2).all(|pair| {
            pair[0].arm == Arm::Baseline
                && pair[1].arm == Arm::Candidate
                && (&pair[0].size, pair[0].seed) == (&pair[1].size, pair[1].seed)
        }));
        let last = &cells[7].recipe;
        assert_eq!(last["name"].as_str(), Some("faults-candidate-0.4M-s2"));
        assert_eq!(last["seed"].as_integer(), Some(2));
        assert_eq!(last["model"]["size"].as_str(), Some("0.4M"));
        assert_eq!(last["schedule"]["tokens"].as_integer(), Some(4));
        assert_eq!(last["schedule"]["warmup"].as_integer(), Some(7));
        assert_eq!(last["list"].as_array().map(Vec::len), Some(1));
        assert_eq!(cells[0].recipe["schedule"]["warmup"].as_integer(), Some(3));
    }

    #[test]
    fn a_mistake_is_named_with_its_place_and_a_suggestion() {
        let text = complaint("margin = 0.02", "margn = 0.02");
        assert!(text.starts_with("bets/x.toml:8:1: field `primary.margn`: unknown field `margn`"), "{text}");
        assert!(text.ends_with("did you mean `margin`?"), "{text}");
        let text = complaint("\"recovery_bits_per_byte\"", "\"recovery_bit_per_byte\"");
        assert!(text.contains(":6:1: field `primary.metric`: there is no metric"), "{text}");
        assert!(text.contains("did you mean `recovery_bits_per_byte`"), "{text}");
        let text = complaint("margin = 0.02", "margin = \"much\"");
        assert!(text.contains(":8:10: field `primary.margin`: invalid type"), "{text}");
        let text = complaint("\"lower\"", "\"lowr\"");
        assert!(text.contains("did you mean `lower`"), "{text}");
    }

    #[test]
    fn what_cannot_be_decided_is_refused() {
        for (from, to, want) in [
            ("seeds = [1, 2]", "seeds = [1]", "ladder.seeds"),
            ("seeds = [1, 2]", "seeds = [2, 2]", "ladder.seeds"),
            ("[\"0.1M\", \"0.4M\"]", "[\"0.4M\", \"0.1M\"]", "smallest first"),
            ("[\"0.1M\", \"0.4M\"]", "[\"small\"]", "is not a size"),
            ("at.\"0.4M\"", "at.\"0.5M\"", "did you mean `0.4M`"),
            ("direction = \"lower\"", "direction = \"higher\"", "not the better way"),
            ("margin = 0.02", "margin = -1.0", "is not a margin"),
            ("name = \"faults\"", "name = \"../up\"", "cannot name a folder"),
            ("list = [9]\n[candidate.recipe.schedule]\nwarmup = 7", "", "same recipe"),
            ("[ladder]", "[decision]\nconfidence = 95\n[ladder]", "confidence level"),
            ("[primary]", "[primary", "bets/x.toml:5:"),
        ] {
            let text = complaint(from, to);
            assert!(text.contains(want), "{text}");
        }
    }

    #[test]
    fn a_complaint_of_the_trainer_gets_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.toml");
        std::fs::write(&path, SAMPLE).unwrap();
        let place = |complaint: &str, sections: &[String]| {
            let text = Bet::place(&path, complaint, "recipe", sections);
            text.strip_prefix(&format!("{}:", path.display())).unwrap().to_owned()
        };
        let of = |arm| Bet::recipe_sections(arm, "0.4M");
        // In the arm's own recipe, in the change at the size, in the shared recipe.
        assert!(place("`recipe.schedule.warmup`: no", &of(Arm::Candidate)).starts_with("34:1: `recipe"));
        assert!(place("`schedule.tokens` is 4", &of(Arm::Candidate)).starts_with("13:28: "));
        assert!(place("`recipe.list`: no", &of(Arm::Baseline)).starts_with("21:1: "));
        // A field that nobody set: where its section is.
        assert!(place("`recipe.schedule.decay`: no", &["recipe".to_owned()]).starts_with("22:9: "));
        assert!(place("it is wrong", &["evaluation".to_owned()]).starts_with(" it is wrong"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let text = Bet::load(Path::new("/nowhere/b.toml")).expect_err("no such file").to_string();
        assert!(text.contains("/nowhere/b.toml"));
    }
}
