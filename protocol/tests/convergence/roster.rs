//! The charter as plain data: who is a member, whose logs there are, where they end, who may sign. Written from DESIGN 4
//! and not by calling the charter that it judges.

use std::collections::{BTreeMap, BTreeSet};

use protocol::charter::{Block, Class, Operation, Purpose, Seal, SignedApplication};
use protocol::erasure::Target;
use protocol::identity::{EntryId, PublicKey};

/// How a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    Suspended,
    Gone,
}

#[derive(Debug, Clone)]
pub struct Member {
    pub standing: Standing,
    pub votes: bool,
    pub governance: Option<PublicKey>,
}

/// A log: whose it is, from which version on, where it ends, and to whom its records went.
#[derive(Debug, Clone)]
pub struct Log {
    pub key: PublicKey,
    pub member: u32,
    pub granted: u32,
    pub seal: Option<Option<(u64, EntryId)>>,
    pub heirs: Vec<(u32, u32)>,
}

impl Log {
    pub fn owner(&self) -> u32 {
        self.heirs.last().map_or(self.member, |(_, heir)| *heir)
    }

    /// Which owner in turn a member was under a version of the charter.
    pub fn turn(&self, member: u32, version: u32) -> Option<usize> {
        let mut owner = (0, self.member);
        for (index, (since, heir)) in self.heirs.iter().enumerate() {
            if *since <= version {
                owner = (index + 1, *heir);
            }
        }
        (owner.1 == member).then_some(owner.0)
    }
}

#[derive(Debug, Clone)]
pub struct Seat {
    pub registrar: Option<PublicKey>,
    pub member: u32,
    pub ended: bool,
}

/// Everything that the blocks so far add up to.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// The time of each block.
    pub times: Vec<u64>,
    pub members: BTreeMap<u32, Member>,
    pub logs: Vec<Log>,
    pub seats: Vec<Seat>,
    pub threshold: usize,
    pub half_is_enough: bool,
    pub erased: Vec<Target>,
}

impl Roster {
    pub fn version(&self) -> u32 {
        self.times.len() as u32
    }

    pub fn registrars(&self) -> BTreeSet<PublicKey> {
        self.seats.iter().filter(|seat| !seat.ended).filter_map(|seat| seat.registrar).collect()
    }

    pub fn voters(&self) -> Vec<(u32, &Member)> {
        let votes = |member: &Member| member.votes && member.standing == Standing::Active;
        self.members.iter().filter(|(_, member)| votes(member)).map(|(number, member)| (*number, member)).collect()
    }

    /// Ballots that decide without the registrars; `None` below three voters.
    pub fn ballots_needed(&self) -> Option<usize> {
        let voters = self.voters().len();
        let needed =
            (1..=voters).find(|ballots| if self.half_is_enough { ballots * 2 >= voters } else { ballots * 2 > voters });
        needed.filter(|_| voters >= 3)
    }

    /// Whether these signers can make a block.
    pub fn enough(&self, signers: &BTreeSet<PublicKey>) -> bool {
        let registrars = self.registrars().intersection(signers).count();
        let voters = self.voters();
        let voted = voters.iter().filter(|(_, member)| member.governance.is_some_and(|key| signers.contains(&key)));
        registrars >= self.threshold || self.ballots_needed().is_some_and(|needed| voted.count() >= needed)
    }

    pub fn log_of(&self, key: &PublicKey) -> Option<usize> {
        self.logs.iter().position(|log| log.key == *key)
    }

    /// What a block leaves, if its operations are legal one by one.
    pub fn after(&self, block: &Block) -> Self {
        let mut next = self.clone();
        next.times.push(block.time_ms);
        block.operations.iter().for_each(|operation| next.apply(operation));
        next
    }

    fn apply(&mut self, operation: &Operation) {
        match operation {
            Operation::Rules { threshold, ballots, .. } => {
                self.threshold = usize::from(*threshold);
                self.half_is_enough = ballots.name() == "half-is-enough";
            }
            Operation::Admit { member, application } => self.admit(member.0, application),
            Operation::Suspend(departure) => self.depart(departure.member.0, &departure.seals, Standing::Suspended),
            Operation::Leave(departure) | Operation::Expel(departure) => {
                self.depart(departure.member.0, &departure.seals, Standing::Gone);
            }
            Operation::Reinstate { grant, .. } => {
                self.member(grant.member.0).standing = Standing::Active;
                self.begin_log(grant.member.0, grant.key.key);
            }
            Operation::AddKey(grant) if grant.key.purpose == Purpose::Signing => {
                self.begin_log(grant.member.0, grant.key.key);
            }
            Operation::SealKey(seal) => self.seal(seal),
            Operation::ReplaceKey { seal, grant } => {
                self.seal(seal);
                self.begin_log(grant.member.0, grant.key.key);
            }
            Operation::GrantRole(grant) => {
                let registrar = (grant.role.name() == "registrar").then_some(grant.key);
                self.seats.push(Seat { registrar, member: grant.member.0, ended: false });
            }
            Operation::TakeRole { seat, .. } => self.seats[*seat as usize - 1].ended = true,
            Operation::Reassign { from, to, .. } => {
                let version = self.version();
                self.logs
                    .iter_mut()
                    .filter(|log| log.owner() == from.0)
                    .for_each(|log| log.heirs.push((version, to.0)));
            }
            Operation::Erase { targets, .. } => self.erased.extend(targets),
            _ => {}
        }
    }

    fn member(&mut self, number: u32) -> &mut Member {
        self.members.get_mut(&number).expect("the world only speaks of members")
    }

    fn admit(&mut self, number: u32, signed: &SignedApplication) {
        let key = |purpose| signed.application.keys.iter().find(|key| key.purpose == purpose).map(|key| key.key);
        let votes = matches!(signed.application.class, Class::County | Class::Fund | Class::Agency);
        self.members.insert(number, Member { standing: Standing::Active, votes, governance: key(Purpose::Governance) });
        self.begin_log(number, key(Purpose::Signing).expect("an application names a signing key"));
    }

    fn begin_log(&mut self, member: u32, key: PublicKey) {
        let granted = self.version();
        self.logs.push(Log { key, member, granted, seal: None, heirs: Vec::new() });
    }

    fn seal(&mut self, seal: &Seal) {
        if let Some(log) = self.log_of(&seal.key) {
            self.logs[log].seal = Some(seal.last.map(|last| (last.sequence, last.id)));
        }
    }

    fn depart(&mut self, number: u32, seals: &[Seal], standing: Standing) {
        seals.iter().for_each(|seal| self.seal(seal));
        self.seats.iter_mut().filter(|seat| seat.member == number).for_each(|seat| seat.ended = true);
        let member = self.member(number);
        member.standing = standing;
        if standing == Standing::Gone {
            member.governance = None;
        }
    }
}
