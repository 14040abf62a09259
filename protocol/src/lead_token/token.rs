//! Tokens: entries that say "I have a lead" to whoever has the same one, and nothing to others.
//!
//! `nonce [16], token layout u8 = 1, epoch u32, check [32], ciphertext [368]`: one length, and everything but layout and
//! epoch differs from token to token. BLAKE3, keyed with the secret of the code, over domain, author and nonce gives
//! the check and the key of the ciphertext. So trying a secret costs one hash; a secret that does not belong to the
//! token never fits; and a token that is copied into another member's log fits nothing.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use thiserror::Error;

use super::secret::LeadSecret;
use crate::bytes::{LayoutError, Reader, check_text, put_text};
use crate::identity::MemberNumber;
use crate::limits::{BODY_NONCE_BYTES, LEAD_CONTACT_BYTES_MAX, LEAD_REFERENCE_BYTES_MAX};

/// The kind of tokens.
pub const KIND_LEAD_TOKEN: u16 = 6;
const LAYOUT: u8 = 1;
/// What is hashed with the secret as key.
const TOKEN_DOMAIN: &[u8] = b"xianmeng/lead-token/1";
const CHECK_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// The note, filled up with zeros: there is room for the longest one.
const PLAINTEXT_BYTES: usize = 352;
const CIPHERTEXT_BYTES: usize = PLAINTEXT_BYTES + TAG_BYTES;
/// Bytes before the ciphertext, to which it is bound.
const HEAD_BYTES: usize = BODY_NONCE_BYTES + 1 + 4 + CHECK_BYTES;

/// What the author of a token tells whoever has the same lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadNote {
    /// When it entered the lead, by its own word, in milliseconds since 1970 (UTC).
    pub entered_ms: u64,
    /// What it calls the lead; may be empty.
    pub reference: String,
    /// Whom to call; may be empty.
    pub contact: String,
}

/// Why a token says nothing although the secret fits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// The ciphertext was not made with the key that the check stands for.
    #[error("the token was changed, or made wrongly")]
    Tampered,
    /// The note does not have its layout.
    #[error("the note in the token: {0}")]
    Note(#[from] LayoutError),
}

/// The body of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadToken {
    nonce: [u8; BODY_NONCE_BYTES],
    epoch: u32,
    check: [u8; CHECK_BYTES],
    ciphertext: [u8; CIPHERTEXT_BYTES],
}

impl LeadToken {
    /// Length of every token, in bytes.
    pub const BYTES: usize = HEAD_BYTES + CIPHERTEXT_BYTES;

    /// A token of `author`. The nonce is random and never used again.
    ///
    /// # Errors
    /// When reference or contact are too long or no line of text.
    pub fn seal(
        secret: &LeadSecret,
        epoch: u32,
        author: MemberNumber,
        note: &LeadNote,
        nonce: [u8; BODY_NONCE_BYTES],
    ) -> Result<Self, LayoutError> {
        let plaintext = note.encode()?;
        let (check, key) = derive(secret, author, &nonce);
        let mut token = Self { nonce, epoch, check, ciphertext: [0; CIPHERTEXT_BYTES] };
        let head = token.head();
        let sealed = cipher(&key).encrypt(&Nonce::default(), Payload { msg: &plaintext, aad: &head });
        let sealed = sealed.map_err(|_| LayoutError::Rule { field: "ciphertext", rule: "could not be made" })?;
        token.ciphertext.copy_from_slice(&sealed);
        Ok(token)
    }

    /// The epoch whose secrets it is for.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The body.
    pub fn encode(&self) -> Vec<u8> {
        [self.head().as_slice(), &self.ciphertext].concat()
    }

    /// Reads the body of a token.
    pub fn decode(body: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(body);
        let nonce = reader.array("nonce")?;
        if reader.u8("token layout")? != LAYOUT {
            return Err(LayoutError::Rule { field: "token layout", rule: "must be 1" });
        }
        let token = Self {
            nonce,
            epoch: reader.u32("epoch")?,
            check: reader.array("check")?,
            ciphertext: reader.array("ciphertext")?,
        };
        reader.finish()?;
        Ok(token)
    }

    /// Whether the token, which stands in a log of `author`, is of this secret. Costs one hash.
    pub fn fits(&self, secret: &LeadSecret, author: MemberNumber) -> bool {
        derive(secret, author, &self.nonce).0 == self.check
    }

    /// The note of a token that stands in a log of `author`; `None` when it is of another secret.
    pub fn open(&self, secret: &LeadSecret, author: MemberNumber) -> Option<Result<LeadNote, TokenError>> {
        let (check, key) = derive(secret, author, &self.nonce);
        if check != self.check {
            return None;
        }
        let payload = Payload { msg: &self.ciphertext, aad: &self.head() };
        let opened = cipher(&key).decrypt(&Nonce::default(), payload).map_err(|_| TokenError::Tampered);
        Some(opened.and_then(|plaintext| Ok(LeadNote::decode(&plaintext)?)))
    }

    fn head(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        let (nonce, rest) = head.split_at_mut(BODY_NONCE_BYTES);
        nonce.copy_from_slice(&self.nonce);
        rest[0] = LAYOUT;
        rest[1..5].copy_from_slice(&self.epoch.to_le_bytes());
        rest[5..].copy_from_slice(&self.check);
        head
    }
}

/// Check and key of a token.
fn derive(secret: &LeadSecret, author: MemberNumber, nonce: &[u8; BODY_NONCE_BYTES]) -> ([u8; CHECK_BYTES], [u8; 32]) {
    let mut hasher = blake3::Hasher::new_keyed(&secret.0);
    hasher.update(TOKEN_DOMAIN).update(&author.0.to_le_bytes()).update(nonce);
    let mut output = hasher.finalize_xof();
    let (mut check, mut key) = ([0; CHECK_BYTES], [0; 32]);
    output.fill(&mut check);
    output.fill(&mut key);
    (check, key)
}

fn cipher(key: &[u8; 32]) -> ChaCha20Poly1305 {
    ChaCha20Poly1305::new(key.into())
}

impl LeadNote {
    fn encode(&self) -> Result<Vec<u8>, LayoutError> {
        let mut out = self.entered_ms.to_le_bytes().to_vec();
        put_text(&mut out, &self.reference);
        put_text(&mut out, &self.contact);
        check_text(self.reference.as_bytes(), "lead reference")?;
        check_text(self.contact.as_bytes(), "lead contact")?;
        out.resize(out.len().max(PLAINTEXT_BYTES), 0);
        Self::decode(&out)?;
        Ok(out)
    }

    fn decode(plaintext: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(plaintext);
        let note = Self {
            entered_ms: reader.u64("entered")?,
            reference: reader.line_or_empty(LEAD_REFERENCE_BYTES_MAX, "lead reference")?.to_owned(),
            contact: reader.line_or_empty(LEAD_CONTACT_BYTES_MAX, "lead contact")?.to_owned(),
        };
        if plaintext.len() != PLAINTEXT_BYTES
            || reader.bytes(reader.remaining(), "padding")?.iter().any(|byte| *byte != 0)
        {
            return Err(LayoutError::Rule { field: "padding", rule: "must be zeros up to the one length" });
        }
        Ok(note)
    }
}
