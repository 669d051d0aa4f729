//! Bets on published runs. The files are read in place; where they are absent every function returns `None`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use groundwork_lab::fit::{LossFit, LossLaw, LossPoint, ScoreLaw};
use groundwork_lab::judge::{DrawnPair, Rehearsal, RehearsalDraws, RehearsalRung, Rule, Scale, rehearse};

use super::{Shares, bare_rule, naive_finds};

/// The folder of published runs: `GROUNDWORK_PUBLISHED_RUNS`, or `shared/data/published-runs` beside the checkout.
pub fn folder() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/published-runs");
    let folder = std::env::var_os("GROUNDWORK_PUBLISHED_RUNS").map_or_else(beside, PathBuf::from);
    folder.join("README.md").is_file().then_some(folder)
}

/// Rows of a comma-separated file by name of column; `.gz` through gzip.
fn rows(name: &str) -> Option<Vec<BTreeMap<String, String>>> {
    let path = folder()?.join(name);
    let text = if name.ends_with(".gz") {
        String::from_utf8(Command::new("gzip").arg("-dc").arg(path).output().ok()?.stdout).ok()?
    } else {
        std::fs::read_to_string(path).ok()?
    };
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next()?.split(',').collect();
    Some(
        lines
            .map(|line| {
                head.iter().zip(line.split(',')).map(|(k, v)| ((*k).to_owned(), v.to_owned())).collect()
            })
            .collect(),
    )
}

fn number(row: &BTreeMap<String, String>, key: &str) -> Option<f64> {
    row.get(key)?.parse().ok()
}

/// Final losses of the modded-nanogpt groups with at least `least` runs of one and the same code, oldest first.
pub fn groups(least: usize) -> Option<Vec<Vec<f64>>> {
    let mut by_group: BTreeMap<String, (String, Vec<f64>)> = BTreeMap::new();
    for row in rows("modded_nanogpt_runs.csv")? {
        if let Some(loss) = number(&row, "final_val_loss") {
            let group = by_group.entry(row["group"].clone()).or_default();
            group.0 = row["date"].clone();
            group.1.push(loss);
        }
    }
    let mut groups: Vec<(String, Vec<f64>)> = by_group.into_values().filter(|g| g.1.len() >= least).collect();
    groups.sort_by(|a, b| a.0.cmp(&b.0));
    Some(groups.into_iter().map(|g| g.1).collect())
}

/// What an e-fold of compute buys there, in nats a token: 0.0045 for 100 of 3,325 steps, the benchmark's own figure.
pub const SLOPE: f64 = 0.0045 / 100.0 * 3325.0;

/// Draws `2 * pairs` different runs of a group, and the archive's standard deviation of a pair: from the other runs of the
/// group, or, where those are fewer than five, from the neighbouring groups.
fn draw(groups: &[Vec<f64>], pick: usize, pairs: usize, draws: &mut RehearsalDraws) -> (Vec<f64>, f64, f64) {
    let mut runs = groups[pick].clone();
    for i in 0..2 * pairs {
        let j = i + draws.below(runs.len() - i);
        runs.swap(i, j);
    }
    let rest = &runs[2 * pairs..];
    let spread = |runs: &[f64]| {
        let mean = runs.iter().sum::<f64>() / runs.len() as f64;
        runs.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
    };
    let (squares, df) = if rest.len() >= 5 {
        let rest = &rest[..rest.len().min(21)];
        (spread(rest), rest.len() as f64 - 1.0)
    } else {
        let near = (pick.saturating_sub(3)..(pick + 4).min(groups.len())).filter(|g| *g != pick);
        near.fold((0.0, 0.0), |a, g| (a.0 + spread(&groups[g]), a.1 + groups[g].len() as f64 - 1.0))
    };
    (runs[..2 * pairs].to_vec(), (2.0 * squares / df).sqrt() / SLOPE, df.min(20.0))
}

/// Bets on real noise: five pairs, looked at after each from the second on. `gain` is the planted multiplier less one. Returns
/// the shares and how often the naive test finds something.
pub fn real_noise(gain: f64, margin: f64, bets: u64, seed: u64) -> Option<(Shares, f64)> {
    const PAIRS: usize = 5;
    const CRITICAL: [f64; 4] = [12.706, 4.303, 3.182, 2.776];
    let groups = groups(2 * PAIRS)?;
    let rule = Rule {
        scale: Scale::Multiplier,
        margin,
        equal: margin,
        futile: 0.0,
        ..bare_rule(PAIRS as u32, &[2, 3, 4, 5])
    };
    // The archive's degrees of freedom differ between groups; a rehearsal is made for each number that occurs.
    let rehearsals: Vec<Rehearsal> = (1..=20)
        .map(|df| {
            let rung = RehearsalRung { compute: 1.0, cap: PAIRS as u32, archive_df: f64::from(df) };
            Rehearsal::new(&rule, &[rung], 0.0, 0)
        })
        .collect();
    let played = rehearse(&rehearsals[0], bets, |_, bet| {
        let mut draws = RehearsalDraws::new(seed, bet);
        let pick = draws.below(groups.len());
        let (runs, archive, df) = draw(&groups, pick, PAIRS, &mut draws);
        let drawn = |pair: usize| {
            let candidate = f64::ln_1p(gain) - runs[2 * pair + 1] / SLOPE;
            DrawnPair { effect: candidate + runs[2 * pair] / SLOPE, candidate }
        };
        let mut pairs = (0..PAIRS).map(drawn);
        let mut next = move |_| pairs.next().expect("no bet takes more pairs than its cap");
        let played = rehearsals[df as usize - 1].clone().play(&[archive], &mut next);
        let mut pairs = (0..PAIRS).map(|pair| drawn(pair).effect);
        let naive = naive_finds(
            &mut |_| pairs.next().expect("the naive test has the same cap"),
            PAIRS as u32,
            &CRITICAL,
        );
        (played, naive)
    });
    let naive = played.iter().filter(|p| p.1).count() as f64 / played.len() as f64;
    let played: Vec<_> = played.into_iter().map(|p| (p.0, 0.0)).collect();
    Some((Shares::of(&played), naive))
}

/// The points of the Chinchilla figure without the five largest losses.
pub fn chinchilla() -> Option<Vec<LossPoint>> {
    let mut points: Vec<LossPoint> = rows("chinchilla_points.csv")?
        .iter()
        .filter_map(|r| {
            let (params, flops) = (number(r, "params")?, number(r, "train_flop")?);
            Some(LossPoint { params, tokens: flops / (6.0 * params), loss: number(r, "loss")? })
        })
        .collect();
    points.sort_by(|a, b| a.loss.total_cmp(&b.loss));
    points.truncate(points.len() - 5);
    Some(points)
}

/// Fit of the Chinchilla points.
pub fn chinchilla_fit() -> Option<LossFit> {
    LossLaw::fit(&chinchilla()?).ok()
}

/// A task of the OLMo ladder: its name as published, and the columns of loss and accuracy with their weights.
type Task = (&'static str, Vec<(&'static str, f64)>);

fn tasks() -> Vec<Task> {
    let mut tasks: Vec<Task> = vec![(
        "mmlu_avg_test_5shot",
        vec![
            ("mmlu_stem_test", 0.215),
            ("mmlu_humanities_test", 0.335),
            ("mmlu_social_sciences_test", 0.219),
            ("mmlu_other_test", 0.231),
        ],
    )];
    for (published, column) in [
        ("hellaswag_val_5shot", "hellaswag_val"),
        ("arc_challenge_test_5shot", "arc_challenge_test"),
        ("arc_easy_test_5shot", "arc_easy_test"),
        ("piqa_val_5shot", "piqa_val"),
        ("csqa_val_5shot", "csqa_val"),
        ("socialiqa_val_5shot", "socialiqa_val"),
        ("openbookqa_test_5shot", "openbookqa_test"),
    ] {
        tasks.push((published, vec![(column, 1.0)]));
    }
    tasks
}

/// What the ladder says of a task at 13B parameters and 5T tokens.
#[derive(Clone, Debug)]
pub struct TaskPrediction {
    pub task: &'static str,
    /// Relative errors of ours and of the published prediction.
    pub ours: f64,
    pub published: f64,
    pub predicted: f64,
    pub published_prediction: f64,
}

/// The OLMo ladder's two steps: loss law on the mean of each run's last five checkpoints, score law on all checkpoints after
/// the first tenth of each run, smoothed over five.
pub fn olmo() -> Option<Vec<TaskPrediction>> {
    const TARGET: (f64, f64) = (13_202_396_160.0, 5_000_088_518_656.0);
    let sizes =
        [("190M", 190_354_176.0), ("370M", 371_262_464.0), ("760M", 758_220_288.0), ("1B", 1_279_395_840.0)];
    let rows = rows("olmo_ladder_evals.csv.gz")?;
    let targets = self::rows("olmo_ladder_targets.csv")?;
    let runs: Vec<(f64, Vec<&BTreeMap<String, String>>)> = sizes
        .iter()
        .flat_map(|(size, n)| ["1", "2", "5", "10"].map(|x| (format!("{size}-{x}xC"), *n)))
        .map(|(run, n)| (n, rows.iter().filter(|r| r["run"] == run).collect()))
        .collect();
    let mut predictions = Vec::new();
    for (task, columns) in tasks() {
        let weighted = |row: &BTreeMap<String, String>, prefix: &str, suffix: &str| -> Option<f64> {
            let total: f64 = columns.iter().map(|c| c.1).sum();
            let sum: Option<f64> = columns
                .iter()
                .map(|(c, w)| Some(w * number(row, &format!("{prefix}.{c}_rc_5shot_{suffix}"))?))
                .sum();
            Some(sum? / total)
        };
        let (mut points, mut pairs) = (Vec::new(), Vec::new());
        for (n, checkpoints) in &runs {
            let losses: Vec<f64> = checkpoints.iter().filter_map(|r| weighted(r, "bpb", "bpb")).collect();
            let scores: Vec<f64> =
                checkpoints.iter().filter_map(|r| weighted(r, "acc", "len_norm")).collect();
            let last = &losses[losses.len().saturating_sub(5)..];
            let tokens = number(checkpoints.last()?, "total_tokens")?;
            points.push(LossPoint { params: *n, tokens, loss: last.iter().sum::<f64>() / last.len() as f64 });
            let skip = (0.1 * losses.len() as f64).ceil() as usize;
            pairs.extend(smooth(&losses[skip..], 5).into_iter().zip(smooth(&scores[skip..], 5)));
        }
        pairs.push((0.0, 1.0));
        let law = LossLaw::fit(&points).ok()?.law;
        let score = ScoreLaw::fit(&pairs).ok()?;
        let predicted = score.at(law.at(TARGET.0, TARGET.1));
        let target = targets.iter().find(|t| t["figure"] == "chained_main" && t["task"] == task)?;
        let actual = number(target, "actual")?;
        predictions.push(TaskPrediction {
            task,
            ours: (predicted - actual).abs() / actual,
            published: number(target, "rel_error")?,
            predicted,
            published_prediction: number(target, "predicted")?,
        });
    }
    Some(predictions)
}

/// Mean over a window of `n` that ends at each value, shorter at the beginning.
fn smooth(values: &[f64], n: usize) -> Vec<f64> {
    (0..values.len())
        .map(|i| {
            let from = (i + 1).saturating_sub(n);
            values[from..=i].iter().sum::<f64>() / (i + 1 - from) as f64
        })
        .collect()
}
