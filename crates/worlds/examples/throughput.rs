//! Measures steps and expert traces a second on one core: `cargo run --release -p groundwork-worlds --example throughput`, of
//! every world or of those named. Twenty thousand tasks of each level, or as many as two seconds allow. What counts is the time
//! on the processor, where the system tells it, so that other programs do not.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use groundwork_trace::{Call, SpanKind};
use groundwork_worlds::{Declare, Episode, Split, Task, faults_of, world_names};

fn tasks(world: &str, level: u32, count: u64) -> Vec<Task> {
    let faults = faults_of(world).unwrap_or_default();
    (0..count)
        .map(|seed| Task {
            world: world.to_owned(),
            split: Split::Train,
            seed,
            level,
            // Half of the tasks are faulty.
            fault: if seed % 2 == 0 {
                None
            } else {
                faults.get(seed as usize / 2 % faults.len().max(1)).copied()
            },
        })
        .collect()
}

/// The time that this thread has been on a processor; where Linux does not tell, the time that has passed.
fn now() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = told.and_then(|t| t.split(' ').next()?.parse().ok());
    nanos.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:<10} {:>5} {:>14} {:>14} {:>14} {:>12} {:>12}",
        "world", "level", "steps/s", "acts/s", "traces/s", "clone ns", "bytes/trace"
    );
    for level in [1, 2, 3, 6, 12] {
        let (mut all_steps, mut all_time) = (0, 0.0);
        let named: Vec<String> = std::env::args().skip(1).collect();
        for world in world_names().iter().filter(|w| named.is_empty() || named.iter().any(|n| n == *w)) {
            let mut tasks = tasks(world, level, 20_000);
            let start = now();
            let mut bytes = 0;
            let mut traces = Vec::new();
            let mut done = 0;
            for task in &tasks {
                if done % 16 == 0 && now() - start > Duration::from_secs(2) {
                    break;
                }
                done += 1;
                let trace = Episode::expert_trace(task, Declare::Name)?;
                bytes += trace.spans.iter().map(|s| s.body.len() + s.kind.keyword().len() + 3).sum::<usize>();
                if traces.len() < 2_000 {
                    traces.push(trace);
                } else {
                    black_box(trace);
                }
            }
            tasks.truncate(done);
            let traces_rate = tasks.len() as f64 / (now() - start).as_secs_f64();

            let mut runs: Vec<(Episode, Vec<Call>, Vec<String>)> = Vec::new();
            for (task, trace) in tasks.iter().zip(&traces) {
                let bodies: Vec<String> = trace
                    .spans
                    .iter()
                    .filter(|s| s.kind == SpanKind::Action && s.weight.is_none())
                    .map(|s| s.body.clone())
                    .collect();
                let calls = bodies.iter().filter_map(|b| Call::parse(b).ok()).collect();
                runs.push((Episode::new(task)?, calls, bodies));
            }
            // Twenty rounds, or as many as a second allows.
            let mut steps = 0u64;
            let start = now();
            let mut rounds = 0;
            while rounds < 20 && now() - start < Duration::from_secs(1) {
                rounds += 1;
                for (episode, calls, _) in &runs {
                    let mut episode = episode.clone();
                    for call in calls {
                        black_box(episode.step(call));
                        steps += 1;
                    }
                }
            }
            let seconds = (now() - start).as_secs_f64();
            let start = now();
            for _ in 0..rounds {
                for (episode, _, bodies) in &runs {
                    let mut episode = episode.clone();
                    for body in bodies {
                        black_box(episode.act(body));
                    }
                }
            }
            let act_seconds = (now() - start).as_secs_f64();
            let start = now();
            for _ in 0..20 {
                for (episode, ..) in &runs {
                    black_box(episode.clone());
                }
            }
            let clone = (now() - start).as_nanos() as f64 / (20 * runs.len()) as f64;
            println!(
                "{world:<10} {level:>5} {:>14.0} {:>14.0} {traces_rate:>14.0} {clone:>12.0} {:>12}",
                steps as f64 / seconds,
                steps as f64 / act_seconds,
                bytes / tasks.len()
            );
            all_steps += steps;
            all_time += seconds;
        }
        println!("{:<8} {level:>5} {:>14.0}", "all", all_steps as f64 / all_time);
    }
    Ok(())
}
