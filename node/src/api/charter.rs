//! The charter: who is a member, and appending signed blocks.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use protocol::charter::{Charter, CharterError, Decision, Member, MemberKey, RoleRule, Seat, SignedBlock, Standing};
use protocol::identity::{BlockHash, PublicKey};

use super::Shared;
use super::extract::{JsonBody, blocking};
use super::problem::ApiProblem;
use super::status::member_name;
use super::types::{
    AppendBlock, BlockView, CharterView, DecisionView, KeyView, MemberView, Problem, RoleRuleView, SeatView,
};
use crate::core::now_ms;
use crate::pins;

const DAY_MS: u64 = 86_400_000;

/// Shows the charter.
#[utoipa::path(get, path = "/v1/charter", tag = "charter",
    description = "章程：成员、登记人、门槛和每个区块。The charter: members, registrars, threshold and every block.",
    responses((status = 200, description = "章程。The charter.", body = CharterView)))]
pub(super) async fn show(State(shared): State<Shared>) -> Result<Json<CharterView>, ApiProblem> {
    blocking(move || {
        // A file that cannot be read says nothing; what the charter itself is bound to is not affected.
        let pins = pins::pins(&shared.context.directory).unwrap_or_default();
        Json(shared.core().read(|state| charter_view(state.replica.charter(), &pins, now_ms())))
    })
    .await
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
    let (version, hash) = (block.block().version, block.hash());
    shared.core().append_blocks(vec![block]).await?;
    let held = shared.core().read(|state| {
        let blocks = state.replica.charter().blocks();
        (version as usize).checked_sub(1).and_then(|index| blocks.get(index)).is_some_and(|held| held.hash() == hash)
    });
    if !held {
        // It is kept as the proof of a contradiction, and that is not what was asked for.
        return Err(CharterError::Equivocation { version }.into());
    }
    show(State(shared)).await
}

fn charter_view(charter: &Charter, pins: &BTreeMap<u32, BlockHash>, now_ms: u64) -> CharterView {
    let registrars = charter.registrars().iter();
    let tip = charter.tip_block();
    let voters = charter.voters().count();
    CharterView {
        federation: charter.federation().to_string(),
        name: charter.name().to_owned(),
        version: charter.version(),
        tip: charter.tip().to_string(),
        time_ms: tip.time_ms,
        expires_ms: tip.expires_ms,
        expired: tip.expires_ms < now_ms,
        threshold: charter.threshold(),
        ballot_rule: charter.ballot_rule().name().to_owned(),
        voters,
        ballots_needed: charter.ballots_needed(),
        trial: charter.is_trial(),
        registrars: registrars.map(|(key, member)| (key.to_string(), member_name(charter, *member))).collect(),
        seats: charter.seats().iter().map(|seat| seat_view(charter, seat, now_ms)).collect(),
        role_rules: charter.role_rules().values().map(|rule| role_rule_view(charter, rule, now_ms)).collect(),
        duty_rules: charter.duty_rules().iter().map(|(version, hash)| (*version, hash.to_string())).collect(),
        gossip_entries_per_minute: charter.gossip_entries_per_minute(),
        rival: charter.rival().map(block_view),
        pins: pins.iter().map(|(version, hash)| (*version, hash.to_string())).collect(),
        members: charter.members().values().map(|member| member_view(charter, member)).collect(),
        blocks: charter.blocks().iter().map(block_view).collect(),
    }
}

fn seat_view(charter: &Charter, seat: &Seat, now_ms: u64) -> SeatView {
    let grant = &seat.grant;
    SeatView {
        number: seat.number,
        role: grant.role.name().to_owned(),
        role_zh: grant.role.zh().to_owned(),
        member: member_name(charter, grant.member),
        key: (grant.key != PublicKey::ZERO).then(|| grant.key.to_string()),
        person: grant.person.clone(),
        from_ms: grant.from_ms,
        until_ms: grant.until_ms,
        granted: seat.granted,
        run_out: seat.ended.is_none() && seat.has_run_out(now_ms),
        ended: seat.ended.clone(),
    }
}

fn role_rule_view(charter: &Charter, rule: &RoleRule, now_ms: u64) -> RoleRuleView {
    let filled = charter.seats().iter().filter(|seat| seat.grant.role == rule.role && seat.is_filled(now_ms));
    RoleRuleView {
        role: rule.role.name().to_owned(),
        role_zh: rule.role.zh().to_owned(),
        seats_max: rule.seats_max,
        filled: filled.count(),
        term_days: rule.term_ms / DAY_MS,
    }
}

fn member_view(charter: &Charter, member: &Member) -> MemberView {
    let gone = member.standing != Standing::Active;
    let reason = member.ground().filter(|_| gone).map(|decision| decision.reason.clone());
    let time_of = |version: u32| {
        let block = charter.blocks().get((version as usize).saturating_sub(1));
        block.map_or(0, |block| block.block().time_ms)
    };
    let decision = |decision: &Decision| DecisionView {
        version: decision.version,
        operation: decision.operation.to_owned(),
        reason: decision.reason.clone(),
        time_ms: time_of(decision.version),
    };
    let key = |key: &MemberKey| KeyView {
        purpose: key.purpose.name().to_owned(),
        key: key.key.to_string(),
        granted: key.granted,
        ended: key.ended,
    };
    let logs = charter.logs().iter().filter(|log| log.member == member.number && log.owner() != log.member);
    MemberView {
        number: member.number.0,
        name: member.name.clone(),
        class: member.class.name().to_owned(),
        class_zh: member.class.zh().to_owned(),
        region: member.region.clone(),
        standing: member.standing.name().to_owned(),
        standing_zh: member.standing.zh().to_owned(),
        reason,
        admitted: member.admitted,
        decisions: member.decisions.iter().map(decision).collect(),
        keys: member.keys.iter().map(key).collect(),
        heirs: logs.map(|log| (log.key.to_string(), member_name(charter, log.owner()))).collect(),
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
