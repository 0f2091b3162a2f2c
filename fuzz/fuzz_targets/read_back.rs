#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| slugline_fuzz::run("read_back", data));
