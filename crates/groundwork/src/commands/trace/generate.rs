//! `groundwork trace generate`

use std::path::Path;
use std::time::Instant;

use groundwork_corpus::{Generator, read_traces, write_expert_traces};
use groundwork_trace::Trace;
use groundwork_worlds::{Declare, Split};

use crate::cli::{Declared, GenerateTracesArgs};
use crate::failure::Failure;
use crate::progress::{Bars, count, duration};

pub fn run(args: &GenerateTracesArgs) -> Result<(), Failure> {
    let faults = args.faults.iter().map(|f| f.parse()).collect::<Result<Vec<_>, _>>()?;
    let generator = Generator {
        world: args.world.clone(),
        split: Split::Train,
        levels: args.levels.clone(),
        fault_rate: args.fault_rate,
        faults,
        declare: match args.declare {
            Declared::Full => Declare::Full,
            Declared::Name => Declare::Name,
            Declared::None => Declare::None,
        },
        seed: args.seed,
    }
    .resolve()?;
    let bars = Bars::new();
    let mut bar = bars.bar("generating", args.count);
    let start = Instant::now();
    write_expert_traces(&args.out, &generator, args.count, &mut |done| {
        let rate = done as f64 / start.elapsed().as_secs_f64();
        let left = (args.count - done) as f64 / rate;
        bar.set(done, &format!("{} traces/s  {} left", count(rate), duration(left)));
    })?;
    bar.clear();
    println!("{}  {} traces in {}", args.out.display(), args.count, duration(start.elapsed().as_secs_f64()));
    Ok(())
}

/// The traces of a Parquet file.
pub fn read(file: &Path) -> Result<Vec<Trace>, Failure> {
    Ok(read_traces(file)?.into_iter().map(|r| r.trace).collect())
}
