//! `groundwork bet plan`

use groundwork_lab::judge::{Defined, Scale};
use groundwork_lab::{Bet, NoiseArchive, Plan, Prospect};

use super::bet::{archive_of, plan_of};
use super::print_json;
use crate::cli::BetPlanArgs;
use crate::failure::Failure;
use crate::progress::count;
use crate::table::plain;

pub fn run(args: &BetPlanArgs) -> Result<(), Failure> {
    let bet = Bet::load(&args.file).map_err(Failure::input)?;
    let plan = plan_of(bet, &args.file)?;
    let archive = archive_of(&args.runs)?.unwrap_or_default();
    let plan = plan.with_archive(&archive).map_err(|e| Failure::input(e).in_file(&args.file))?;
    let prospect = plan.prospect(&archive).map_err(|e| Failure::input(e).in_file(&args.file))?;
    if args.json {
        print_json(&prospect);
    } else {
        print!("{}", words(&plan, &prospect, &archive));
    }
    Ok(())
}

fn words(plan: &Plan, p: &Prospect, archive: &NoiseArchive) -> String {
    let bet = &plan.bet;
    let say = |effect: f64| match bet.primary.scale {
        Scale::Multiplier => format!("{:.3}x", effect.exp()),
        Scale::Metric => format!("{effect:+.4}"),
    };
    let mut text = format!("{}\n\n  {}\n\n", bet.name, bet.question.trim());
    for line in bet.rule_in_words(&plan.noise) {
        text += &format!("  {line}\n");
    }
    text += &format!(
        "\nIf the true effect, the same at every size, is … (noise from archive {})\n",
        archive.digest()
    );
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
