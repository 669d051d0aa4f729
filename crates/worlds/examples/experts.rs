//! Lets the expert solve many tasks of every world, or of those named, and replays what it did: `cargo run --release -p
//! groundwork-worlds --example experts -- 100000 blocks unseen`. Levels, faults (and none) and both splits take turns. Prints how many
//! were solved, the mean number of calls without a fault at some levels, and what each fault costs on average; fails unless
//! all were solved.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use groundwork_trace::SpanKind;
use groundwork_worlds::{
    Declare, Episode, FaultKind, MAX_LEVEL, Split, Task, WorldError, faults_of, recovery, world_names,
};

/// Sums of what was counted, and how many were counted.
#[derive(Default)]
struct Mean(u64, i64);

impl std::fmt::Display for Mean {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1}", self.1 as f64 / self.0.max(1) as f64)
    }
}

#[derive(Default)]
struct Tally {
    solved: u64,
    failed: Vec<Task>,
    calls: BTreeMap<u32, Mean>,
    costs: BTreeMap<FaultKind, Mean>,
}

fn task(world: &str, index: u64) -> Result<Task, WorldError> {
    let faults = faults_of(world)?;
    let level = 1 + (index % u64::from(MAX_LEVEL)) as u32;
    let index = index / u64::from(MAX_LEVEL);
    let split = Split::ALL[(index % 2) as usize];
    let seed = index / 2;
    let fault = faults.get(seed as usize % (faults.len() + 1)).copied();
    Ok(Task { world: world.to_owned(), split, seed, level, fault })
}

/// Whether the expert solves a task, by replay, and how many calls it makes.
fn solve(task: &Task) -> Result<(bool, u64), WorldError> {
    let mut episode = Episode::new(task)?;
    let told = episode.prompt(Declare::Name).len();
    let trace = Episode::expert_trace(task, Declare::Name)?;
    let mut same = true;
    for pair in trace.spans[told..].windows(2).filter(|p| p[0].kind == SpanKind::Action) {
        same &= episode.act(&pair[0].body).span == pair[1];
    }
    let answer = trace.spans.last().filter(|s| s.kind == SpanKind::Answer);
    let verdict = answer.map(|a| episode.verify(&a.body));
    let solved = verdict.is_some_and(|v| v.success && v.collateral == 0);
    let met = task.fault.is_none() || episode.fault_met();
    Ok((same && solved && met, u64::from(episode.steps())))
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let count: u64 = args.next().map_or(Ok(100_000), |n| n.parse())?;
    let named: Vec<String> = args.collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all_solved = true;
    for world in world_names().iter().filter(|w| named.is_empty() || named.iter().any(|n| n == *w)) {
        let (next, tally, wrong) = (AtomicU64::new(0), Mutex::new(Tally::default()), Mutex::new(None));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut own = Tally::default();
                    let run = || -> Result<(), WorldError> {
                        loop {
                            let index = next.fetch_add(1, Ordering::Relaxed);
                            if index >= count {
                                return Ok(());
                            }
                            let task = task(world, index)?;
                            let (solved, calls) = solve(&task)?;
                            match solved {
                                true => own.solved += 1,
                                false => own.failed.push(task.clone()),
                            }
                            match task.fault {
                                None => {
                                    let mean = own.calls.entry(task.level).or_default();
                                    *mean = Mean(mean.0 + 1, mean.1 + calls as i64);
                                }
                                // The twin costs another trace: a part of the tasks will do.
                                Some(fault) if index % 7 == 0 => {
                                    if let Some(r) = recovery(&task)? {
                                        let mean = own.costs.entry(fault).or_default();
                                        *mean = Mean(mean.0 + 1, mean.1 + r.cost());
                                    }
                                }
                                Some(_) => {}
                            }
                        }
                    };
                    let mut run = run;
                    let result = run();
                    let mut tally = tally.lock().expect("no thread panics");
                    tally.solved += own.solved;
                    tally.failed.append(&mut own.failed);
                    for (key, Mean(n, sum)) in own.calls {
                        let mean = tally.calls.entry(key).or_default();
                        *mean = Mean(mean.0 + n, mean.1 + sum);
                    }
                    for (key, Mean(n, sum)) in own.costs {
                        let mean = tally.costs.entry(key).or_default();
                        *mean = Mean(mean.0 + n, mean.1 + sum);
                    }
                    if let Err(e) = result {
                        *wrong.lock().expect("no thread panics") = Some(e);
                    }
                });
            }
        });
        if let Some(error) = wrong.into_inner()? {
            return Err(error.into());
        }
        let mut tally = tally.into_inner()?;
        println!("{world}: {} of {count} solved", tally.solved);
        let calls = [1, 2, 3, 4, 8, 12].map(|l| tally.calls.entry(l).or_default().to_string());
        println!("  calls at levels 1, 2, 3, 4, 8, 12: {}", calls.join(" "));
        let costs: Vec<String> = tally.costs.iter().map(|(fault, mean)| format!("{fault} {mean}")).collect();
        println!("  a fault costs: {}", costs.join(", "));
        tally.failed.sort_by_key(|t| (t.level, t.seed));
        for task in tally.failed.iter().take(5) {
            println!("  not solved: {task:?}");
        }
        all_solved &= tally.failed.is_empty();
    }
    Ok(if all_solved { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
