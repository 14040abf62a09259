//! `sync`: a round of sync with peers, now.

use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Failure;

/// Asks the node to reconcile.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let answer: Value = context.client()?.post("/v1/sync", &json!({}))?;
    context.out.json(&answer);
    context.out.say("已开始与同伴核对。", "Reconciling with peers.");
    Ok(())
}
