//! Synthetic bets and results for tests and for the preview of the report.

use std::path::Path;

use groundwork_lab::{
    Arm, Bet, BetResult, CellResult, Metric, Metrics, Plan, RecipeHash, Registration, ResolvedRecipe, Score,
    nominal_params,
};

/// Plans and registers a bet in a temporary folder; the runs do not exist.
pub fn registered(text: &str) -> (Plan, Registration) {
    let bet = Bet::parse(text, Path::new("synthetic.toml")).expect("a sound bet");
    let plan = Plan::new(bet, &resolve).expect("a fair comparison");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (registration, _, _) = Registration::open(folder.path(), &plan).expect("a registration");
    (plan, registration)
}

fn resolve(table: &toml::Table) -> Result<ResolvedRecipe, String> {
    let size = table["model"]["size"].as_str().unwrap_or_default();
    let params = nominal_params(size).ok_or("no size")?;
    let tokens = params * 20.0;
    Ok(ResolvedRecipe {
        table: table.clone(),
        hash: RecipeHash::of(table),
        params: params as u64,
        tokens: tokens as u64,
        flops: 6.0 * params * tokens,
    })
}

/// A result whose cells hold the scores that `score` gives, and metrics that add up from them.
pub fn result(
    plan: &Plan,
    registration: &Registration,
    mut scores: impl FnMut(Arm, &str, u64) -> Vec<Score>,
) -> BetResult {
    let cells = plan
        .cells
        .iter()
        .map(|cell| {
            let scores = scores(cell.arm, &cell.size, cell.seed);
            CellResult {
                arm: cell.arm,
                size: cell.size.clone(),
                seed: cell.seed,
                run: cell.folder(),
                params: cell.recipe.params,
                flops: cell.recipe.flops,
                tokens: cell.recipe.tokens,
                seconds: 60.0,
                evaluation_seconds: 20.0,
                peak_memory_bytes: 300 << 20,
                metrics: summarise(&scores),
                scores,
                curve: Vec::new(),
                incidents: Vec::new(),
                spikes: Vec::new(),
                tokens_by_source: Default::default(),
                recipe: cell.recipe.table.clone(),
            }
        })
        .collect();
    BetResult {
        registration: registration.clone(),
        cells,
        trials: Vec::new(),
        references: Vec::new(),
        separation: String::new(),
    }
}

/// The metrics that the synthetic bets use, as the arena defines them.
pub fn summarise(scores: &[Score]) -> Metrics {
    type Part = fn(&Score) -> (f64, f64);
    let parts: [(&str, Part); 6] = [
        ("bits_per_action_byte", |s| (s.action_bits, s.action_bytes as f64)),
        ("recovery_bits_per_byte", |s| (s.recovery_bits, s.recovery_bytes as f64)),
        ("success_rate", |s| (f64::from(u8::from(s.success)), 1.0)),
        ("success_clean", |s| match s.fault {
            None => (f64::from(u8::from(s.success)), 1.0),
            Some(_) => (0.0, 0.0),
        }),
        ("recovery_rate", |s| match s.fault_met {
            true => (f64::from(u8::from(s.success)), 1.0),
            false => (0.0, 0.0),
        }),
        ("malformed_rate", |s| (f64::from(s.malformed), f64::from(s.steps))),
    ];
    let mut metrics = Metrics::new();
    for (name, part) in parts {
        let (top, bottom) = scores.iter().map(part).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        if bottom > 0.0 {
            let value = top / bottom;
            metrics.insert(name.to_owned(), Metric { value, low: None, high: None, n: scores.len() as u64 });
        }
    }
    metrics
}
