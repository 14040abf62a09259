//! `charter refuse`: turns an application away; the same applicant cannot deliver it again.

use clap::Args;
use serde_json::json;

use crate::client::segment;
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `charter refuse`.
#[derive(Debug, Args)]
pub struct RefuseArguments {
    /// 申请号。
    /// The request
    #[arg(value_name = "REQUEST")]
    request: String,
}

/// Has the node that took the application forget it and remember its key.
pub fn perform(context: &Context, arguments: &RefuseArguments) -> Result<(), Failure> {
    let request = arguments.request.to_lowercase();
    context.client()?.delete_known(&format!("/v1/applications/{}", segment(&request)))?;
    context.out.json(&json!({"refused": request}));
    context.out.say(
        format!("已拒绝申请 {request}；对方的节点会得知。"),
        format!("Turned the application {request} away; the applicant's node is told."),
    );
    Ok(())
}
