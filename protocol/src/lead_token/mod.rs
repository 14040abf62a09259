//! Duplicate leads (requirement F046): two counties that enter the same enterprise learn of each other, nobody else
//! learns anything, and credit codes cannot be tried out.
//!
//! A hash of a credit code is no secret: all codes can be listed and hashed. So the secret of a code is computed with
//! the help of two *holders* (评估方), members that the charter names. Each holds a key of an oblivious pseudorandom
//! function (RFC 9497, verifiable mode): it turns what it is sent into what only its key makes of it, and sees neither
//! code nor result, because the asker blinds the one and unblinds the other. A proof shows that it used the key that
//! the charter names. Both results together make the [`LeadSecret`]: so neither holder alone, and nobody without the
//! two, can work through a list of codes, and each holder evaluates so many times a day for each member and no more.
//!
//! What is gossiped is a [`LeadToken`], an entry of system kind 6: of one length, and random bytes for everybody who
//! does not have the secret. Two tokens of one code share nothing that could be seen. Each node tries the secrets of its
//! own leads on the tokens of others; where one fits, the note inside says whom to call. The other side does the same
//! with the token of this node, so both learn of each other.
//!
//! Everything is bound to an *epoch*, the version of the charter block that named the last of the two holders: with a
//! new holder all secrets are others, and tokens are stated anew.
//!
//! The parts: `oprf` is the only user of the library behind the function, `holder` is what the charter says of a holder,
//! `secret` makes the secret of a code, `token` seals and tries tokens, `exchange` is what asker and holder say to each
//! other. Which members learn what all the same: `docs/THREAT-MODEL.md`.

mod exchange;
mod holder;
mod oprf;
mod secret;
#[cfg(test)]
mod tests;
mod token;

pub use exchange::{EvaluationAnswer, EvaluationRequest, Refusal, RefusalReason};
pub use holder::{HolderGrant, HolderSlot, LeadEpoch, LeadHolder};
pub use oprf::{Blinded, Evaluation, HolderKey, HolderPublic, OprfError, Possession, blind};
pub use secret::{CreditCode, CreditCodeError, LeadSecret};
pub use token::{KIND_LEAD_TOKEN, LeadNote, LeadToken, TokenError};

/// How far China is ahead of UTC, in milliseconds.
const CHINA_OFFSET_MS: u64 = 8 * 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The day in China, counted from 1970, by which evaluations are counted.
pub fn quota_day(time_ms: u64) -> u64 {
    time_ms.saturating_add(CHINA_OFFSET_MS) / DAY_MS
}

/// When a day of [`quota_day`] begins, in milliseconds since 1970 (UTC).
pub fn quota_day_begins_ms(day: u64) -> u64 {
    day.saturating_mul(DAY_MS).saturating_sub(CHINA_OFFSET_MS)
}
