//! Measures how fast formats are read and written on one core: `cargo run --release -p groundwork-trace --example formats_throughput`.

use groundwork_trace::adapters::Format;
use groundwork_trace::{Span, SpanKind, Trace};

fn main() {
    let mut spans =
        vec![Span::new(SpanKind::Goal, "Pay everybody on the list, and say who could not be paid.")];
    for i in 0..20 {
        spans.push(Span::new(SpanKind::Plan, "I pay the next one on the list."));
        spans.push(Span::new(
            SpanKind::Action,
            format!("pay(to=\"Person {i}\", cents={i}, note=\"for \\\"lunch\\\"\\n\")"),
        ));
        spans.push(Span::new(
            SpanKind::Observation,
            format!("{{ok: true, left: [{i}, 2, 3], text: \"a longer text\"}}"),
        ));
    }
    let trace = Trace::new(spans);
    for format in [Format::OpenAiChat, Format::Anthropic, Format::Hermes, Format::DeepSeekV32] {
        let line = format.write(&trace).value;
        let text = vec![line; 2000];
        let bytes: usize = text.iter().map(String::len).sum();
        let start = std::time::Instant::now();
        text.iter().for_each(|t| assert!(format.read(t).is_ok()));
        let read = start.elapsed().as_secs_f64();
        let start = std::time::Instant::now();
        (0..2000).for_each(|_| assert!(!format.write(&trace).value.is_empty()));
        let write = start.elapsed().as_secs_f64();
        let rate = |seconds: f64| bytes as f64 / 1e6 / seconds;
        println!("{}: read {:.0} MB/s, write with report {:.0} MB/s", format.name(), rate(read), rate(write));
    }
}
