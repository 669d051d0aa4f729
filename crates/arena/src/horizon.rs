//! Horizons: how many expert steps a task may take before success falls below a half, or below four fifths.

use std::collections::BTreeMap;

use rand_core::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::statistics::{below, quantile, seed_of};
use crate::{Metric, ScoreRow};

/// A horizon above this many steps is reported as this: nothing that could be measured says more.
pub const HORIZON_CAP: f64 = 1e6;
/// Resamples of the bootstrap.
const DRAWS: u64 = 1000;
/// The lapse rates that are tried.
const LAPSES: [f64; 11] = [0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.13, 0.16, 0.2, 0.25];
/// The weight of ½a² beside the mean negative log-likelihood: enough to keep separable data finite.
const RIDGE: f64 = 1e-3;

/// The horizons of one policy by two estimators, over x = log₂ of the expert's steps, which are known exactly.
///
/// *Ours*: P(success) = g + (1 − g − l) σ(a x + b), with g the success of the best agent that knows nothing (`floor`), and l
/// a lapse rate that is fitted, so that slips in easy tasks do not flatten the slope; every task weighs the same.
///
/// *METR's* (eval-analysis-public, 2026-01-20): minimise ½a² + 10 Σ wᵢ BCE(σ(a xᵢ + b), yᵢ) with
/// wᵢ = 1 / (runs of the task · √(tasks of the family)), normalised to sum to 1, families being worlds. Its prior flattens
/// the slope; METR has called it a mistake since.
///
/// Both intervals are the 2.5% and 97.5% quantiles of a hierarchical bootstrap over worlds, tasks and attempts, without new weights;
/// resamples in which everything or nothing succeeds are passed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Horizons {
    /// The horizon at 50%, in expert steps; [`HORIZON_CAP`] where it lies beyond what can be measured.
    pub at_50: Metric,
    /// The horizon at 80%.
    pub at_80: Metric,
    /// METR's estimate at 50%.
    pub metr_50: Metric,
    /// METR's estimate at 80%.
    pub metr_80: Metric,
    /// The guess rate g.
    pub floor: f64,
    /// The fitted lapse rate l.
    pub lapse: f64,
    /// The fitted slope a.
    pub slope: f64,
    /// The fitted intercept b.
    pub intercept: f64,
    /// The shortest and the longest task, in expert steps: outside of them a horizon is an extrapolation.
    pub tested: (u32, u32),
}

impl Horizons {
    /// The fitted probability of success in a task of so many expert steps.
    pub fn success(&self, steps: f64) -> f64 {
        let curve = Curve { a: self.slope, b: self.intercept };
        self.floor + (1.0 - self.floor - self.lapse) * curve.at(steps.log2())
    }

    /// The four horizons by the names of metrics.
    pub fn metrics(&self) -> [(&'static str, Metric); 4] {
        [
            ("horizon_50", self.at_50),
            ("horizon_80", self.at_80),
            ("horizon_50_metr", self.metr_50),
            ("horizon_80_metr", self.metr_80),
        ]
    }
}

/// The horizons that the rows of one policy show; `None` where all tasks take the same number of steps.
///
/// `floor`: the success rate of the best agent that knows nothing, from 0 to 1.
pub fn horizons(rows: &[ScoreRow], floor: f64) -> Option<Horizons> {
    let worlds = families(rows);
    let steps = rows.iter().map(|r| r.expert_steps.max(1));
    let tested = (steps.clone().min()?, steps.max()?);
    if tested.0 == tested.1 {
        return None;
    }
    let all: Vec<Point> = worlds.iter().flatten().flat_map(|task| task.points()).collect();
    let (curve, lapse) = fit_with_lapse(&gathered(&all, |p| p.equal), floor);
    let metr = fit_metr(&gathered(&all, |p| p.metr));
    let own = |at: f64, curve: Curve, lapse: f64, all: &[Point]| match one_sided(all) {
        Some(none) => none,
        None => curve.horizon((at - floor) / (1.0 - floor - lapse)),
    };
    let theirs = |at: f64, curve: Curve, all: &[Point]| one_sided(all).unwrap_or_else(|| curve.horizon(at));

    let mut draws: [Vec<f64>; 4] = Default::default();
    for draw in 0..DRAWS {
        let mut rng = Pcg64::seed_from_u64(seed_of(&["horizon"], &[42 + draw]));
        let drawn = resample(&worlds, &mut rng);
        if one_sided(&drawn).is_some() {
            continue;
        }
        let (curve, lapse) = fit_with_lapse(&gathered(&drawn, |p| p.equal), floor);
        let metr = fit_metr(&gathered(&drawn, |p| p.metr));
        draws[0].push(own(0.5, curve, lapse, &drawn));
        draws[1].push(own(0.8, curve, lapse, &drawn));
        draws[2].push(theirs(0.5, metr, &drawn));
        draws[3].push(theirs(0.8, metr, &drawn));
    }
    let n = worlds.iter().map(Vec::len).sum::<usize>() as u64;
    let [mut a, mut b, mut c, mut d] = draws;
    let metric = |value: f64, drawn: &mut Vec<f64>| {
        drawn.sort_by(f64::total_cmp);
        let ends = (!drawn.is_empty()).then(|| (quantile(drawn, 0.025), quantile(drawn, 0.975)));
        let (low, high) = ends.unwrap_or((value, value));
        Metric { value, low: low.min(value), high: high.max(value), n }
    };
    Some(Horizons {
        at_50: metric(own(0.5, curve, lapse, &all), &mut a),
        at_80: metric(own(0.8, curve, lapse, &all), &mut b),
        metr_50: metric(theirs(0.5, metr, &all), &mut c),
        metr_80: metric(theirs(0.8, metr, &all), &mut d),
        floor,
        lapse,
        slope: curve.a,
        intercept: curve.b,
        tested,
    })
}

/// A task with its attempts.
struct TaskRuns {
    x: f64,
    metr: f64,
    runs: Vec<f64>,
}

/// One attempt.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
    /// Its weight where tasks weigh the same.
    equal: f64,
    /// METR's weight.
    metr: f64,
}

impl TaskRuns {
    fn point(&self, y: f64) -> Point {
        Point { x: self.x, y, equal: 1.0 / self.runs.len() as f64, metr: self.metr }
    }

    fn points(&self) -> impl Iterator<Item = Point> {
        self.runs.iter().map(|&y| self.point(y))
    }
}

/// The tasks of every world.
fn families(rows: &[ScoreRow]) -> Vec<Vec<TaskRuns>> {
    type Key<'a> = (u32, u64, Option<&'a str>);
    let mut worlds: BTreeMap<&str, BTreeMap<Key<'_>, TaskRuns>> = BTreeMap::new();
    for row in rows {
        let world = worlds.entry(&row.world).or_default();
        let task = world.entry((row.level, row.seed, row.fault.as_deref())).or_insert(TaskRuns {
            x: f64::from(row.expert_steps.max(1)).log2(),
            metr: 0.0,
            runs: Vec::new(),
        });
        task.runs.push(f64::from(u8::from(row.success)));
    }
    let mut worlds: Vec<Vec<TaskRuns>> = worlds.into_values().map(|w| w.into_values().collect()).collect();
    // Each world's weights sum to the root of its number of tasks.
    let total: f64 = worlds.iter().map(|w| (w.len() as f64).sqrt()).sum();
    for world in &mut worlds {
        let root = (world.len() as f64).sqrt();
        for task in world {
            task.metr = 1.0 / (task.runs.len() as f64 * root * total);
        }
    }
    worlds
}

fn resample(worlds: &[Vec<TaskRuns>], rng: &mut Pcg64) -> Vec<Point> {
    let mut drawn = Vec::new();
    for _ in worlds {
        let world = &worlds[below(rng, worlds.len())];
        for _ in world {
            let task = &world[below(rng, world.len())];
            drawn.extend(task.runs.iter().map(|_| task.point(task.runs[below(rng, task.runs.len())])));
        }
    }
    drawn
}

/// Where everything fails the horizon is 0, where everything succeeds it is beyond measure.
fn one_sided(points: &[Point]) -> Option<f64> {
    let hits = points.iter().filter(|p| p.y > 0.5).count();
    match hits {
        0 => Some(0.0),
        n if n == points.len() => Some(HORIZON_CAP),
        _ => None,
    }
}

/// What was seen at one x: total weight, and the weight of successes.
struct Bin {
    x: f64,
    weight: f64,
    hits: f64,
}

fn gathered(points: &[Point], weight: fn(&Point) -> f64) -> Vec<Bin> {
    let mut bins: BTreeMap<u64, Bin> = BTreeMap::new();
    for point in points {
        // x is not negative, so its bits are in its order.
        let bin = bins.entry(point.x.to_bits()).or_insert(Bin { x: point.x, weight: 0.0, hits: 0.0 });
        bin.weight += weight(point);
        bin.hits += weight(point) * point.y;
    }
    bins.into_values().collect()
}

/// σ(a x + b)
#[derive(Clone, Copy, Debug)]
struct Curve {
    a: f64,
    b: f64,
}

impl Curve {
    fn at(self, x: f64) -> f64 {
        1.0 / (1.0 + (-(self.a * x + self.b)).exp())
    }

    /// Where the curve crosses `p`, in steps.
    fn horizon(self, p: f64) -> f64 {
        let logit = (p / (1.0 - p)).ln();
        if !(p > 0.0 && p < 1.0) {
            return if p <= 0.0 { HORIZON_CAP } else { 0.0 };
        }
        if self.a >= 0.0 {
            // Success does not fall with length, so that it is above or below everywhere.
            return if self.b >= logit { HORIZON_CAP } else { 0.0 };
        }
        ((logit - self.b) / self.a).exp2().min(HORIZON_CAP)
    }
}

/// Minimises ½a²/10 + Σ w BCE, which is a tenth of METR's objective.
fn fit_metr(bins: &[Bin]) -> Curve {
    minimise(bins, 0.0, 0.0, 0.1).0
}

/// Our fit: the lapse rate whose likelihood is highest, the smallest of equals.
fn fit_with_lapse(bins: &[Bin], floor: f64) -> (Curve, f64) {
    let total: f64 = bins.iter().map(|b| b.weight).sum();
    let mut best = (Curve { a: 0.0, b: 0.0 }, 0.0, f64::INFINITY);
    for lapse in LAPSES.into_iter().filter(|l| floor + l < 0.9) {
        let (curve, loss) = minimise(bins, floor, lapse, RIDGE * total);
        if loss < best.2 - 1e-9 * total {
            best = (curve, lapse, loss);
        }
    }
    (best.0, best.1)
}

/// Minimises ½ ridge a² + Σ w BCE(g + (1 − g − l) σ(a x + b), y) by Fisher scoring with step halving; returns the loss, too.
fn minimise(bins: &[Bin], g: f64, l: f64, ridge: f64) -> (Curve, f64) {
    const FAR: f64 = 50.0;
    let scale = 1.0 - g - l;
    let p = |c: Curve, x: f64| (g + scale * c.at(x)).clamp(1e-12, 1.0 - 1e-12);
    let loss = |c: Curve| {
        let fit = |b: &Bin| {
            let p = p(c, b.x);
            b.hits * p.ln() + (b.weight - b.hits) * (1.0 - p).ln()
        };
        0.5 * ridge * c.a * c.a - bins.iter().map(fit).sum::<f64>()
    };
    let mut curve = Curve { a: 0.0, b: 0.0 };
    let mut now = loss(curve);
    for _ in 0..100 {
        let (mut ga, mut gb) = (-ridge * curve.a, 0.0);
        let (mut haa, mut hab, mut hbb) = (ridge, 0.0, 1e-12);
        for bin in bins {
            let (s, p) = (curve.at(bin.x), p(curve, bin.x));
            let slope = scale * s * (1.0 - s);
            let score = (bin.hits - bin.weight * p) / (p * (1.0 - p)) * slope;
            let information = bin.weight * slope * slope / (p * (1.0 - p));
            ga += score * bin.x;
            gb += score;
            haa += information * bin.x * bin.x;
            hab += information * bin.x;
            hbb += information;
        }
        let det = haa * hbb - hab * hab;
        if det <= 0.0 {
            break;
        }
        let (da, db) = ((hbb * ga - hab * gb) / det, (haa * gb - hab * ga) / det);
        let mut step = 1.0;
        let next = loop {
            let to = Curve {
                a: (curve.a + step * da).clamp(-FAR, FAR),
                b: (curve.b + step * db).clamp(-FAR, FAR),
            };
            let value = loss(to);
            if value < now {
                break Some((to, value));
            }
            step *= 0.5;
            if step < 1e-8 {
                break None;
            }
        };
        let Some((to, value)) = next else { break };
        let gained = now - value;
        (curve, now) = (to, value);
        if gained < 1e-14 * (1.0 + now.abs()) {
            break;
        }
    }
    (curve, now)
}
