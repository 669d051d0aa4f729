//! The contract of tokenisation, for any trace: markers are tokens that no text spells, a prefix of a trace is a prefix of
//! its tokens, and what is known of a token is exact.

use std::sync::LazyLock;

use groundwork_corpus::{Tokenizer, encode_trace};
use groundwork_trace::{Span, SpanKind, Trace};
use proptest::prelude::*;
use proptest::sample::select;

static TOKENIZER: LazyLock<Tokenizer> = LazyLock::new(crate::tokenizer);

fn bodies() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "<|action|>",
        "<|end|>",
        "<|pad|>",
        "<|",
        "|>",
        "action",
        "read(path=\"/docs/report\")",
        " the cat",
        "\n",
        "ä",
        "𝄞",
        "\u{0}",
        " ",
        "<|goal|>\n",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..8).prop_map(|p| p.concat()), any::<String>(),]
}

fn spans() -> impl Strategy<Value = Span> {
    let own = prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 0..3);
    let weight = prop::option::of(select(vec![0.0f32, 0.25, 1.0, 2.5]));
    (select(SpanKind::ALL.to_vec()), bodies(), any::<bool>(), own, weight).prop_map(
        |(kind, body, failed, own, weight)| {
            let places: Vec<usize> = body.char_indices().map(|(i, _)| i).chain([body.len()]).collect();
            let mut cuts: Vec<usize> =
                own.iter().flat_map(|(a, b)| [*a.get(&places), *b.get(&places)]).collect();
            cuts.sort_unstable();
            let own = cuts.chunks(2).map(|c| c[0]..c[1]).filter(|r| !r.is_empty()).collect();
            Span { failed, own, weight, ..Span::new(kind, body) }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_spells_a_marker(text in bodies()) {
        let mut tokens = Vec::new();
        TOKENIZER.encode(&text, &mut tokens);
        prop_assert!(tokens.iter().all(|t| !TOKENIZER.is_special(*t)));
        prop_assert_eq!(TOKENIZER.decode(&tokens), text.as_bytes());
    }

    #[test]
    fn what_is_known_of_every_token_is_exact(spans in prop::collection::vec(spans(), 1..6)) {
        let encoded = encode_trace(&TOKENIZER, &Trace::new(spans.clone()));
        let weighted = spans.iter().any(|s| s.weight.is_some());
        prop_assert_eq!(encoded.weight.is_some(), weighted);
        let weight = |i: usize| encoded.weight.as_ref().map_or(1.0, |w| w[i]);
        let mut at = 0;
        for span in &spans {
            prop_assert_eq!(encoded.tokens[at], TOKENIZER.marker(span.kind));
            let end = (at + 1..encoded.len()).find(|i| encoded.spans[*i].marker()).unwrap();
            let mut byte = 0;
            for i in at..end {
                let tag = encoded.spans[i];
                let bytes = if i == at { &[][..] } else { TOKENIZER.token_bytes(encoded.tokens[i]) };
                let own = span.own.iter().any(|r| r.start < byte + bytes.len() && byte < r.end);
                prop_assert_eq!(tag.kind(), Some(span.kind));
                prop_assert_eq!((tag.marker(), tag.failed()), (i == at, span.failed));
                prop_assert_eq!(tag.own(), i > at && own);
                prop_assert_eq!(weight(i), span.weight.unwrap_or(1.0));
                prop_assert_eq!(TOKENIZER.is_special(encoded.tokens[i]), i == at);
                byte += bytes.len();
            }
            prop_assert_eq!(TOKENIZER.decode(&encoded.tokens[at + 1..end]), span.body.as_bytes());
            at = end;
        }
        prop_assert_eq!((at, encoded.tokens[at]), (encoded.len() - 1, TOKENIZER.end()));
    }

    #[test]
    fn a_prefix_of_a_trace_is_a_prefix_of_its_tokens(spans in prop::collection::vec(spans(), 1..6), cut in any::<prop::sample::Index>()) {
        // A trace states weights for all of its spans or for none.
        let weight = spans[0].weight.map(|_| 0.5);
        let spans: Vec<Span> = spans.into_iter().map(|s| Span { weight, ..s }).collect();
        let cut = cut.index(spans.len()) + 1;
        let whole = encode_trace(&TOKENIZER, &Trace::new(spans.clone()));
        let part = encode_trace(&TOKENIZER, &Trace::new(spans[..cut].to_vec()));
        // All but the end token, which stands where the next marker would.
        let shared = part.len() - 1;
        prop_assert_eq!(&part.tokens[..shared], &whole.tokens[..shared]);
        prop_assert_eq!(&part.spans[..shared], &whole.spans[..shared]);
        prop_assert_eq!(part.weight.map(|w| w[..shared].to_vec()), whole.weight.map(|w| w[..shared].to_vec()));
        prop_assert!(TOKENIZER.is_special(whole.tokens[shared]));
    }
}
