//! Confidential documents: fields of a record that only their readers can open (DESIGN 6.5).
//!
//! A confidential document is one value in the common field [`FIELD_SEALED`](crate::statement::FIELD_SEALED) of a
//! statement. Every node stores, relays and shows that the record exists, whose it is and when it changed; the fields
//! inside are for the readers. It holds all confidential fields of the record, never a difference, so that a reader
//! needs one value alone, and each revision that seals replaces the whole. Documents that stay on their node never
//! come here.
//!
//! How it is built:
//!
//! * A fresh key pair belongs to each document. The content is sealed to its public half (HPKE, RFC 9180, base mode),
//!   and its secret half is sealed to each reader's encryption key, or to the key of a class.
//! * The content carries a salt and is padded (`padding`), so that length and guesses give little away.
//! * A *commitment* to salt and content stands in clear. Each reader computes it again, so that no two readers can be
//!   shown two texts, whatever the author puts into the ciphertexts.
//! * Everything is bound to federation, author, kind, record and statement ([`Context`]): copied elsewhere it does not
//!   open. All bytes before the content are bound to the content, so that one changed bit is seen by every reader.
//!
//! Who wrote the document is told by the signature of the entry, not by HPKE, whose base mode names no sender.
//!
//! The parts: `keys` says which keys serve, `envelope` is the only user of HPKE, `layout` reads and writes the
//! value, `document` makes and opens it, `class_key` makes and hands out the key of a class.

mod class_key;
mod document;
mod envelope;
mod keys;
mod layout;
mod padding;
#[cfg(test)]
mod tests;

use crate::charter::{Class, Role};
use crate::identity::{EntryId, FederationId, MemberNumber, PublicKey};
use crate::limits::BODY_NONCE_BYTES;
use crate::statement::Statement;

pub use class_key::{ClassKey, ClassKeyWrap, WrappedClassKey};
pub use document::{OpenError, OwnKey, SealError, SealRequest, seal};
pub use keys::{ExchangeKey, ExchangeSecret, KeyError, encryption_public, encryption_secret};
pub use layout::Sealed;

/// Who may read a document. It is a statement of the author in clear; what opens the document are its wraps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readers {
    /// All members of a class.
    Class(Class),
    /// The holders of a role, by the role's number.
    Organ(Role),
    /// Members by their numbers, strictly ascending. An author who wants to read the document later is among them.
    Parties(Vec<MemberNumber>),
}

/// A key to which the secret of a document is wrapped. Ordered as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Recipient {
    /// A member by an encryption key of its own.
    Member {
        /// The member.
        member: MemberNumber,
        /// Its encryption key as the charter names it, in Edwards form.
        key: PublicKey,
    },
    /// All who hold the key of the readers' class.
    ClassKey {
        /// The version of the class key.
        version: u32,
        /// Its public half.
        key: ExchangeKey,
    },
}

/// Where a sealed value stands. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    federation: FederationId,
    author: MemberNumber,
    kind: u16,
    record: [u8; 32],
    nonce: [u8; BODY_NONCE_BYTES],
}

impl Context {
    /// The place of the sealed value of `statement`, which stands in an entry of `kind` in a log of `author`.
    ///
    /// Of the statement only record and nonce are looked at, so the value can be made before it is put in.
    pub fn of(federation: &FederationId, author: MemberNumber, kind: u16, statement: &Statement) -> Self {
        Self::new(federation, author, kind, statement.record, statement.nonce)
    }

    /// The place of a sealed value whose statement was read before: `record` is unset in a create.
    pub fn new(
        federation: &FederationId,
        author: MemberNumber,
        kind: u16,
        record: Option<EntryId>,
        nonce: [u8; BODY_NONCE_BYTES],
    ) -> Self {
        let record = record.map_or([0; 32], |record| *record.as_bytes());
        Self { federation: *federation, author, kind, record, nonce }
    }

    /// What HPKE binds, behind the text that says what is sealed. All parts have a fixed length.
    fn bound(&self, domain: &[u8]) -> Vec<u8> {
        let (author, kind) = (self.author.0.to_le_bytes(), self.kind.to_le_bytes());
        [domain, self.federation.as_bytes(), &author, &kind, &self.record, &self.nonce].concat()
    }
}
