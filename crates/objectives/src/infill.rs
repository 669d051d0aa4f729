//! Hide a span, show what comes after it, ask for it.

use groundwork_corpus::{Row, SpanTag};
use groundwork_trace::SpanKind;
use rand_core::Rng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::ObjectiveError;
use crate::objective::{Special, Term};

/// The `infill` term: in a share of the documents one span is moved to the end.
///
/// `prefix M body suffix <|end|>` becomes `prefix <|hole|> suffix <|fill|> body`: the hole takes the
/// place of the span's marker and the fill that of the end, so that the document keeps its length,
/// its tokens keep their kinds and weights, and rows stay packed. (In the manner of 2207.14255,
/// with spans of a trace in place of random cuts.)
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Infill {
    /// The kinds of which a span may be hidden.
    pub spans: Vec<SpanKind>,
    /// The share of documents (with such a span) that are rewritten, 0 to 1.
    pub rate: f64,
}

impl Infill {
    /// The spans of a document that may be hidden, as ranges of their tokens with the marker.
    fn candidates(&self, row: &Row, document: std::ops::Range<usize>) -> Vec<std::ops::Range<usize>> {
        let starts: Vec<usize> = document.clone().filter(|&i| row.spans[i].marker()).collect();
        // The last marker is the end of the document.
        starts
            .windows(2)
            .map(|w| w[0]..w[1])
            .filter(|s| s.start > document.start && s.len() > 1)
            .filter(|s| row.spans[s.start].kind().is_some_and(|k| self.spans.contains(&k)))
            .collect()
    }
}

fn uniform(rng: &mut Pcg64) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

/// Moves a span's body behind the document's end; see [`Infill`].
fn hide(row: &mut Row, document: std::ops::Range<usize>, span: std::ops::Range<usize>, special: Special) {
    fn shift<T: Copy>(items: &mut [T], document: &std::ops::Range<usize>, span: &std::ops::Range<usize>) {
        // [.. M body suffix END] rotates to [.. M suffix END body].
        items[span.start + 1..document.end].rotate_left(span.len() - 1);
    }
    shift(&mut row.tokens, &document, &span);
    shift(&mut row.spans, &document, &span);
    if let Some(weight) = &mut row.weight {
        shift(weight, &document, &span);
    }
    row.tokens[span.start] = special.hole;
    row.tokens[document.end - span.len()] = special.fill;
}

impl Term for Infill {
    fn check(&self) -> Result<(), ObjectiveError> {
        let wrong = |what: String, hint: &str| Err(ObjectiveError { what, hint: hint.into() });
        if !(0.0..=1.0).contains(&self.rate) {
            return wrong(format!("the rate {} of `infill` is no share", self.rate), "use 0 to 1");
        }
        if self.spans.is_empty() {
            return wrong("`infill` names no spans".into(), "for example spans = [\"action\"]");
        }
        Ok(())
    }

    fn rewrite(&self, row: &mut Row, special: Special, rng: &mut Pcg64) {
        let mut start = 0;
        while start < row.tokens.len() {
            let id = row.documents[start];
            let len = row.documents[start..].iter().take_while(|&&d| d == id).count();
            let document = start..start + len;
            start += len;
            if id == 0 || row.tokens[document.end - 1] != special.end {
                continue;
            }
            let (draw, pick) = (uniform(rng), rng.next_u64());
            let candidates = self.candidates(row, document.clone());
            if draw >= self.rate || candidates.is_empty() {
                continue;
            }
            let span = candidates[(pick % candidates.len() as u64) as usize].clone();
            debug_assert_ne!(row.spans[span.start], SpanTag::PADDING);
            hide(row, document, span, special);
        }
    }
}
