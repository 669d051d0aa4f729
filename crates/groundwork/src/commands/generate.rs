//! `groundwork generate`

use groundwork_arena::{Completion, complete};
use groundwork_trace::{Span, SpanKind, Trace};
use groundwork_train::Trained;

use super::{print_json, runs};
use crate::cli::GenerateArgs;
use crate::failure::Failure;

pub fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let trained = Trained::open(&runs::folder(&args.run)?, args.device)?;
    let context = trained.recipe.data.sequence;
    let Completion { trace, tokens, full } = complete(
        &trained.decoder,
        &trained.tokenizer,
        &prompt(&args.prompt),
        args.tokens,
        context,
        args.temperature,
        args.seed,
    )?;
    if args.json {
        print_json(&serde_json::json!({"tokens": tokens, "text": trace.to_text()}));
    } else if let [Span { kind: SpanKind::Text, body, .. }] = &trace.spans[..] {
        println!("{body}");
    } else {
        print!("{}", trace.to_text());
    }
    if full {
        eprintln!(
            "note: it ends after {context} tokens, the length of the sequences that the model was trained on"
        );
    }
    Ok(())
}

/// A trace where the text reads as one that opens with a span; plain text otherwise.
fn prompt(text: &str) -> Trace {
    let opens = SpanKind::ALL.iter().any(|k| {
        text.strip_prefix(k.keyword()).is_some_and(|rest| rest.starts_with([':', ' ']) || rest.is_empty())
    });
    match Trace::parse(text) {
        Ok(trace) if opens && !trace.spans.is_empty() => trace,
        _ => Trace::text(text),
    }
}
