//! `groundwork bet plan`

use groundwork_lab::judge::{Defined, Scale};
use groundwork_lab::{AssumedNoise, Bet, NoiseArchive, Plan, Prospect};

use super::bet::{archive_of, plan_of};
use super::print_json;
use crate::cli::BetPlanArgs;
use crate::failure::Failure;
use crate::progress::count;
use crate::table::plain;

pub fn run(args: &BetPlanArgs) -> Result<(), Failure> {
    let bet = Bet::load(&args.file).map_err(Failure::input)?;
    let plan = plan_of(bet, &args.file)?;
    // Where no archive was made yet, the finished runs may still hold one.
    let archive = match archive_of(&args.runs)? {
        Some(archive) => archive,
        None => NoiseArchive::gather(&args.runs)?,
    };
    let plan = plan.with_archive(&archive).map_err(|e| Failure::input(e).in_file(&args.file))?;
    let assumed = args.noise.map(|sd| AssumedNoise { sd, slope: args.slope });
    let prospect = plan.prospect(&archive, assumed).map_err(|e| Failure::input(e).in_file(&args.file))?;
    if args.json {
        print_json(&prospect);
    } else {
        print!("{}", words(&plan, &prospect, &archive, assumed));
    }
    Ok(())
}

fn words(plan: &Plan, p: &Prospect, archive: &NoiseArchive, assumed: Option<AssumedNoise>) -> String {
    let bet = &plan.bet;
    let say = |effect: f64| match bet.primary.scale {
        Scale::Multiplier => format!("{:.3}x", effect.exp()),
        Scale::Metric => format!("{effect:+.4}"),
    };
    let mut text = format!("{}\n\n  {}\n\n", bet.name, bet.question.trim());
    for line in bet.rule_in_words(&plan.noise) {
        text += &format!("  {line}\n");
    }
    let missing: Vec<&str> = (bet.ladder.sizes.iter().map(String::as_str))
        .filter(|size| archive.entry(&bet.primary.metric, size).is_none())
        .collect();
    let source = match assumed {
        Some(a) if !missing.is_empty() => {
            format!("a standard deviation of {} a run is assumed at {}", a.sd, missing.join(", "))
        }
        _ => format!("noise from archive {}", archive.digest()),
    };
    text += &format!("\nIf the true effect, the same at every size, is … ({source})\n");
    let mut table = plain(["effect", "ships", "drops", "as harm", "pairs at the top", "FLOPs"], 0);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for row in &p.power {
        table.add_row([
            say(row.effect),
            percent(row.ships),
            percent(row.drops),
            percent(row.harms),
            format!("{:.1}", row.pairs),
            count(row.flops),
        ]);
    }
    text += &format!("{table}\n\n");
    let trials = plan.of_trials();
    if !trials.cells.is_empty() {
        text += &format!(
            "Choosing the learning rates comes on top: {} runs, {}FLOP.\n",
            trials.cells.len(),
            count(trials.flops())
        );
    }
    text += &match &p.cheapest {
        Defined::Value(d) => format!(
            "Cheapest design that ships {} with 80 %: {} pairs at {}, expected {}FLOP, {}.\n",
            say(p.typical),
            d.seeds,
            d.sizes.join(", "),
            count(d.flops),
            percent(d.ships)
        ),
        Defined::Undefined(why) => format!("Cheapest design: {why}.\n"),
    };
    text += &match &p.worth {
        Defined::Value(w) => format!(
            "What the answer is worth: {} of the target run, {}FLOP. A bet that costs more is not worth its price.\n",
            percent(w.share),
            count(w.flops)
        ),
        Defined::Undefined(why) => format!("What the answer is worth: {why}.\n"),
    };
    text
}
