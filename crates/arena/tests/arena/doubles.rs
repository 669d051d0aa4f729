//! Policies whose every word is known, and the tokenizer that they speak with.

use std::sync::LazyLock;

use groundwork_arena::{Policy, SuiteSpec};
use groundwork_corpus::{Tokenizer, TokenizerSpec};
use groundwork_trace::{Span, Trace};
use groundwork_worlds::{Declare, Episode, Task};

/// Worlds whose traces are short, so that a model that is a list of lines can play them.
pub fn short_worlds() -> Vec<String> {
    ["files", "route", "ledger", "tracking", "arithmetic"].map(str::to_owned).to_vec()
}

/// A small tokenizer, trained on expert traces.
pub static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(|| {
    let suite = SuiteSpec { worlds: short_worlds(), tasks: 20, ..SuiteSpec::default() };
    let texts: Vec<String> = suite
        .tasks()
        .unwrap()
        .iter()
        .flat_map(|task| Episode::expert_trace(task, Declare::Name).unwrap().spans)
        .map(|span| span.body)
        .collect();
    Tokenizer::train(&TokenizerSpec { vocabulary: 400 }, &texts, &mut |_| {}).unwrap()
});

/// The tokens of these spans, without an end.
pub fn tokens(spans: &[Span]) -> Vec<u32> {
    let mut tokens = Vec::new();
    for span in spans {
        tokens.push(TOKENIZER.marker(span.kind));
        TOKENIZER.encode(&span.body, &mut tokens);
    }
    tokens
}

/// A policy of which only the next token after a history is known.
pub struct Double<F>(pub F);

impl<F: Fn(&[u32]) -> Vec<f32>> Policy for Double<F> {
    type State = Vec<Vec<u32>>;

    fn vocabulary(&self) -> usize {
        TOKENIZER.vocabulary()
    }

    fn start(&self, rows: usize) -> Self::State {
        vec![Vec::new(); rows]
    }

    fn step(&self, advances: &[(usize, &[u32])], state: &mut Self::State) -> Vec<f32> {
        assert!(!advances.is_empty(), "a step takes something");
        assert!(advances.is_sorted_by(|a, b| a.0 < b.0), "a row advances once");
        let next = |&(row, tokens): &(usize, &[u32])| {
            assert!(!tokens.is_empty(), "a row that advances takes something");
            state[row].extend(tokens);
            (self.0)(&state[row])
        };
        advances.iter().flat_map(next).collect()
    }

    fn follow(&self, advances: &[(usize, &[u32])], state: &mut Self::State) -> Vec<f32> {
        let each = |&(row, tokens): &(usize, &[u32])| -> Vec<f32> {
            let one = |token: &u32| self.step(&[(row, &[*token])], state);
            tokens.iter().flat_map(one).collect()
        };
        advances.iter().flat_map(each).collect()
    }

    fn rewind(&self, state: &mut Self::State, row: usize, len: usize) -> usize {
        state[row].truncate(len);
        state[row].len()
    }

    fn logits(&self, tokens: &[u32], documents: &[u32], rows: usize) -> Vec<f32> {
        let sequence = tokens.len() / rows;
        let mut logits = Vec::new();
        for (tokens, documents) in tokens.chunks(sequence).zip(documents.chunks(sequence)) {
            let held = documents.iter().take_while(|&&d| d == 1).count();
            assert!(documents[held..].iter().all(|&d| d == 0), "padding stands on the right");
            logits.extend((1..=sequence).flat_map(|end| (self.0)(&tokens[..end])));
        }
        logits
    }
}

fn one(token: u32) -> Vec<f32> {
    let mut logits = vec![0.0; TOKENIZER.vocabulary()];
    logits[token as usize] = 20.0;
    logits
}

/// Says what stands in the line that begins with the history, and ends the episode where no line does.
pub fn script(lines: Vec<Vec<u32>>) -> Double<impl Fn(&[u32]) -> Vec<f32>> {
    Double(move |history: &[u32]| {
        let next = lines.iter().find_map(|line| line.strip_prefix(history)?.first().copied());
        one(next.unwrap_or_else(|| TOKENIZER.end()))
    })
}

/// Says what these traces say, and then `<|end|>`.
pub fn replay(traces: &[Trace]) -> Double<impl Fn(&[u32]) -> Vec<f32>> {
    script(traces.iter().map(|trace| tokens(&trace.spans)).collect())
}

/// Always the same token.
pub fn monotone(token: u32) -> Double<impl Fn(&[u32]) -> Vec<f32>> {
    Double(move |_: &[u32]| one(token))
}

/// Every token equally likely.
pub fn uniform() -> Double<impl Fn(&[u32]) -> Vec<f32>> {
    Double(|_: &[u32]| vec![0.25; TOKENIZER.vocabulary()])
}

/// Noise that depends on the history alone. Special tokens are made likelier, so that spans are short.
pub fn garbage() -> Double<impl Fn(&[u32]) -> Vec<f32>> {
    Double(|history: &[u32]| {
        let mut hash =
            history.iter().fold(17u64, |h, &t| (h ^ u64::from(t)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        (0..TOKENIZER.vocabulary() as u32)
            .map(|id| {
                hash = hash.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let noise = (hash >> 40) as f32 / (1 << 24) as f32;
                4.0 * noise + if TOKENIZER.is_special(id) { 1.0 } else { 0.0 }
            })
            .collect()
    })
}

/// The expert's traces of these tasks.
pub fn experts(tasks: &[Task]) -> Vec<Trace> {
    tasks.iter().map(|task| Episode::expert_trace(task, Declare::Name).unwrap()).collect()
}
