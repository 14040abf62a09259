//! Proposals and endorsements: how registrars on different machines, and members by ballot, come to sign one charter
//! block without exchanging key files (DESIGN 4.1 and 4.7, requirement F008).
//!
//! Both travel as entries, so every node collects; whoever first holds enough signatures puts the block together, and
//! because its hash leaves the signatures out, it does not matter who that is.
//!
//! - System kind 2, a proposal: `nonce [16], layout u8 = 1, block length u32, block`.
//! - System kind 3, an endorsement: `nonce [16], layout u8 = 1, block hash [32], governance key [32], withdrawn u8,
//!   signature [64]`. The signature is that of a charter block. An endorsement can be carried by any member, for a
//!   governance key that lies offline; a withdrawal only by the member whose key it is, and its signature is zero.
//!
//! A withdrawal is a request to those who collect: it does not unsign. A registrar whose proposal found no majority
//! withdraws before it signs another block of that version; when it signs the same block again later in its own log, it
//! has thought better of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::bytes::{LayoutError, Reader};
use crate::charter::{Block, Charter, SignedBlock, Tally};
use crate::entry::VerifiedEntry;
use crate::identity::{BlockHash, Domain, MemberNumber, PublicKey, Signature, verify};
use crate::limits::{BODY_NONCE_BYTES, PROPOSED_BLOCK_BYTES_MAX};
use crate::view::{BodySource, Place};

/// The kind of proposals.
pub const KIND_PROPOSAL: u16 = 2;
/// The kind of endorsements.
pub const KIND_ENDORSEMENT: u16 = 3;
const LAYOUT: u8 = 1;

/// The body of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The block that is to follow the tip.
    pub block: Block,
}

impl Proposal {
    /// The body, unless the block is too large to be proposed.
    pub fn encode(&self, nonce: [u8; BODY_NONCE_BYTES]) -> Result<Vec<u8>, LayoutError> {
        let block = self.block.encode();
        if block.len() > PROPOSED_BLOCK_BYTES_MAX {
            let (found, bound) = (block.len() as u64, PROPOSED_BLOCK_BYTES_MAX as u64);
            return Err(LayoutError::Bound { field: "proposed block", found, bound });
        }
        let mut out = nonce.to_vec();
        out.push(LAYOUT);
        out.extend_from_slice(&(block.len() as u32).to_le_bytes());
        out.extend_from_slice(&block);
        Ok(out)
    }

    /// Reads the body of a proposal.
    pub fn decode(body: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = open(body, "proposal layout")?;
        let length = reader.u32("proposed block length")? as usize;
        let block = Block::decode(reader.bytes(length, "proposed block")?)?;
        reader.finish()?;
        Ok(Self { block })
    }
}

/// The body of an endorsement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endorsement {
    /// The block's hash.
    pub block: BlockHash,
    /// The governance key.
    pub key: PublicKey,
    /// Its signature over the block; `None` withdraws.
    pub signature: Option<Signature>,
}

impl Endorsement {
    /// The body.
    pub fn encode(&self, nonce: [u8; BODY_NONCE_BYTES]) -> Vec<u8> {
        let mut out = nonce.to_vec();
        out.push(LAYOUT);
        out.extend_from_slice(self.block.as_bytes());
        out.extend_from_slice(self.key.as_bytes());
        out.push(u8::from(self.signature.is_none()));
        out.extend_from_slice(self.signature.unwrap_or(Signature::ZERO).as_bytes());
        out
    }

    /// Reads the body of an endorsement.
    pub fn decode(body: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = open(body, "endorsement layout")?;
        let (block, key) = (BlockHash(reader.array("block hash")?), PublicKey(reader.array("governance key")?));
        let withdrawn = reader.boolean("withdrawn")?;
        let signature = Signature(reader.array("block signature")?);
        reader.finish()?;
        if withdrawn != (signature == Signature::ZERO) {
            return Err(LayoutError::Rule {
                field: "block signature",
                rule: "must be zero in a withdrawal, and only there",
            });
        }
        Ok(Self { block, key, signature: (!withdrawn).then_some(signature) })
    }
}

fn open<'a>(body: &'a [u8], layout: &'static str) -> Result<Reader<'a>, LayoutError> {
    let mut reader = Reader::new(body);
    reader.array::<BODY_NONCE_BYTES>("nonce")?;
    if reader.u8(layout)? != LAYOUT {
        return Err(LayoutError::Rule { field: layout, rule: "must be 1" });
    }
    Ok(reader)
}

#[derive(Debug, Clone, Copy)]
struct Note {
    place: Place,
    author: MemberNumber,
    version: u32,
    time_ms: u64,
}

/// A proposal that may become the next block.
#[derive(Debug, Clone)]
pub struct OpenProposal {
    /// The block with every signature that was collected and not withdrawn.
    pub block: SignedBlock,
    /// Who proposed it.
    pub author: MemberNumber,
    /// When, by the author's clock.
    pub time_ms: u64,
    /// Who signed, and how many must.
    pub tally: Tally,
    /// Members that withdrew.
    pub withdrawn: BTreeSet<MemberNumber>,
    /// Why the block could not follow the tip even with every signature, if it could not.
    pub fault: Option<String>,
}

/// Proposals and endorsements of every log that counts.
#[derive(Debug, Clone, Default)]
pub struct Collection {
    proposals: BTreeMap<BlockHash, Note>,
    /// Anybody can carry a signature, so a false one must not displace a good one: all that were stated are kept.
    endorsements: BTreeMap<BlockHash, BTreeMap<PublicKey, Vec<Stated>>>,
    /// The last withdrawal of each member.
    withdrawals: BTreeMap<BlockHash, BTreeMap<MemberNumber, Place>>,
}

/// A signature, and who carried it where.
#[derive(Debug, Clone, Copy)]
struct Stated {
    signature: Signature,
    author: MemberNumber,
    place: Place,
}

impl Collection {
    /// Takes in an entry of kind 2 or 3. Says whether its body could be read.
    pub fn insert(&mut self, place: Place, author: MemberNumber, entry: &VerifiedEntry) -> bool {
        let Some(body) = entry.body() else { return true };
        match entry.header().kind {
            KIND_PROPOSAL => match Proposal::decode(body) {
                Ok(Proposal { block }) => {
                    let note = Note { place, author, version: block.version, time_ms: entry.header().time_ms };
                    // Of two members that propose one block the first by place did, whichever body arrived first.
                    let held = self.proposals.entry(block.hash()).or_insert(note);
                    if note.place < held.place {
                        *held = note;
                    }
                    true
                }
                Err(_) => false,
            },
            KIND_ENDORSEMENT => match Endorsement::decode(body) {
                Ok(Endorsement { block, key, signature: Some(signature) }) => {
                    let stated = self.endorsements.entry(block).or_default().entry(key).or_default();
                    stated.push(Stated { signature, author, place });
                    true
                }
                Ok(Endorsement { block, signature: None, .. }) => {
                    let last = self.withdrawals.entry(block).or_default().entry(author).or_insert(place);
                    *last = place.max(*last);
                    true
                }
                Err(_) => false,
            },
            _ => true,
        }
    }

    /// Whether a block was proposed.
    pub fn contains(&self, hash: &BlockHash) -> bool {
        self.proposals.contains_key(hash)
    }

    /// Proposals that would follow the charter's tip, in order of their hashes.
    pub fn open(&self, charter: &Charter, bodies: &dyn BodySource) -> Vec<OpenProposal> {
        let next = self.proposals.iter().filter(|(_, note)| note.version == charter.version() + 1);
        next.filter_map(|(hash, note)| self.proposal(hash, *note, charter, bodies)).collect()
    }

    /// A block that follows the tip and has enough signatures, if there is one.
    pub fn ready(&self, charter: &Charter, bodies: &dyn BodySource) -> Option<SignedBlock> {
        let next = |note: &Note| note.version == charter.version() + 1;
        if !self.proposals.values().any(next) {
            return None;
        }
        let next = self.proposals.iter().filter(|(_, note)| next(note));
        // Too few signatures of any sort need no closer look.
        let enough = |hash: &BlockHash| {
            let least = usize::from(charter.threshold().max(1)).min(charter.ballots_needed().unwrap_or(usize::MAX));
            self.endorsements.get(hash).is_some_and(|stated| stated.len() >= least)
        };
        let likely = next.filter(|(hash, _)| enough(hash));
        let mut open = likely.filter_map(|(hash, note)| self.proposal(hash, *note, charter, bodies));
        open.find(|proposal| proposal.fault.is_none() && proposal.tally.is_enough()).map(|proposal| proposal.block)
    }

    fn proposal(
        &self,
        hash: &BlockHash,
        note: Note,
        charter: &Charter,
        bodies: &dyn BodySource,
    ) -> Option<OpenProposal> {
        let block = Proposal::decode(&bodies.body(note.place)?).ok()?.block;
        if block.previous != charter.tip() {
            return None;
        }
        let fault = charter.check_proposal(&block).err().map(|error| error.to_string());
        let mut block = SignedBlock::unsigned(block).ok()?;
        let federation = charter.federation();
        let mut withdrawn = BTreeSet::new();
        for (key, stated) in self.endorsements.get(hash).into_iter().flatten() {
            // Signatures of keys that nobody holds would only swell the block.
            let Some((member, _)) = charter.ever_of(key) else { continue };
            let holds = |stated: &&Stated| verify(key, Domain::Block, &federation, hash.as_bytes(), &stated.signature);
            let Some(good) = stated.iter().find(holds) else { continue };
            let withdrawal = self.withdrawals.get(hash).and_then(|of| of.get(&member)).copied();
            // Who signs again after a withdrawal has thought better of it; only its own log tells what came last.
            let again =
                |stated: &Stated| stated.author == member && withdrawal.is_some_and(|place| place < stated.place);
            if withdrawal.is_some() && !stated.iter().any(again) {
                withdrawn.insert(member);
            } else {
                block.add_signature(*key, good.signature);
            }
        }
        let tally = charter.tally(&block);
        Some(OpenProposal { block, author: note.author, time_ms: note.time_ms, tally, withdrawn, fault })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::charter::Class;
    use crate::testing::{EXPIRES_MS, Organisation};

    #[test]
    fn both_bodies_survive_a_round_trip() {
        let (charter, _) = Organisation::found("秘书处", 1);
        let proposal = Proposal { block: charter.blocks()[0].block().clone() };
        let body = proposal.encode([1; 16]).expect("it is small");
        assert_eq!(Proposal::decode(&body), Ok(proposal));
        assert!(Proposal::decode(&body[..body.len() - 1]).is_err());
        for signature in [None, Some(Signature([7; 64]))] {
            let endorsement = Endorsement { block: BlockHash([2; 32]), key: PublicKey([3; 32]), signature };
            let body = endorsement.encode([1; 16]);
            assert_eq!(Endorsement::decode(&body), Ok(endorsement));
            assert!(Endorsement::decode(&body[..body.len() - 1]).is_err());
        }
    }

    struct Desk(BTreeMap<Place, Arc<[u8]>>);

    impl BodySource for Desk {
        fn body(&self, place: Place) -> Option<Arc<[u8]>> {
            self.0.get(&place).cloned()
        }
    }

    /// A federation of two, a block that both are to see, and its proposal.
    fn proposed() -> (Charter, Organisation, Organisation, SignedBlock, Arc<VerifiedEntry>) {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        let block = charter.next_block(0, EXPIRES_MS, Vec::new());
        let body = Proposal { block: block.clone() }.encode([1; 16]).expect("it is small");
        let time = charter.tip_block().time_ms;
        let entry = county.entry(&charter, None, time, KIND_PROPOSAL, body);
        let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
        signed.sign(&secretariat.governance, &charter.federation());
        (charter, secretariat, county, signed, entry)
    }

    fn endorsed(block: &SignedBlock, key: PublicKey, signature: Option<Signature>) -> Vec<u8> {
        Endorsement { block: block.hash(), key, signature }.encode([2; 16])
    }

    #[test]
    fn a_wrong_endorsement_pushes_out_no_right_one_whichever_came_first() {
        let (charter, secretariat, county, signed, proposal) = proposed();
        let time = charter.tip_block().time_ms;
        let (key, signature) = signed.signatures().iter().next().expect("it is signed");
        let right = endorsed(&signed, *key, Some(*signature));
        let right = secretariat.entry(&charter, None, time, KIND_ENDORSEMENT, right);
        let place = |log, sequence| Place { log, sequence };
        let desk = Desk([(place(1, 0), Arc::clone(proposal.body().expect("it has a body")))].into());
        for forged in [[1; 64], [0xff; 64]] {
            let wrong = endorsed(&signed, *key, Some(Signature(forged)));
            let wrong = county.entry(&charter, Some(&proposal), time, KIND_ENDORSEMENT, wrong);
            for order in [[(1, 1, &wrong), (0, 0, &right)], [(0, 0, &right), (1, 1, &wrong)]] {
                let mut collection = Collection::default();
                assert!(collection.insert(place(1, 0), MemberNumber(2), &proposal));
                assert_eq!(collection.ready(&charter, &desk), None);
                for (log, sequence, entry) in order {
                    assert!(collection.insert(place(log, sequence), MemberNumber(log + 1), entry));
                }
                assert_eq!(collection.ready(&charter, &desk), Some(signed.clone()));
            }
        }
    }

    #[test]
    fn a_proposal_is_its_first_authors_and_a_withdrawn_endorsement_does_not_count() {
        let (charter, secretariat, _, signed, proposal) = proposed();
        let time = charter.tip_block().time_ms;
        let body = Arc::clone(proposal.body().expect("it has a body"));
        let again = secretariat.entry(&charter, None, time, KIND_PROPOSAL, body.to_vec());
        let place = |log, sequence| Place { log, sequence };
        let desk = Desk([(place(0, 0), Arc::clone(&body)), (place(1, 0), body)].into());
        for order in [[(1, &proposal), (0, &again)], [(0, &again), (1, &proposal)]] {
            let mut collection = Collection::default();
            for (log, entry) in order {
                collection.insert(place(log, 0), MemberNumber(log + 1), entry);
            }
            let open = collection.open(&charter, &desk);
            assert_eq!(open.iter().map(|proposal| proposal.author).collect::<Vec<_>>(), [MemberNumber(1)]);
            let (key, signature) = signed.signatures().iter().next().expect("it is signed");
            for (sequence, signature) in [(1, Some(*signature)), (2, None)] {
                let body = endorsed(&signed, *key, signature);
                let entry = secretariat.entry(&charter, Some(&again), time, KIND_ENDORSEMENT, body);
                collection.insert(place(0, sequence), MemberNumber(1), &entry);
                assert_eq!(collection.ready(&charter, &desk).is_some(), signature.is_some());
            }
        }
    }
}
