//! `groundwork trace generate` and `groundwork trace verify`

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Instant;

use groundwork_corpus::{
    Generated, Generator, Mixture, MixturePart, TraceCard, generate_traces, verify_traces,
    write_expert_traces,
};
use groundwork_train::from_toml;
use groundwork_worlds::{Declare, Split, Style};

use crate::cli::{Declared, GenerateTracesArgs};
use crate::commands::set_threads;
use crate::failure::Failure;
use crate::interrupt;
use crate::progress::{Bar, Bars, count, duration};

pub fn run(args: &GenerateTracesArgs) -> Result<(), Failure> {
    set_threads(args.threads)?;
    let bars = Bars::new();
    let mut bar = bars.bar("generating", args.count);
    let start = Instant::now();
    // What an earlier start has left was not made now.
    let mut first = None;
    let mut progress = |done: u64| {
        let before = *first.get_or_insert(done);
        show(&mut bar, done, before, args.count, start);
    };
    if args.out.extension().is_some_and(|e| e == "parquet") {
        let generator = one_world(args)?.resolve()?;
        let stop = interrupt::flag();
        let whole = write_expert_traces(&args.out, &generator, args.count, &stop, &mut progress)?;
        bar.clear();
        if !whole {
            return Err(Failure::interrupted(
                "stopped: a single file is written as a whole, and nothing of it is kept\n  hint: give a folder with `--out`: a set \
                 goes on where it was",
            ));
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("{}  {} traces in {}", args.out.display(), args.count, duration(seconds));
        return Ok(());
    }
    let mixture = mixture(args)?;
    let stop = interrupt::flag();
    let made = generate_traces(&args.out, &mixture, args.count, &stop, &mut progress);
    bar.clear();
    let (ended, card) = made?;
    let seconds = start.elapsed().as_secs_f64();
    let out = args.out.display();
    match ended {
        Generated::Stopped if stop.load(Ordering::Relaxed) => Err(Failure::interrupted(format!(
            "stopped: {} of {} traces are kept in {out}; the same command goes on from there",
            card.traces, args.count
        ))),
        _ => {
            println!("{out}  {} traces in {}", card.traces, duration(seconds));
            summary(&card);
            if ended == Generated::Exhausted {
                eprintln!(
                    "warning: the mixture has hardly any other sequence of actions; add levels, worlds or styles for more"
                );
            }
            Ok(())
        }
    }
}

/// Replays traces in their worlds.
pub fn verify(path: &Path) -> Result<(), Failure> {
    let mut total = 0;
    let bars = Bars::new();
    let mut bar = bars.bar("replaying", 1);
    let found = verify_traces(path, &mut |done| {
        total = done;
        bar.set_length(done);
        bar.set(done, &format!("{done} traces"));
    })?;
    bar.clear();
    for (file, id, what) in found.parted.iter().take(20) {
        println!("{}: {id}: {what}", file.display());
    }
    println!("{} of {total} traces replay to what was recorded and solve their tasks", found.fine);
    if found.without_task > 0 {
        println!("{} traces are not from a world", found.without_task);
    }
    match found.parted.len() {
        0 => Ok(()),
        n => Err(Failure::work(format!(
            "{n} traces do not\n  hint: they were edited, or are from another version of their world; generate them again"
        ))),
    }
}

fn show(bar: &mut Bar, done: u64, before: u64, of: u64, start: Instant) {
    let rate = (done - before.min(done)) as f64 / start.elapsed().as_secs_f64().max(1e-9);
    if rate == 0.0 {
        return bar.set(done, "");
    }
    let left = (of.saturating_sub(done)) as f64 / rate;
    bar.set(done, &format!("{} traces/s  {} left", count(rate), duration(left)));
}

fn summary(card: &TraceCard) {
    let shares = |counts: &BTreeMap<String, u64>| {
        let share = |n: u64| 100.0 * n as f64 / card.traces.max(1) as f64;
        counts.iter().map(|(name, n)| format!("{name} {:.0}%", share(*n))).collect::<Vec<_>>().join(", ")
    };
    println!("  worlds  {}", shares(&card.worlds));
    println!("  faults  {}", shares(&card.faults));
    println!("  styles  {}", shares(&card.styles));
    println!("  {} candidates were passed over, because their actions had been met", card.duplicates);
}

fn declare(args: &GenerateTracesArgs) -> Declare {
    match args.declare {
        Declared::Full => Declare::Full,
        Declared::Name => Declare::Name,
        Declared::None => Declare::None,
    }
}

/// What a single file is written from.
fn one_world(args: &GenerateTracesArgs) -> Result<Generator, Failure> {
    let ([world], true) = (args.worlds.as_slice(), args.styles == ["plan"]) else {
        return Err(Failure::input(
            "a single Parquet file holds the traces of one world, in the style `plan`\n  \
             hint: give a folder with `--out` for several worlds, styles or a mixture",
        ));
    };
    Ok(Generator {
        world: world.clone(),
        split: Split::Train,
        levels: args.levels.clone(),
        fault_rate: args.fault_rate,
        faults: args.faults.iter().map(|f| f.parse()).collect::<Result<Vec<_>, _>>()?,
        declare: declare(args),
        seed: args.seed,
    })
}

fn mixture(args: &GenerateTracesArgs) -> Result<Mixture, Failure> {
    if let Some(path) = &args.mixture {
        let text = std::fs::read_to_string(path).map_err(|e| Failure::unreadable(path, &e))?;
        let hint = "the fields of a mixture are listed in docs/worlds.md";
        return Ok(from_toml(&text, &path.display().to_string(), hint)?);
    }
    let styles = args.styles.iter().map(|s| Ok((s.parse::<Style>()?, 1.0)));
    let part = MixturePart {
        worlds: args.worlds.clone(),
        weight: 1.0,
        levels: args.levels.clone(),
        fault_rate: args.fault_rate,
        faults: args.faults.iter().map(|f| f.parse()).collect::<Result<Vec<_>, _>>()?,
        styles: styles.collect::<Result<_, Failure>>()?,
        mistake_rate: args.mistake_rate,
    };
    Ok(Mixture { seed: args.seed, declare: declare(args), part: vec![part], ..Mixture::default() })
}
