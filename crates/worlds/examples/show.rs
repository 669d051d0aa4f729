//! Prints expert traces: `cargo run --release -p groundwork-worlds --example show -- WORLD LEVEL FAULT|none SEED COUNT`.

use groundwork_worlds::{Declare, Episode, Split, Task};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |i: usize, or: &str| args.get(i).map_or(or.to_owned(), Clone::clone);
    let (world, level, fault) = (arg(0, "files"), arg(1, "1").parse()?, arg(2, "none"));
    let (seed, count): (u64, u64) = (arg(3, "0").parse()?, arg(4, "3").parse()?);
    let fault = if fault == "none" { None } else { Some(fault.parse()?) };
    for seed in seed..seed + count {
        let task = Task { world: world.clone(), split: Split::Train, seed, level, fault };
        for span in Episode::expert_trace(&task, Declare::Name)?.spans {
            println!("{}: {}", span.kind, span.body);
        }
        println!("---");
    }
    Ok(())
}
