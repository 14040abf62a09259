//! What a commit of the index says of itself: what it was made from and how far. An index whose payload cannot be read,
//! or was made with other kinds, is built anew.

use protocol::bytes::{LayoutError, Reader};
use protocol::identity::MemberNumber;
use protocol::view::{Label, Positions};

/// Says what the bytes are, and their layout. It changes when documents are made otherwise, so that all are made anew.
const MAGIC: &[u8; 8] = b"XMIDX\x00\x00\x01";

/// The payload of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Payload {
    /// Hash of the kinds in use.
    pub(super) kinds: [u8; 32],
    /// Which keys opened what is sealed.
    pub(super) access: [u8; 32],
    /// What of the erasures has left the disk.
    pub(super) scrubbed: [u8; 32],
    /// Time moves until then are in the index.
    pub(super) looked_until_ms: u64,
    /// While everything is being taken in: the last record of the round.
    pub(super) round: Option<Label>,
    /// Everything up to here is in the index, as far as the round came.
    pub(super) positions: Positions,
}

impl Payload {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.kinds);
        out.extend_from_slice(&self.access);
        out.extend_from_slice(&self.scrubbed);
        out.extend_from_slice(&self.looked_until_ms.to_le_bytes());
        let label = self.round.unwrap_or(Label { member: MemberNumber(0), serial: 0 });
        out.push(u8::from(self.round.is_some()));
        out.extend_from_slice(&label.member.0.to_le_bytes());
        out.extend_from_slice(&label.serial.to_le_bytes());
        out.extend_from_slice(&self.positions.encode());
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        if reader.array::<8>("magic")? != *MAGIC {
            return Err(LayoutError::Rule { field: "magic", rule: "must be that of this build" });
        }
        let (kinds, access, scrubbed) = (reader.array("kinds")?, reader.array("access")?, reader.array("scrubbed")?);
        let looked_until_ms = reader.u64("looked until")?;
        let is_underway = reader.boolean("round")?;
        let label = Label { member: MemberNumber(reader.u32("member")?), serial: reader.u64("serial")? };
        let rest = reader.remaining();
        let positions = Positions::decode(reader.bytes(rest, "positions")?)?;
        Ok(Self { kinds, access, scrubbed, looked_until_ms, round: is_underway.then_some(label), positions })
    }
}
