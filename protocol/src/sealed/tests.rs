//! Sealing, opening, and everything that must not open.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;

use super::envelope::{self, SeededRandom};
use super::layout::Wrap;
use super::*;
use crate::bytes::{LayoutError, Reader};
use crate::identity::{ContentHash, EntryId, public_key};
use crate::limits::{BODY_BYTES_MAX, CLASS_KEY_WRAPS_MAX, SEALED_BYTES_MAX};
use crate::statement::FIELD_SEALED;
use crate::value::Value;

const FEDERATION: FederationId = FederationId([9; 32]);
const AUTHOR: MemberNumber = MemberNumber(3);
const READER: MemberNumber = MemberNumber(7);
const STRANGER: MemberNumber = MemberNumber(8);
const KIND: u16 = 104;

fn key(member: MemberNumber) -> SigningKey {
    SigningKey::from_bytes(&[member.0 as u8; 32])
}

fn recipient(member: MemberNumber) -> Recipient {
    Recipient::Member { member, key: public_key(&key(member)) }
}

fn revision(record: u8, nonce: u8) -> Statement {
    Statement::revise([nonce; 16], 1, EntryId([record; 32]), BTreeMap::new(), BTreeSet::new())
}

fn context() -> Context {
    Context::of(&FEDERATION, AUTHOR, KIND, &revision(5, 1))
}

fn fields(text: &str) -> BTreeMap<u16, Value> {
    BTreeMap::from([(8, Value::Text(text.into())), (9, Value::Boolean(true))])
}

fn parties() -> Readers {
    Readers::Parties(vec![AUTHOR, READER])
}

fn sealed_for(readers: Readers, recipients: &[Recipient], fields: &BTreeMap<u16, Value>) -> Result<Vec<u8>, SealError> {
    seal(&SealRequest { context: context(), readers, recipients, fields }, &[1; 32])
}

fn party_document(text: &str) -> Vec<u8> {
    sealed_for(parties(), &[recipient(READER), recipient(AUTHOR)], &fields(text)).expect("both have keys")
}

fn open(bytes: &[u8], context: &Context, member: MemberNumber) -> Result<BTreeMap<u16, Value>, OpenError> {
    let sealed = Sealed::decode(bytes).map_err(OpenError::Malformed)?;
    sealed.open(context, &[OwnKey::Member { member, key: &key(member) }])
}

#[test]
fn both_parties_read_the_same_and_a_third_reads_nothing() {
    let bytes = party_document("底价三千万元");
    assert_eq!(open(&bytes, &context(), AUTHOR), Ok(fields("底价三千万元")));
    assert_eq!(open(&bytes, &context(), READER), Ok(fields("底价三千万元")));
    assert_eq!(open(&bytes, &context(), STRANGER), Err(OpenError::NotAReader));
    let sealed = Sealed::decode(&bytes).expect("it was just sealed");
    let posing = OwnKey::Member { member: READER, key: &key(STRANGER) };
    assert_eq!(sealed.open(&context(), &[posing]), Err(OpenError::NotAReader));
    assert!(!sealed.is_for(&[posing]));
    assert!(!bytes.windows(6).any(|window| window == "底价".as_bytes()));
    assert_eq!((sealed.readers(), sealed.encode()), (&parties(), bytes));
}

#[test]
fn a_statement_carries_a_sealed_value() {
    let mut statement = revision(5, 1);
    statement.fields.insert(FIELD_SEALED, Value::Sealed(party_document("底价")));
    let body = statement.encode().expect("the statement keeps every rule");
    let read = Statement::decode(&body).expect("it was just written");
    let Some(Value::Sealed(bytes)) = read.fields.get(&FIELD_SEALED) else { panic!("a sealed value") };
    assert_eq!(open(bytes, &Context::of(&FEDERATION, AUTHOR, KIND, &read), READER), Ok(fields("底价")));
}

#[test]
fn nothing_opens_in_another_place() {
    let bytes = party_document("底价");
    let create = Statement::create([1; 16], 1, None, BTreeMap::new());
    let places = [
        Context::of(&FederationId([8; 32]), AUTHOR, KIND, &revision(5, 1)),
        Context::of(&FEDERATION, MemberNumber(4), KIND, &revision(5, 1)),
        Context::of(&FEDERATION, AUTHOR, KIND + 1, &revision(5, 1)),
        Context::of(&FEDERATION, AUTHOR, KIND, &revision(6, 1)),
        Context::of(&FEDERATION, AUTHOR, KIND, &revision(5, 2)),
        Context::of(&FEDERATION, AUTHOR, KIND, &create),
    ];
    for place in places {
        assert_eq!(open(&bytes, &place, READER), Err(OpenError::Tampered), "{place:?}");
    }
}

#[test]
fn one_changed_bit_anywhere_is_seen_by_every_reader() {
    let bytes = party_document("底价");
    let mut random = fastrand::Rng::with_seed(1);
    let head = (0..bytes.len()).step_by(7).map(|index| (index, random.u8(..8))).collect::<Vec<_>>();
    for (index, bit) in head {
        let mut changed = bytes.clone();
        changed[index] ^= 1 << bit;
        for member in [AUTHOR, READER] {
            assert!(open(&changed, &context(), member).is_err(), "bit {bit} of byte {index}, member {member}");
        }
    }
}

/// A document put together by hand: what one author claims to have said to everybody, what it says in truth, and the
/// secrets that it gives to its two readers.
fn forged(claimed: &str, told: &str, secrets: [&ExchangeSecret; 2]) -> Vec<u8> {
    let mut random = SeededRandom::new(&[2; 32], &[]);
    let honest = Sealed::decode(&party_document(claimed)).expect("it was just sealed");
    let document_key = secrets[0].public();
    let head = layout::head(&parties(), &document_key, &honest.commitment);
    let wrap = |(recipient, secret): (Recipient, &ExchangeSecret)| {
        let Recipient::Member { key, .. } = recipient else { panic!("a member") };
        let exchange_key = encryption_public(&key).expect("a good key");
        let bound = document::bound_to(&head, &recipient);
        let info = context().bound(document::WRAP_DOMAIN);
        let secret = envelope::wrap_secret(&exchange_key, &info, &bound, secret, &mut random).expect("a good key");
        Wrap { recipient, secret }
    };
    let wraps: Vec<_> = [recipient(AUTHOR), recipient(READER)].into_iter().zip(secrets).map(wrap).collect();
    let mut content = Vec::new();
    crate::statement::put_fields(&mut content, &fields(told));
    let (plaintext, info) = (padding::pad(&[4; 32], &content), context().bound(document::CONTENT_DOMAIN));
    let bound = layout::before_content(head, &wraps);
    let content = envelope::seal_to(&document_key, &info, &bound, &plaintext, &mut random).expect("a good key");
    Sealed { readers: parties(), document_key, commitment: honest.commitment, wraps, content }.encode()
}

#[test]
fn two_readers_cannot_be_shown_two_texts() {
    let (one, other) = (ExchangeSecret::derive(&[5; 32]), ExchangeSecret::derive(&[6; 32]));
    // Every part decrypts, but to another text than the commitment in clear.
    let bytes = forged("底价三千万元", "底价五千万元", [&one, &one]);
    for member in [AUTHOR, READER] {
        assert_eq!(open(&bytes, &context(), member), Err(OpenError::CommitmentDiffers));
    }
    // The second reader is led to another secret, as it would have to be to decrypt the content to another text.
    let bytes = forged("底价三千万元", "底价五千万元", [&one, &other]);
    assert_eq!(open(&bytes, &context(), AUTHOR), Err(OpenError::CommitmentDiffers));
    assert_eq!(open(&bytes, &context(), READER), Err(OpenError::Tampered));
}

#[test]
fn texts_of_similar_length_look_alike() {
    let length = |count: usize| party_document(&"亩".repeat(count)).len();
    assert_eq!(length(1), length(60));
    assert_ne!(length(1), length(200));
    assert_eq!(length(1_010), length(1_040));
}

#[test]
fn an_author_cannot_seal_what_nobody_opens() {
    let good = fields("底价");
    let both = [recipient(AUTHOR), recipient(READER)];
    assert_eq!(sealed_for(parties(), &[], &good), Err(SealError::NoRecipient));
    let missing = sealed_for(parties(), &both[..1], &good);
    assert_eq!(missing, Err(SealError::PartyWithoutKey { member: READER }));
    let third = [both[0], both[1], recipient(STRANGER)];
    assert_eq!(sealed_for(parties(), &third, &good), Err(SealError::NotAReader { recipient: third[2] }));
    assert_eq!(sealed_for(parties(), &both, &BTreeMap::new()), Err(SealError::Fields));
    let nested = BTreeMap::from([(FIELD_SEALED, Value::Sealed(vec![1]))]);
    assert_eq!(sealed_for(parties(), &both, &nested), Err(SealError::Fields));
    assert!(matches!(sealed_for(parties(), &both, &fields("")), Err(SealError::Layout(_))));
    let descending = sealed_for(Readers::Parties(vec![READER, AUTHOR]), &both, &good);
    assert!(matches!(descending, Err(SealError::Layout(LayoutError::Rule { field: "party", .. }))));
    let weak = Recipient::Member { member: READER, key: PublicKey::ZERO };
    let refused = sealed_for(Readers::Organ(Role::Council), &[weak], &good);
    assert_eq!(refused, Err(SealError::Key { recipient: weak, source: Some(KeyError::SmallOrder) }));
    let weak = Recipient::ClassKey { version: 1, key: ExchangeKey([0; 32]) };
    let refused = sealed_for(Readers::Class(Class::County), &[weak], &good);
    assert_eq!(refused, Err(SealError::Key { recipient: weak, source: None }));
    assert!(matches!(sealed_for(Readers::Organ(Role::Council), &[weak], &good), Err(SealError::NotAReader { .. })));
}

#[test]
fn the_longest_value_fits_a_statement_and_a_longer_one_is_refused() {
    let members: Vec<_> = (1..=200).map(MemberNumber).collect();
    let recipients: Vec<_> = members.iter().copied().map(recipient).collect();
    let of = |count: usize| sealed_for(Readers::Organ(Role::Registrar), &recipients, &fields(&"长".repeat(count)));
    let bytes = of(12_000).expect("within the bound");
    assert!(bytes.len() <= SEALED_BYTES_MAX && SEALED_BYTES_MAX < BODY_BYTES_MAX);
    assert_eq!(open(&bytes, &context(), MemberNumber(200)).map(|fields| fields.len()), Ok(2));
    assert!(matches!(of(15_000), Err(SealError::TooLong { .. })));
    assert!(matches!(of(50_000), Err(SealError::TooLong { .. })));
}

#[test]
fn after_a_key_change_the_author_learns_that_it_must_seal_again() {
    let sealed = Sealed::decode(&party_document("底价")).expect("it was just sealed");
    assert_eq!(sealed.recipients().collect::<Vec<_>>(), [recipient(AUTHOR), recipient(READER)]);
    assert!(!sealed.needs_rewrap(&[recipient(READER), recipient(AUTHOR)]));
    assert!(!sealed.needs_rewrap(&[recipient(READER)]), "a key that serves no more is no reason");
    let changed = Recipient::Member { member: READER, key: public_key(&key(STRANGER)) };
    assert!(sealed.needs_rewrap(&[recipient(AUTHOR), changed]));
    // Whoever keeps the old key beside the new one still reads what was sealed before.
    let keys = [key(STRANGER), key(READER)];
    let own = keys.each_ref().map(|key| OwnKey::Member { member: READER, key });
    assert_eq!(sealed.open(&context(), &own), Ok(fields("底价")));
}

#[test]
fn a_class_key_opens_for_its_holders_and_opens_documents_of_its_class() {
    let class_key = ClassKey::new(Class::County, 2, &[3; 32]);
    let holders = [READER, AUTHOR].map(|member| (member, public_key(&key(member))));
    let wrapped = class_key.wrap(&FEDERATION, &holders, &[4; 32]).expect("good keys");
    let mut bytes = Vec::new();
    wrapped.encode(&mut bytes);
    let mut reader = Reader::new(&bytes);
    assert_eq!(WrappedClassKey::read(&mut reader), Ok(wrapped.clone()));
    assert_eq!(reader.finish(), Ok(()));

    assert_eq!(wrapped.open(&FEDERATION, READER, &key(READER)), Ok(class_key.clone()));
    assert_eq!(wrapped.open(&FEDERATION, STRANGER, &key(STRANGER)), Err(OpenError::NotAReader));
    assert_eq!(wrapped.open(&FederationId([8; 32]), READER, &key(READER)), Err(OpenError::Tampered));
    let renumbered = WrappedClassKey { version: 3, ..wrapped.clone() };
    assert_eq!(renumbered.open(&FEDERATION, READER, &key(READER)), Err(OpenError::Tampered));
    let another = WrappedClassKey { public: ExchangeSecret::derive(&[8; 32]).public(), ..wrapped.clone() };
    assert_eq!(another.open(&FEDERATION, READER, &key(READER)), Err(OpenError::Tampered));

    let readers = Readers::Class(Class::County);
    let bytes = sealed_for(readers, &[wrapped.recipient()], &fields("县域内部")).expect("a good key");
    let sealed = Sealed::decode(&bytes).expect("it was just sealed");
    assert_eq!(sealed.open(&context(), &[OwnKey::Class(&class_key)]), Ok(fields("县域内部")));
    let of_another_class = ClassKey::new(Class::Fund, 2, &[3; 32]);
    assert_eq!(sealed.open(&context(), &[OwnKey::Class(&of_another_class)]), Err(OpenError::NotAReader));
    assert_eq!(open(&bytes, &context(), READER), Err(OpenError::NotAReader));
}

#[test]
fn a_class_key_for_as_many_holders_as_one_operation_takes_fits_a_body() {
    let class_key = ClassKey::new(Class::County, 1, &[3; 32]);
    let key = public_key(&key(READER));
    let holders = |count: usize| (1..=count as u32).map(|number| (MemberNumber(number), key)).collect::<Vec<_>>();
    let mut bytes = Vec::new();
    let wrapped = class_key.wrap(&FEDERATION, &holders(CLASS_KEY_WRAPS_MAX), &[4; 32]).expect("good keys");
    wrapped.encode(&mut bytes);
    assert!(bytes.len() < BODY_BYTES_MAX - 1_024, "{}", bytes.len());
    let refused = class_key.wrap(&FEDERATION, &holders(CLASS_KEY_WRAPS_MAX + 1), &[4; 32]);
    assert!(matches!(refused, Err(SealError::TooManyRecipients { .. })));
    assert_eq!(class_key.wrap(&FEDERATION, &[], &[4; 32]), Err(SealError::NoRecipient));
}

#[test]
fn hostile_bytes_never_panic_and_no_value_has_two_byte_sequences() {
    let good = party_document("底价");
    let class_key = ClassKey::new(Class::County, 1, &[3; 32]);
    let holders = [READER, AUTHOR].map(|member| (member, public_key(&key(member))));
    let mut wrapped = Vec::new();
    class_key.wrap(&FEDERATION, &holders, &[4; 32]).expect("good keys").encode(&mut wrapped);
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..20_000 {
        let mut bytes = if random.bool() { good.clone() } else { wrapped.clone() };
        for _ in 0..random.usize(1..4) {
            let index = random.usize(..bytes.len().min(200));
            bytes[index] = if random.bool() { random.u8(..) } else { random.u8(..4) };
        }
        if random.bool() {
            bytes.truncate(random.usize(..=bytes.len()));
        }
        if let Ok(sealed) = Sealed::decode(&bytes) {
            assert_eq!(sealed.encode(), bytes);
        }
        let mut reader = Reader::new(&bytes);
        if let Ok(wrapped) = WrappedClassKey::read(&mut reader) {
            let mut again = Vec::new();
            wrapped.encode(&mut again);
            assert_eq!(again, bytes[..bytes.len() - reader.remaining()]);
        }
    }
    for length in 0..good.len() {
        assert!(Sealed::decode(&good[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn the_same_seed_makes_the_same_bytes_on_every_machine() {
    let hash = ContentHash::of(&party_document("底价三千万元"));
    assert_eq!(hash.to_string(), "18d75d293a1dc16bfb736c64e348195205a2e4cc21d27d7caff489a3933f86df");
    let changed = ContentHash::of(&party_document("底价五千万元"));
    let (one, other) = (party_document("底价三千万元"), party_document("底价五千万元"));
    assert_ne!(hash, changed);
    let keys = [one, other].map(|bytes| Sealed::decode(&bytes).expect("it was just sealed").document_key);
    assert_ne!(keys[0], keys[1], "a seed used twice does not repeat a key");
}
