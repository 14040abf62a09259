//! A federation in memory, whose members say things at times of the test's choice.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::charter::{Application, Charter, Class, Departure, Operation, Position, Purpose, PurposedKey, Seal};
use crate::charter::{KeyGrant, SignedApplication, SignedBlock, added_key_content};
use crate::duty::{Deeds, Holding, Ledger, Question, Rules, Sources, State, judge};
use crate::entry::VerifiedEntry;
use crate::identity::{Domain, EntryId, MemberNumber, PublicKey, public_key, sign};
use crate::kind::{KIND_SET_VERSION, KindSet, Period};
use crate::statement::Statement;
use crate::testing::{EXPIRES_MS, Organisation, Peer};
use crate::value::{Date, Value};

/// When a day begins in China.
pub(super) fn day(text: &str) -> u64 {
    Period::parse(text).and_then(|period| period.first_day()).map(Date::start_ms).expect("a day")
}

pub(super) struct World {
    pub(super) charter: Charter,
    pub(super) members: Vec<Organisation>,
    /// What each signing key said, in order.
    pub(super) logs: BTreeMap<PublicKey, Vec<Arc<VerifiedEntry>>>,
    seeds: u32,
}

impl World {
    pub(super) fn new() -> Self {
        let (charter, secretariat) = Organisation::found("秘书处", 1);
        Self { charter, members: vec![secretariat], logs: BTreeMap::new(), seeds: 1 }
    }

    pub(super) fn append(&mut self, time_ms: u64, operation: Operation) {
        let block = self.charter.next_block(time_ms, EXPIRES_MS, vec![operation]);
        let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
        signed.sign(&self.members[0].governance, &self.charter.federation());
        self.charter.append(signed).expect("the block keeps every rule");
    }

    /// Admits a member; its place among the members.
    pub(super) fn admit(&mut self, name: &str, class: Class, region: &str, time_ms: u64) -> usize {
        self.seeds += 1;
        let organisation = Organisation::new(name, class, self.seeds);
        let keys = [
            (Purpose::Signing, &organisation.signing),
            (Purpose::Transport, &organisation.transport),
            (Purpose::Encryption, &organisation.encryption),
            (Purpose::Governance, &organisation.governance),
        ];
        let application = Application {
            class,
            name: name.to_owned(),
            region: region.to_owned(),
            keys: keys.iter().map(|(purpose, key)| PurposedKey { purpose: *purpose, key: public_key(key) }).collect(),
        };
        let content = application.encode();
        let federation = self.charter.federation();
        let proofs = keys.iter().map(|(_, key)| sign(key, Domain::Possession, &federation, &content)).collect();
        let application = SignedApplication { application, proofs };
        let member = self.charter.next_member();
        self.append(time_ms, Operation::Admit { member, application });
        self.members.push(organisation);
        self.members.len() - 1
    }

    pub(super) fn number(&self, member: usize) -> MemberNumber {
        MemberNumber(member as u32 + 1)
    }

    /// What sealing the member's log where it stands and a reason make.
    pub(super) fn departure(&self, member: usize) -> Departure {
        let key = public_key(&self.members[member].signing);
        let last = self.logs.get(&key).and_then(|log| log.last());
        let last = last.map(|entry| Position { sequence: entry.header().sequence, id: entry.id() });
        Departure { member: self.number(member), reason: "不履行义务".into(), seals: vec![Seal { key, last }] }
    }

    /// Reinstates a member under a new signing key.
    pub(super) fn reinstate(&mut self, member: usize, time_ms: u64) {
        self.seeds += 1;
        let fresh = Organisation::new("", Class::County, self.seeds).signing;
        let key = PurposedKey { purpose: Purpose::Signing, key: public_key(&fresh) };
        let content = added_key_content(self.number(member), &key);
        let proof = sign(&fresh, Domain::Possession, &self.charter.federation(), &content);
        let grant = KeyGrant { member: self.number(member), key, proof };
        self.append(time_ms, Operation::Reinstate { reason: "已整改".into(), grant });
        self.members[member].signing = fresh;
    }

    fn publish(&mut self, member: usize, time_ms: u64, kind: u16, statement: &Statement) -> EntryId {
        let organisation = &self.members[member];
        let log = self.logs.entry(public_key(&organisation.signing)).or_default();
        let previous = log.last().map(Arc::as_ref);
        let body = statement.encode().expect("the statement keeps every rule");
        let entry = organisation.entry(&self.charter, previous, time_ms, kind, body);
        log.push(Arc::clone(&entry));
        entry.id()
    }

    pub(super) fn create(&mut self, member: usize, time_ms: u64, kind: &str, cells: &[(&str, &str)]) -> EntryId {
        self.create_under(KIND_SET_VERSION, member, time_ms, kind, cells)
    }

    /// The same under a version of the kinds.
    pub(super) fn create_under(
        &mut self,
        version: u16,
        member: usize,
        time_ms: u64,
        kind: &str,
        cells: &[(&str, &str)],
    ) -> EntryId {
        let kind = KindSet::builtin().kind_named(kind).expect("a kind");
        let statement = Statement::create([1; 16], version, None, fields(kind.name(), cells));
        self.publish(member, time_ms, kind.number(), &statement)
    }

    pub(super) fn revise(&mut self, member: usize, time_ms: u64, kind: &str, id: EntryId, cells: &[(&str, &str)]) {
        let number = KindSet::builtin().kind_named(kind).expect("a kind").number();
        let statement =
            Statement::revise([1; 16], KIND_SET_VERSION, id, fields(kind, cells), std::collections::BTreeSet::new());
        self.publish(member, time_ms, number, &statement);
    }

    pub(super) fn withdraw(&mut self, member: usize, time_ms: u64, kind: &str, id: EntryId) {
        let number = KindSet::builtin().kind_named(kind).expect("a kind").number();
        self.publish(member, time_ms, number, &Statement::withdraw([1; 16], KIND_SET_VERSION, id, None));
    }

    pub(super) fn confirm(&mut self, member: usize, time_ms: u64, kind: &str, id: EntryId) {
        self.revise(member, time_ms, kind, id, &[]);
    }

    /// A demand, which is information of a county.
    pub(super) fn demand(&mut self, member: usize, time_ms: u64) -> EntryId {
        self.create(member, time_ms, "demand", &[("category", "冷链"), ("name", "冷库")])
    }

    pub(super) fn bulletin(&mut self, member: usize, time_ms: u64, week: &str, more: &[(&str, &str)]) -> EntryId {
        let cells = [&[("week", week), ("headline", "本周发布")], more].concat();
        self.create(member, time_ms, "bulletin", &cells)
    }

    pub(super) fn receipt(&mut self, member: usize, time_ms: u64, subject: &str, period: &str) -> EntryId {
        let cells = [("subject", subject), ("obligation", "YW001"), ("period", period)];
        self.create(member, time_ms, "duty_receipt", &[&cells[..], &[("met", "是"), ("no_change", "是")]].concat())
    }

    /// A peer that holds all of it.
    pub(super) fn peer(&self) -> Peer {
        let mut peer = Peer::new(&self.charter, self.charter.blocks().len());
        self.logs.values().flatten().for_each(|entry| _ = peer.insert(entry));
        peer
    }

    pub(super) fn ledger(&self) -> Ledger {
        full(&self.peer())
    }

    pub(super) fn ask(&self, rule: &str, as_of_ms: u64) -> Vec<Holding<'static>> {
        let question = Question { as_of_ms, member: None, rule: Some(rule) };
        judge(&self.charter, &self.ledger(), Rules::builtin(), &question)
    }

    /// How the only one who owes a duty stands with it.
    #[track_caller]
    pub(super) fn one(&self, rule: &str, as_of_ms: u64) -> Holding<'static> {
        let mut holdings = self.ask(rule, as_of_ms);
        assert_eq!(holdings.len(), 1, "{holdings:?}");
        holdings.remove(0)
    }

    #[track_caller]
    pub(super) fn state(&self, rule: &str, as_of_ms: u64) -> State {
        self.one(rule, as_of_ms).state
    }
}

fn fields(kind: &str, cells: &[(&str, &str)]) -> BTreeMap<u16, Value> {
    let kind = KindSet::builtin().kind_named(kind).expect("a kind");
    let parse = |(name, text): &(&str, &str)| {
        let field = kind.field_named(name).unwrap_or_else(|| panic!("{name} of {}", kind.name()));
        Some((field.number, field.parse(text).unwrap_or_else(|broken| panic!("{name}: {broken}"))?))
    };
    cells.iter().filter_map(parse).collect()
}

pub(super) fn sources(peer: &Peer) -> Sources<'_> {
    Sources {
        charter: peer.replica.charter(),
        times: &peer.replica,
        view: peer.view(),
        bodies: peer,
        kinds: KindSet::builtin(),
        readable: &|version, _| version == KIND_SET_VERSION,
    }
}

/// A look at everything.
pub(super) fn full(peer: &Peer) -> Ledger {
    Ledger::build(&sources(peer), Rules::builtin())
}

/// Brings a ledger up to date with what was touched.
pub(super) fn follow(peer: &mut Peer, ledger: &mut Ledger) {
    let touched = peer.take_touched();
    if touched.everything {
        *ledger = full(peer);
        return;
    }
    for id in touched.records {
        ledger.put(id, Deeds::of(&sources(peer), Rules::builtin(), &id));
    }
}
