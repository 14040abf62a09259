#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| xianmeng_node_fuzz::request::ask(bytes));
