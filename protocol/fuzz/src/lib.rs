//! What is fuzzed: every function of `protocol` that reads bytes or text which somebody else wrote. A target fails by a
//! panic, and where a value has one canonical form also when what was read is not written the same again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use protocol::address::Addresses;
use protocol::beacon::Beacon;
use protocol::beacon::relay::Message as RelayMessage;
use protocol::bundle::{FrameType, Frames};
use protocol::charter::{Block, SignedApplication, SignedBlock};
use protocol::completeness::Claim;
use protocol::entry::{Entry, HEADER_BYTES, Header};
use protocol::erasure::{Acknowledgement, Erasure};
use protocol::fork::ForkProof;
use protocol::identity::{FederationId, PublicKey};
use protocol::kind::{Field, Kind, KindSet, Period};
use protocol::lead_token::{CreditCode, EvaluationAnswer, EvaluationRequest, LeadToken};
use protocol::proposal::{Endorsement, Proposal};
use protocol::sealed::Sealed;
use protocol::statement::Statement;
use protocol::sync::chunk::{self, Chunk};
use protocol::sync::heads;
use protocol::sync::message::Message;
use zstd::bulk::Compressor;

/// Logs that the charter of a fuzzed peer knows.
const LOGS: u32 = 800;
/// The kinds, and the fields of each by number.
static FIELDS: LazyLock<Vec<Vec<Field>>> = LazyLock::new(|| {
    let kinds = KindSet::builtin();
    let fields = |kind: &Kind| {
        let fields: BTreeMap<u16, &Field> = kind.fields().map(|field| (field.number, field)).collect();
        fields.into_values().cloned().collect()
    };
    kinds.kinds().map(fields).collect()
});
thread_local! {
    static COMPRESSOR: RefCell<Compressor<'static>> = RefCell::new(Compressor::new(1).expect("a level that exists"));
}
const FEDERATION: FederationId = FederationId([7; 32]);

/// Entries and their headers.
pub fn entry(bytes: &[u8]) {
    if let Some(header) = bytes.first_chunk::<HEADER_BYTES>()
        && let Ok(read) = Header::decode(header)
    {
        assert_eq!(read.encode(), *header);
    }
    if let Ok(read) = Entry::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

/// Bodies: statements about records.
pub fn statement(bytes: &[u8]) {
    if let Ok(read) = Statement::decode(bytes) {
        assert_eq!(read.encode().as_deref(), Ok(bytes));
    }
}

/// Charter blocks, bare and signed.
pub fn block(bytes: &[u8]) {
    if let Ok(read) = Block::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
    if let Ok(read) = SignedBlock::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

/// Applications of those who want to join.
pub fn application(bytes: &[u8]) {
    if let Ok(read) = SignedApplication::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

/// The frames of a file, and what stands in each.
pub fn bundle(bytes: &[u8]) {
    let Ok((_, mut frames)) = Frames::open(bytes) else { return };
    while let Ok(Some(frame)) = frames.next_frame() {
        match frame.frame_type {
            FrameType::Block => block(frame.content),
            _ => entry(frame.content),
        }
    }
}

/// Messages of sync.
pub fn sync_message(bytes: &[u8]) {
    let Ok(read) = Message::decode(bytes) else { return };
    assert_eq!(Message::decode(&read.encode()).as_ref(), Ok(&read));
}

/// Heads in compact form.
pub fn sync_heads(bytes: &[u8]) {
    let _ = heads::decode(bytes, LOGS as usize);
}

/// The first four bytes are how long the content claims to be. What is compressed is tried as it is, too: a fuzzer
/// seldom finds what decompresses.
pub fn sync_chunk(bytes: &[u8]) {
    let Some((claimed, payload)) = bytes.split_first_chunk::<4>() else { return };
    let key_of = |log: u32| (log < LOGS).then(|| PublicKey([log as u8; 32]));
    let chunk = Chunk { bytes: u32::from_le_bytes(*claimed), payload: payload.to_vec() };
    let _ = chunk::decode(&chunk, key_of);
    // A new compressor for each input would cost most of the time.
    let compressed = COMPRESSOR.with_borrow_mut(|compressor| compressor.compress(payload));
    if let Ok(compressed) = compressed {
        let _ = chunk::decode(&Chunk { bytes: payload.len() as u32, payload: compressed }, key_of);
    }
}

/// Health beacons.
pub fn beacon(bytes: &[u8]) {
    let _ = Beacon::decode(bytes, &FEDERATION);
}

/// Frames by which beacons travel.
pub fn beacon_relay(bytes: &[u8]) {
    if let Ok(read) = RelayMessage::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

/// Confidential documents.
pub fn sealed(bytes: &[u8]) {
    let _ = Sealed::decode(bytes);
}

/// Fork proofs, and claims of completeness.
pub fn proofs(bytes: &[u8]) {
    let _ = ForkProof::decode(bytes, &FEDERATION);
    let _ = Claim::decode(bytes, &FEDERATION);
}

/// Bodies that erase, and that say it was done.
pub fn erasure(bytes: &[u8]) {
    let _ = Erasure::decode(bytes);
    let _ = Acknowledgement::decode(bytes);
}

/// Proposed blocks, and endorsements.
pub fn proposal(bytes: &[u8]) {
    let _ = Proposal::decode(bytes);
    let _ = Endorsement::decode(bytes);
}

/// Addresses of members.
pub fn addresses(bytes: &[u8]) {
    let _ = Addresses::decode(bytes);
}

/// Blinded tokens of leads.
pub fn lead_token(bytes: &[u8]) {
    let _ = LeadToken::decode(bytes);
}

/// Requests to holders for duplicate leads, and their answers.
pub fn lead_exchange(bytes: &[u8]) {
    if let Ok(read) = EvaluationRequest::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
    if let Ok(read) = EvaluationAnswer::decode(bytes) {
        assert_eq!(read.encode(), bytes);
    }
}

/// A cell of a sheet, as people write them: the first two bytes choose the kind and the field. What was read is read the
/// same again from how it is shown.
pub fn cell(bytes: &[u8]) {
    let Some(([kind, field], text)) = bytes.split_first_chunk::<2>() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let fields = &FIELDS[usize::from(*kind) % FIELDS.len()];
    let Some(field) = fields.get(usize::from(*field) % fields.len().max(1)) else { return };
    let _ = field.parse(text);
    let _ = Period::parse(text);
    let _ = CreditCode::parse(text);
}
