#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| groundwork_fuzz::stream(bytes));
