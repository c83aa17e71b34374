#![no_main]
libfuzzer_sys::fuzz_target!(|input: &[u8]| usipipo_fuzz::stored::check(input));
