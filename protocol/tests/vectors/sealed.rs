//! Confidential documents, opened with the encryption key of a member or with a class key that it holds.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use protocol::bytes::Reader;
use protocol::charter::{Class, Role};
use protocol::identity::{EntryId, FederationId, MemberNumber, PublicKey, public_key};
use protocol::sealed::{
    ClassKey, Context, OpenError, OwnKey, Readers, Recipient, SealRequest, Sealed, WrappedClassKey, seal,
};
use protocol::statement::Statement;
use protocol::value::Value as FieldValue;
use serde_json::{Value, json};

use crate::case::{self, File, Judged, Vector, array, bad, bytes, good, with};
use crate::values;

const FEDERATION: FederationId = FederationId([9; 32]);
const AUTHOR: MemberNumber = MemberNumber(3);
const READER: MemberNumber = MemberNumber(7);
const KIND: u16 = 104;

fn key(member: MemberNumber) -> SigningKey {
    SigningKey::from_bytes(&[member.0 as u8; 32])
}

fn number(vector: &Value, member: &str) -> u32 {
    vector[member].as_u64().and_then(|number| u32::try_from(number).ok()).expect("a number of 32 bits")
}

fn judge(vector: &Value) -> Judged {
    match judged(vector) {
        Ok(decoded) => ("ok".into(), Some(decoded)),
        Err(OpenError::NotAReader) => ("sealed/not-a-reader".into(), None),
        Err(OpenError::Tampered) => ("sealed/tampered".into(), None),
        Err(OpenError::CommitmentDiffers) => ("sealed/commitment".into(), None),
        Err(OpenError::Malformed(error)) => (case::layout(&error), None),
    }
}

fn judged(vector: &Value) -> Result<Value, OpenError> {
    let federation = FederationId(array(vector, "federation"));
    let member = MemberNumber(number(vector, "member"));
    let key = SigningKey::from_bytes(&array(vector, "key"));
    let sealed = Sealed::decode(&bytes(vector, "input")).map_err(OpenError::Malformed)?;
    let record = EntryId(array(vector, "record"));
    let nonce = array(vector, "nonce");
    let statement = match record {
        EntryId::ZERO => Statement::create(nonce, 1, None, BTreeMap::new()),
        record => Statement::revise(nonce, 1, record, BTreeMap::new(), BTreeSet::new()),
    };
    let author = MemberNumber(number(vector, "author"));
    let context = Context::of(&federation, author, number(vector, "kind") as u16, &statement);
    let fields = if vector.get("class_key").is_some() {
        let wrapped = bytes(vector, "class_key");
        let mut reader = Reader::new(&wrapped);
        let class_key = WrappedClassKey::read(&mut reader).map_err(OpenError::Malformed)?;
        reader.finish().map_err(OpenError::Malformed)?;
        sealed.open(&context, &[OwnKey::Class(&class_key.open(&federation, member, &key)?)])?
    } else {
        sealed.open(&context, &[OwnKey::Member { member, key: &key }])?
    };
    let fields = fields.iter().map(
        |(number, value)| json!({ "number": number, "type": value.value_type(), "value": values::decoded(value) }),
    );
    let recipients: Vec<_> = sealed.recipients().map(|recipient| shown(&recipient)).collect();
    Ok(json!({
        "readers": shown_readers(sealed.readers()), "recipients": recipients, "fields": fields.collect::<Vec<_>>(),
    }))
}

fn shown(recipient: &Recipient) -> Value {
    match recipient {
        Recipient::Member { member, key } => json!({ "member": member, "key": key.to_string() }),
        Recipient::ClassKey { version, key } => json!({ "version": version, "key": hex::encode(key.as_bytes()) }),
    }
}

fn shown_readers(readers: &Readers) -> Value {
    match readers {
        Readers::Class(class) => json!({ "class": *class as u8 }),
        Readers::Organ(role) => json!({ "organ": *role as u8 }),
        Readers::Parties(members) => json!({ "parties": members }),
    }
}

fn statement(record: bool) -> Statement {
    let create = Statement::create([1; 16], 1, None, BTreeMap::new());
    Statement { record: record.then_some(EntryId([5; 32])), ..create }
}

fn recipient(member: MemberNumber) -> Recipient {
    Recipient::Member { member, key: public_key(&key(member)) }
}

fn document(readers: Readers, recipients: &[Recipient], record: bool) -> Vec<u8> {
    let fields = BTreeMap::from([(8, FieldValue::Text("底价三千万元".into())), (9, FieldValue::Boolean(true))]);
    let context = Context::of(&FEDERATION, AUTHOR, KIND, &statement(record));
    seal(&SealRequest { context, readers, recipients, fields: &fields }, &[1; 32]).expect("good keys")
}

fn given(input: &[u8], member: MemberNumber, record: bool) -> Value {
    let record = statement(record).record.unwrap_or(EntryId::ZERO);
    json!({
        "input": hex::encode(input), "federation": FEDERATION.to_string(), "author": AUTHOR, "kind": KIND,
        "record": record.to_string(), "nonce": hex::encode([1; 16]), "member": member,
        "key": hex::encode(key(member).to_bytes()),
    })
}

fn changed(mut vector: Value, member: &str, value: impl Into<Value>) -> Value {
    vector[member] = value.into();
    vector
}

fn class_vectors() -> Vec<Vector> {
    let class_key = ClassKey::new(Class::County, 2, &[3; 32]);
    let holders: Vec<(MemberNumber, PublicKey)> = [AUTHOR, READER].map(|it| (it, public_key(&key(it)))).into();
    let mut wrapped = Vec::new();
    class_key.wrap(&FEDERATION, &holders, &[4; 32]).expect("good keys").encode(&mut wrapped);
    let bytes = document(Readers::Class(Class::County), &[class_key.recipient()], true);
    let with_key = |member, wrapped: &[u8]| changed(given(&bytes, member, true), "class_key", hex::encode(wrapped));
    let not_a_holder = with_key(MemberNumber(8), &wrapped);
    let (renumbered, another_class) = (with(&wrapped, 1, &[3]), with(&wrapped, 0, &[2]));
    vec![
        good("for a class", with_key(READER, &wrapped)),
        bad("for a class, by a stranger", not_a_holder, "sealed/not-a-reader", "the class key is not wrapped to it"),
        bad("class key renumbered", with_key(READER, &renumbered), "sealed/tampered", "the version is bound"),
        bad("class key of another class", with_key(READER, &another_class), "sealed/tampered", "the class is bound"),
        bad("for a class, cut key", with_key(READER, &wrapped[..160]), "layout/short/class-key-holder", "it ends"),
    ]
}

/// Confidential documents.
pub fn file() -> File {
    let parties = Readers::Parties(vec![AUTHOR, READER]);
    let bytes = document(parties.clone(), &[recipient(AUTHOR), recipient(READER)], true);
    let created = document(parties, &[recipient(AUTHOR), recipient(READER)], false);
    let organ = document(Readers::Organ(Role::Council), &[recipient(READER)], true);
    let here = given(&bytes, READER, true);
    // Layout, suite, readers with two parties, document key, commitment; then the count of wraps.
    let wraps = 2 + 1 + 2 + 8 + 32 + 32;
    let other_reader = changed(here.clone(), "key", hex::encode(key(MemberNumber(8)).to_bytes()));
    let elsewhere = |member, value: Value| changed(here.clone(), member, value);
    let damaged = |index: usize, byte: u8| given(&with(&bytes, index, &[byte]), READER, true);
    let flipped = |index: usize| damaged(index, bytes[index] ^ 1);
    let mut vectors = vec![
        good("for parties, by the reader", here.clone()),
        good("for parties, by the author", given(&bytes, AUTHOR, true)),
        good("in a create", given(&created, READER, false)),
        good("for an organ", given(&organ, READER, true)),
        bad("by a stranger", other_reader, "sealed/not-a-reader", "it is wrapped to no such key"),
        bad("of another author", elsewhere("author", 4.into()), "sealed/tampered", "the author is bound"),
        bad("of another kind", elsewhere("kind", 105.into()), "sealed/tampered", "the kind is bound"),
        bad("of another record", elsewhere("record", "06".repeat(32).into()), "sealed/tampered", "the record is bound"),
        bad("of another statement", elsewhere("nonce", "02".repeat(16).into()), "sealed/tampered", "so is the nonce"),
        bad("of another federation", elsewhere("federation", "08".repeat(32).into()), "sealed/tampered", "bound too"),
        bad("document key changed", flipped(wraps - 64), "sealed/tampered", "wraps are bound to the document key"),
        bad("commitment changed", flipped(wraps - 1), "sealed/tampered", "wraps are bound to the commitment"),
        bad("wrap of the other changed", flipped(wraps + 2 + 60), "sealed/tampered", "the content is bound to all"),
        bad("content changed", flipped(bytes.len() - 1), "sealed/tampered", "the content is authenticated"),
        bad("another layout", damaged(0, 2), "layout/rule/sealed-layout", "the layout is 1"),
        bad("another suite", damaged(1, 2), "layout/rule/sealed-suite", "the suite is 1"),
        bad("undefined readers", damaged(2, 4), "layout/rule/readers", "a class, an organ or parties"),
        bad("party twice", damaged(9, 3), "layout/rule/party", "parties are strictly ascending"),
        bad("wrap for nobody named", damaged(9, 8), "layout/rule/wrap-recipient", "wraps are for the parties"),
        bad("no wrap", damaged(wraps, 0), "layout/rule/wraps", "there is a wrap"),
        bad("too many wraps", damaged(wraps + 1, 2), "layout/bound/wraps", "at most 256 wraps"),
        bad("cut", given(&bytes[..bytes.len() - 1], READER, true), "layout/rule/content", "it has a padded length"),
    ];
    vectors.extend(class_vectors());
    let about = "Confidential documents. `key` is the seed (RFC 8032) of the member's encryption key in Edwards form; \
                 where a wrapped class key is given, the member opens that first. SPEC.md, section 17.";
    File { name: "sealed", about, judge, vectors }
}
