//! Codes, secrets, tokens and messages together, as two counties and two holders use them.

use super::*;
use crate::bytes::Reader;
use crate::identity::{FederationId, MemberNumber};
use crate::limits::{LEAD_BATCH_MAX, LEAD_CONTACT_BYTES_MAX};

const FEDERATION: FederationId = FederationId([9; 32]);
const EPOCH: u32 = 7;
const CODE: &str = "91999999000010014M";
const OTHER_CODE: &str = "11999999000000019M";

fn holders() -> [HolderKey; 2] {
    [HolderKey::derive(&[1; 32]), HolderKey::derive(&[2; 32])]
}

/// The secret of a code, asked of both holders under fresh blinds.
fn secret_in(epoch: u32, code: &str, seed: u8) -> LeadSecret {
    let code = CreditCode::parse(code).expect("a code");
    let outputs = HolderSlot::BOTH.map(|slot| {
        let key = &holders()[slot.index()];
        let blinded = code.blind(&FEDERATION, epoch, slot, &[seed + slot.number(); 32]);
        let request = EvaluationRequest { epoch, slot, elements: vec![blinded.message()] };
        let request = EvaluationRequest::decode(&request.encode()).expect("it reads back");
        let evaluation = key.evaluate(&request.elements, &[seed; 32]).expect("an element");
        let answer = EvaluationAnswer { remaining: 199, outcome: Ok(evaluation) };
        let answer = EvaluationAnswer::decode(&answer.encode()).expect("it reads back");
        answer.outcome.expect("evaluated").finish(&[blinded], &key.public()).expect("the proof holds")[0]
    });
    LeadSecret::derive(&FEDERATION, epoch, &outputs)
}

fn note(contact: &str) -> LeadNote {
    LeadNote { entered_ms: 1_764_547_200_000, reference: "2-15".into(), contact: contact.into() }
}

fn sealed(secret: &LeadSecret, author: u32, contact: &str, nonce: u8) -> LeadToken {
    LeadToken::seal(secret, EPOCH, MemberNumber(author), &note(contact), [nonce; 16]).expect("it fits")
}

#[test]
fn two_counties_with_one_code_have_one_secret_and_read_each_others_notes() {
    let (first, second) = (secret_in(EPOCH, CODE, 10), secret_in(EPOCH, "９１９９９９９９ ００００１００１４ｍ", 20));
    assert_eq!(first, second, "blinds and the way of writing leave no trace");
    let token = sealed(&first, 3, "夏邑县投资促进中心 0370-6212345", 5);
    let read = LeadToken::decode(&token.encode()).expect("it reads back");
    assert_eq!(read.open(&second, MemberNumber(3)), Some(Ok(note("夏邑县投资促进中心 0370-6212345"))));
    assert!(read.fits(&second, MemberNumber(3)));
}

#[test]
fn other_codes_epochs_authors_and_single_holders_open_nothing() {
    let secret = secret_in(EPOCH, CODE, 10);
    let token = sealed(&secret, 3, "甲", 5);
    for other in [secret_in(EPOCH, OTHER_CODE, 10), secret_in(EPOCH + 1, CODE, 10)] {
        assert_eq!(token.open(&other, MemberNumber(3)), None);
    }
    assert_eq!(token.open(&secret, MemberNumber(4)), None, "a copy in another member's log");
    let code = CreditCode::parse(CODE).expect("a code");
    let mut outputs = HolderSlot::BOTH.map(|slot| {
        let blinded = code.blind(&FEDERATION, EPOCH, slot, &[3; 32]);
        let key = &holders()[0];
        let evaluation = key.evaluate(&[blinded.message()], &[4; 32]).expect("an element");
        evaluation.finish(&[blinded], &key.public()).expect("the proof holds")[0]
    });
    assert_ne!(LeadSecret::derive(&FEDERATION, EPOCH, &outputs), secret, "one holder in both slots");
    outputs.reverse();
    assert_ne!(LeadSecret::derive(&FEDERATION, EPOCH, &outputs), secret);
}

#[test]
fn tokens_have_one_length_and_share_only_layout_and_epoch() {
    let (same, other) = (secret_in(EPOCH, CODE, 10), secret_in(EPOCH, OTHER_CODE, 10));
    let long = "长".repeat(LEAD_CONTACT_BYTES_MAX / 3);
    let tokens: Vec<Vec<u8>> = (0..64)
        .map(|nonce| {
            let (secret, author) = if nonce % 2 == 0 { (&same, 3) } else { (&other, 4) };
            let contact = if nonce % 3 == 0 { "" } else { long.as_str() };
            LeadToken::seal(secret, EPOCH, MemberNumber(author), &note(contact), *blake3_nonce(nonce)).expect("it fits")
        })
        .map(|token| token.encode())
        .collect();
    assert!(tokens.iter().all(|token| token.len() == LeadToken::BYTES));
    let constant = |at: &usize| tokens.iter().all(|token| token[*at] == tokens[0][*at]);
    let found: Vec<usize> = (0..LeadToken::BYTES).filter(constant).collect();
    assert_eq!(found, [16, 17, 18, 19, 20]);
}

fn blake3_nonce(number: u32) -> Box<[u8; 16]> {
    let hash = blake3::hash(&number.to_le_bytes());
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&hash.as_bytes()[..16]);
    Box::new(nonce)
}

#[test]
fn a_changed_token_says_nothing() {
    let secret = secret_in(EPOCH, CODE, 10);
    let whole = sealed(&secret, 3, "甲", 5).encode();
    for at in [0, 17, 40, 60, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let opened = LeadToken::decode(&changed).expect("the layout holds").open(&secret, MemberNumber(3));
        assert!(matches!(opened, None | Some(Err(TokenError::Tampered))), "byte {at}: {opened:?}");
    }
    for length in 0..whole.len() {
        assert!(LeadToken::decode(&whole[..length]).is_err(), "cut at {length}");
    }
    let mut layout = whole;
    layout[16] = 2;
    assert!(LeadToken::decode(&layout).is_err());
}

#[test]
fn what_does_not_fit_a_token_is_refused_before_it_is_sealed() {
    let secret = secret_in(EPOCH, CODE, 10);
    let refused = |note: LeadNote| LeadToken::seal(&secret, EPOCH, MemberNumber(3), &note, [0; 16]).is_err();
    assert!(refused(note(&"长".repeat(LEAD_CONTACT_BYTES_MAX))));
    assert!(refused(note("两\n行")));
    assert!(refused(note("方向\u{202E}")));
    assert!(refused(LeadNote { reference: "长".repeat(40), ..note("甲") }));
    assert!(!refused(LeadNote { reference: String::new(), ..note("") }));
}

#[test]
fn a_holder_with_another_key_is_caught_by_the_proof() {
    let code = CreditCode::parse(CODE).expect("a code");
    let blind = |seed| code.blind(&FEDERATION, EPOCH, HolderSlot::One, &[seed; 32]);
    let [named, other] = holders();
    let wrong = other.evaluate(&[blind(1).message()], &[0; 32]).expect("an element");
    assert_eq!(wrong.finish(&[blind(1)], &named.public()), Err(OprfError::Proof));
    let mut changed = named.evaluate(&[blind(1).message()], &[0; 32]).expect("an element");
    changed.elements[0] = wrong.elements[0];
    assert_eq!(changed.finish(&[blind(1)], &named.public()), Err(OprfError::Proof), "the right proof, another element");
    let right = named.evaluate(&[blind(1).message()], &[0; 32]).expect("an element");
    assert_eq!(right.finish(&[blind(2)], &named.public()), Err(OprfError::Proof), "an answer to another question");
    assert_eq!(right.finish(&[blind(1), blind(2)], &named.public()), Err(OprfError::Batch));
    let batch = named.evaluate(&[blind(1).message(), blind(2).message()], &[0; 32]).expect("two elements");
    let turned = Evaluation { elements: batch.elements.iter().rev().copied().collect(), ..batch };
    assert_eq!(turned.finish(&[blind(1), blind(2)], &named.public()), Err(OprfError::Proof), "the order is proven");
}

#[test]
fn a_holder_evaluates_elements_only_and_not_too_many() {
    let [holder, _] = holders();
    assert_eq!(holder.evaluate(&[[0; 32]], &[0; 32]), Err(OprfError::Element), "the identity");
    assert_eq!(holder.evaluate(&[[0xff; 32]], &[0; 32]), Err(OprfError::Element));
    assert_eq!(holder.evaluate(&[], &[0; 32]), Err(OprfError::Batch));
    let element = CreditCode::parse(CODE).expect("a code").blind(&FEDERATION, EPOCH, HolderSlot::One, &[1; 32]);
    assert_eq!(holder.evaluate(&vec![element.message(); LEAD_BATCH_MAX + 1], &[0; 32]), Err(OprfError::Batch));
    assert!(holder.evaluate(&vec![element.message(); LEAD_BATCH_MAX], &[0; 32]).is_ok());
}

#[test]
fn possession_holds_for_its_federation_member_and_key() {
    let [first, second] = holders();
    let possession = first.possession(&FEDERATION, MemberNumber(1), &[5; 32]);
    assert!(possession.holds(&FEDERATION, MemberNumber(1), &first.public()));
    assert!(!possession.holds(&FEDERATION, MemberNumber(2), &first.public()));
    assert!(!possession.holds(&FederationId([8; 32]), MemberNumber(1), &first.public()));
    assert!(!possession.holds(&FEDERATION, MemberNumber(1), &second.public()));
    assert!(!possession.holds(&FEDERATION, MemberNumber(1), &HolderPublic([0; 32])), "the identity is no key");
    let bytes = possession.encode();
    assert_eq!(bytes.len(), Possession::BYTES);
    assert_eq!(Possession::read(&mut Reader::new(&bytes)), Ok(possession));
}

#[test]
fn messages_survive_a_round_trip_and_refuse_the_rest() {
    let element = [7; 32];
    let request = EvaluationRequest { epoch: EPOCH, slot: HolderSlot::Two, elements: vec![element; LEAD_BATCH_MAX] };
    let bytes = request.encode();
    assert_eq!(bytes.len(), EvaluationRequest::BYTES_MAX);
    assert_eq!(EvaluationRequest::decode(&bytes), Ok(request.clone()));
    for length in 0..bytes.len() {
        assert!(EvaluationRequest::decode(&bytes[..length]).is_err(), "cut at {length}");
    }
    let many = EvaluationRequest { elements: vec![element; LEAD_BATCH_MAX + 1], ..request.clone() };
    assert!(EvaluationRequest::decode(&many.encode()).is_err());
    let none = EvaluationRequest { elements: Vec::new(), ..request };
    assert!(EvaluationRequest::decode(&none.encode()).is_err());
    let refusal = Refusal { reason: RefusalReason::Quota, again_ms: 5 };
    let answer = EvaluationAnswer { remaining: 3, outcome: Err(refusal) };
    assert_eq!(EvaluationAnswer::decode(&answer.encode()), Ok(answer.clone()));
    let mut undefined = answer.encode();
    undefined[1] = 6;
    assert!(EvaluationAnswer::decode(&undefined).is_err());
    let evaluation = Evaluation { elements: vec![element; LEAD_BATCH_MAX], proof: [1; 64] };
    let answer = EvaluationAnswer { remaining: 0, outcome: Ok(evaluation) };
    assert_eq!(answer.encode().len(), EvaluationAnswer::BYTES_MAX);
    assert_eq!(EvaluationAnswer::decode(&answer.encode()), Ok(answer));
}

#[test]
fn evaluations_are_counted_by_days_in_china() {
    // 2026-03-05T16:00:00Z is midnight in China.
    let midnight = 1_772_726_400_000;
    assert_eq!(quota_day(midnight - 1) + 1, quota_day(midnight));
    assert_eq!(quota_day_begins_ms(quota_day(midnight)), midnight);
}

#[test]
fn secrets_and_codes_are_not_shown() {
    let secret = secret_in(EPOCH, CODE, 10);
    assert!(!format!("{secret:?}").contains(&hex::encode(&secret.to_bytes()[..4])));
    assert!(!format!("{:?}", CreditCode::parse(CODE).expect("a code")).contains("9199"));
    assert!(CreditCode::parse("91999999000010014").is_err());
}
