//! `groundwork generate`

use groundwork_arena::{ArenaError, Completion, action_grammar, complete};
use groundwork_trace::{Span, SpanKind, Tool, Trace};
use groundwork_train::Trained;
use groundwork_worlds::tool_set;

use super::{print_json, runs};
use crate::cli::GenerateArgs;
use crate::failure::Failure;

pub fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let trained = Trained::open(&runs::folder(&args.run)?, args.device)?;
    let context = trained.recipe.data.sequence;
    let prompt = prompt(&args.prompt);
    let grammar = if args.constrained {
        Some(action_grammar(&tools(&prompt)?, &trained.tokenizer).map_err(ArenaError::from)?)
    } else {
        None
    };
    let Completion { trace, tokens, full } = complete(
        &trained.decoder,
        &trained.tokenizer,
        &prompt,
        args.tokens,
        context,
        args.temperature,
        args.seed,
        grammar.as_ref(),
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

/// The tools that a prompt declares, in full or by the name of a set.
fn tools(prompt: &Trace) -> Result<Vec<Tool>, Failure> {
    let named = prompt.tool_set().and_then(|name| tool_set(&name)).map(<[Tool]>::to_vec);
    match named.unwrap_or_else(|| prompt.tools()) {
        tools if tools.is_empty() => Err(Failure::input(
            "`--constrained` holds actions to the tools of the prompt, and it declares none\n  hint: begin it with \
             `tools: files`, say, and the goal in a line of its own",
        )),
        tools => Ok(tools),
    }
}
