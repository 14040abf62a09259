//! `sync`: a round of sync with peers, now.

use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Asks the node to reconcile.
pub fn perform(context: &Context) -> Result<(), Failure> {
    context.client()?.post_silent("/v1/sync", &json!({}))?;
    context.out.json(&json!({"started": true}));
    context.out.say("已开始与同伴核对。", "Reconciling with peers.");
    Ok(())
}
