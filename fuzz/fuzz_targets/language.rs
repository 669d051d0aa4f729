#![no_main]
//! Files of traces: whatever the text, reading ends, and what could be read is printed so that it is read again.

use groundwork_trace::{Attempt, Trace, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let found = check(text, |_| Err(String::new()));
    for d in &found.0 {
        assert!(d.range.end <= text.len());
        d.render(text, "fuzz", false);
    }
    match Trace::parse_all(text) {
        Ok(traces) => {
            let printed = Trace::print_all(&traces);
            let again = Trace::parse_all(&printed).expect("what was printed is read");
            assert_eq!(Trace::print_all(&again), printed);
            traces.iter().for_each(|t| drop(t.branches().count()));
        }
        Err(_) => assert!(found.has_errors()),
    }
    Attempt::parse(text, &[]);
});
