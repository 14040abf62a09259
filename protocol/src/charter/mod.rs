//! The charter (章程链): the linear chain of blocks that says who is a member, with which keys, rights and rules
//! (DESIGN 4).
//!
//! A right has a beginning and an end that do not depend on when anybody heard of it: it holds for an entry that
//! names the charter version which granted it or a later one, and whose position is not above the key's seal.
//! [`Charter::check`] says which of a header's claims the charter carries; [`crate::replica`] adds the log's rules.

mod application;
mod block;
mod member;
mod office;
mod operation;
mod role;
mod roster;
mod seal;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub use application::{Application, Class, Purpose, PurposedKey, SignedApplication};
pub use block::{Block, SignedBlock};
pub use member::{Decision, LogGrant, LogNumber, Member, MemberKey, Standing};
use office::Office;
pub use office::Tally;
pub use operation::{BallotRule, Departure, KeyGrant, OPERATION_TYPE, Operation, added_key_content};
pub use role::{Role, RoleRule, Seat, SeatGrant};
use roster::Roster;
pub use seal::{Position, Seal};

use crate::bytes::LayoutError;
use crate::entry::Header;
use crate::erasure::Target;
use crate::identity::{BlockHash, ContentHash, FederationId, MemberNumber, PublicKey};
use crate::sealed::WrappedClassKey;

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
    /// Too few registrars signed, and too few members voted.
    #[error("block {version} has {found} signatures of registrars, {threshold} are needed; and {ballots} ballots")]
    Threshold {
        /// Version of the block.
        version: u32,
        /// Registrars that signed.
        found: usize,
        /// Registrars that must sign.
        threshold: u16,
        /// Voting members that signed.
        ballots: usize,
    },
    /// The operator pinned another block of this version (DESIGN 4.5).
    #[error("another block of version {version} is pinned here")]
    Pinned {
        /// The version.
        version: u32,
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
    /// A second valid block of one version, lower than any known before: the proof is kept, the tip stays.
    Rival,
}

/// The charter as this node holds it.
#[derive(Debug, Clone)]
pub struct Charter {
    federation: FederationId,
    blocks: Vec<SignedBlock>,
    roster: Roster,
    /// Who could sign after each block, to judge a rival block without going through the charter again.
    offices: Vec<Office>,
    /// The rival of the lowest version at which two valid blocks are known.
    rival: Option<SignedBlock>,
    pins: BTreeMap<u32, BlockHash>,
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
        require(&office.tally(&block, &federation, |_| BTreeSet::new()), 1)?;
        let (blocks, offices) = (vec![block], vec![office]);
        Ok(Self { federation, blocks, roster, offices, rival: None, pins: BTreeMap::new() })
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
        if self.pins.get(&content.version).is_some_and(|pinned| *pinned != block.hash()) {
            return Err(CharterError::Pinned { version: content.version });
        }
        let roster = self.judge(content)?;
        let office = &self.offices[self.offices.len() - 1];
        let tally = office.tally(&block, &self.federation, |signers| self.roster.ballots(signers));
        require(&tally, content.version)?;
        self.offices.push(Office::after(&roster, self.offices.last()));
        self.roster = roster;
        self.blocks.push(block);
        Ok(Appended::New)
    }

    /// The rules of a block after the tip, whoever signed it; the roster that it leaves.
    fn judge(&self, content: &Block) -> Result<Roster, CharterError> {
        if content.time_ms < self.tip_block().time_ms || content.expires_ms <= content.time_ms {
            return Err(CharterError::Time { version: content.version });
        }
        self.roster.clone().after(content, &self.federation)
    }

    /// Whether a block could follow the tip once enough have signed it: what a registrar's tool asks before it signs.
    pub fn check_proposal(&self, block: &Block) -> Result<(), CharterError> {
        if block.version != self.version() + 1 {
            return Err(CharterError::Gap { found: block.version, tip: self.version() });
        }
        if block.previous != self.tip() {
            return Err(CharterError::Predecessor { version: block.version });
        }
        self.judge(block).map(|_| ())
    }

    /// Who signed a block that follows the tip, and how many must.
    pub fn tally(&self, block: &SignedBlock) -> Tally {
        let office = &self.offices[self.offices.len() - 1];
        let mut tally = office.tally(block, &self.federation, |_| BTreeSet::new());
        tally.ballots = self.roster.ballots(&block.signers(&self.federation));
        tally
    }

    /// A block of a version that is held already: the same one, or an equivocation if it was validly signed.
    fn meet_again(&mut self, block: &SignedBlock) -> Result<Appended, CharterError> {
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
        let before = &self.blocks[..version as usize - 1];
        let content = block.block();
        let since = before.last().map_or(0, |block| block.block().time_ms);
        if content.time_ms < since || content.expires_ms <= content.time_ms {
            return Err(CharterError::Time { version });
        }
        let electorate = |signers: &[PublicKey]| self.roster_after(before).map(|roster| roster.ballots(signers));
        let office = &self.offices[before.len() - 1];
        let tally = office.tally(block, &self.federation, |signers| electorate(signers).unwrap_or_default());
        require(&tally, version)?;
        // The rules of its content count as well: what no honest node can follow is no second charter.
        let roster = self.roster_after(before).ok_or(CharterError::Predecessor { version })?;
        roster.after(block.block(), &self.federation)?;
        if self.rival.as_ref().is_none_or(|known| version < known.block().version) {
            self.rival = Some(block.clone());
            return Ok(Appended::Rival);
        }
        Err(CharterError::Equivocation { version })
    }

    /// The roster that blocks of this charter leave; they were checked before.
    fn roster_after(&self, blocks: &[SignedBlock]) -> Option<Roster> {
        let federation = |block: &SignedBlock| {
            if block.block().version == 1 { FederationId::ZERO } else { self.federation }
        };
        let mut blocks = blocks.iter();
        blocks.try_fold(Roster::default(), |roster, block| roster.after(block.block(), &federation(block)).ok())
    }

    /// Binds this charter to a block: no other one of its version will be taken in (DESIGN 4.5).
    ///
    /// Errors when another one is held already; then the charter must be read again from before that version.
    pub fn pin(&mut self, version: u32, hash: BlockHash) -> Result<(), CharterError> {
        let held = (version as usize).checked_sub(1).and_then(|index| self.blocks.get(index));
        if version == 0 || held.is_some_and(|held| held.hash() != hash) {
            return Err(CharterError::Pinned { version });
        }
        self.pins.insert(version, hash);
        Ok(())
    }

    /// Blocks that this charter is bound to, by version.
    pub fn pins(&self) -> &BTreeMap<u32, BlockHash> {
        &self.pins
    }

    /// The rival of the lowest version at which two valid blocks are known: the registrars contradicted themselves.
    pub fn rival(&self) -> Option<&SignedBlock> {
        self.rival.as_ref()
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

    /// What share of all voting members decides beside the registrars.
    pub fn ballot_rule(&self) -> BallotRule {
        self.roster.ballots
    }

    /// Members that have a vote.
    pub fn voters(&self) -> impl Iterator<Item = MemberNumber> + '_ {
        self.roster.voters()
    }

    /// Ballots that validate the next block; `None` while there are too few members for an assembly.
    pub fn ballots_needed(&self) -> Option<usize> {
        self.offices[self.offices.len() - 1].ballots_needed()
    }

    /// Every seat that was ever granted, in order.
    pub fn seats(&self) -> &[Seat] {
        &self.roster.seats
    }

    /// The rule of each role that has one.
    pub fn role_rules(&self) -> &BTreeMap<Role, RoleRule> {
        &self.roster.role_rules
    }

    /// Duty rules by number.
    pub fn duty_rules(&self) -> &BTreeMap<u16, ContentHash> {
        &self.roster.duty_rules
    }

    /// Entries of one member that are passed on by gossip in a minute; `None` without a limit.
    pub fn gossip_entries_per_minute(&self) -> Option<u32> {
        (self.roster.gossip_entries_per_minute > 0).then_some(self.roster.gossip_entries_per_minute)
    }

    /// Every version of a class's key, in order; the last one is in use.
    pub fn class_keys(&self, class: Class) -> &[WrappedClassKey] {
        self.roster.class_keys.get(&class).map_or(&[], Vec::as_slice)
    }

    /// Entries that blocks erase, each with the version of its block.
    pub fn erased(&self) -> &[(u32, Target)] {
        &self.roster.erased
    }

    /// Whose a key is or was, and for what.
    pub fn ever_of(&self, key: &PublicKey) -> Option<(MemberNumber, Purpose)> {
        self.roster.ever_of(key)
    }

    /// Whether `key` lost its right for good: no later block gives it back. The keys of a suspended member only rest.
    pub fn has_ended(&self, key: &PublicKey) -> bool {
        self.roster.has_ended(key)
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

fn require(tally: &Tally, version: u32) -> Result<(), CharterError> {
    if tally.is_enough() {
        return Ok(());
    }
    let (found, threshold, ballots) = (tally.registrars.len(), tally.threshold, tally.ballots.len());
    Err(CharterError::Threshold { version, found, threshold, ballots })
}

#[cfg(test)]
mod tests;
