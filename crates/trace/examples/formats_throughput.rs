//! Measures how fast traces are read and written on one core, in the trace language and in other formats:
//! `cargo run --release -p groundwork-trace --example formats_throughput`.

use std::sync::LazyLock;
use std::time::Instant;

use groundwork_trace::adapters::{Format, Side, convert};
use groundwork_trace::{Call, Span, SpanKind, Trace, Value};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let trace = trace();
    language(&trace);
    for format in [Format::OpenAiChat, Format::Anthropic, Format::Hermes, Format::DeepSeekV32] {
        let documents = vec![format.write(&trace).value; 2000];
        let bytes = documents.iter().map(String::len).sum();
        let read = best(bytes, || documents.iter().for_each(|t| assert!(format.read(t).is_ok())));
        let written = best(bytes, || (0..2000).for_each(|_| assert!(!format.write(&trace).value.is_empty())));
        println!("{}: read {read:.0} MB/s, write with report {written:.0} MB/s", format.name());
    }
    let lines = format!("{}\n", Format::OpenAiChat.write(&trace).value).repeat(2000);
    let streamed = best(lines.len(), || {
        let mut out = Vec::with_capacity(lines.len());
        convert(Side::Format(Format::OpenAiChat), Side::Trace, lines.as_bytes(), &mut out)
            .expect("it is whole");
    });
    println!("openai-chat JSONL to the trace language, streamed: {streamed:.0} MB/s");
}

/// The trace language itself, in files of 50 traces: the spans alone, and with every call and value in them.
fn language(trace: &Trace) {
    const FILES: usize = 600;
    let traces = vec![trace.clone(); 50];
    let text = Trace::print_all(&traces);
    let bytes = text.len() * FILES;
    let parsed = best(bytes, || (0..FILES).for_each(|_| assert!(Trace::parse_all(&text).is_ok())));
    let printed = best(bytes, || (0..FILES).for_each(|_| assert!(!Trace::print_all(&traces).is_empty())));
    let typed = best(bytes, || {
        for _ in 0..FILES {
            for span in Trace::parse_all(&text).expect("it is canonical").iter().flat_map(|t| &t.spans) {
                match span.kind {
                    SpanKind::Action => assert!(Call::parse(&span.body).is_ok()),
                    SpanKind::Observation => assert!(Value::parse(&span.body).is_ok()),
                    _ => {}
                }
            }
        }
    });
    println!(
        "trace: read {parsed:.0} MB/s, with every call and value {typed:.0} MB/s, write {printed:.0} MB/s"
    );
}

/// Megabytes a second, the best of five: what disturbs on a shared machine only slows down.
fn best(bytes: usize, mut work: impl FnMut()) -> f64 {
    let seconds = (0..5).map(|_| {
        let start = processor_seconds();
        work();
        processor_seconds() - start
    });
    bytes as f64 / 1e6 / seconds.fold(f64::INFINITY, f64::min)
}

/// Seconds that a core has worked for this thread, so that others on the machine do not count; where the system
/// does not say, the time of day.
fn processor_seconds() -> f64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    match said.and_then(|s| s.split(' ').next()?.parse::<f64>().ok()) {
        Some(nanoseconds) => nanoseconds / 1e9,
        None => START.elapsed().as_secs_f64(),
    }
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

fn trace() -> Trace {
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
    Trace::new(spans)
}
