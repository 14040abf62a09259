//! Confidential records at a node: for whom a record is sealed, and what this node's keys open (DESIGN 6.5).
//!
//! * [`Audience`] is what an author says: everybody, some readers, or nobody but this node.
//! * [`recipients`] turns readers into the keys of the charter that a value is wrapped to.
//! * [`Access`] holds this node's encryption keys and the class keys that they open; [`Access::see`] opens a record as
//!   far as they reach. What does not open is shown as closed, with the reason, never guessed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use parking_lot::Mutex;
use protocol::charter::{Charter, Class, Purpose, Role, Standing};
use protocol::identity::{FederationId, MemberNumber, PublicKey, public_key};
use protocol::kind::{Kind, KindReaders};
use protocol::limits::{SEALED_PARTIES_MAX, SEALED_WRAPS_MAX};
use protocol::sealed::{ClassKey, Context, OpenError, OwnKey, Readers, Recipient, Sealed, WrappedClassKey};
use protocol::statement::{FIELD_REASON, FIELD_SEALED};
use protocol::value::Value;
use protocol::view::RecordState;

use crate::records::error::RecordError;

/// For whom a record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Everybody in the federation: nothing is sealed.
    All,
    /// These readers.
    Sealed(Readers),
    /// This node alone: nothing is published.
    Local,
}

impl Audience {
    /// What the kind file says of a record by `author`.
    pub fn of_kind(kind: &Kind, author: MemberNumber) -> Self {
        match kind.readers() {
            KindReaders::All => Self::All,
            KindReaders::Local => Self::Local,
            KindReaders::Class(class) => Self::Sealed(Readers::Class(class)),
            KindReaders::Role(role) => Self::Sealed(Readers::Organ(role)),
            KindReaders::Parties => Self::Sealed(Readers::Parties(vec![author])),
        }
    }

    /// Reads `all`, `local`, `class:NAME`, `role:NAME` or `members:NUMBER,...`, in English or Chinese.
    ///
    /// `author` is made one of the members: who wrote a document wants to read it later.
    pub fn parse(text: &str, author: MemberNumber) -> Result<Self, RecordError> {
        let unreadable = || RecordError::Readers { given: text.to_owned() };
        let narrow = text.trim().replace('：', ":").replace(['，', '、'], ",");
        let (sort, names) = narrow.split_once(':').unwrap_or((narrow.as_str(), ""));
        let names = names.trim();
        match sort.trim() {
            "all" | "全体" | "公开" if names.is_empty() => Ok(Self::All),
            "local" | "本地" if names.is_empty() => Ok(Self::Local),
            "class" | "类别" => {
                Class::from_name(names).map(|class| Self::Sealed(Readers::Class(class))).ok_or_else(unreadable)
            }
            "role" | "角色" => {
                Role::from_name(names).map(|role| Self::Sealed(Readers::Organ(role))).ok_or_else(unreadable)
            }
            "members" | "成员" => {
                let numbers = names.split(',').map(|number| number.trim().parse().map(MemberNumber));
                let mut members: BTreeSet<_> = numbers.collect::<Result<_, _>>().map_err(|_| unreadable())?;
                members.insert(author);
                if members.len() > SEALED_PARTIES_MAX {
                    return Err(RecordError::ReadersTooMany { found: members.len(), bound: SEALED_PARTIES_MAX });
                }
                Ok(Self::Sealed(Readers::Parties(members.into_iter().collect())))
            }
            _ => Err(unreadable()),
        }
    }
}

/// Readers as interfaces write them: what [`Audience::parse`] reads.
pub fn readers_text(readers: &Readers) -> String {
    match readers {
        Readers::Class(class) => format!("class:{}", class.name()),
        Readers::Organ(role) => format!("role:{}", role.name()),
        Readers::Parties(members) => format!("members:{}", numbers(members)),
    }
}

/// Readers in Chinese.
pub fn readers_zh(readers: &Readers) -> String {
    match readers {
        Readers::Class(class) => format!("{}类成员", class.zh()),
        Readers::Organ(role) => format!("{}所在成员", role.zh()),
        Readers::Parties(members) => format!("成员 {}", numbers(members)),
    }
}

fn numbers(members: &[MemberNumber]) -> String {
    members.iter().map(|member| member.0.to_string()).collect::<Vec<_>>().join(",")
}

/// The keys that a document of `author` for these readers is wrapped to, the author's own always among them.
///
/// A class is one recipient while its class key is wrapped for the present keys of all its active members and for no
/// others; else every member of the class is a recipient of its own.
pub fn recipients(
    charter: &Charter,
    readers: &Readers,
    author: MemberNumber,
    now_ms: u64,
) -> Result<Vec<Recipient>, RecordError> {
    let mut members: BTreeSet<MemberNumber> = BTreeSet::new();
    let mut found = Vec::new();
    match readers {
        Readers::Class(class) => match class_key_in_force(charter, *class) {
            Some(key) => found.push(key.recipient()),
            None => members.extend(holders(charter, *class).map(|(member, _)| member)),
        },
        Readers::Organ(role) => {
            let seats = charter.seats().iter().filter(|seat| seat.grant.role == *role && seat.is_filled(now_ms));
            members.extend(
                seats.map(|seat| seat.grant.member).filter(|member| encryption_key(charter, *member).is_some()),
            );
            if members.is_empty() {
                return Err(RecordError::ReadersNobody { readers: readers_zh(readers) });
            }
        }
        Readers::Parties(parties) => members.extend(parties),
    }
    members.insert(author);
    for member in members {
        let key = encryption_key(charter, member).ok_or(RecordError::ReaderWithoutKey { member })?;
        found.push(Recipient::Member { member, key });
    }
    if found.len() > SEALED_WRAPS_MAX {
        return Err(match readers {
            Readers::Class(class) => RecordError::ClassKeyNeeded { class: *class },
            _ => RecordError::ReadersTooMany { found: found.len(), bound: SEALED_WRAPS_MAX },
        });
    }
    Ok(found)
}

/// The readers without those who can read nothing any more, so that a document can be sealed anew for the others.
pub fn present(charter: &Charter, readers: &Readers) -> Readers {
    match readers {
        Readers::Parties(members) => {
            let stays = |member: &&MemberNumber| encryption_key(charter, **member).is_some();
            Readers::Parties(members.iter().filter(stays).copied().collect())
        }
        other => other.clone(),
    }
}

/// The key that things are sealed to for a member, while it is active.
fn encryption_key(charter: &Charter, member: MemberNumber) -> Option<PublicKey> {
    let member = charter.members().get(&member).filter(|member| member.standing == Standing::Active)?;
    member.key(Purpose::Encryption)
}

/// The active members of a class with their present encryption keys.
pub fn holders(charter: &Charter, class: Class) -> impl Iterator<Item = (MemberNumber, PublicKey)> + '_ {
    let of_class = charter.members().values().filter(move |member| member.class == class);
    of_class.filter_map(|member| Some((member.number, encryption_key(charter, member.number)?)))
}

/// The class key to which documents may be sealed now, if there is one.
pub fn class_key_in_force(charter: &Charter, class: Class) -> Option<&WrappedClassKey> {
    let key = charter.class_keys(class).last()?;
    let wrapped: BTreeSet<_> = key.wraps.iter().map(|wrap| (wrap.member, wrap.key)).collect();
    let wanted: BTreeSet<_> = holders(charter, class).collect();
    // A key that ended may be in a thief's hands: what it opens is no place for new documents.
    (!wanted.is_empty() && wrapped == wanted).then_some(key)
}

/// The encryption keys of a node, and what they open. Empty in a node that has none at hand.
#[derive(Default)]
pub struct Vault {
    keys: Vec<SigningKey>,
    access: Mutex<Option<Arc<Access>>>,
}

impl Vault {
    /// A vault with the key in use and former ones.
    pub fn new(keys: Vec<SigningKey>) -> Self {
        Self { keys, access: Mutex::default() }
    }

    /// What the keys open under this charter. Class keys are opened once for each version of the charter.
    pub fn access(&self, charter: &Charter) -> Arc<Access> {
        let mut held = self.access.lock();
        if let Some(access) = held.as_ref().filter(|access| access.tip == *charter.tip().as_bytes()) {
            return Arc::clone(access);
        }
        let access = Arc::new(Access::new(charter, &self.keys));
        *held = Some(Arc::clone(&access));
        access
    }
}

/// What this node can read of confidential records, under one version of the charter.
pub struct Access {
    federation: FederationId,
    tip: [u8; 32],
    keys: Vec<(MemberNumber, SigningKey)>,
    class_keys: Vec<ClassKey>,
}

/// A record as this node may see it: opened fields stand among the others, and the sealed value is gone.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The record.
    pub state: RecordState,
    /// How its confidential part fared, if it has one.
    pub confidential: Option<Disclosure>,
}

/// How the confidential part of a record fared here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// Who may read it, as its author says; `None` when even that cannot be read.
    pub readers: Option<Readers>,
    /// Why it does not open here.
    pub closed: Option<Closed>,
    /// Numbers of the fields that were sealed, when it opens.
    pub fields: BTreeSet<u16>,
}

/// Why a confidential part does not open here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// This node is none of its readers.
    NotAReader,
    /// It was changed, or copied from elsewhere.
    Tampered,
    /// Its author showed different readers different texts.
    CommitmentDiffers,
    /// It does not have the layout of a confidential part.
    Malformed,
}

impl Closed {
    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAReader => "not-a-reader",
            Self::Tampered => "tampered",
            Self::CommitmentDiffers => "commitment-differs",
            Self::Malformed => "malformed",
        }
    }

    /// In Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::NotAReader => "本节点不在可读范围内",
            Self::Tampered => "密文被改动过，或不属于这条记录",
            Self::CommitmentDiffers => "正文与作者的承诺不一致：作者可能给不同的人看了不同的内容",
            Self::Malformed => "密文格式不对",
        }
    }

    /// In English.
    pub fn en(self) -> &'static str {
        match self {
            Self::NotAReader => "this node is not one of its readers",
            Self::Tampered => "it was changed, or belongs to another record",
            Self::CommitmentDiffers => {
                "the text is not the one its author committed to: readers may be shown different texts"
            }
            Self::Malformed => "it does not have the layout of a confidential part",
        }
    }
}

impl From<OpenError> for Closed {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NotAReader => Self::NotAReader,
            OpenError::Tampered => Self::Tampered,
            OpenError::CommitmentDiffers => Self::CommitmentDiffers,
            OpenError::Malformed(_) => Self::Malformed,
        }
    }
}

impl Access {
    fn new(charter: &Charter, keys: &[SigningKey]) -> Self {
        let federation = charter.federation();
        let own = keys.iter().filter_map(|key| {
            let (member, purpose) = charter.ever_of(&public_key(key))?;
            (purpose == Purpose::Encryption).then(|| (member, key.clone()))
        });
        let keys: Vec<(MemberNumber, SigningKey)> = own.collect();
        let wrapped = Class::ALL.into_iter().flat_map(|class| charter.class_keys(class));
        let open = |wrapped: &WrappedClassKey| {
            keys.iter().find_map(|(member, key)| match wrapped.open(&federation, *member, key) {
                Ok(opened) => Some(opened),
                Err(OpenError::NotAReader) => None,
                Err(error) => {
                    // Nobody but a holder can see that a registrar wrapped something else.
                    tracing::error!(class = wrapped.class.name(), version = wrapped.version, %error, "a class key is wrong");
                    None
                }
            })
        };
        let class_keys = wrapped.filter_map(open).collect();
        Self { federation, tip: *charter.tip().as_bytes(), keys, class_keys }
    }

    /// The class keys that this node holds.
    pub fn class_keys(&self) -> &[ClassKey] {
        &self.class_keys
    }

    /// BLAKE3 over which keys these are: what opens differs only where this does.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for (member, key) in &self.keys {
            hasher.update(&member.0.to_le_bytes());
            hasher.update(public_key(key).as_bytes());
        }
        for key in &self.class_keys {
            hasher.update(key.class().name().as_bytes());
            hasher.update(&key.version().to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    fn own_keys(&self) -> Vec<OwnKey<'_>> {
        let members = self.keys.iter().map(|(member, key)| OwnKey::Member { member: *member, key });
        members.chain(self.class_keys.iter().map(OwnKey::Class)).collect()
    }

    /// Opens a sealed value; its readers as far as they can be read, and the fields or the reason why not.
    pub fn open(
        &self,
        value: &Value,
        context: Option<Context>,
    ) -> (Option<Readers>, Result<BTreeMap<u16, Value>, Closed>) {
        let Value::Sealed(bytes) = value else { return (None, Err(Closed::Malformed)) };
        let Ok(sealed) = Sealed::decode(bytes) else { return (None, Err(Closed::Malformed)) };
        let readers = Some(sealed.readers().clone());
        let Some(context) = context else { return (readers, Err(Closed::Malformed)) };
        (readers, sealed.open(&context, &self.own_keys()).map_err(Closed::from))
    }

    /// A record with its confidential part opened, if it has one and this node may read it.
    pub fn see(&self, mut state: RecordState) -> Seen {
        let Some(value) = state.fields.remove(&FIELD_SEALED) else { return Seen { state, confidential: None } };
        let (readers, opened) = self.open(&value, state.sealed_context(&self.federation));
        let (closed, mut fields) = match opened {
            Ok(fields) => (None, fields),
            Err(closed) => (Some(closed), BTreeMap::new()),
        };
        fields.remove(&FIELD_REASON);
        // No publisher writes a field twice. Where one did, what everybody reads counts, so that its readers and the
        // others never speak of two values.
        fields.retain(|number, _| !state.fields.contains_key(number));
        let numbers = fields.keys().copied().collect();
        state.fields.extend(fields);
        Seen { state, confidential: Some(Disclosure { readers, closed, fields: numbers }) }
    }
}

impl Seen {
    /// Whether a part of the record is closed to this node, so that nothing can be said about the whole.
    pub fn is_closed(&self) -> bool {
        self.confidential.as_ref().is_some_and(|disclosure| disclosure.closed.is_some())
    }
}
