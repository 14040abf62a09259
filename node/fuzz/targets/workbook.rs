#![no_main]

libfuzzer_sys::fuzz_target!(
    init: xianmeng_node_fuzz::let_panics_be_caught(),
    |bytes: &[u8]| xianmeng_node_fuzz::sheet::workbook(bytes)
);
