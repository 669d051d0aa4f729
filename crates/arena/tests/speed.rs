//! scratch
use groundwork_arena::*;
use groundwork_corpus::{Tokenizer, TokenizerSpec};
use groundwork_model::{Decoder, ModelSpec};
use groundwork_worlds::{Declare, Episode};
use std::time::Instant;
#[test]
fn speed() {
    let suite = SuiteSpec::default();
    let tasks = suite.tasks().unwrap();
    let t = Instant::now();
    let traces: Vec<_> = tasks.iter().map(|t| Episode::expert_trace(t, Declare::Name).unwrap()).collect();
    println!("{} experts {:?}", tasks.len(), t.elapsed());
    let texts: Vec<String> = traces.iter().flat_map(|t| t.spans.iter().map(|s| s.body.clone())).collect();
    let tok = Tokenizer::train(&TokenizerSpec { vocabulary: 512 }, &texts, &mut |_| {}).unwrap();
    let lens: Vec<usize> = traces
        .iter()
        .map(|t| {
            let mut v = vec![];
            for s in &t.spans {
                v.push(0);
                tok.encode(&s.body, &mut v);
            }
            v.len()
        })
        .collect();
    println!("tokens max {} mean {}", lens.iter().max().unwrap(), lens.iter().sum::<usize>() / lens.len());
    let config = ModelSpec { size: "0.4M".into(), ..ModelSpec::default() }.resolve(tok.vocabulary()).unwrap();
    let decoder = Decoder::new(&config, 3, &Default::default()).inner();
    let t = Instant::now();
    let l = likelihoods(&decoder, &tok, &traces, 256, &mut |_| {});
    println!("likelihood {:?} fit {}", t.elapsed(), l.iter().flatten().count());
    let t = Instant::now();
    for i in (0..384).step_by(16) {
        rank(&decoder, &tok, &tasks[i], &traces[i], 16, 256).unwrap();
    }
    println!("rank {:?}", t.elapsed());
}
