//! Asking the person at the terminal before something that cannot be taken back.

use std::io::{self, Write};

use crate::context::Context;
use crate::failure::Failure;

/// Nobody can be asked without a terminal: that counts as no.
pub fn ask(context: &Context, question: &str) -> Result<bool, Failure> {
    if !context.out.is_interactive() {
        return Ok(false);
    }
    eprint!("{question}");
    let mut answer = String::new();
    io::stderr().flush().and_then(|()| io::stdin().read_line(&mut answer)).map_err(Failure::internal)?;
    Ok(["y", "yes", "是"].contains(&answer.trim().to_lowercase().as_str()))
}
