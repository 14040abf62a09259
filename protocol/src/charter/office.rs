//! Who may sign the next block: registrars up to their threshold, or the assembly of all members by ballot
//! (DESIGN 4.1). The assembly stands above the registrars and can replace them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::block::SignedBlock;
use super::operation::BallotRule;
use super::roster::Roster;
use crate::identity::{FederationId, MemberNumber, PublicKey};
use crate::limits::ASSEMBLY_MEMBERS_MIN;

/// How far a block is from being valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Registrars that signed.
    pub registrars: BTreeSet<PublicKey>,
    /// Registrars that must sign.
    pub threshold: u16,
    /// Voting members that signed.
    pub ballots: BTreeSet<MemberNumber>,
    /// Voting members in all.
    pub voters: usize,
    /// Voting members that must sign in the registrars' place; `None` while there are too few members for an assembly.
    pub ballots_needed: Option<usize>,
    /// What share of the voters decides.
    pub rule: BallotRule,
}

impl Tally {
    /// Whether the block is validly signed.
    pub fn is_enough(&self) -> bool {
        self.registrars.len() >= usize::from(self.threshold.max(1))
            || self.ballots_needed.is_some_and(|needed| self.ballots.len() >= needed)
    }
}

/// Registrars, threshold and electorate after a block.
#[derive(Debug, Clone)]
pub(super) struct Office {
    registrars: Arc<BTreeMap<PublicKey, MemberNumber>>,
    threshold: u16,
    rule: BallotRule,
    voters: u32,
}

impl Office {
    /// Shares the registrars with the block before when they did not change.
    pub(super) fn after(roster: &Roster, before: Option<&Self>) -> Self {
        let same = before.filter(|before| *before.registrars == roster.registrars);
        let registrars = same.map_or_else(|| Arc::new(roster.registrars.clone()), |same| Arc::clone(&same.registrars));
        let voters = roster.voters().count() as u32;
        Self { registrars, threshold: roster.threshold, rule: roster.ballots, voters }
    }

    /// Ballots that validate a block without registrars; `None` while there are too few members for an assembly.
    pub(super) fn ballots_needed(&self) -> Option<usize> {
        let voters = self.voters as usize;
        (voters >= ASSEMBLY_MEMBERS_MIN).then(|| self.rule.needed(voters))
    }

    /// Counts signatures that hold.
    ///
    /// `ballots` says which voting members are behind the signers. It is asked when the signatures of registrars do
    /// not reach and there are enough others that ballots might: an electorate of the past takes work to restore.
    pub(super) fn tally(
        &self,
        block: &SignedBlock,
        federation: &FederationId,
        ballots: impl FnOnce(&[PublicKey]) -> BTreeSet<MemberNumber>,
    ) -> Tally {
        let needed = self.ballots_needed();
        let signers = block.signers(federation);
        let mut tally = Tally {
            registrars: signers.iter().filter(|key| self.registrars.contains_key(key)).copied().collect(),
            threshold: self.threshold,
            ballots: BTreeSet::new(),
            voters: self.voters as usize,
            ballots_needed: needed,
            rule: self.rule,
        };
        if !tally.is_enough() && needed.is_some_and(|needed| signers.len() >= needed) {
            tally.ballots = ballots(&signers);
        }
        tally
    }
}
