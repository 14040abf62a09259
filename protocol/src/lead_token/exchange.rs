//! What asker and holder say to each other on a stream: one request, one answer.
//!
//! A request is `lead layout u8 = 1, epoch u32, holder slot u8, elements`; elements are a `u16` count and 32 bytes each.
//! An answer is `lead layout u8 = 1, verdict u8, remaining u32` and, after verdict 0, elements and one proof; after
//! another one `again u64`.

use super::holder::HolderSlot;
use super::oprf::{ELEMENT_BYTES, Evaluation, PROOF_BYTES};
use crate::bytes::{LayoutError, Reader, put_count};
use crate::limits::LEAD_BATCH_MAX;

const LAYOUT: u8 = 1;
const VERDICT_EVALUATED: u8 = 0;

/// Asks a holder to evaluate blinded elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationRequest {
    /// The epoch that the asker goes by.
    pub epoch: u32,
    /// Which of the two holders it takes the other side for.
    pub slot: HolderSlot,
    /// The blinded elements.
    pub elements: Vec<[u8; ELEMENT_BYTES]>,
}

impl EvaluationRequest {
    /// Length of the longest request, in bytes.
    pub const BYTES_MAX: usize = 1 + 4 + 1 + 2 + LEAD_BATCH_MAX * ELEMENT_BYTES;

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![LAYOUT];
        out.extend_from_slice(&self.epoch.to_le_bytes());
        out.push(self.slot.number());
        put_elements(&mut out, &self.elements);
        out
    }

    /// Reads the bytes to their end.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = open(bytes)?;
        let request = Self {
            epoch: reader.u32("epoch")?,
            slot: HolderSlot::read(&mut reader)?,
            elements: read_elements(&mut reader)?,
        };
        reader.finish()?;
        Ok(request)
    }
}

/// Why a holder does not evaluate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RefusalReason {
    /// The member is not, or not yet, this holder here, or its key is not at hand.
    NotHolder = 1,
    /// Another epoch is in force here.
    OtherEpoch = 2,
    /// More than what remains of the asker's quota of the day.
    Quota = 3,
    /// Too much at once.
    Busy = 4,
    /// An element is none of the group, or the request breaks its layout.
    Malformed = 5,
}

impl RefusalReason {
    const ALL: [Self; 5] = [Self::NotHolder, Self::OtherEpoch, Self::Quota, Self::Busy, Self::Malformed];

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotHolder => "not-holder",
            Self::OtherEpoch => "other-epoch",
            Self::Quota => "quota",
            Self::Busy => "busy",
            Self::Malformed => "malformed",
        }
    }
}

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub reason: RefusalReason,
    /// When asking again makes sense, in milliseconds since 1970 (UTC); 0 when the holder cannot say.
    pub again_ms: u64,
}

/// What a holder answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationAnswer {
    /// What remains of the asker's quota of the day.
    pub remaining: u32,
    /// The evaluation, or why there is none.
    pub outcome: Result<Evaluation, Refusal>,
}

impl EvaluationAnswer {
    /// Length of the longest answer, in bytes.
    pub const BYTES_MAX: usize = 1 + 1 + 4 + 2 + LEAD_BATCH_MAX * ELEMENT_BYTES + PROOF_BYTES;

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![LAYOUT];
        out.push(self.outcome.as_ref().map_or_else(|refusal| refusal.reason as u8, |_| VERDICT_EVALUATED));
        out.extend_from_slice(&self.remaining.to_le_bytes());
        match &self.outcome {
            Ok(evaluation) => {
                put_elements(&mut out, &evaluation.elements);
                out.extend_from_slice(&evaluation.proof);
            }
            Err(refusal) => out.extend_from_slice(&refusal.again_ms.to_le_bytes()),
        }
        out
    }

    /// Reads the bytes to their end.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = open(bytes)?;
        let verdict = reader.u8("verdict")?;
        let remaining = reader.u32("remaining")?;
        let outcome = if verdict == VERDICT_EVALUATED {
            Ok(Evaluation { elements: read_elements(&mut reader)?, proof: reader.array("proof")? })
        } else {
            let reason = RefusalReason::ALL.into_iter().find(|reason| *reason as u8 == verdict);
            let reason = reason.ok_or(LayoutError::Rule { field: "verdict", rule: "must be a defined verdict" })?;
            Err(Refusal { reason, again_ms: reader.u64("again")? })
        };
        reader.finish()?;
        Ok(Self { remaining, outcome })
    }
}

fn open(bytes: &[u8]) -> Result<Reader<'_>, LayoutError> {
    let mut reader = Reader::new(bytes);
    if reader.u8("lead layout")? != LAYOUT {
        return Err(LayoutError::Rule { field: "lead layout", rule: "must be 1" });
    }
    Ok(reader)
}

fn put_elements(out: &mut Vec<u8>, elements: &[[u8; ELEMENT_BYTES]]) {
    put_count(out, elements.len());
    elements.iter().for_each(|element| out.extend_from_slice(element));
}

fn read_elements(reader: &mut Reader<'_>) -> Result<Vec<[u8; ELEMENT_BYTES]>, LayoutError> {
    let count = reader.count(LEAD_BATCH_MAX, "elements")?;
    if count == 0 {
        return Err(LayoutError::Rule { field: "elements", rule: "must hold at least one" });
    }
    (0..count).map(|_| reader.array("element")).collect()
}
