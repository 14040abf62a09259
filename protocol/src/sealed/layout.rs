//! The bytes of a sealed value. Like everything signed they are laid out by hand, and each value has one byte sequence.

use super::envelope::{Envelope, TAG_BYTES, WrappedSecret};
use super::keys::ExchangeKey;
use super::{Readers, Recipient, padding};
use crate::bytes::{LayoutError, Reader, put_count};
use crate::charter::{Class, Role};
use crate::identity::{MemberNumber, PublicKey};
use crate::limits::{SEALED_BYTES_MAX, SEALED_PARTIES_MAX, SEALED_PLAINTEXT_BYTES_MIN, SEALED_WRAPS_MAX};

/// The one layout of sealed values that this build writes and reads.
const SEALED_LAYOUT: u8 = 1;
/// DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305; commitments by BLAKE3.
const SEALED_SUITE: u8 = 1;

/// A sealed value, read but not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub(super) readers: Readers,
    pub(super) document_key: ExchangeKey,
    pub(super) commitment: [u8; 32],
    pub(super) wraps: Vec<Wrap>,
    pub(super) content: Envelope<Vec<u8>>,
}

/// The secret of a document or class key, sealed to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrap {
    /// To whom.
    pub recipient: Recipient,
    pub(super) secret: WrappedSecret,
}

impl Sealed {
    /// Reads the bytes of a sealed value.
    ///
    /// Conditions beyond the layout, in this order: it is not longer than its bound; readers, recipients and parties
    /// are strictly ascending; there is a recipient; every recipient belongs to the readers that are named; the content
    /// has a padded length.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        if bytes.len() > SEALED_BYTES_MAX {
            let (found, bound) = (bytes.len() as u64, SEALED_BYTES_MAX as u64);
            return Err(LayoutError::Bound { field: "sealed value", found, bound });
        }
        let mut reader = Reader::new(bytes);
        if reader.u8("sealed layout")? != SEALED_LAYOUT {
            return Err(LayoutError::Rule { field: "sealed layout", rule: "must be 1" });
        }
        if reader.u8("sealed suite")? != SEALED_SUITE {
            return Err(LayoutError::Rule { field: "sealed suite", rule: "must be 1" });
        }
        let readers = Readers::read(&mut reader)?;
        let document_key = ExchangeKey(reader.array("document key")?);
        let commitment = reader.array("commitment")?;
        let wraps = read_wraps(&mut reader, &readers)?;
        let encapsulated = reader.array("content encapsulated")?;
        let ciphertext = reader.bytes(reader.remaining(), "content")?.to_vec();
        let padded = ciphertext.len().checked_sub(TAG_BYTES).ok_or(LayoutError::Short { field: "content" })?;
        if padded < SEALED_PLAINTEXT_BYTES_MIN || padded != padding::padded_length(padded) {
            return Err(LayoutError::Rule { field: "content", rule: "must have a padded length" });
        }
        Ok(Self { readers, document_key, commitment, wraps, content: Envelope { encapsulated, ciphertext } })
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = before_content(self.head(), &self.wraps);
        self.content.put(&mut out);
        out
    }

    /// Who may read it, as the author says.
    pub fn readers(&self) -> &Readers {
        &self.readers
    }

    /// The keys that open it, in the order of the wraps.
    pub fn recipients(&self) -> impl Iterator<Item = Recipient> {
        self.wraps.iter().map(|wrap| wrap.recipient)
    }

    /// Whether one of those who should read it now has no key to it, so that the author should seal it again.
    ///
    /// A key that it is wrapped to and that serves no more is no reason: what could be read cannot be taken back.
    pub fn needs_rewrap(&self, current: &[Recipient]) -> bool {
        current.iter().any(|wanted| self.recipients().all(|recipient| recipient != *wanted))
    }

    /// [`head`] of this value.
    pub(super) fn head(&self) -> Vec<u8> {
        head(&self.readers, &self.document_key, &self.commitment)
    }
}

/// The bytes before the wraps, to which every wrap is bound.
pub(super) fn head(readers: &Readers, document_key: &ExchangeKey, commitment: &[u8; 32]) -> Vec<u8> {
    let mut out = vec![SEALED_LAYOUT, SEALED_SUITE];
    readers.put(&mut out);
    out.extend_from_slice(document_key.as_bytes());
    out.extend_from_slice(commitment);
    out
}

/// The bytes before the content, to which the content is bound: the head and the wraps.
pub(super) fn before_content(mut head: Vec<u8>, wraps: &[Wrap]) -> Vec<u8> {
    put_count(&mut head, wraps.len());
    for wrap in wraps {
        wrap.recipient.put(&mut head);
        wrap.secret.put(&mut head);
    }
    head
}

impl Readers {
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Class(class) => out.extend_from_slice(&[1, *class as u8]),
            Self::Organ(role) => out.extend_from_slice(&[2, *role as u8]),
            Self::Parties(members) => {
                out.push(3);
                put_count(out, members.len());
                members.iter().for_each(|member| out.extend_from_slice(&member.0.to_le_bytes()));
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        match reader.u8("readers")? {
            1 => Ok(Self::Class(Class::read(reader)?)),
            2 => Ok(Self::Organ(Role::read(reader)?)),
            3 => read_parties(reader).map(Self::Parties),
            _ => Err(LayoutError::Rule { field: "readers", rule: "must be a class, an organ or parties" }),
        }
    }

    /// Whether a document for these readers may be wrapped to `recipient`, as far as its bytes can tell.
    pub(super) fn may_include(&self, recipient: &Recipient) -> bool {
        match (self, recipient) {
            (Self::Parties(members), Recipient::Member { member, .. }) => members.contains(member),
            (_, Recipient::Member { .. }) => true,
            (readers, Recipient::ClassKey { .. }) => matches!(readers, Self::Class(_)),
        }
    }
}

fn read_parties(reader: &mut Reader<'_>) -> Result<Vec<MemberNumber>, LayoutError> {
    let count = reader.count(SEALED_PARTIES_MAX, "parties")?;
    if count == 0 {
        return Err(LayoutError::Rule { field: "parties", rule: "must not be 0" });
    }
    let mut members: Vec<MemberNumber> = Vec::with_capacity(count);
    for _ in 0..count {
        let member = MemberNumber(reader.u32("party")?);
        if members.last().is_some_and(|last| *last >= member) {
            return Err(LayoutError::Rule { field: "party", rule: "must be strictly ascending" });
        }
        members.push(member);
    }
    Ok(members)
}

fn read_wraps(reader: &mut Reader<'_>, readers: &Readers) -> Result<Vec<Wrap>, LayoutError> {
    let count = reader.count(SEALED_WRAPS_MAX, "wraps")?;
    if count == 0 {
        return Err(LayoutError::Rule { field: "wraps", rule: "must not be 0" });
    }
    let mut wraps: Vec<Wrap> = Vec::with_capacity(count);
    for _ in 0..count {
        let recipient = Recipient::read(reader)?;
        if wraps.last().is_some_and(|last| last.recipient >= recipient) {
            return Err(LayoutError::Rule { field: "wrap recipient", rule: "must be strictly ascending" });
        }
        if !readers.may_include(&recipient) {
            return Err(LayoutError::Rule { field: "wrap recipient", rule: "must be one of the readers" });
        }
        wraps.push(Wrap { recipient, secret: WrappedSecret::read(reader)? });
    }
    Ok(wraps)
}

impl Recipient {
    /// Appends the recipient; a wrap is bound to these bytes.
    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let (kind, number, key) = match self {
            Self::Member { member, key } => (1, member.0, key.as_bytes()),
            Self::ClassKey { version, key } => (2, *version, key.as_bytes()),
        };
        out.push(kind);
        out.extend_from_slice(&number.to_le_bytes());
        out.extend_from_slice(key);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let kind = reader.u8("wrap recipient")?;
        let (number, key) = (reader.u32("wrap number")?, reader.array("wrap key")?);
        match kind {
            1 => Ok(Self::Member { member: MemberNumber(number), key: PublicKey(key) }),
            2 => Ok(Self::ClassKey { version: number, key: ExchangeKey(key) }),
            _ => Err(LayoutError::Rule { field: "wrap recipient", rule: "must be a member's key or a class key" }),
        }
    }
}
