//! Models play a suite.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use groundwork_arena::{
    Attempts, Endpoint, Evaluated, Journal, Progress, ScoreRow, Spent, Stopped, SuiteSpec, measure,
    render_page, score, with_fresh_seeds, write_scores,
};
use groundwork_corpus::derive_seed;
use groundwork_train::Trained;

use super::models::Model;
use super::{few_floors, metrics, tables};
use crate::cli::EvalArgs;
use crate::commands::{print_json, set_threads, write_file};
use crate::failure::Failure;
use crate::progress::{Bars, count};
use crate::{interrupt, suite};

/// What came of one model.
struct Done {
    name: String,
    folder: PathBuf,
    rows: Vec<ScoreRow>,
    spent: String,
    /// Why some of its attempts are missing.
    cut_short: Option<Failure>,
}

pub fn run(args: &EvalArgs) -> Result<(), Failure> {
    set_threads(args.threads)?;
    let named = args.models.iter().chain(&args.more);
    let models = named.map(|name| Model::named(name, &args.endpoint)).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = models.first() else {
        return Err(Failure::input(
            "no model is named\n  hint: `groundwork eval RUN`, or the address of an endpoint; `groundwork runs list` shows runs",
        ));
    };
    let in_run = matches!((models.as_slice(), &args.out), ([Model::Run(_)], None));
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("evaluations"));
    let folders: Vec<PathBuf> = match (in_run, first) {
        (true, Model::Run(folder)) => vec![folder.clone()],
        _ => models.iter().map(|m| out.join(m.folder())).collect(),
    };
    if let Some(twice) = (1..folders.len()).find(|&i| folders[..i].contains(&folders[i])) {
        return Err(Failure::input(format!(
            "two models are called `{}`\n  hint: evaluate them one after the other, each with its own `--out`",
            models[twice].name()
        )));
    }
    let suite = wanted_suite(args)?;
    let stop = interrupt::flag();
    let mut all = Vec::new();
    for (model, folder) in models.iter().zip(folders) {
        fs::create_dir_all(&folder).map_err(|e| Failure::unwritable(&folder, &e))?;
        let done = evaluate(model, folder, &suite, args, &stop)?;
        report(&done, &suite, args)?;
        let cut_short = done.cut_short.is_some();
        all.push(done);
        if cut_short {
            break;
        }
    }
    let page = args.html.clone().or_else(|| {
        (!in_run).then(|| out.join(if models.len() > 1 { "comparison.html" } else { "evaluation.html" }))
    });
    if let Some(page) = page {
        write_page(&page, &suite, &all, args.episodes)?;
        if !args.json {
            println!("page: {}", page.display());
        }
    }
    if let [first, others @ ..] = all.as_slice()
        && !args.json
    {
        for other in others {
            println!(
                "\n{} compared with {}\n{}",
                other.name,
                first.name,
                tables::tests(&first.rows, &other.rows)
            );
        }
    }
    match all.into_iter().find_map(|done| done.cut_short) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// The suite that the options ask for, checked.
fn wanted_suite(args: &EvalArgs) -> Result<SuiteSpec, Failure> {
    let mut spec = match &args.suite {
        Some(name) => suite::named(name)?,
        None => SuiteSpec::default(),
    };
    if let Some(seed) = args.fresh {
        spec = with_fresh_seeds(spec, seed);
    }
    spec.tasks = args.tasks.unwrap_or(spec.tasks);
    spec.samples = args.samples.unwrap_or(spec.samples);
    spec.temperature = args.temperature.unwrap_or(spec.temperature);
    spec.constrained |= args.constrained;
    spec.tasks()?;
    Ok(spec)
}

fn evaluate(
    model: &Model,
    folder: PathBuf,
    suite: &SuiteSpec,
    args: &EvalArgs,
    stop: &Arc<AtomicBool>,
) -> Result<Done, Failure> {
    let name = model.name();
    match model {
        Model::Run(run) => {
            let rows = evaluate_run(run, &folder, suite, args, stop)?;
            Ok(Done { name, folder, rows, spent: String::new(), cut_short: None })
        }
        Model::Endpoint(endpoint) => evaluate_endpoint(endpoint, name, folder, suite, args, stop),
    }
}

/// A journal that belongs to this model and suite alone, whatever else is evaluated in the folder.
fn journal(
    folder: &Path,
    model: &str,
    suite: &SuiteSpec,
) -> Result<(Journal, Vec<groundwork_arena::Journalled>), Failure> {
    let suite_text = serde_json::to_string(suite).expect("a suite is plain data");
    let hash = derive_seed(&format!("{model}\n{suite_text}"), &[]);
    Ok(Journal::open(&folder.join(format!("attempts-{hash:016x}.jsonl")), model, suite)?)
}

fn evaluate_run(
    run: &Path,
    folder: &Path,
    suite: &SuiteSpec,
    args: &EvalArgs,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<ScoreRow>, Failure> {
    let trained = Trained::open(run, args.device)?;
    // A standard suite is for every model: this one is not asked about places that it was never trained on.
    let suite = &SuiteSpec {
        max_tokens: match args.suite.as_deref().map(str::parse::<groundwork_worlds::Capability>) {
            Some(Ok(_)) => suite.max_tokens.min(trained.recipe.data.sequence as u32),
            _ => suite.max_tokens,
        },
        ..suite.clone()
    };
    let name = run.file_name().unwrap_or_default().to_string_lossy();
    let id = format!("{name} at step {} with {}", trained.step, trained.tokenizer.hash());
    let (mut journal, before) = journal(folder, &id, suite)?;
    let bars = Bars::new();
    let mut bar = (!args.json).then(|| bars.bar("evaluating", 1));
    let mut progress = |done: usize, of: usize| match &mut bar {
        Some(bar) => {
            bar.set_length(of as u64);
            bar.set(done as u64, &format!("{done} of {of}"));
        }
        None => print_json(&serde_json::json!({"event": "progress", "done": done, "of": of})),
    };
    let mut attempts = Attempts::new(suite, before)?;
    let tasks = attempts.progress().of / suite.samples as usize;
    let measured = tasks + tasks.min(suite.rank_tasks as usize);
    let whole = attempts.play(
        &trained.decoder,
        &trained.tokenizer,
        suite,
        &mut journal,
        stop,
        &mut |p: Progress| progress(p.done, p.of + measured),
    )?;
    if !whole {
        let Progress { done, of } = attempts.progress();
        return Err(interrupted(done, of));
    }
    let rollouts = attempts.made();
    let rows = measure(&trained.decoder, &trained.tokenizer, suite, &rollouts, &mut |p: Progress| {
        progress(rollouts.len() + p.done, rollouts.len() + p.of);
    })?;
    if let Some(bar) = bar {
        bar.clear();
    }
    store(folder, suite, &rows)?;
    journal.remove()?;
    if !args.json {
        println!("{}, {} steps: {} attempts\n", run.display(), trained.step, rows.len());
    }
    Ok(rows)
}

fn evaluate_endpoint(
    endpoint: &Endpoint,
    name: String,
    folder: PathBuf,
    suite: &SuiteSpec,
    args: &EvalArgs,
    stop: &Arc<AtomicBool>,
) -> Result<Done, Failure> {
    if suite.constrained {
        return Err(Failure::input(format!(
            "the words of `{name}` cannot be held to a grammar: its sampler is elsewhere\n  hint: leave out `constrained`; \
             `groundwork trace grammar` writes the grammar for servers that take one"
        )));
    }
    let id = format!(
        "{} at {} by {}, {} examples, {} tokens a reply",
        endpoint.model,
        endpoint.url,
        endpoint.protocol.as_str(),
        endpoint.shots,
        endpoint.max_reply_tokens
    );
    let (mut journal, before) = journal(&folder, &id, suite)?;
    let mut attempts = Attempts::new(suite, before)?;
    let bars = Bars::new();
    let mut bar = (!args.json).then(|| bars.bar(&name, attempts.progress().of as u64));
    let stopped =
        attempts.play_endpoint(endpoint, suite, &mut journal, stop, &mut |p, spent| match &mut bar {
            Some(bar) => {
                bar.set(p.done as u64, &format!("{} of {}  {}", p.done, p.of, spent_words(endpoint, spent)))
            }
            None => print_json(&serde_json::json!({"event": "progress", "done": p.done, "of": p.of})),
        })?;
    if let Some(bar) = bar {
        bar.clear();
    }
    let Progress { done, of } = attempts.progress();
    let spent = spent_words(endpoint, attempts.spent());
    let kept = format!("{done} of {of} attempts are kept, and their scores stand");
    let cut_short = match stopped {
        None => None,
        Some(Stopped::Interrupted) => return Err(interrupted(done, of)),
        Some(Stopped::Ceiling(_)) => Some(Failure::work(format!(
            "the ceiling is reached: {spent}; {kept}\n  hint: raise the ceiling and run the same command: it goes on where it was"
        ))),
        Some(Stopped::Failed(why)) => Some(Failure::work(format!(
            "{why}\n  {kept}\n  hint: run the same command again: it goes on where it was"
        ))),
    };
    let rows = score(&attempts.made())?;
    if rows.is_empty() {
        return Err(cut_short.unwrap_or_else(|| Failure::work("nothing was attempted")));
    }
    store(&folder, suite, &rows)?;
    if cut_short.is_none() {
        journal.remove()?;
    }
    if !args.json {
        println!("{name}: {} attempts, {spent}\n", rows.len());
    }
    Ok(Done { name, folder, rows, spent, cut_short })
}

fn interrupted(done: usize, of: usize) -> Failure {
    Failure::interrupted(format!(
        "stopped: {done} of {of} attempts are kept; the same command goes on from there"
    ))
}

fn spent_words(endpoint: &Endpoint, spent: Spent) -> String {
    let tokens =
        format!("{} + {} tokens", count(spent.prompt_tokens as f64), count(spent.reply_tokens as f64));
    if endpoint.price == (0.0, 0.0) { tokens } else { format!("{tokens}, {:.4}", spent.cost(endpoint.price)) }
}

/// Scores, metrics and the suite. The metrics come last: where they are, the evaluation is whole.
fn store(folder: &Path, suite: &SuiteSpec, rows: &[ScoreRow]) -> Result<(), Failure> {
    write_scores(&folder.join("scores.parquet"), rows)?;
    write_json(&folder.join("suite.json"), suite)?;
    write_json(&folder.join("metrics.json"), &metrics(suite, rows)?)
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), Failure> {
    write_file(path, &serde_json::to_vec_pretty(value).expect("scores are plain data"))
}

fn report(done: &Done, suite: &SuiteSpec, args: &EvalArgs) -> Result<(), Failure> {
    let metrics = metrics(suite, &done.rows)?;
    if args.json {
        let mut event = serde_json::json!({"event": "metrics", "metrics": metrics});
        if args.models.len() + args.more.len() > 1 {
            event["model"] = serde_json::json!(done.name);
        }
        print_json(&event);
    } else {
        println!("{}\n", tables::metrics(&metrics));
        println!("{}", tables::success(&done.rows));
        println!("ended: {}", tables::endings(&done.rows));
        println!("{}", tables::floors(&few_floors(suite)?));
        println!("scores: {}", done.folder.join("scores.parquet").display());
    }
    Ok(())
}

fn write_page(page: &Path, suite: &SuiteSpec, all: &[Done], episodes: usize) -> Result<(), Failure> {
    let models: Vec<Evaluated<'_>> =
        all.iter().map(|d| Evaluated { name: &d.name, rows: &d.rows, spent: &d.spent }).collect();
    let names: Vec<&str> = all.iter().map(|d| d.name.as_str()).collect();
    let text = render_page(&names.join(", "), suite, &models, &few_floors(suite)?, episodes)?;
    write_file(page, text.as_bytes())
}
