//! What a session sends of its replica, and how it reads what the other side sent of its own.

use serde_bytes::ByteBuf;

use super::{Output, SyncError};
use crate::bytes::LayoutError;
use crate::charter::{LogNumber, OPERATION_TYPE, SignedBlock};
use crate::fork::ForkProof;
use crate::limits::{BLOCKS_MESSAGE_BYTES, PROBES_PER_STEP, PROOFS_PER_MESSAGE_MAX};
use crate::replica::Replica;
use crate::sync::message::Message;

pub(super) fn blocks_after(after: u32, replica: &Replica) -> Message {
    let mut bytes = 0;
    let blocks = replica.charter().blocks().iter().skip(after as usize).map(SignedBlock::encode);
    let fitting = blocks.take_while(|block| {
        bytes += block.len();
        bytes == block.len() || bytes <= BLOCKS_MESSAGE_BYTES
    });
    Message::Blocks { blocks: fitting.map(ByteBuf::from).collect() }
}

pub(super) fn full_heads(replica: &Replica) -> Output {
    let heads = replica.frontier().heads;
    let heads = heads.into_iter().map(|(log, head)| (log, head.length, head.id)).collect();
    Output::Send(Message::FullHeads { heads })
}

pub(super) fn ids_at(log: LogNumber, sequences: &[u64], replica: &Replica) -> Result<Output, SyncError> {
    if sequences.len() as u64 > PROBES_PER_STEP * 2 + 2 {
        return Err(SyncError::Greedy);
    }
    let length = replica.effective_length(log);
    let counted = sequences.iter().filter(|sequence| **sequence < length);
    let ids = counted.filter_map(|sequence| Some((*sequence, replica.id(log, *sequence)?))).collect();
    Ok(Output::Send(Message::Ids { log, ids }))
}

/// Blocks up to the first that this build does not know: what comes before it is of use all the same.
pub(super) fn decode_blocks(blocks: &[ByteBuf]) -> Result<Vec<SignedBlock>, SyncError> {
    let mut decoded = Vec::new();
    for block in blocks {
        match SignedBlock::decode(block) {
            Ok(block) => decoded.push(block),
            Err(LayoutError::Rule { field: OPERATION_TYPE, .. }) if !decoded.is_empty() => break,
            Err(LayoutError::Rule { field: OPERATION_TYPE, .. }) => return Err(SyncError::UpdateNeeded),
            Err(error) => return Err(SyncError::Malformed { message: "blocks", error }),
        }
    }
    Ok(decoded)
}

/// A second block of a version that is held, unless the proof held is as good, or this build cannot judge it.
pub(super) fn decode_rival(block: &[u8], replica: &Replica) -> Result<Option<SignedBlock>, SyncError> {
    let block = match SignedBlock::decode(block) {
        Ok(block) => block,
        // A later build may have found it valid; that is no offence, and no reason not to exchange entries.
        Err(LayoutError::Rule { field: OPERATION_TYPE, .. }) => return Ok(None),
        Err(error) => return Err(SyncError::Malformed { message: "rival", error }),
    };
    let (charter, version) = (replica.charter(), block.block().version);
    let known = charter.rival().is_some_and(|rival| rival.block().version <= version);
    Ok((!known && version <= charter.version()).then_some(block))
}

pub(super) fn decode_proofs(proofs: &[ByteBuf], replica: &Replica) -> Result<Vec<ForkProof>, SyncError> {
    if proofs.len() > PROOFS_PER_MESSAGE_MAX {
        return Err(SyncError::Greedy);
    }
    let federation = replica.charter().federation();
    // Proofs that would change nothing are not worth two verifications each.
    let is_news = |proof: &&ByteBuf| {
        ForkProof::place(proof).is_none_or(|(key, sequence)| {
            replica.charter().log_of(&key).is_some() && replica.fork_of(&key).is_none_or(|known| sequence < known)
        })
    };
    let news = proofs.iter().filter(is_news);
    Ok(news.map(|proof| ForkProof::decode(proof, &federation)).collect::<Result<_, _>>()?)
}
