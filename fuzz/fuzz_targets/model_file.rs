#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| slugline_fuzz::run("model_file", data));
