//! What registrars and members decide in a random history: one block after the other, some of them too weakly signed. The
//! roster says beforehand whether a block can be valid; the charter must agree every time.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use fastrand::Rng;
use protocol::charter::{
    Appended, BallotRule, CharterError, Class, Departure, KeyGrant, Operation, Position, Purpose, PurposedKey, Role,
    RoleRule, Seal, SeatGrant, SignedBlock, added_key_content,
};
use protocol::identity::{Domain, EntryId, MemberNumber, PublicKey, sign};
use protocol::testing::{EXPIRES_MS, Organisation};

use crate::roster::Standing;
use crate::world::{Branches, World, public};

impl World {
    /// Admits a new organisation, as the registrars that there are.
    pub fn admit(&mut self, random: &mut Rng) {
        let number = self.roster.members.len() as u32 + 1;
        let operation = self.admission(random, number);
        self.append(random, vec![operation], true);
    }

    /// One random decision; now and then a seal that wanders from branch to branch.
    pub fn decide(&mut self, random: &mut Rng) {
        if random.u8(..6) == 0 {
            let parted = (0..self.branches.len()).find(|log| self.branches[*log].0.len() > 1);
            for _ in 0..if parted.is_some() { 3 } else { 0 } {
                let seal = parted.map(|log| Operation::SealKey(self.seal(random, log)));
                self.append(random, seal.into_iter().collect(), true);
            }
            return;
        }
        let operations = match random.u8(..17) {
            0 => self.admission_of_somebody(random),
            1 => self.warning(random),
            2 | 3 => self.departure(random),
            4 => self.reinstatement(random),
            5 => self.replacement(random),
            6..=9 => self.moved_seal(random),
            10 => self.granted_seat(random),
            11 => self.taken_seat(random),
            12 => self.rules(random),
            13 | 14 => self.reassignment(random),
            _ => self.erased(random),
        };
        if let Some(operations) = operations {
            self.append(random, operations, false);
        }
    }

    /// Lets somebody sign, tells the charter, and compares what it says with what the roster says.
    fn append(&mut self, random: &mut Rng, operations: Vec<Operation>, strongly: bool) {
        let names: Vec<String> = operations.iter().map(summary).collect();
        let time = self.charter.tip_block().time_ms + 1_000;
        let block = self.charter.next_block(time, EXPIRES_MS, operations);
        let next = self.roster.after(&block);
        let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
        let signers = if strongly { self.every_registrar() } else { self.signers(random) };
        let federation = self.charter.federation();
        let keys = self.governance.iter().filter(|key| signers.contains(&public(key)));
        keys.for_each(|key| signed.sign(key, &federation));
        let (registrars, enough) = (next.registrars().len(), self.roster.enough(&signers));
        let governable = registrars >= next.threshold && registrars > 0;
        let verdict = self.charter.append(signed.clone());
        match &verdict {
            Ok(appended) => {
                assert_eq!(*appended, Appended::New);
                assert!(enough, "a block with too few signatures was taken in: {names:?}");
                assert!(governable, "a block left fewer registrars than its threshold: {names:?}");
            }
            Err(CharterError::Threshold { .. }) => assert!(!enough && governable, "enough had signed {names:?}"),
            Err(CharterError::Registrars { .. }) => assert!(!governable, "there are registrars enough: {names:?}"),
            Err(error) => panic!("the world proposes only what keeps the rules: {names:?}: {error}"),
        }
        let outcome = verdict.map_or_else(|error| error.to_string(), |_| "done".to_owned());
        self.steps.push(format!(
            "block {}: {} by {} of {}: {outcome}",
            next.version(),
            names.join(" + "),
            signers.len(),
            self.roster.threshold
        ));
        if !(enough && governable) {
            return;
        }
        if random.u8(..12) == 0 {
            self.contradict(random, &signed);
        }
        self.roster = next;
        let open: BTreeSet<PublicKey> = self.charter.registrars().keys().copied().collect();
        assert_eq!(open, self.roster.registrars(), "registrars differ");
        assert_eq!(self.charter.voters().count(), self.roster.voters().len(), "voters differ");
        self.branches.resize_with(self.roster.logs.len(), Branches::default);
    }

    /// The same registrars sign another block of the same version.
    fn contradict(&mut self, random: &mut Rng, signed: &SignedBlock) {
        let limits = vec![Operation::Limits { gossip_entries_per_minute: random.u32(..) }];
        let mut block = signed.block().clone();
        block.operations = limits;
        let mut rival = SignedBlock::unsigned(block).expect("the block keeps its bounds");
        let federation = self.charter.federation();
        let signers = signed.signers(&federation);
        let keys = self.governance.iter().filter(|key| signers.contains(&public(key)));
        keys.for_each(|key| rival.sign(key, &federation));
        if rival.hash() != signed.hash() {
            self.steps.push(format!("and a rival of block {}", signed.block().version));
            self.rivals.push(rival);
        }
    }

    fn every_registrar(&self) -> BTreeSet<PublicKey> {
        self.roster.registrars()
    }

    /// Registrars or an assembly; exactly enough, or one too few.
    fn signers(&self, random: &mut Rng) -> BTreeSet<PublicKey> {
        let mut registrars: Vec<PublicKey> = self.roster.registrars().into_iter().collect();
        let mut voters: Vec<PublicKey> =
            self.roster.voters().iter().filter_map(|(_, member)| member.governance).collect();
        random.shuffle(&mut registrars);
        random.shuffle(&mut voters);
        let needed = self.roster.ballots_needed().unwrap_or(voters.len());
        let (signing, voting) = match random.u8(..10) {
            0 => (self.roster.threshold - 1, 0),
            1 => (0, needed),
            2 => (0, needed.saturating_sub(1)),
            3 => (self.roster.threshold - 1, needed.saturating_sub(1)),
            _ => (self.roster.threshold, 0),
        };
        registrars.into_iter().take(signing).chain(voters.into_iter().take(voting)).collect()
    }

    fn fresh(&mut self) -> Organisation {
        self.seeds += 1;
        Organisation::new("县", Class::County, self.seeds)
    }

    /// Keys are kept by log and by member; what a refused block would have granted is dropped with the world's own list.
    fn keep_keys(&mut self, organisation: &Organisation) {
        self.signing.truncate(self.roster.logs.len());
        self.signing.push(organisation.signing.clone());
        self.governance.push(organisation.governance.clone());
    }

    fn admission(&mut self, random: &mut Rng, number: u32) -> Operation {
        let mut organisation = self.fresh();
        organisation.class = *random.choice(&[Class::County, Class::Fund, Class::Observer]).unwrap_or(&Class::County);
        self.keep_keys(&organisation);
        let application = organisation.application(&self.charter.federation());
        Operation::Admit { member: MemberNumber(number), application }
    }

    /// A newcomer, or a former member under its number.
    fn admission_of_somebody(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let former = self.some_member(random, |standing| standing == Standing::Gone);
        let number = former.unwrap_or(self.roster.members.len() as u32 + 1);
        Some(vec![self.admission(random, number)])
    }

    fn some_member(&self, random: &mut Rng, fits: impl Fn(Standing) -> bool) -> Option<u32> {
        let members: Vec<u32> =
            self.roster.members.iter().filter(|(_, member)| fits(member.standing)).map(|(number, _)| *number).collect();
        random.choice(&members).copied()
    }

    fn warning(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let member = MemberNumber(self.some_member(random, |standing| standing == Standing::Active)?);
        Some(vec![Operation::Warn { member, reason: "未履行".into() }])
    }

    fn departure(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let number = self.some_member(random, |standing| standing != Standing::Gone)?;
        let mut open: Vec<usize> = (0..self.roster.logs.len())
            .filter(|log| self.roster.logs[*log].member == number && self.roster.logs[*log].seal.is_none())
            .collect();
        open.sort_by_key(|log| self.roster.logs[*log].key);
        let seals = open.into_iter().map(|log| self.seal(random, log)).collect();
        let departure = Departure { member: MemberNumber(number), reason: "理由".into(), seals };
        let suspended = self.roster.members[&number].standing == Standing::Suspended;
        Some(vec![match random.u8(..3) {
            0 if !suspended => Operation::Suspend(departure),
            1 => Operation::Leave(departure),
            _ => Operation::Expel(departure),
        }])
    }

    fn new_key(&mut self, member: u32) -> KeyGrant {
        let organisation = self.fresh();
        self.signing.truncate(self.roster.logs.len());
        self.signing.push(organisation.signing.clone());
        self.granted(member, Purpose::Signing, &organisation.signing)
    }

    fn granted(&self, member: u32, purpose: Purpose, key: &SigningKey) -> KeyGrant {
        let (member, purposed) = (MemberNumber(member), PurposedKey { purpose, key: public(key) });
        let content = added_key_content(member, &purposed);
        let proof = sign(key, Domain::Possession, &self.charter.federation(), &content);
        KeyGrant { member, key: purposed, proof }
    }

    fn reinstatement(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let member = self.some_member(random, |standing| standing == Standing::Suspended)?;
        let grant = self.new_key(member);
        Some(vec![Operation::Reinstate { reason: "已改正".into(), grant }])
    }

    /// A lost or stolen key gives way to another; or a key that was sealed alone is followed by one.
    fn replacement(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let member = self.some_member(random, |standing| standing == Standing::Active)?;
        let open = self.roster.logs.iter().position(|log| log.member == member && log.seal.is_none());
        let seal = open.map(|log| self.seal(random, log));
        let grant = self.new_key(member);
        Some(vec![match seal {
            Some(seal) => Operation::ReplaceKey { seal, grant },
            None => Operation::AddKey(grant),
        }])
    }

    /// A seal at the head of a branch, in the middle, at nothing, or at an entry that nobody ever said.
    fn seal(&self, random: &mut Rng, log: usize) -> Seal {
        let key = self.roster.logs[log].key;
        let branch = random.choice(&self.branches[log].0).map_or(&[][..], Vec::as_slice);
        let entry = if random.bool() { branch.last() } else { random.choice(branch) };
        let last = entry.map(|entry| Position { sequence: entry.header().sequence, id: entry.id() });
        match random.u8(..16) {
            0 => Seal { key, last: None },
            1 => Seal { key, last: Some(Position { sequence: random.u64(..8), id: EntryId([random.u8(1..); 32]) }) },
            _ => Seal { key, last },
        }
    }

    /// Seals move, most of all those of logs that parted: up, down, and between the branches.
    fn moved_seal(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let spoken = |log: &usize| !self.branches[*log].0.is_empty();
        let parted = |log: &usize| self.branches[*log].0.len() > 1;
        let mut logs: Vec<usize> = (0..self.branches.len()).filter(spoken).collect();
        if logs.iter().any(parted) && random.u8(..8) > 0 {
            logs.retain(parted);
        }
        let sealed = |log: &usize| self.roster.logs[*log].seal.is_some();
        if logs.iter().any(sealed) && random.u8(..3) > 0 {
            logs.retain(sealed);
        }
        let log = *random.choice(&logs)?;
        Some(vec![Operation::SealKey(self.seal(random, log))])
    }

    fn granted_seat(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let member = self.some_member(random, |standing| standing == Standing::Active)?;
        let governance = self.roster.members[&member].governance;
        let seated = governance.is_none_or(|key| self.roster.registrars().contains(&key));
        if seated || random.u8(..4) == 0 {
            let rule = RoleRule { role: Role::Council, seats_max: 60, term_ms: 0 };
            let grant = SeatGrant {
                role: Role::Council,
                member: MemberNumber(member),
                key: PublicKey::ZERO,
                person: "某人".into(),
                from_ms: 0,
                until_ms: 0,
            };
            return Some(vec![Operation::RoleRule(rule), Operation::GrantRole(grant)]);
        }
        Some(vec![Operation::GrantRole(SeatGrant::registrar(MemberNumber(member), governance?))])
    }

    fn taken_seat(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let open: Vec<u32> =
            (1..).zip(&self.roster.seats).filter(|(_, seat)| !seat.ended).map(|(seat, _)| seat).collect();
        let seat = *random.choice(&open)?;
        Some(vec![Operation::TakeRole { seat, reason: "任满".into() }])
    }

    fn rules(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let ballots = if random.bool() { BallotRule::MoreThanHalf } else { BallotRule::HalfIsEnough };
        Some(vec![Operation::Rules { name: "测试联盟".into(), threshold: random.u16(1..4), ballots }])
    }

    fn reassignment(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let from = self.some_member(random, |standing| standing == Standing::Gone)?;
        let to = self.some_member(random, |standing| standing == Standing::Active)?;
        Some(vec![Operation::Reassign { from: MemberNumber(from), to: MemberNumber(to), reason: "合并".into() }])
    }

    fn erased(&mut self, random: &mut Rng) -> Option<Vec<Operation>> {
        let targets = self.targets(random);
        (!targets.is_empty()).then(|| vec![Operation::Erase { reason: "依法".into(), targets }])
    }
}

fn summary(operation: &Operation) -> String {
    let seal = |seal: &Seal| match seal.last {
        Some(last) => format!("{} at {}={:?}", seal.key, last.sequence, last.id),
        None => format!("{} at nothing", seal.key),
    };
    match operation {
        Operation::Suspend(departure) | Operation::Leave(departure) | Operation::Expel(departure) => {
            let seals: Vec<String> = departure.seals.iter().map(seal).collect();
            format!("{} {} ({})", operation.name(), departure.member, seals.join(", "))
        }
        Operation::SealKey(sealed) => format!("seal-key {}", seal(sealed)),
        Operation::ReplaceKey { seal: sealed, grant } => format!("replace-key of {}: {}", grant.member, seal(sealed)),
        Operation::Reassign { from, to, .. } => format!("reassign {from} to {to}"),
        Operation::Erase { targets, .. } => {
            let targets: Vec<String> = targets.iter().map(|target| format!("{:?}", target.id)).collect();
            format!("erase {}", targets.join("+"))
        }
        Operation::Admit { member, .. } => format!("admit {member}"),
        _ => operation.name().to_owned(),
    }
}
