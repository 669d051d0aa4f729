//! `groundwork bet`

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use groundwork_arena::{SuiteSpec, floors, how_test_tasks_are_held_out, read_scores};
use groundwork_corpus::read_manifest;
use groundwork_lab::judge::Ruling;
use groundwork_lab::{
    Bet, BetResult, CellResult, LEDGER_FILE, Ledger, NoiseArchive, Plan, PlanError, RecipeHash, Registration,
    ResolvedRecipe, Runner, RunnerEvent, RunnerOutcome, Score, Speed, Verdict, render_report,
};
use groundwork_train::{Processor, Recipe};

use super::print_json;
use crate::cli::{BetArgs, BetCommand};
use crate::failure::Failure;
use crate::interrupt;
use crate::progress::{Bar, Bars, count, duration};
use crate::side_by_side::{Choice, Layout};
use crate::suite;

/// The share of the peak of matrix products at which small models train, about. Only the first estimate rests on
/// it; the bars use what they see.
const USUAL_UTILISATION: f64 = 0.55;
/// Seconds that a task of the evaluation takes, about.
const USUAL_TASK_SECONDS: f64 = 0.015;
/// Tasks a cell on which the reference agents are played for the report.
const FLOOR_TASKS: u32 = 16;

pub fn run(args: &BetArgs) -> Result<(), Failure> {
    if let Some(BetCommand::Plan(plan)) = &args.command {
        return super::bet_plan::run(plan);
    }
    let Some(file) = &args.file else { return Err(Failure::input("name a bet (TOML)")) };
    let bet = Bet::load(file).map_err(Failure::input)?;
    // An outside trainer measures its models itself.
    let suite = match bet.trainer {
        None => Some(suite::of_bet(&bet.evaluation, file)?),
        Some(_) => None,
    };
    let plan = plan_of(bet, file)?;
    // A bet that is registered keeps the noise that it was registered with.
    let frozen = Registration::noise_of(&args.runs, &plan);
    let plan = match (frozen, archive_of(&args.runs)?) {
        (Some(noise), _) => Plan { noise, ..plan },
        (None, Some(archive)) => plan.with_archive(&archive).map_err(|e| Failure::input(e).in_file(file))?,
        (None, None) => plan,
    };
    if args.plan {
        print!("{}", announcement(&plan, &Outfit::of(args, &plan, suite.as_ref())?));
        return Ok(());
    }
    let (registration, folder, new) = Registration::open(&args.runs, &plan).map_err(Failure::input)?;
    let mut runner = Runner {
        program: std::env::current_exe().map_err(Failure::work)?,
        runs: args.runs.clone(),
        base: base_of(file),
        folder: folder.clone(),
        parallel: 1,
        threads: 1,
        speed: Speed { flops_per_second: None, evaluation_seconds: 0.0 },
        grace: Duration::from_secs(60),
    };
    let earlier = read_verdict(&folder, &registration);
    let stop = interrupt::flag();
    let finished = earlier.as_ref().is_some_and(|v| v.judgement.ruling != Ruling::Undecided)
        || all_made(&runner, &plan)?;
    let say = |text: &str| {
        if !args.json {
            println!("{text}")
        }
    };
    if finished {
        say(&format!("`{}` is finished; nothing is run again.", plan.bet.name));
        if let Some(verdict) = earlier {
            return show(args, &verdict, &folder);
        }
    } else {
        let outfit = Outfit::of(args, &plan, suite.as_ref())?;
        (runner.parallel, runner.threads, runner.speed) =
            (outfit.layout.parallel, outfit.layout.threads, outfit.speed);
        say(&announcement(&plan, &outfit));
        let place = folder.join("registration.json");
        say(&format!("{} {}\n", if new { "registered in" } else { "going on with" }, place.display()));
        // No trial is judged, so that none decides.
        make(&runner, &plan.of_trials(), &stop, &mut |_| false)?;
    }
    let trials = plan.read_trials(&args.runs)?;
    let plan = plan.tuned(&trials).map_err(Failure::work)?;
    if !finished {
        trials.iter().filter(|t| t.chosen).for_each(|t| {
            say(&format!("{} {}: learning rates times {}", t.cell.arm, t.cell.size, t.factor));
        });
        // A look that cannot be read decides nothing; what is wrong shows when the bet is judged at its end.
        let mut decided = |cells: &[usize]| {
            collect(&plan, cells, registration.clone(), &args.runs)
                .is_ok_and(|result| Verdict::of(&result).judgement.ruling != Ruling::Undecided)
        };
        let spared = make(&runner, &plan, &stop, &mut decided)?;
        if spared > 0 {
            say(&format!("decided: {spared} runs cannot change the verdict any more and are not made"));
        }
    }
    let cells: Vec<usize> = runner.finished_cells(&plan).map_err(Failure::input)?;
    let mut result = BetResult { trials, ..collect(&plan, &cells, registration, &args.runs)? };
    if let Some(suite) = suite {
        let few = SuiteSpec { tasks: suite.tasks.min(FLOOR_TASKS), ..suite };
        result.references = floors(&few, &mut |_| {})?.into_iter().map(score).collect();
    }
    let verdict = Verdict::of(&result);
    let ledger = Ledger::open(&args.runs).and_then(|mut ledger| {
        ledger.enter(&verdict.registration, &verdict.judgement)?;
        Ok(ledger)
    });
    let ledger = ledger.map_err(|e| Failure::unwritable(&args.runs.join(LEDGER_FILE), &e))?;
    let page = render_report(&result, &verdict, &ledger.coverage());
    fs::write(folder.join("report.html"), page)
        .and_then(|()| verdict.write(&folder))
        .map_err(|e| Failure::work(format!("`{}`: {e}", folder.display())))?;
    show(args, &verdict, &folder)
}

/// True if no run of `plan` is left to do.
fn all_made(runner: &Runner, plan: &Plan) -> Result<bool, Failure> {
    if !runner.is_finished(&plan.of_trials()).map_err(Failure::input)? {
        return Ok(false);
    }
    let plan = plan.tuned(&plan.read_trials(&runner.runs)?).map_err(Failure::work)?;
    runner.is_finished(&plan).map_err(Failure::input)
}

/// Makes the runs of `plan` that are not made yet, and shows how they go on. Returns how many `decided` has spared.
fn make(
    runner: &Runner,
    plan: &Plan,
    stop: &AtomicBool,
    decided: &mut dyn FnMut(&[usize]) -> bool,
) -> Result<usize, Failure> {
    if plan.cells.is_empty() {
        return Ok(0);
    }
    let mut screen = Screen::new(plan);
    let outcome = runner.run(plan, stop, decided, &mut |event| screen.show(event)).map_err(Failure::input)?;
    screen.clear();
    match outcome {
        RunnerOutcome::Finished => Ok(0),
        RunnerOutcome::Decided { spared } => Ok(spared),
        RunnerOutcome::Interrupted => {
            Err(Failure::interrupted("interrupted; the same command goes on from here"))
        }
        RunnerOutcome::Failed(failures) => {
            let mut text = format!("{} of {} runs failed", failures.len(), plan.cells.len());
            for (cell, failure) in failures {
                text += &format!("\n{}: {}\n", plan.cells[cell].label(), failure.message);
                failure.stderr.iter().for_each(|line| text += &format!("    {line}\n"));
                text += &format!("    everything it wrote: {}", failure.log.display());
            }
            Err(Failure::work(text))
        }
    }
}

/// The bet with its recipes resolved; what the trainer refuses is named with its place in the file.
pub fn plan_of(bet: Bet, file: &Path) -> Result<Plan, Failure> {
    let trainer = bet.trainer.clone();
    let base = base_of(file);
    let resolve = |recipe: &toml::Table| match &trainer {
        None => resolve(recipe),
        Some(trainer) => trainer.resolve(recipe, &base),
    };
    Plan::new(bet, &resolve).map_err(|e| match &e {
        PlanError::Recipe { arm, size, .. } => {
            let message = e.to_string();
            // The complaint's own field comes after the words about the run.
            let complaint = message.split_once(": ").map_or(message.as_str(), |(_, complaint)| complaint);
            let placed = Bet::place(file, complaint, "recipe", &Bet::recipe_sections(*arm, size));
            Failure::input(format!("{placed}\n  in the recipe of the {arm} at {size}"))
        }
        _ => Failure::input(e).in_file(file),
    })
}

/// The folder of a bet file, in which an outside trainer is run.
fn base_of(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

/// The archive of A/A runs in the folder of runs, if there is one.
pub fn archive_of(runs: &Path) -> Result<Option<NoiseArchive>, Failure> {
    NoiseArchive::load(runs).map_err(Failure::input)
}

/// The trainer's word on a recipe, as the lab wants it.
pub fn resolve(table: &toml::Table) -> Result<ResolvedRecipe, String> {
    let resolved =
        Recipe::from_table(table, "recipe").and_then(|r| r.resolve()).map_err(|e| e.to_string())?;
    let table = toml::Table::try_from(&resolved.recipe).map_err(|e| e.to_string())?;
    Ok(ResolvedRecipe {
        table,
        hash: RecipeHash::from_hex(resolved.hash.as_str())?,
        params: resolved.config.parameters().non_embedding(),
        tokens: resolved.tokens,
        flops: resolved.flops,
    })
}

/// How the runs of a bet are made on this machine.
struct Outfit {
    layout: Layout,
    speed: Speed,
    /// What was tried to find out.
    tried: Option<String>,
}

impl Outfit {
    /// What the user asks for; where that leaves it open, what is fastest at the largest size.
    fn of(args: &BetArgs, plan: &Plan, suite: Option<&SuiteSpec>) -> Result<Outfit, Failure> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let plan = &plan.to_make();
        let most = plan.cells.len().max(1);
        let by_hand = |usual: usize| {
            let parallel = args.jobs.unwrap_or(usual).clamp(1, most);
            Layout { parallel, threads: args.threads.unwrap_or((cores / parallel).max(1)) }
        };
        let Some(suite) = suite else {
            // Whether an outside trainer leaves room for a second one, on a graphics processor say, is not ours to guess.
            let speed = Speed { flops_per_second: None, evaluation_seconds: 0.0 };
            return Ok(Outfit { layout: by_hand(1), speed, tried: None });
        };
        let evaluation_seconds = USUAL_TASK_SECONDS * suite.tasks()?.len() as f64;
        if let (None, None, Some(top)) = (args.jobs, args.threads, plan.cells.last()) {
            let choice = Choice::measure(&top.recipe.table, most, cores)?;
            let flops = top.recipe.flops / top.recipe.tokens.max(1) as f64;
            let speed =
                Speed { flops_per_second: Some(choice.tokens_per_second() * flops), evaluation_seconds };
            return Ok(Outfit { layout: choice.layout, speed, tried: Some(choice.to_text()) });
        }
        let layout = by_hand(cores);
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(layout.threads).build().map_err(Failure::work)?;
        let device = Processor::Cpu.device()?;
        let peak = pool.install(|| groundwork_train::measure_peak(&device))
            * (cores as f64 / (layout.parallel * layout.threads) as f64).min(1.0);
        let speed = Speed { flops_per_second: Some(USUAL_UTILISATION * peak), evaluation_seconds };
        Ok(Outfit { layout, speed, tried: None })
    }
}

/// What will be done, before it is done.
fn announcement(plan: &Plan, outfit: &Outfit) -> String {
    let Layout { parallel, threads } = outfit.layout;
    let (bet, plan) = (&plan.bet, &plan.to_make());
    let mut text = format!("{}\n\n  {}\n\n", bet.name, bet.question.trim());
    for line in bet.rule_in_words(&plan.noise) {
        text += &format!("  {line}\n");
    }
    text += &format!(
        "\n  {:10} {:>6} {:>8} {:>12} {:>12}\n",
        "size", "seeds", "params", "tokens/run", "FLOP/run"
    );
    for size in &bet.ladder.sizes {
        if let Some(cell) = plan.cells.iter().find(|c| c.size == *size) {
            text += &format!(
                "  {:10} {:>6} {:>8} {:>12} {:>12}\n",
                size,
                bet.ladder.seeds.len(),
                count(cell.recipe.params as f64),
                count(cell.recipe.tokens as f64),
                count(cell.recipe.flops)
            );
        }
    }
    text += &format!(
        "\n  {} runs, {parallel} side by side with {threads} {} each; {} tokens, {}FLOP; {}\n",
        plan.cells.len(),
        if threads == 1 { "thread" } else { "threads" },
        count(plan.tokens() as f64),
        count(plan.flops()),
        match outfit.speed.seconds(plan, parallel) {
            Some(seconds) => format!("about {} on this machine", duration(seconds)),
            None => "how long the trainer takes will show".to_owned(),
        }
    );
    text += &outfit.tried.as_ref().map_or_else(String::new, |tried| format!("  {tried}\n"));
    text
}

/// The verdict of an earlier start, if it answers this registration.
fn read_verdict(folder: &Path, registration: &Registration) -> Option<Verdict> {
    let text = fs::read_to_string(folder.join("verdict.json")).ok()?;
    let verdict: Verdict = serde_json::from_str(&text).ok()?;
    (verdict.registration == registration.hash && folder.join("report.html").exists()).then_some(verdict)
}

fn show(args: &BetArgs, verdict: &Verdict, folder: &Path) -> Result<(), Failure> {
    if args.json {
        print_json(verdict);
    } else {
        println!("\n{}", verdict.to_text());
        println!("report: {}", folder.join("report.html").display());
    }
    Ok(())
}

/// Reads what the finished runs, indices into the plan's cells, left on disk.
fn collect(
    plan: &Plan,
    finished: &[usize],
    registration: Registration,
    runs: &Path,
) -> Result<BetResult, Failure> {
    let mut cells = Vec::new();
    for cell in finished.iter().filter_map(|i| plan.cells.get(*i)) {
        let run = runs.join(cell.folder());
        let (scores, tokens) = if plan.bet.trainer.is_some() {
            (Vec::new(), BTreeMap::new())
        } else {
            let scores = read_scores(&run.join("scores.parquet"))?.into_iter().map(score).collect();
            (scores, tokens_by_source(runs, &cell.recipe.table)?)
        };
        cells.push(CellResult::load(runs, cell, scores, tokens)?);
    }
    let separation = match plan.bet.trainer {
        None => how_test_tasks_are_held_out(),
        Some(_) => String::new(),
    };
    Ok(BetResult { registration, cells, trials: Vec::new(), references: Vec::new(), separation })
}

/// Tokens by source of a recipe's corpus.
fn tokens_by_source(runs: &Path, recipe: &toml::Table) -> Result<BTreeMap<String, u64>, Failure> {
    let recipe = Recipe::from_table(recipe, "recipe")?;
    let dir: PathBuf = groundwork_train::corpus_folder(runs, &recipe);
    Ok(read_manifest(&dir)?.sources.into_iter().map(|s| (s.name, s.tokens)).collect())
}

/// An attempt as the lab reads it.
fn score(row: groundwork_arena::ScoreRow) -> Score {
    Score {
        world: row.world,
        level: row.level,
        fault: row.fault.map(|f| f.to_string()),
        seed: row.seed,
        policy: row.policy,
        success: row.success,
        steps: row.steps,
        expert_steps: row.expert_steps,
        malformed: row.malformed,
        fault_met: row.fault_met,
        ended: row.ended.to_string(),
        action_bits: row.action_bits,
        action_bytes: row.action_bytes,
        recovery_bits: row.recovery_bits,
        recovery_bytes: row.recovery_bytes,
        ranked_actions: row.ranked_actions,
        legal_rank: row.legal_rank,
        legal_count: row.legal_count,
        reciprocal_rank: row.reciprocal_rank,
        transcript: row.transcript,
    }
}

/// What a running bet looks like to a person: a bar for every run under way and one for the whole.
struct Screen<'a> {
    plan: &'a Plan,
    bars: Bars,
    cells: BTreeMap<usize, Bar>,
    whole: Bar,
}

impl<'a> Screen<'a> {
    fn new(plan: &'a Plan) -> Self {
        let bars = Bars::new();
        let whole = bars.bar("all runs", 1000);
        Screen { plan, bars, cells: BTreeMap::new(), whole }
    }

    fn clear(self) {
        self.cells.into_values().for_each(Bar::clear);
        self.whole.clear();
    }

    fn cell(&mut self, cell: usize) -> &mut Bar {
        let label = self.plan.cells[cell].label();
        let bars = &self.bars;
        self.cells.entry(cell).or_insert_with(|| bars.bar(&label, 1))
    }

    fn show(&mut self, event: RunnerEvent) {
        match event {
            RunnerEvent::Started { cell, resumed } => {
                let message = if resumed { "going on" } else { "preparing" };
                self.cell(cell).set(0, message);
            }
            RunnerEvent::Preparing { cell, stage, done, of } => {
                let bar = self.cell(cell);
                bar.set_length(of);
                bar.set(done, &format!("preparing the corpus: {stage}"));
            }
            RunnerEvent::Training { cell, step, steps, tokens, of_tokens, loss, tokens_per_second } => {
                let mut says = Vec::new();
                if loss.is_finite() {
                    says.push(format!("loss {loss:.3}"));
                }
                if tokens_per_second > 0.0 {
                    let left = of_tokens.saturating_sub(tokens) as f64 / tokens_per_second;
                    says.push(format!("{} tokens/s", count(tokens_per_second)));
                    says.push(format!("{} left", duration(left)));
                }
                // An outside trainer may count its steps and not its tokens.
                let (done, of) = if of_tokens > 0 { (tokens, of_tokens) } else { (step, steps.unwrap_or(0)) };
                let bar = self.cell(cell);
                bar.set_length(of);
                bar.set(done, &says.join("  "));
            }
            RunnerEvent::Evaluating { cell, done, of } => {
                let bar = self.cell(cell);
                bar.set_length(of);
                bar.set(done, &format!("evaluating {done} of {of}"));
            }
            RunnerEvent::Finished { cell, earlier } => {
                if let Some(bar) = self.cells.remove(&cell) {
                    bar.clear();
                }
                let when = if earlier { "finished earlier" } else { "finished" };
                self.bars.line(&format!("{}  {when}", self.plan.cells[cell].label()));
            }
            RunnerEvent::Failed { cell, failure } => {
                if let Some(bar) = self.cells.remove(&cell) {
                    bar.clear();
                }
                self.bars.line(&format!("{}  {}", self.plan.cells[cell].label(), failure.message));
            }
            RunnerEvent::Incident { cell, step, message } => {
                self.bars.line(&format!("{}  step {step}: {message}", self.plan.cells[cell].label()));
            }
            RunnerEvent::Overall { finished, of, share, seconds_left } => {
                let left = seconds_left.map_or_else(String::new, |s| format!("  {} left", duration(s)));
                let message = format!("{finished} of {of} runs{left}");
                self.whole.set((share * 1000.0) as u64, &message);
            }
        }
    }
}
