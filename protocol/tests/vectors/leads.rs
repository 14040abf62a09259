//! Duplicate leads: secrets, tokens, and what asker and holder say to each other.

use protocol::identity::{FederationId, MemberNumber};
use protocol::lead_token::{
    CreditCode, Evaluation, EvaluationAnswer, EvaluationRequest, HolderGrant, HolderKey, HolderSlot, LeadNote,
    LeadSecret, LeadToken, Refusal, RefusalReason, TokenError,
};
use serde_json::{Value, json};

use crate::case::{self, File, Judged, array, bad, bytes, good, input, with};

const FEDERATION: FederationId = FederationId([9; 32]);
const CODE: &str = "91999999000010014M";
const EPOCH: u32 = 7;
const AUTHOR: MemberNumber = MemberNumber(3);
/// Where the layout of a token stands.
const LAYOUT_AT: usize = 16;

/// A holder with the key of a seed, proven for a federation.
pub fn holder_grant(federation: &FederationId, slot: HolderSlot, member: u32, seed: u8) -> HolderGrant {
    let (key, member) = (HolderKey::derive(&[seed; 32]), MemberNumber(member));
    let possession = key.possession(federation, member, &[seed; 32]);
    HolderGrant { slot, member, key: key.public(), possession, evaluations_per_day: 200 }
}

fn number(vector: &Value, member: &str) -> u32 {
    vector[member].as_u64().and_then(|number| u32::try_from(number).ok()).expect("a number of 32 bits")
}

fn outputs(federation: &FederationId, epoch: u32, code: &CreditCode, seeds: &[[u8; 32]; 2]) -> [[u8; 64]; 2] {
    HolderSlot::BOTH.map(|slot| {
        let key = HolderKey::derive(&seeds[slot.index()]);
        // Whatever the blind, the output is the same.
        let blinded = code.blind(federation, epoch, slot, &[slot.number(); 32]);
        let evaluation = key.evaluate(&[blinded.message()], &[5; 32]).expect("an element");
        evaluation.finish(&[blinded], &key.public()).expect("the proof holds")[0]
    })
}

fn judge_secret(vector: &Value) -> Judged {
    let federation = FederationId(array(vector, "federation"));
    let seeds = [array(vector, "seed_one"), array(vector, "seed_two")];
    let Ok(code) = CreditCode::parse(vector["code"].as_str().expect("a text")) else {
        return ("lead/code".into(), None);
    };
    let epoch = number(vector, "epoch");
    let outputs = outputs(&federation, epoch, &code, &seeds);
    let holders = seeds.map(|seed| HolderKey::derive(&seed).public().to_string());
    let secret = LeadSecret::derive(&federation, epoch, &outputs).to_bytes();
    let decoded = json!({ "holders": holders, "outputs": outputs.map(hex::encode), "secret": hex::encode(secret) });
    ("ok".into(), Some(decoded))
}

pub fn secrets() -> File {
    let given = |code: &str, epoch: u32| {
        json!({
            "federation": FEDERATION.to_string(), "epoch": epoch, "code": code,
            "seed_one": hex::encode([1; 32]), "seed_two": hex::encode([2; 32]),
        })
    };
    let mut swapped = given(CODE, EPOCH);
    (swapped["seed_one"], swapped["seed_two"]) = (swapped["seed_two"].clone(), swapped["seed_one"].clone());
    let vectors = vec![
        good("a code", given(CODE, EPOCH)),
        good("another epoch", given(CODE, EPOCH + 1)),
        good("another code", given("11999999000000019M", EPOCH)),
        good("the holders in the other slots", swapped),
        bad("no code", given("9199999900001001", EPOCH), "lead/code", "a credit code has 18 characters"),
    ];
    File {
        name: "lead_secrets",
        about: "Secrets of credit codes. A holder's key is DeriveKeyPair of its seed (RFC 9497). SPEC.md, section 21.",
        judge: judge_secret,
        vectors,
    }
}

fn judge_token(vector: &Value) -> Judged {
    let secret = LeadSecret::from_bytes(array(vector, "secret"));
    let token = match LeadToken::decode(&bytes(vector, "input")) {
        Ok(token) => token,
        Err(error) => return (case::layout(&error), None),
    };
    match token.open(&secret, MemberNumber(number(vector, "author"))) {
        None => ("token/other-secret".into(), None),
        Some(Err(TokenError::Tampered)) => ("token/tampered".into(), None),
        Some(Err(TokenError::Note(error))) => (case::layout(&error), None),
        Some(Ok(LeadNote { entered_ms, reference, contact })) => {
            let note = json!({
                "epoch": token.epoch(), "entered_ms": entered_ms, "reference": reference, "contact": contact,
            });
            ("ok".into(), Some(note))
        }
    }
}

pub fn tokens() -> File {
    let secret = LeadSecret::from_bytes([4; 32]);
    let note = |contact: &str| LeadNote { entered_ms: 5, reference: "3-15".into(), contact: contact.into() };
    let sealed = |contact: &str| {
        LeadToken::seal(&secret, EPOCH, AUTHOR, &note(contact), [1; 16]).expect("it keeps every bound").encode()
    };
    let whole = sealed("夏邑县投资促进中心 0370-6212345");
    let given = |bytes: &[u8]| json!({ "input": hex::encode(bytes), "secret": hex::encode([4; 32]), "author": 3 });
    let elsewhere = |member: &str, value: Value| {
        let mut vector = given(&whole);
        vector[member] = value;
        vector
    };
    let flipped = |at: usize| given(&with(&whole, at, &[whole[at] ^ 1]));
    let end = whole.len();
    let vectors = vec![
        good("a token", given(&whole)),
        good("without a contact", given(&sealed(""))),
        bad("of another secret", elsewhere("secret", "05".repeat(32).into()), "token/other-secret", "it does not fit"),
        bad("in another log", elsewhere("author", 4.into()), "token/other-secret", "the author is bound"),
        bad("nonce changed", flipped(0), "token/other-secret", "the nonce is bound"),
        bad("epoch changed", flipped(LAYOUT_AT + 1), "token/tampered", "the epoch is bound to the note"),
        bad("check changed", flipped(LAYOUT_AT + 5), "token/other-secret", "the check is of the secret"),
        bad("note changed", flipped(end - 1), "token/tampered", "the note is authenticated"),
        bad("layout 2", given(&with(&whole, LAYOUT_AT, &[2])), "layout/rule/token-layout", "the layout is 1"),
        bad("cut", given(&whole[..end - 1]), "layout/short/ciphertext", "a token has one length"),
        bad("left over", given(&[&whole[..], &[0]].concat()), "layout/trailing", "a token has one length"),
    ];
    File {
        name: "lead_tokens",
        about: "Bodies of tokens, system kind 6. SPEC.md, section 21.",
        judge: judge_token,
        vectors,
    }
}

fn judge_message(vector: &Value) -> Judged {
    let data = bytes(vector, "input");
    let hexed = |elements: &[[u8; 32]]| elements.iter().map(hex::encode).collect::<Vec<_>>();
    let read = match vector["message"].as_str() {
        Some("request") => EvaluationRequest::decode(&data).map(|request| {
            json!({
                "epoch": request.epoch, "slot": request.slot.number(), "elements": hexed(&request.elements),
            })
        }),
        _ => EvaluationAnswer::decode(&data).map(|answer| match answer.outcome {
            Ok(evaluation) => json!({
                "remaining": answer.remaining, "elements": hexed(&evaluation.elements),
                "proof": hex::encode(evaluation.proof),
            }),
            Err(refusal) => json!({
                "remaining": answer.remaining, "refused": refusal.reason.name(), "again_ms": refusal.again_ms,
            }),
        }),
    };
    match read {
        Ok(decoded) => ("ok".into(), Some(decoded)),
        Err(error) => (case::layout(&error), None),
    }
}

pub fn messages() -> File {
    let request = EvaluationRequest { epoch: EPOCH, slot: HolderSlot::Two, elements: vec![[1; 32], [2; 32]] }.encode();
    let evaluation = Evaluation { elements: vec![[3; 32]], proof: [4; 64] };
    let answer = EvaluationAnswer { remaining: 198, outcome: Ok(evaluation) }.encode();
    let refusal = Refusal { reason: RefusalReason::Quota, again_ms: 1_772_726_400_000 };
    let refusal = EvaluationAnswer { remaining: 0, outcome: Err(refusal) }.encode();
    let given = |message: &str, bytes: &[u8]| {
        let mut vector = input(bytes);
        vector["message"] = message.into();
        vector
    };
    let asks = |bytes: &[u8]| given("request", bytes);
    let answers = |bytes: &[u8]| given("answer", bytes);
    let none = [&request[..6], &[0, 0]].concat();
    let vectors = vec![
        good("two elements, not looked at here", asks(&request)),
        good("an evaluation, not verified here", answers(&answer)),
        good("the quota is used up", answers(&refusal)),
        bad("layout 2", asks(&with(&request, 0, &[2])), "layout/rule/lead-layout", "the layout is 1"),
        bad("slot 3", asks(&with(&request, 5, &[3])), "layout/rule/holder-slot", "slots are 1 and 2"),
        bad("no element", asks(&none), "layout/rule/elements", "one at least"),
        bad("65 elements", asks(&with(&request, 6, &[65])), "layout/bound/elements", "at most 64"),
        bad("request cut", asks(&request[..request.len() - 1]), "layout/short/element", "it is whole"),
        bad("request with more", asks(&[&request[..], &[0]].concat()), "layout/trailing", "it is read to its end"),
        bad("verdict 6", answers(&with(&answer, 1, &[6])), "layout/rule/verdict", "verdicts are 0 to 5"),
        bad("answer cut", answers(&answer[..answer.len() - 1]), "layout/short/proof", "it is whole"),
        bad("refusal with more", answers(&[&refusal[..], &[0]].concat()), "layout/trailing", "it is read to its end"),
    ];
    File {
        name: "lead_messages",
        about: "Requests to holders and their answers. SPEC.md, section 21.",
        judge: judge_message,
        vectors,
    }
}
