//! What holds for every format and every trace.

use groundwork_trace::adapters::{Format, LossKind, Place};
use groundwork_trace::{Span, SpanKind, Trace};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::arbitrary::{any_trace, nasty};
use crate::said::without_said;

/// Reads one document.
fn read(format: Format, text: &str) -> Result<Trace, String> {
    let mut traces = format.read(text).map_err(|e| format!("{}: {e}\n{text}", format.name()))?.value;
    if traces.len() != 1 {
        return Err(format!("{}: {} traces\n{text}", format.name(), traces.len()));
    }
    Ok(traces.remove(0))
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, max_shrink_iters: 1500, ..ProptestConfig::with_cases(cases) }
}

proptest! {
    #![proptest_config(config(std::env::var("CASES").map_or(120, |c| c.parse().unwrap())))]

    /// decode∘encode is the identity, modulo the loss report; encode∘decode is it on our own bytes.
    #[test]
    fn what_is_written_is_read_again(trace in any_trace()) {
        for format in Format::ALL {
            let written = format.write(&trace);
            let back = read(format, &written.value).map_err(TestCaseError::fail)?;
            let lost = |i: usize| written.losses.iter().any(|l| l.place == Place::Span(i));
            if written.losses.is_empty() {
                prop_assert_eq!(&back, &trace, "{} {}", format.name(), written.value);
            }
            // What is not reported is there, in its order.
            let mut rest = without_said(back.clone()).spans.into_iter();
            for (i, span) in trace.spans.iter().enumerate().filter(|(i, _)| !lost(*i)) {
                prop_assert!(rest.any(|s| s == *span), "{}: span {i} is lost\n{}", format.name(), written.value);
            }
            for loss in &written.losses {
                prop_assert!(matches!(loss.place, Place::Span(i) if i < trace.spans.len()), "{loss}");
            }
            // An attempt to act that failed may spell what only another reader would write.
            if format.read(&written.value).is_ok_and(|read| read.losses.is_empty()) {
                let again = format.write(&back);
                prop_assert_eq!(&again.value, &written.value, "{}", format.name());
                let no_more: Vec<_> = again.losses.iter().filter(|l| l.kind != LossKind::Parallel).collect();
                prop_assert!(no_more.is_empty(), "{}: {no_more:?}\n{}", format.name(), written.value);
            }
        }
    }
}

proptest! {
    #![proptest_config(config(40))]

    /// Cut off at some byte, a document is read or refused with a place.
    #[test]
    fn cut_off_anywhere(trace in any_trace(), cuts in vec(any::<prop::sample::Index>(), 12)) {
        for format in Format::ALL {
            let text = format.write(&trace).value;
            for cut in &cuts {
                let at = text.floor_char_boundary(cut.index(text.len() + 1));
                if let Err(e) = format.read(&text[..at]) {
                    prop_assert!(!e.hint.is_empty() && !e.message.is_empty());
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in vec(nasty(), 0..8).prop_map(|p| p.concat()), bytes in vec(any::<u8>(), 0..64)) {
        for format in Format::ALL {
            let _ = format.read(&text);
            let _ = format.read(&String::from_utf8_lossy(&bytes));
        }
    }
}

/// Metadata has a place in few formats, and where it has none that is said.
#[test]
fn metadata_is_reported() {
    let span = Span {
        fault: Some("f".into()),
        own: vec![0..1, 1..2],
        weight: Some(0.5),
        ..Span::new(SpanKind::Goal, "ab")
    };
    for format in Format::ALL {
        let losses = format.write(&Trace::new(vec![span.clone()])).losses;
        if [Format::Atif, Format::Inspect, Format::OpenTelemetry, Format::Verifiers].contains(&format) {
            assert_eq!(losses, [], "{}", format.name());
            continue;
        }
        for kind in [LossKind::Fault, LossKind::Own, LossKind::Weight] {
            assert!(
                losses.iter().any(|l| l.kind == kind && l.place == Place::Span(0)),
                "{} {kind}",
                format.name()
            );
        }
    }
}
