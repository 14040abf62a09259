//! Small organisations with fixed keys and peers in memory, for tests, vectors and benchmarks. Never for a real
//! federation.

mod peer;
mod shelf;

pub use peer::{Peer, sync};
pub use shelf::Shelf;

use std::sync::Arc;

use ed25519_dalek::SigningKey;

use crate::charter::{
    Application, BallotRule, Block, Charter, CharterError, Class, Departure, Operation, Position, Purpose, PurposedKey,
    Seal, SeatGrant, SignedApplication, SignedBlock,
};
use crate::entry::{Header, VerifiedEntry};
use crate::identity::{BlockHash, ContentHash, Domain, EntryId, FederationId, MemberNumber, public_key, sign};

/// When test federations are founded, in milliseconds since 1970 (UTC).
pub const FOUNDED_MS: u64 = 1_764_547_200_000;
/// When their charters expire.
pub const EXPIRES_MS: u64 = FOUNDED_MS + 10 * 365 * 86_400_000;

/// An organisation with its secret keys, all derived from a seed.
#[derive(Debug, Clone)]
pub struct Organisation {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Class,
    /// Signs its entries.
    pub signing: SigningKey,
    /// Its transport key.
    pub transport: SigningKey,
    /// Its encryption key, in its Edwards form.
    pub encryption: SigningKey,
    /// Its governance key.
    pub governance: SigningKey,
}

impl Organisation {
    /// An organisation whose keys follow from `seed`.
    pub fn new(name: &str, class: Class, seed: u32) -> Self {
        let key = |purpose: &str| {
            let text = format!("xianmeng test key {purpose} {seed}");
            SigningKey::from_bytes(blake3::hash(text.as_bytes()).as_bytes())
        };
        Self {
            name: name.to_owned(),
            class,
            signing: key("signing"),
            transport: key("transport"),
            encryption: key("encryption"),
            governance: key("governance"),
        }
    }

    /// A federation with this organisation as its secretariat and only registrar.
    pub fn found(name: &str, seed: u32) -> (Charter, Self) {
        let secretariat = Self::new(name, Class::Secretariat, seed);
        let operations = vec![
            Operation::Rules { name: "测试联盟".into(), threshold: 1, ballots: BallotRule::MoreThanHalf },
            Operation::Admit { member: MemberNumber(1), application: secretariat.application(&FederationId::ZERO) },
            Operation::GrantRole(SeatGrant::registrar(MemberNumber(1), public_key(&secretariat.governance))),
        ];
        let block =
            Block { version: 1, previous: BlockHash::ZERO, time_ms: FOUNDED_MS, expires_ms: EXPIRES_MS, operations };
        let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
        signed.sign(&secretariat.governance, &FederationId::ZERO);
        (Charter::genesis(signed).expect("the genesis block keeps every rule"), secretariat)
    }

    /// Its application, proven by each of its keys.
    pub fn application(&self, federation: &FederationId) -> SignedApplication {
        let keys = [
            (Purpose::Signing, &self.signing),
            (Purpose::Transport, &self.transport),
            (Purpose::Encryption, &self.encryption),
            (Purpose::Governance, &self.governance),
        ];
        let application = Application {
            class: self.class,
            name: self.name.clone(),
            region: String::new(),
            keys: keys.iter().map(|(purpose, key)| PurposedKey { purpose: *purpose, key: public_key(key) }).collect(),
        };
        let content = application.encode();
        let proofs = keys.iter().map(|(_, key)| sign(key, Domain::Possession, federation, &content)).collect();
        SignedApplication { application, proofs }
    }

    /// Signs a block with `operations`, one second after the tip, and appends it.
    pub fn try_append(&self, charter: &mut Charter, operations: Vec<Operation>) -> Result<(), CharterError> {
        let block = charter.next_block(charter.tip_block().time_ms + 1_000, EXPIRES_MS, operations);
        let mut signed = SignedBlock::unsigned(block)?;
        signed.sign(&self.governance, &charter.federation());
        charter.append(signed).map(|_| ())
    }

    /// Admits `other` as registrar.
    pub fn admit(&self, charter: &mut Charter, other: &Self) {
        let application = other.application(&charter.federation());
        let admit = Operation::Admit { member: charter.next_member(), application };
        self.try_append(charter, vec![admit]).expect("the admission keeps every rule");
    }

    /// Expels `other` as registrar; its log counts up to `last`.
    pub fn expel(&self, charter: &mut Charter, other: &Self, last: Option<Position>) {
        let key = public_key(&other.signing);
        let member = charter.log_of(&key).expect("the organisation is a member").member;
        let reason = "不履行义务".into();
        let expel = Operation::Expel(Departure { member, reason, seals: vec![Seal { key, last }] });
        self.try_append(charter, vec![expel]).expect("the expulsion keeps every rule");
    }

    /// Signs an entry after `previous` with a body of this organisation's choice.
    pub fn entry(
        &self,
        charter: &Charter,
        previous: Option<&VerifiedEntry>,
        time_ms: u64,
        kind: u16,
        body: Vec<u8>,
    ) -> Arc<VerifiedEntry> {
        let body: Arc<[u8]> = Arc::from(body);
        let header = Header {
            key: public_key(&self.signing),
            sequence: previous.map_or(0, |entry| entry.header().sequence + 1),
            previous: previous.map_or(EntryId::ZERO, |entry| entry.id()),
            charter: charter.version(),
            time_ms,
            kind,
            body_len: body.len() as u32,
            body_hash: ContentHash::of(&body),
        };
        let entry = VerifiedEntry::sign(&self.signing, &charter.federation(), header, body);
        Arc::new(entry.expect("the header keeps every rule"))
    }
}
