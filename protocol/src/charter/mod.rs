//! The charter (章程链): the linear chain of blocks that says who is a member, with which keys, rights and rules
//! (DESIGN 4).
//!
//! A right has a beginning and an end that do not depend on when anybody heard of it: it holds for an entry that
//! names the charter version which granted it or a later one, and whose position is not above the key's seal.
//! [`Charter::check`] says which of a header's claims the charter carries; [`crate::replica`] adds the log's rules.

mod block;
mod operation;
mod roster;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use thiserror::Error;

pub use block::{Block, SignedBlock};
pub use operation::{
    Application, Class, OPERATION_TYPE, Operation, Position, Purpose, PurposedKey, Seal, SignedApplication,
    added_key_content,
};
use roster::Roster;
pub use roster::{LogGrant, LogNumber, Member, Standing};

use crate::bytes::LayoutError;
use crate::entry::Header;
use crate::identity::{BlockHash, ContentHash, FederationId, MemberNumber, PublicKey};

/// Why a block does not continue the charter. One variant for each rule, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CharterError {
    /// The bytes are not a block.
    #[error("not a charter block: {0}")]
    Layout(#[from] LayoutError),
    /// There is a gap between the tip and this block.
    #[error("block {found} does not follow the tip, which is block {tip}")]
    Gap {
        /// Version of the block.
        found: u32,
        /// Version of the tip.
        tip: u32,
    },
    /// A genesis block that is not the first, names a predecessor, or has an id other than the expected one.
    #[error("this is not the genesis block of the federation")]
    NotGenesis,
    /// The block names another predecessor than the tip.
    #[error("block {version} follows another block than the one held here")]
    Predecessor {
        /// Version of the block.
        version: u32,
    },
    /// The block is dated before its predecessor, or expires before it begins.
    #[error("block {version} breaks the order of times")]
    Time {
        /// Version of the block.
        version: u32,
    },
    /// Too few registrars signed.
    #[error("block {version} has {found} signatures of registrars, {threshold} are needed")]
    Threshold {
        /// Version of the block.
        version: u32,
        /// Registrars that signed.
        found: usize,
        /// Registrars that must sign.
        threshold: u16,
    },
    /// A different, equally valid block of this version exists (DESIGN 4.5).
    #[error("two valid blocks of version {version} exist: the registrars contradict themselves")]
    Equivocation {
        /// The version.
        version: u32,
    },
    /// An operation that cannot be carried out.
    #[error("operation {index} ({name}) of block {version}: {rule}")]
    Operation {
        /// Version of the block.
        version: u32,
        /// Position in the block, from 0.
        index: usize,
        /// Name of the operation.
        name: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
    /// The block leaves fewer registrars than the threshold.
    #[error("block {version} leaves {found} registrars and a threshold of {threshold}")]
    Registrars {
        /// Version of the block.
        version: u32,
        /// Registrars that remain.
        found: usize,
        /// The threshold that they could never reach.
        threshold: u16,
    },
}

/// What the charter says to an entry's claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Claim {
    /// The entry names a charter version that this node does not have: nobody is to blame, fetch the charter.
    #[error("the entry was written under a later charter than the one held here")]
    CharterAhead,
    /// The key belongs to no member.
    #[error("the signing key belongs to no member")]
    UnknownKey,
    /// The entry names a charter version before the one that granted the key.
    #[error("the entry names a charter version before its key was granted")]
    BeforeGrant,
    /// The entry is dated before the charter block that it names.
    #[error("the entry is dated before the charter block that it names")]
    BeforeCharterTime,
    /// The entry lies above the seal of its key.
    #[error("the entry lies above the seal of its key")]
    AboveSeal,
}

/// Where an appended block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The tip moved.
    New,
    /// The block was there already.
    Known,
}

/// Who may sign the next block, and how many of them must.
#[derive(Debug, Clone)]
struct Office {
    registrars: Arc<BTreeMap<PublicKey, MemberNumber>>,
    threshold: u16,
}

impl Office {
    /// Shares the registrars with the block before when they did not change.
    fn after(roster: &Roster, before: Option<&Self>) -> Self {
        let same = before.filter(|before| *before.registrars == roster.registrars);
        let registrars = same.map_or_else(|| Arc::new(roster.registrars.clone()), |same| Arc::clone(&same.registrars));
        Self { registrars, threshold: roster.threshold }
    }

    fn check(&self, block: &SignedBlock, federation: &FederationId) -> Result<(), CharterError> {
        let found = block.signers(federation).iter().filter(|key| self.registrars.contains_key(key)).count();
        let (version, threshold) = (block.block().version, self.threshold);
        if found < usize::from(threshold.max(1)) {
            return Err(CharterError::Threshold { version, found, threshold });
        }
        Ok(())
    }
}

/// The charter as this node holds it.
#[derive(Debug, Clone)]
pub struct Charter {
    federation: FederationId,
    blocks: Vec<SignedBlock>,
    roster: Roster,
    /// Registrars and threshold after each block, to judge a rival block without going through the charter again.
    offices: Vec<Office>,
}

impl Charter {
    /// Begins a charter with its genesis block, whose hash becomes the federation's id.
    pub fn genesis(block: SignedBlock) -> Result<Self, CharterError> {
        let content = block.block();
        if content.version != 1 || content.previous != BlockHash::ZERO {
            return Err(CharterError::NotGenesis);
        }
        if content.expires_ms <= content.time_ms {
            return Err(CharterError::Time { version: 1 });
        }
        let roster = Roster::default().after(content, &FederationId::ZERO)?;
        let federation = FederationId(block.hash().0);
        let office = Office::after(&roster, None);
        office.check(&block, &federation)?;
        Ok(Self { federation, blocks: vec![block], roster, offices: vec![office] })
    }

    /// Adds the block after the tip. Nothing changes when it is refused.
    pub fn append(&mut self, block: SignedBlock) -> Result<Appended, CharterError> {
        let content = block.block();
        let tip = self.version();
        if content.version > tip + 1 || content.version == 0 {
            return Err(CharterError::Gap { found: content.version, tip });
        }
        if content.version <= tip {
            return self.meet_again(&block);
        }
        if content.previous != self.tip() {
            return Err(CharterError::Predecessor { version: content.version });
        }
        if content.time_ms < self.tip_block().time_ms || content.expires_ms <= content.time_ms {
            return Err(CharterError::Time { version: content.version });
        }
        let office = &self.offices[self.offices.len() - 1];
        office.check(&block, &self.federation)?;
        self.roster = self.roster.clone().after(content, &self.federation)?;
        self.offices.push(Office::after(&self.roster, Some(office)));
        self.blocks.push(block);
        Ok(Appended::New)
    }

    /// A block of a version that is held already: the same one, or an equivocation if it was validly signed.
    fn meet_again(&self, block: &SignedBlock) -> Result<Appended, CharterError> {
        let version = block.block().version;
        let held = &self.blocks[version as usize - 1];
        if held.hash() == block.hash() {
            return Ok(Appended::Known);
        }
        if version == 1 {
            return Err(CharterError::NotGenesis);
        }
        if block.block().previous != held.block().previous {
            return Err(CharterError::Predecessor { version });
        }
        self.offices[version as usize - 2].check(block, &self.federation)?;
        Err(CharterError::Equivocation { version })
    }

    /// Whether the charter carries what a header claims; the log it continues if so.
    pub fn check(&self, header: &Header) -> Result<&LogGrant, Claim> {
        if header.charter > self.version() {
            return Err(Claim::CharterAhead);
        }
        let grant = self.roster.log_of(&header.key).ok_or(Claim::UnknownKey)?;
        if header.charter < grant.granted {
            return Err(Claim::BeforeGrant);
        }
        // `granted` is at least 1 and `charter` at most the tip's version, so the index exists.
        if header.time_ms < self.blocks[header.charter as usize - 1].block().time_ms {
            return Err(Claim::BeforeCharterTime);
        }
        if grant.ends_before(header.sequence) {
            return Err(Claim::AboveSeal);
        }
        Ok(grant)
    }

    /// The federation's id.
    pub fn federation(&self) -> FederationId {
        self.federation
    }

    /// The federation's name.
    pub fn name(&self) -> &str {
        &self.roster.name
    }

    /// Version of the tip.
    pub fn version(&self) -> u32 {
        self.blocks.len() as u32
    }

    /// Hash of the tip.
    pub fn tip(&self) -> BlockHash {
        self.blocks[self.blocks.len() - 1].hash()
    }

    /// The tip.
    pub fn tip_block(&self) -> &Block {
        self.blocks[self.blocks.len() - 1].block()
    }

    /// Every block, the genesis block first.
    pub fn blocks(&self) -> &[SignedBlock] {
        &self.blocks
    }

    /// The members, by number.
    pub fn members(&self) -> &BTreeMap<MemberNumber, Member> {
        &self.roster.members
    }

    /// The logs, by number: one for each signing key that was ever granted.
    pub fn logs(&self) -> &[LogGrant] {
        &self.roster.logs
    }

    /// The log of a signing key.
    pub fn log_of(&self, key: &PublicKey) -> Option<&LogGrant> {
        self.roster.log_of(key)
    }

    /// The member that holds `key` for `purpose`, while its right lasts.
    pub fn holder(&self, key: &PublicKey, purpose: Purpose) -> Option<MemberNumber> {
        self.roster.holder(key, purpose)
    }

    /// Transport keys whose right lasts: the allow list of the network.
    pub fn transport_keys(&self) -> BTreeMap<PublicKey, MemberNumber> {
        self.roster.live_keys(Purpose::Transport)
    }

    /// Governance keys of the registrars, with their members.
    pub fn registrars(&self) -> &BTreeMap<PublicKey, MemberNumber> {
        &self.roster.registrars
    }

    /// Registrars that must sign the next block.
    pub fn threshold(&self) -> u16 {
        self.roster.threshold
    }

    /// Whether one member alone can change the charter: shown as a trial everywhere (DESIGN 4.6).
    pub fn is_trial(&self) -> bool {
        let members: BTreeSet<MemberNumber> = self.roster.registrars.values().copied().collect();
        let most = |member| self.roster.registrars.values().filter(|holder| **holder == member).count();
        members.into_iter().any(|member| most(member) >= usize::from(self.roster.threshold))
    }

    /// Kind sets by the number that statements carry.
    pub fn kind_sets(&self) -> &BTreeMap<u16, ContentHash> {
        &self.roster.kind_sets
    }

    /// A block after the tip that nobody has signed yet.
    pub fn next_block(&self, time_ms: u64, expires_ms: u64, operations: Vec<Operation>) -> Block {
        let time_ms = time_ms.max(self.tip_block().time_ms);
        Block { version: self.version() + 1, previous: self.tip(), time_ms, expires_ms, operations }
    }

    /// The number of the next member.
    pub fn next_member(&self) -> MemberNumber {
        MemberNumber(self.roster.members.len() as u32 + 1)
    }
}

#[cfg(test)]
mod tests;
