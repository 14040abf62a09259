//! Sealing the confidential fields of a record, and opening them.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use super::class_key::ClassKey;
use super::envelope::{self, SeededRandom};
use super::keys::{ExchangeKey, ExchangeSecret, KeyError, encryption_public, encryption_secret};
use super::layout::{self, Sealed, Wrap};
use super::{Context, Readers, Recipient, padding};
use crate::bytes::{LayoutError, Reader};
use crate::identity::{MemberNumber, public_key};
use crate::limits::{SEALED_BYTES_MAX, SEALED_WRAPS_MAX};
use crate::statement::{FIELD_SEALED, put_fields, read_fields};
use crate::value::Value;

/// In front of what binds a content to its place.
pub(super) const CONTENT_DOMAIN: &[u8] = b"xianmeng/document/1";
/// In front of what binds a wrapped document secret to its place.
pub(super) const WRAP_DOMAIN: &[u8] = b"xianmeng/document-key/1";
/// In front of what a commitment covers.
const COMMITMENT_DOMAIN: &[u8] = b"xianmeng/commitment/1";

/// What to seal, where, and for whom.
#[derive(Debug, Clone)]
pub struct SealRequest<'a> {
    /// Where the value will stand.
    pub context: Context,
    /// Who may read it, as everybody will see.
    pub readers: Readers,
    /// The keys that shall open it, in any order. The author belongs to them if it wants to read the document later.
    pub recipients: &'a [Recipient],
    /// All confidential fields of the record.
    pub fields: &'a BTreeMap<u16, Value>,
}

/// Why fields cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SealError {
    /// No key was named that could open it.
    #[error("no recipient is named")]
    NoRecipient,
    /// More keys than one value holds.
    #[error("{found} recipients, above the bound of {bound}")]
    TooManyRecipients {
        /// How many were named.
        found: usize,
        /// The largest number allowed.
        bound: usize,
    },
    /// A recipient that the named readers do not include, or a class key for something else than a class.
    #[error("recipient {recipient:?} is not one of the readers")]
    NotAReader {
        /// The recipient.
        recipient: Recipient,
    },
    /// A party for whom no key was given.
    #[error("no encryption key is given for member {member}")]
    PartyWithoutKey {
        /// The party.
        member: MemberNumber,
    },
    /// A key that cannot be sealed to.
    #[error("the key of recipient {recipient:?} cannot be sealed to")]
    Key {
        /// The recipient.
        recipient: Recipient,
        /// What is wrong with an encryption key; nothing for a class key, of which only its use shows it.
        #[source]
        source: Option<KeyError>,
    },
    /// There are no fields, or one of them is itself the sealed field.
    #[error("fields to seal must not be empty and must not hold a sealed field")]
    Fields,
    /// A value that breaks a rule of its type, or readers that break a rule of theirs.
    #[error("what is to be sealed breaks a rule")]
    Layout(#[source] LayoutError),
    /// The value would be longer than a statement holds.
    #[error("sealed value has {found} bytes, above its bound of {bound}")]
    TooLong {
        /// Its length.
        found: usize,
        /// The largest length allowed.
        bound: usize,
    },
    /// The encryption itself refused; with keys that were checked it does not.
    #[error("encryption failed")]
    Encryption,
}

/// A key of this node that may open documents.
#[derive(Debug, Clone, Copy)]
pub enum OwnKey<'a> {
    /// An encryption key of the member, also one that was replaced: older documents are wrapped to it.
    Member {
        /// The member.
        member: MemberNumber,
        /// The key, in the form in which the keystore holds it.
        key: &'a SigningKey,
    },
    /// A class key that was opened before.
    Class(&'a ClassKey),
}

/// Why a sealed value does not open.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// It is wrapped to none of the keys at hand.
    #[error("not sealed for any key at hand")]
    NotAReader,
    /// It is wrapped to a key at hand and does not open: something was changed, or it was copied from elsewhere.
    #[error("sealed value was changed, or made for another place")]
    Tampered,
    /// It opens to another text than the one that its author committed to.
    #[error("text is not the one that the author committed to")]
    CommitmentDiffers,
    /// It opens to bytes that are no fields.
    #[error("sealed content is malformed")]
    Malformed(#[source] LayoutError),
}

/// Seals fields: the bytes for a [`Value::Sealed`].
///
/// `seed` is 32 random bytes, new for each call.
pub fn seal(request: &SealRequest<'_>, seed: &[u8; 32]) -> Result<Vec<u8>, SealError> {
    let recipients = checked_recipients(request)?;
    let content = encode_fields(request.fields)?;
    let info = request.context.bound(CONTENT_DOMAIN);
    let mut for_whom = Vec::new();
    request.readers.put(&mut for_whom);
    recipients.keys().for_each(|recipient| recipient.put(&mut for_whom));
    let mut random = SeededRandom::new(seed, &[&info, &for_whom, &content]);
    let secret = ExchangeSecret::derive(&random.array());
    let salt = random.array();
    let document_key = secret.public();
    let commitment = commitment(&request.context, &salt, &content);
    let head = layout::head(&request.readers, &document_key, &commitment);
    let wrap_info = request.context.bound(WRAP_DOMAIN);
    let wrap = |(recipient, key): (Recipient, ExchangeKey)| {
        let wrapped = envelope::wrap_secret(&key, &wrap_info, &bound_to(&head, &recipient), &secret, &mut random);
        Ok(Wrap { recipient, secret: wrapped.map_err(|_| SealError::Key { recipient, source: None })? })
    };
    let wraps = recipients.into_iter().map(wrap).collect::<Result<Vec<_>, SealError>>()?;
    let bound = layout::before_content(head, &wraps);
    let content = envelope::seal_to(&document_key, &info, &bound, &padding::pad(&salt, &content), &mut random);
    let content = content.map_err(|_| SealError::Encryption)?;
    let readers = request.readers.clone();
    let bytes = Sealed { readers, document_key, commitment, wraps, content }.encode();
    if bytes.len() > SEALED_BYTES_MAX {
        return Err(SealError::TooLong { found: bytes.len(), bound: SEALED_BYTES_MAX });
    }
    // What was just written must read back: readers put together by hand could break a rule.
    Sealed::decode(&bytes).map_err(SealError::Layout)?;
    Ok(bytes)
}

/// The recipients in their order on the wire, each with the key that is sealed to.
fn checked_recipients(request: &SealRequest<'_>) -> Result<BTreeMap<Recipient, ExchangeKey>, SealError> {
    let mut keys = BTreeMap::new();
    for recipient in request.recipients {
        if !request.readers.may_include(recipient) {
            return Err(SealError::NotAReader { recipient: *recipient });
        }
        let key = recipient.exchange_key();
        keys.insert(*recipient, key.map_err(|error| SealError::Key { recipient: *recipient, source: Some(error) })?);
    }
    if keys.is_empty() {
        return Err(SealError::NoRecipient);
    }
    if keys.len() > SEALED_WRAPS_MAX {
        return Err(SealError::TooManyRecipients { found: keys.len(), bound: SEALED_WRAPS_MAX });
    }
    if let Readers::Parties(members) = &request.readers {
        let has_key = |party: &&MemberNumber| {
            keys.keys().any(|recipient| matches!(recipient, Recipient::Member { member, .. } if member == *party))
        };
        if let Some(member) = members.iter().find(|party| !has_key(party)) {
            return Err(SealError::PartyWithoutKey { member: *member });
        }
    }
    Ok(keys)
}

fn encode_fields(fields: &BTreeMap<u16, Value>) -> Result<Vec<u8>, SealError> {
    if fields.is_empty() || fields.contains_key(&FIELD_SEALED) {
        return Err(SealError::Fields);
    }
    let mut content = Vec::new();
    put_fields(&mut content, fields);
    if content.len() > SEALED_BYTES_MAX {
        return Err(SealError::TooLong { found: content.len(), bound: SEALED_BYTES_MAX });
    }
    decode_fields(&content).map_err(SealError::Layout)?;
    Ok(content)
}

fn decode_fields(content: &[u8]) -> Result<BTreeMap<u16, Value>, LayoutError> {
    let mut reader = Reader::new(content);
    let fields = read_fields(&mut reader)?;
    reader.finish()?;
    if fields.is_empty() || fields.contains_key(&FIELD_SEALED) {
        return Err(LayoutError::Rule { field: "fields", rule: "must not be empty nor hold a sealed field" });
    }
    Ok(fields)
}

/// The commitment to a content, which its salt hides until it is opened.
fn commitment(context: &Context, salt: &[u8; 32], content: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&context.bound(COMMITMENT_DOMAIN)).update(salt).update(content);
    *hasher.finalize().as_bytes()
}

/// What a wrap is bound to: all that stands before the wraps, and its recipient.
pub(super) fn bound_to(head: &[u8], recipient: &Recipient) -> Vec<u8> {
    let mut bound = head.to_vec();
    recipient.put(&mut bound);
    bound
}

impl Recipient {
    fn exchange_key(&self) -> Result<ExchangeKey, KeyError> {
        match self {
            Self::Member { key, .. } => encryption_public(key),
            Self::ClassKey { key, .. } => Ok(*key),
        }
    }
}

impl Sealed {
    /// Opens the value with one of `keys`: the confidential fields.
    ///
    /// Conditions, in this order: it is wrapped to one of the keys; a wrap opens to the secret of the document key; the
    /// content opens; its padding is the one that its length asks for; the commitment is the one to this text; the
    /// content is a list of fields.
    pub fn open(&self, context: &Context, keys: &[OwnKey<'_>]) -> Result<BTreeMap<u16, Value>, OpenError> {
        let secret = self.document_secret(context, keys)?;
        let info = context.bound(CONTENT_DOMAIN);
        let bound = layout::before_content(self.head(), &self.wraps);
        let plaintext = self.content.open(&secret, &info, &bound).map_err(|_| OpenError::Tampered)?;
        let (salt, content) = padding::unpad(&plaintext).map_err(OpenError::Malformed)?;
        if commitment(context, &salt, content) != self.commitment {
            return Err(OpenError::CommitmentDiffers);
        }
        decode_fields(content).map_err(OpenError::Malformed)
    }

    /// Whether it is wrapped to one of `keys`, without opening it.
    pub fn is_for(&self, keys: &[OwnKey<'_>]) -> bool {
        keys.iter().any(|key| self.wraps.iter().any(|wrap| key.serves(&self.readers, &wrap.recipient)))
    }

    fn document_secret(&self, context: &Context, keys: &[OwnKey<'_>]) -> Result<ExchangeSecret, OpenError> {
        let (info, head) = (context.bound(WRAP_DOMAIN), self.head());
        let mut found = OpenError::NotAReader;
        for key in keys {
            for wrap in self.wraps.iter().filter(|wrap| key.serves(&self.readers, &wrap.recipient)) {
                let bound = bound_to(&head, &wrap.recipient);
                match wrap.secret.unwrap_secret(&key.exchange_secret(), &info, &bound, &self.document_key) {
                    Some(secret) => return Ok(secret),
                    None => found = OpenError::Tampered,
                }
            }
        }
        Err(found)
    }
}

impl OwnKey<'_> {
    /// Whether this is the key of a recipient of a document for `readers`.
    fn serves(&self, readers: &Readers, recipient: &Recipient) -> bool {
        match (self, recipient) {
            (Self::Member { member: own, key: secret }, Recipient::Member { member, key }) => {
                own == member && public_key(secret) == *key
            }
            (Self::Class(own), Recipient::ClassKey { .. }) => {
                *readers == Readers::Class(own.class()) && own.recipient() == *recipient
            }
            _ => false,
        }
    }

    fn exchange_secret(&self) -> ExchangeSecret {
        match self {
            Self::Member { key, .. } => encryption_secret(key),
            Self::Class(own) => own.secret().clone(),
        }
    }
}
