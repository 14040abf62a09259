//! What is fuzzed of `node`: spreadsheets as people send them, and requests to the API.

pub mod request;
pub mod sheet;

use std::panic;

/// The library that reads workbooks panics now and then, and `node` catches that and calls the file damaged. Under a
/// fuzzer every panic would end the process; with this only those do that nobody catches.
pub fn let_panics_be_caught() {
    panic::set_hook(Box::new(|_| ()));
}
