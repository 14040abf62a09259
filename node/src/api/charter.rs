//! The charter: who is a member, and appending signed blocks.

use axum::Json;
use axum::extract::State;
use protocol::charter::{Charter, CharterError, Member, SignedBlock, Standing};

use super::Shared;
use super::extract::JsonBody;
use super::problem::ApiProblem;
use super::status::member_name;
use super::types::{AppendBlock, BlockView, CharterView, MemberView, Problem};

/// Shows the charter.
#[utoipa::path(get, path = "/v1/charter", tag = "charter",
    description = "章程：成员、登记人、门槛和每个区块。The charter: members, registrars, threshold and every block.",
    responses((status = 200, description = "章程。The charter.", body = CharterView)))]
pub(super) async fn show(State(shared): State<Shared>) -> Json<CharterView> {
    Json(shared.core().read(|state| charter_view(state.replica.charter())))
}

/// Appends a signed block.
#[utoipa::path(post, path = "/v1/charter/blocks", tag = "charter", request_body = AppendBlock,
    description = "提交登记人签署的区块；已有的略过。Submits a block signed by registrars; one that is held already is passed over.",
    responses((status = 200, description = "提交后的章程。The charter afterwards.", body = CharterView),
        (status = 400, description = "不是区块。No block.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "接不上或互相矛盾。Does not follow, or contradicts.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "不合规则，如签名不足。Breaks a rule, such as the threshold.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn append(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<AppendBlock>,
) -> Result<Json<CharterView>, ApiProblem> {
    let bytes = hex::decode(request.block.trim())
        .map_err(|_| ApiProblem::malformed("block 要写十六进制。", "`block` must be hexadecimal"))?;
    let block = SignedBlock::decode(&bytes).map_err(CharterError::from)?;
    shared.core().append_blocks(vec![block]).await?;
    Ok(show(State(shared)).await)
}

fn charter_view(charter: &Charter) -> CharterView {
    let registrars = charter.registrars().iter();
    let tip = charter.tip_block();
    CharterView {
        federation: charter.federation().to_string(),
        name: charter.name().to_owned(),
        version: charter.version(),
        tip: charter.tip().to_string(),
        time_ms: tip.time_ms,
        expires_ms: tip.expires_ms,
        threshold: charter.threshold(),
        trial: charter.is_trial(),
        registrars: registrars.map(|(key, member)| (key.to_string(), member_name(charter, *member))).collect(),
        members: charter.members().values().map(member_view).collect(),
        blocks: charter.blocks().iter().map(block_view).collect(),
    }
}

fn member_view(member: &Member) -> MemberView {
    let gone = member.standing != Standing::Active;
    let reason = member.ground().filter(|_| gone).map(|decision| decision.reason.clone());
    MemberView {
        number: member.number.0,
        name: member.name.clone(),
        class: member.class.name().to_owned(),
        class_zh: member.class.zh().to_owned(),
        region: member.region.clone(),
        standing: member.standing.name().to_owned(),
        reason,
        admitted: member.admitted,
        keys: member.keys.iter().map(|key| (key.purpose.name().to_owned(), key.key.to_string())).collect(),
    }
}

fn block_view(block: &SignedBlock) -> BlockView {
    let content = block.block();
    BlockView {
        version: content.version,
        hash: block.hash().to_string(),
        time_ms: content.time_ms,
        operations: content.operations.iter().map(|operation| operation.name().to_owned()).collect(),
        bytes: hex::encode(block.encode()),
    }
}
