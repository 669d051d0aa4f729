#![no_main]
//! Every format: what is read is written, and that is read again.

use groundwork_trace::adapters::Format;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| {
    let (choice, text) = input;
    let format = Format::ALL[usize::from(choice) % Format::ALL.len()];
    match format.read(text) {
        Ok(read) => {
            for trace in &read.value {
                format.read(&format.write(trace).value).expect("what was written is read");
            }
        }
        Err(e) => assert!(!e.message.is_empty() && !e.hint.is_empty()),
    }
});
