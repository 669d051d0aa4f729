//! What a model wrote as plain text, read as spans.

use groundwork_trace::SpanKind;

/// Reads a reply in the trace language, tolerantly: text before the first keyword is a thought, lines of a code fence
/// are passed over, and a line that begins with what only the world or the user says ends the reply, because the model
/// is dreaming from there on.
///
/// `open`: a span that the prompt has begun, which the reply's first line continues.
pub(super) fn spans(text: &str) -> Vec<(SpanKind, String)> {
    let mut spans: Vec<(SpanKind, String)> = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            continue;
        }
        match keyword(line) {
            Some((kind, _)) if !kind.is_agents() => break,
            Some((kind, body)) => spans.push((kind, body.to_owned())),
            None => match spans.last_mut() {
                Some((_, body)) => {
                    body.push('\n');
                    body.push_str(line.strip_prefix("  ").unwrap_or(line));
                }
                None if line.trim().is_empty() => {}
                None => spans.push((SpanKind::Thought, line.trim_start().to_owned())),
            },
        }
    }
    for (_, body) in &mut spans {
        body.truncate(body.trim_end().len());
    }
    spans
}

/// The kind of span that a line opens, and the rest of the line.
fn keyword(line: &str) -> Option<(SpanKind, &str)> {
    let (word, rest) = line.split_once(':')?;
    // Chat models like to print the word in bold, or with a capital.
    let word = word.trim().trim_matches('*').to_ascii_lowercase();
    let kind = SpanKind::from_keyword(&word).filter(|k| *k != SpanKind::Text)?;
    Some((kind, rest.trim_start_matches('*').trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use SpanKind::{Action, Answer, Plan, Thought};

    fn read(text: &str) -> Vec<(SpanKind, String)> {
        spans(text)
    }

    #[test]
    fn replies_are_read_tolerantly() {
        assert_eq!(
            read("plan: look\n  then read\naction: read(path=\"a/b\")\n"),
            [(Plan, "look\nthen read".into()), (Action, "read(path=\"a/b\")".into())]
        );
        assert_eq!(
            read("I will look.\n```\n**Action:** look()\n```\n"),
            [(Thought, "I will look.".into()), (Action, "look()".into())]
        );
        assert_eq!(read("answer: 3\n\n"), [(Answer, "3".into())]);
        assert_eq!(
            read("action: look()\nobservation: \"a\"\naction: go()"),
            [(Action, "look()".into())],
            "what it dreams up is not said"
        );
        assert_eq!(read("note: this is no span"), [(Thought, "note: this is no span".into())]);
        assert!(read("").is_empty() && read(" \n\n").is_empty());
    }
}
