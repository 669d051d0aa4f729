//! Runs whole bets with a trainer that is not ours: a shell script that prints JSON lines.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use groundwork_lab::{
    Arm, Bet, BetResult, CellResult, Plan, Registration, Run, Runner, RunnerEvent, RunnerOutcome, Speed,
    Verdict, render_report,
};

/// Twenty steps, each kept in the run's folder; goes on from there; says its loss and, at the end, a validation loss.
const TRAIN: &str = r#"
folder=$1 seed=$2 gain=$3 out=${4:-/dev/stdout}
trap 'exit 130' INT
step=$(cat "$folder/at" 2>/dev/null || echo 0)
echo "begins at $step"
while [ "$step" -lt 20 ]; do
  step=$((step + 1))
  echo "$step" > "$folder/at"
  echo "{\"step\": $step, \"of\": 20, \"train\": {\"loss\": $((40 - step)).5}, \"lr\": 0.1}" >> "$out"
  sleep 0.02
done
echo "{\"step\": 20, \"val_loss\": 3.${gain}${seed}, \"accuracy\": NaN}" >> "$out"
"#;

const BET: &str = r#"
name = "x"
question = "Is it better?"
primary = { metric = "val_loss", direction = "lower", margin = 0.01 }
ladder = { sizes = ["1K", "4K"], seeds = [1, 2, 3] }
recipe = { tokens = 1000, gain = 5 }
baseline = { label = "old" }
candidate = { label = "new", recipe = { gain = 4 } }
[trainer]
command = ["sh", "train.sh", "{folder}", "{seed}", "{gain}"]
names = { loss = "train.loss", learning_rate = "lr" }
"#;

fn bet(text: &str) -> Result<Bet, String> {
    Bet::parse(text, Path::new("x.toml")).map_err(|e| e.to_string())
}

fn plan(text: &str, base: &Path) -> Plan {
    let bet = bet(text).unwrap();
    let trainer = bet.trainer.clone().unwrap();
    Plan::new(bet, &|recipe| trainer.resolve(recipe, base)).unwrap()
}

struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("train.sh"), TRAIN).unwrap();
        Shop { folder }
    }

    fn base(&self) -> &Path {
        self.folder.path()
    }

    fn runner(&self, plan: &Plan) -> (Registration, Runner) {
        let runs = self.base().join("runs");
        let (registration, folder, _) = Registration::open(&runs, plan).unwrap();
        let runner = Runner {
            program: "no-such-program".into(),
            runs,
            base: self.base().to_owned(),
            folder,
            parallel: 2,
            threads: 1,
            speed: Speed { flops_per_second: None, evaluation_seconds: 0.0 },
            grace: Duration::from_millis(200),
        };
        (registration, runner)
    }
}

fn run(runner: &Runner, plan: &Plan) -> (RunnerOutcome, Vec<RunnerEvent>) {
    let mut events = Vec::new();
    let go_on = AtomicBool::new(false);
    let outcome = runner.run(plan, &go_on, &mut |_| false, &mut |e| events.push(e)).unwrap();
    (outcome, events)
}

fn first_run(runner: &Runner, plan: &Plan) -> Run {
    Run::load(&runner.runs.join(plan.cells[0].folder())).unwrap()
}

/// What the runs of `plan` left.
fn results(plan: &Plan, registration: Registration, runner: &Runner) -> BetResult {
    let load = |c| CellResult::load(&runner.runs, c, Vec::new(), Default::default()).unwrap();
    BetResult {
        registration,
        cells: plan.cells.iter().map(load).collect(),
        trials: Vec::new(),
        references: Vec::new(),
        separation: String::new(),
    }
}

#[test]
fn another_trainer_is_run_and_judged_like_ours() {
    let shop = Shop::new();
    let plan = plan(BET, shop.base());
    let (registration, runner) = shop.runner(&plan);
    let (outcome, events) = run(&runner, &plan);
    assert_eq!(outcome, RunnerOutcome::Finished, "{events:?}");
    let trained = |e: &RunnerEvent| {
        matches!(e, RunnerEvent::Training { step: 20, steps: Some(20), tokens: 1000, of_tokens: 1000, .. })
    };
    assert!(events.iter().any(trained));
    assert!(matches!(events.first(), Some(RunnerEvent::Started { resumed: false, .. })));
    let Some(RunnerEvent::Overall { finished: 12, of: 12, share, seconds_left }) = events.last() else {
        panic!("{:?}", events.last());
    };
    assert_eq!((*share, *seconds_left), (1.0, Some(0.0)));

    let first = first_run(&runner, &plan);
    assert_eq!(first.summary.status.to_string(), "finished");
    assert_eq!((first.summary.size.as_deref(), first.summary.seed), (Some("1K"), Some(1)));
    let done = first.summary.done.unwrap();
    assert_eq!((done.steps, done.tokens, done.flops, done.final_loss), (20, 1000, 6e6, Some(20.5)));
    assert_eq!(first.log.curve.len(), 20);
    assert_eq!(
        (first.log.curve[4].loss, first.log.curve[4].tokens, first.log.curve[4].learning_rate),
        (35.5, 250, 0.1)
    );
    assert_eq!(first.summary.metrics["val_loss"].value, 3.51);
    assert_eq!(first.summary.metrics["loss"].value, 20.5);
    assert!(!first.summary.metrics.contains_key("accuracy"), "a metric that is no number has no value");
    let log = runner.folder.join("logs").join(format!("{}.log", plan.cells[0].folder()));
    assert!(fs::read_to_string(log).unwrap().contains("begins at 0"));

    let result = results(&plan, registration, &runner);
    let verdict = Verdict::of(&result);
    // 3.51, 3.52, 3.53 against 3.41, 3.42, 3.43: a tenth better in every pair.
    let top = verdict.judgement.rungs.last().unwrap();
    assert!((top.improvement - 0.1).abs() < 1e-9);
    assert_eq!(verdict.judgement.ruling.to_string(), "SHIP");
    let page = render_report(&result, &verdict, &Default::default());
    assert!(page.contains("val loss") && !page.contains("Acting in the worlds"));

    let (_, events) = run(&runner, &plan);
    assert!(!events.iter().any(|e| matches!(e, RunnerEvent::Started { .. })), "nothing is run again");
}

#[test]
fn an_interrupted_run_goes_on_and_its_log_holds_every_step_once() {
    let shop = Shop::new();
    // However slow the machine is in hearing of a step, no trainer comes to its end before the file `go` is there.
    let wait = r#"while [ "$step" = 10 ] && [ ! -f go ]; do sleep 0.02; done"#;
    let script = TRAIN.replace("  sleep 0.02", &format!("  {wait}\n  sleep 0.02"));
    fs::write(shop.base().join("train.sh"), script).unwrap();
    let plan = plan(BET, shop.base());
    let (_, runner) = shop.runner(&plan);
    let stop = AtomicBool::new(false);
    let outcome = runner.run(&plan, &stop, &mut |_| false, &mut |event| {
        if matches!(event, RunnerEvent::Training { cell: 0, step: 7, .. }) {
            stop.store(true, Ordering::SeqCst);
        }
    });
    assert_eq!(outcome.unwrap(), RunnerOutcome::Interrupted);
    let half = first_run(&runner, &plan);
    let reached = half.log.curve.len();
    assert!((7..20).contains(&reached), "{reached}");
    assert!(half.summary.done.is_none());

    fs::write(shop.base().join("go"), "").unwrap();
    let (outcome, events) = run(&runner, &plan);
    assert_eq!(outcome, RunnerOutcome::Finished);
    assert!(events.contains(&RunnerEvent::Started { cell: 0, resumed: true }));
    let whole = first_run(&runner, &plan);
    assert_eq!(whole.log.resumes, 1);
    let steps: Vec<u64> = whole.log.curve.iter().map(|p| p.step).collect();
    assert_eq!(steps, (1..=20).collect::<Vec<_>>());
    assert!(whole.log.curve[19].seconds > half.log.curve[reached - 1].seconds);
}

#[test]
fn records_may_be_in_a_file_and_metrics_come_from_a_command_of_their_own() {
    let shop = Shop::new();
    let text = BET
        .replace("\"{gain}\"]", "\"{gain}\", \"{folder}/log.jsonl\"]\nrecords = \"log.jsonl\"\nevaluate = [\"sh\", \"eval.sh\", \"{folder}\", \"{gain}\"]")
        .replace("val_loss", "score.mean")
        .replace("\"lower\"", "\"higher\"");
    fs::write(shop.base().join("eval.sh"), "echo '{\"event\":\"progress\",\"done\":1,\"of\":2}'\necho \"{\\\"score\\\": {\\\"mean\\\": 0.$2$(cat $1/at)}}\"\n")
        .unwrap();
    let plan = plan(&text, shop.base());
    let (_, runner) = shop.runner(&plan);
    let (outcome, events) = run(&runner, &plan);
    assert_eq!(outcome, RunnerOutcome::Finished, "{events:?}");
    assert!(events.iter().any(|e| matches!(e, RunnerEvent::Evaluating { done: 1, of: 2, .. })));
    let first = first_run(&runner, &plan);
    assert_eq!(first.log.curve.len(), 20);
    assert_eq!(first.summary.metrics["score.mean"].value, 0.520);
    assert_eq!(first.summary.metrics["val_loss"].value, 3.51, "what training reported stays");
}

#[test]
fn what_goes_wrong_is_said() {
    let failure = |script: &str| {
        let shop = Shop::new();
        fs::write(shop.base().join("train.sh"), script).unwrap();
        let plan = plan(BET, shop.base());
        let (_, runner) = shop.runner(&plan);
        match run(&runner, &plan).0 {
            RunnerOutcome::Failed(failures) => failures[0].1.clone(),
            other => panic!("{other:?}"),
        }
    };
    let none = failure("echo '{\"step\": 5, \"val_los\": 2.0}'");
    assert!(none.message.contains("1K seed 1 ended, but"), "{}", none.message);
    assert!(none.message.contains("reported no `val_loss`; did you mean `val_los`?"), "{}", none.message);
    let silent = failure("echo hello");
    assert!(silent.message.contains("nor any other number"), "{}", silent.message);
    let early = failure("echo '{\"step\": 5, \"val_loss\": 2.0}'\necho '{\"step\": 10, \"loss\": 2.0}'");
    assert!(early.message.contains("at step 5 of 10; a bet compares finished models"), "{}", early.message);
    let died = failure("echo 'CUDA out of memory' >&2\nexit 3");
    assert!(died.message.contains("exit status: 3") && died.stderr == ["CUDA out of memory"], "{died:?}");
    let shop = Shop::new();
    let missing = plan(&BET.replace("\"sh\"", "\"no-such-trainer\""), shop.base());
    let (_, runner) = shop.runner(&missing);
    let (outcome, _) = run(&runner, &missing);
    let RunnerOutcome::Failed(failures) = outcome else { panic!("{outcome:?}") };
    assert!(failures[0].1.message.contains("cannot start `no-such-trainer`"), "{:?}", failures[0]);
}

#[test]
fn a_diverged_run_is_finished_without_the_metric() {
    let shop = Shop::new();
    let script =
        "echo '{\"step\": 1, \"loss\": 3.0}'\necho '{\"step\": 2, \"loss\": NaN, \"val_loss\": NaN}'";
    fs::write(shop.base().join("train.sh"), script).unwrap();
    let plan = plan(&BET.replace("loss = \"train.loss\", ", ""), shop.base());
    let (registration, runner) = shop.runner(&plan);
    let (outcome, events) = run(&runner, &plan);
    assert_eq!(outcome, RunnerOutcome::Finished);
    let told = |e: &RunnerEvent| matches!(e, RunnerEvent::Incident { step: 2, message, .. } if message == "the loss is not a number");
    assert_eq!(events.iter().filter(|e| told(e)).count(), 12);
    let result = results(&plan, registration, &runner);
    assert_eq!(result.at(Arm::Baseline, "1K")[0].incidents.len(), 1);
    let verdict = Verdict::of(&result);
    assert_eq!(verdict.judgement.ruling.to_string(), "UNDECIDED");
    assert!(!verdict.judgement.problems.is_empty());
}

#[test]
fn mistakes_in_the_file_have_a_place() {
    for (from, to, want) in [
        (
            "\"{gain}\"]",
            "\"{gian}\"]",
            "field `trainer.command`: `{gian}`: there is no `gian` in the recipe of this run; did you mean `gain`?",
        ),
        ("\"{gain}\"]", "\"{gain\"]", "a brace without its partner"),
        (
            "command = [\"sh\", \"train.sh\", \"{folder}\", \"{seed}\", \"{gain}\"]",
            "command = []",
            "give a program",
        ),
        ("learning_rate = \"lr\"", "learnin_rate = \"lr\"", "did you mean `learning_rate`?"),
        ("[trainer]", "[evaluation]\ntasks = 3\n[trainer]", "trainer.evaluate"),
        ("margin = 0.01", "margin = -1.0", "is not a margin"),
    ] {
        assert!(BET.contains(from), "{from}");
        let text = bet(&BET.replacen(from, to, 1)).unwrap_err();
        assert!(text.starts_with("x.toml:") && text.contains(want), "{text}");
    }
    let trainer = bet(BET).unwrap().trainer.unwrap();
    let no_tokens = bet(&BET.replace("tokens = 1000, ", "")).unwrap();
    let error =
        Plan::new(no_tokens, &|recipe| trainer.resolve(recipe, Path::new("."))).unwrap_err().to_string();
    assert!(error.contains("`recipe.tokens` is not given"), "{error}");
}
