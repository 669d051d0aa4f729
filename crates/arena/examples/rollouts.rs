//! Measures batched rollouts: `cargo run --release -p groundwork-arena --example rollouts -- [SIZE] [BATCH] [TOKENS]`.
//!
//! A fresh decoder of SIZE non-embedding parameters (3M) plays eight times BATCH attempts (64), BATCH of them side by side, of at
//! most TOKENS tokens (256) each, in both precisions. Tokens are all that the model took: prompts, results, and what it sampled.

use std::time::Instant;

use groundwork_arena::{SuiteSpec, play};
use groundwork_corpus::{Tokenizer, TokenizerSpec};
use groundwork_kernels::Precision;
use groundwork_model::{Decoder, ModelSpec};
use groundwork_worlds::{Declare, Episode};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize, default: u32| args.get(i).map_or(Ok(default), |a| a.parse());
    let size = args.first().map_or("3M", String::as_str);
    let (batch, max_tokens) = (number(1, 64)?, number(2, 256)?);
    let suite = SuiteSpec {
        worlds: vec!["files".into(), "ledger".into()],
        levels: vec![1, 2],
        faults: Vec::new(),
        tasks: batch.div_ceil(4) * 8,
        temperature: 1.0,
        max_tokens,
        max_span: max_tokens,
        max_steps: u32::MAX,
        batch,
        ..SuiteSpec::default()
    };
    let tasks = suite.tasks()?;
    let texts: Vec<String> = tasks
        .iter()
        .map(|task| Episode::expert_trace(task, Declare::Name).map(|t| t.to_text()))
        .collect::<Result<_, _>>()?;
    let tokenizer = Tokenizer::train(&TokenizerSpec { vocabulary: 1024 }, &texts, &mut |_| {})?;
    for precision in [Precision::F32, Precision::Bf16] {
        let spec = ModelSpec { size: size.to_owned(), precision, ..ModelSpec::default() };
        let decoder = Decoder::new(&spec.resolve(tokenizer.vocabulary())?, 1, &Default::default());
        for round in 0..3 {
            let start = Instant::now();
            let rollouts = play(&decoder, &tokenizer, &suite, &tasks, &mut |_| {})?;
            let seconds = start.elapsed().as_secs_f64();
            let tokens: u32 = rollouts.iter().map(|r| r.tokens).sum();
            let said: u32 = rollouts.iter().map(|r| r.said).sum();
            println!(
                "{} round {round}: {size} parameters, batch {batch}, {} attempts of {tokens} tokens, {said} of them sampled, \
                 in {seconds:.2} s: {:.0} tokens/s, {:.0} sampled",
                precision.unit(),
                rollouts.len(),
                f64::from(tokens) / seconds,
                f64::from(said) / seconds,
            );
        }
    }
    Ok(())
}
