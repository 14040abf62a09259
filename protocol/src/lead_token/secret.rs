//! The secret of a credit code in an epoch: who has it entered the code, and asked both holders.

use std::fmt;

use thiserror::Error;

use super::holder::HolderSlot;
use super::oprf::{Blinded, OUTPUT_BYTES, blind};
use crate::identity::FederationId;
use crate::kind::codes;

/// Opens what a holder evaluates.
const INPUT_DOMAIN: &[u8] = b"xianmeng/lead/1";
/// Opens the derivation of the secret.
const SECRET_CONTEXT: &str = "xianmeng/lead-secret/1";

/// A text that is no credit code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a unified social credit code: {fault:?}")]
pub struct CreditCodeError {
    /// What is wrong with it.
    pub fault: codes::CodeFault,
}

/// A unified social credit code in the one form that is compared: half-width, capital letters, no blanks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CreditCode(String);

impl CreditCode {
    /// Reads a code as people write it. Check characters are not looked at: some codes in circulation have wrong ones.
    pub fn parse(text: &str) -> Result<Self, CreditCodeError> {
        let table = codes::table(codes::CREDIT_CODES).expect("the form is built in");
        table.resolve(text).map(Self).map_err(|fault| CreditCodeError { fault })
    }

    /// The eighteen characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both of its check characters are right.
    pub fn checks(&self) -> bool {
        codes::credit_code_checks(&self.0) && codes::organisation_code_checks(&self.0)
    }

    /// The code under a fresh blind, for the holder of a slot.
    pub fn blind(&self, federation: &FederationId, epoch: u32, slot: HolderSlot, seed: &[u8; 32]) -> Blinded {
        let place = [epoch.to_le_bytes().as_slice(), &[slot.number()]].concat();
        blind(&[INPUT_DOMAIN, federation.as_bytes(), &place, self.0.as_bytes()].concat(), seed)
    }
}

/// Not the code itself: it would end in logs.
impl fmt::Debug for CreditCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CreditCode(…)")
    }
}

/// What both holders make of a code. It opens the tokens of this code, and makes them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LeadSecret(pub(super) [u8; 32]);

impl LeadSecret {
    /// The secret of the holders' outputs, in the order of their slots.
    pub fn derive(federation: &FederationId, epoch: u32, outputs: &[[u8; OUTPUT_BYTES]; 2]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(SECRET_CONTEXT);
        hasher.update(federation.as_bytes());
        hasher.update(&epoch.to_le_bytes());
        for output in outputs {
            hasher.update(output);
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The bytes, to be kept where only their owner reads them.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// The secret of bytes that were kept.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for LeadSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeadSecret(…)")
    }
}
