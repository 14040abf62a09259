//! Proposals for the charter: what is proposed, who signed, and handing in more (DESIGN 4.1 and 4.7).

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::charter::{Charter, CharterError, Purpose, SignedBlock};
use protocol::entry::Draft;
use protocol::identity::{BlockHash, PublicKey, Signature};
use protocol::limits::BODY_NONCE_BYTES;
use protocol::proposal::{Endorsement, KIND_ENDORSEMENT, KIND_PROPOSAL, OpenProposal, Proposal};

use super::extract::{JsonBody, blocking};
use super::problem::ApiProblem;
use super::status::member_name;
use super::types::{Endorse, MemberName, Problem, ProposalState, ProposalView, ProposeBlock};
use super::{Shared, SharedState};
use crate::charter_words::describe;

/// Lists what may become the next block.
#[utoipa::path(get, path = "/v1/charter/proposals", tag = "charter",
    description = "可以接在章程之后的提案：内容、谁签了、还差几名登记人或几票。What may become the next block: what it does, who signed, what is missing.",
    responses((status = 200, description = "提案。The proposals.", body = [ProposalView])))]
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<ProposalView>>, ApiProblem> {
    blocking(move || Json(shared.proposals())).await
}

/// Proposes a block.
#[utoipa::path(post, path = "/v1/charter/proposals", tag = "charter", request_body = ProposeBlock,
    description = "提出一个区块并带上已有的签名；签名够了，每个节点都会自行接上。Proposes a block with the signatures that it carries; with enough of them every node appends it by itself.",
    responses((status = 200, description = "提案的现状。How the proposal stands.", body = ProposalState),
        (status = 400, description = "不是区块。No block.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "接不上。Does not follow.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "不合规则。Breaks a rule.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能发布。This node cannot publish now.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn propose(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<ProposeBlock>,
) -> Result<Json<ProposalState>, ApiProblem> {
    let bytes = hex::decode(request.block.trim())
        .map_err(|_| ApiProblem::malformed("block 要写十六进制。", "`block` must be hexadecimal"))?;
    let mut block = SignedBlock::decode(&bytes).map_err(CharterError::from)?;
    let hash = block.hash();
    let core = shared.core();
    let known = core.read(|state| {
        let charter = state.replica.charter();
        block.keep_valid(&charter.federation());
        charter.check_proposal(block.block())?;
        Ok::<_, CharterError>(state.view().collection().contains(&hash))
    })?;
    let mut drafts = Vec::new();
    if !known {
        let body = Proposal { block: block.block().clone() }.encode(nonce()?).map_err(CharterError::from)?;
        drafts.push(Draft { kind: KIND_PROPOSAL, body });
    }
    for (key, signature) in block.signatures() {
        let endorsement = Endorsement { block: hash, key: *key, signature: Some(*signature) };
        drafts.push(Draft { kind: KIND_ENDORSEMENT, body: endorsement.encode(nonce()?) });
    }
    if !drafts.is_empty() {
        core.publish(drafts).await?;
    }
    blocking(move || Json(shared.proposal_state(hash))).await
}

/// Signs a proposal, or takes a signature back.
#[utoipa::path(post, path = "/v1/charter/endorsements", tag = "charter", request_body = Endorse,
    description = "为提案附上一把治理密钥的签名，或撤回自己的签名。Adds a governance key's signature to a proposal, or takes one's own back.",
    responses((status = 200, description = "提案的现状。How the proposal stands.", body = ProposalState),
        (status = 400, description = "写法不对。Malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "没有这个提案。No such proposal.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "签名无效或无权。The signature does not hold or has no right.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "暂不能发布。This node cannot publish now.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn endorse(
    State(shared): State<Shared>,
    JsonBody(request): JsonBody<Endorse>,
) -> Result<Json<ProposalState>, ApiProblem> {
    let (hash, key) = (parsed::<BlockHash>(&request.block, "block")?, parsed::<PublicKey>(&request.key, "key")?);
    let signature = request.signature.as_deref().map(|text| parsed::<Signature>(text, "signature")).transpose()?;
    if signature.is_some() == request.withdraw {
        return Err(ApiProblem::malformed(
            "signature 和 withdraw 要恰好写一个。",
            "give either `signature` or `withdraw`",
        ));
    }
    let endorsement = Endorsement { block: hash, key, signature };
    let (shared, checked) = blocking(move || {
        let checked = shared.check(&endorsement);
        (shared, checked)
    })
    .await?;
    checked?;
    let body = endorsement.encode(nonce()?);
    shared.core().publish(vec![Draft { kind: KIND_ENDORSEMENT, body }]).await?;
    blocking(move || Json(shared.proposal_state(hash))).await
}

fn parsed<T: FromStr>(text: &str, name: &str) -> Result<T, ApiProblem> {
    let malformed = |_| {
        ApiProblem::malformed(format!("{name} 要写十六进制。"), format!("`{name}` must be hexadecimal of its length"))
    };
    text.trim().parse().map_err(malformed)
}

fn nonce() -> Result<[u8; BODY_NONCE_BYTES], ApiProblem> {
    let mut nonce = [0; BODY_NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(|error| {
        tracing::error!(%error, "the system gives no random bytes");
        ApiProblem::internal()
    })?;
    Ok(nonce)
}

impl SharedState {
    fn open_proposals(&self) -> Vec<OpenProposal> {
        let core = self.core();
        core.read(|state| state.view().collection().open(state.replica.charter(), core))
    }

    fn proposals(&self) -> Vec<ProposalView> {
        let open = self.open_proposals();
        self.core().read(|state| open.iter().map(|open| proposal_view(state.replica.charter(), open)).collect())
    }

    fn proposal_state(&self, hash: BlockHash) -> ProposalState {
        let appended = self.core().read(|state| {
            let blocks = state.replica.charter().blocks();
            blocks.iter().rev().find(|block| block.hash() == hash).map(|block| block.block().version)
        });
        let text = hash.to_string();
        let proposal = self.proposals().into_iter().find(|proposal| proposal.hash == text);
        ProposalState { hash: text, appended, proposal }
    }

    /// Whether an endorsement is worth publishing: others would pass over what is not.
    fn check(&self, endorsement: &Endorsement) -> Result<(), ApiProblem> {
        let open = self.open_proposals();
        let Some(proposal) = open.into_iter().find(|open| open.block.hash() == endorsement.block) else {
            let (zh, en) = ("没有这个提案，或章程已经前进。", "there is no such proposal, or the charter has moved on");
            return Err(ApiProblem::new(StatusCode::NOT_FOUND, "not-found", zh, en)
                .fix("xianmeng charter status 列出提案。", "`xianmeng charter status` lists the proposals"));
        };
        self.core().read(|state| {
            let charter = state.replica.charter();
            if charter.holder(&endorsement.key, Purpose::Governance).is_none() {
                let (zh, en) = ("这把密钥不是任何成员的治理密钥。", "this is no member's governance key");
                return Err(refused("governance-key", zh, en));
            }
            let mut block = proposal.block;
            if let Some(signature) = endorsement.signature {
                block.add_signature(endorsement.key, signature);
                if !block.signers(&charter.federation()).contains(&endorsement.key) {
                    return Err(refused("bad-signature", "签名不对。", "the signature does not hold"));
                }
            }
            Ok(())
        })
    }
}

fn refused(code: &str, zh: &str, en: &str) -> ApiProblem {
    ApiProblem::new(StatusCode::UNPROCESSABLE_ENTITY, code, zh, en)
        .fix("请核对密钥和提案。", "check the key and the proposal")
}

/// A proposal as the API says it.
pub(super) fn proposal_view(charter: &Charter, open: &OpenProposal) -> ProposalView {
    let (block, tally) = (open.block.block(), &open.tally);
    let (mut signed, mut missing): (Vec<MemberName>, Vec<MemberName>) = (Vec::new(), Vec::new());
    for (key, member) in charter.registrars() {
        let list = if tally.registrars.contains(key) { &mut signed } else { &mut missing };
        list.push(member_name(charter, *member));
    }
    ProposalView {
        hash: open.block.hash().to_string(),
        version: block.version,
        author: member_name(charter, open.author),
        time_ms: open.time_ms,
        operations: block.operations.iter().map(|operation| describe(operation, Some(charter))).collect(),
        signed,
        missing,
        threshold: tally.threshold,
        ballots: tally.ballots.iter().map(|member| member_name(charter, *member)).collect(),
        voters: tally.voters,
        ballots_needed: tally.ballots_needed,
        ballot_rule: tally.rule.name().to_owned(),
        ballots_enough: tally.ballots_needed.is_some_and(|needed| tally.ballots.len() >= needed),
        withdrawn: open.withdrawn.iter().map(|member| member_name(charter, *member)).collect(),
        fault: open.fault.clone(),
        bytes: hex::encode(open.block.encode()),
    }
}
