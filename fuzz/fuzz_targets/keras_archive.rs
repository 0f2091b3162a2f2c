#![no_main]

// Without libFuzzer's hook, which ends the program at panics of other crates that ours catch.
libfuzzer_sys::fuzz_target!(init: drop(std::panic::take_hook()), |data: &[u8]| {
    slugline_fuzz::run("keras_archive", data)
});
