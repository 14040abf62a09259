//! Coming, going and coming back.

use super::*;

fn grant(charter: &Charter, member: u32, seed: u8) -> KeyGrant {
    let secret = SigningKey::from_bytes(&[seed; 32]);
    let (member, key) = (MemberNumber(member), PurposedKey { purpose: Purpose::Signing, key: public_key(&secret) });
    let proof = sign(&secret, Domain::Possession, &charter.federation(), &added_key_content(member, &key));
    KeyGrant { member, key, proof }
}

fn departure(county: &Organisation) -> Departure {
    let seal = Seal { key: public_key(&county.signing), last: None };
    Departure { member: MemberNumber(2), reason: "三次未报".into(), seals: vec![seal] }
}

#[test]
fn a_suspended_member_comes_back_with_a_new_key_and_its_other_keys() {
    let (mut charter, secretariat, county) = two_members();
    let transport = public_key(&county.transport);
    secretariat.try_append(&mut charter, vec![Operation::Suspend(departure(&county))]).expect("it can be suspended");
    assert_eq!(charter.holder(&transport, Purpose::Transport), None, "its keys rest");
    assert!(
        !charter.has_ended(&transport) && charter.has_ended(&public_key(&county.signing)),
        "the sealed key is gone"
    );
    let add = Operation::AddKey(grant(&charter, 2, 9));
    assert!(secretariat.try_append(&mut charter, vec![add]).is_err());
    let reinstate = Operation::Reinstate { reason: String::new(), grant: grant(&charter, 2, 9) };
    secretariat.try_append(&mut charter, vec![reinstate.clone()]).expect("it can be reinstated");
    assert_eq!(charter.holder(&transport, Purpose::Transport), Some(MemberNumber(2)));
    assert_eq!(charter.logs().iter().filter(|log| log.member == MemberNumber(2)).count(), 2);
    assert!(secretariat.try_append(&mut charter, vec![reinstate]).is_err(), "it is not suspended");
}

#[test]
fn a_former_member_comes_back_under_its_number_with_new_keys_alone() {
    let (mut charter, secretariat, county) = two_members();
    let leave = Operation::Leave(departure(&county));
    let keys = [&county.transport, &county.governance].map(public_key);
    assert!(!keys.iter().any(|key| charter.has_ended(key)));
    secretariat.try_append(&mut charter, vec![leave.clone()]).expect("it can leave");
    assert!(keys.iter().all(|key| charter.has_ended(key)));
    assert!(secretariat.try_append(&mut charter, vec![leave]).is_err(), "it is gone already");
    let admit = |organisation: &Organisation| {
        let application = organisation.application(&charter.federation());
        vec![Operation::Admit { member: MemberNumber(2), application }]
    };
    let (old, new) = (admit(&county), admit(&Organisation::new("奉节县", Class::County, 7)));
    assert!(secretariat.try_append(&mut charter, old).is_err(), "a sealed key never returns");
    secretariat.try_append(&mut charter, new.clone()).expect("it can be admitted again");
    assert_eq!(charter.members()[&MemberNumber(2)].standing, Standing::Active);
    assert_eq!(charter.next_member(), MemberNumber(3));
    assert!(secretariat.try_append(&mut charter, new).is_err(), "it is a member");
}

#[test]
fn a_departure_seals_exactly_the_open_keys() {
    let (mut charter, secretariat, county) = two_members();
    let with = |seals| Operation::Expel(Departure { seals, ..departure(&county) });
    let seal = |key: &SigningKey| Seal { key: public_key(key), last: None };
    for seals in [vec![], vec![seal(&county.transport)], vec![seal(&county.signing), seal(&secretariat.signing)]] {
        assert!(secretariat.try_append(&mut charter, vec![with(seals)]).is_err());
    }
    secretariat.try_append(&mut charter, vec![with(vec![seal(&county.signing)])]).expect("the seals are right");
}

#[test]
fn records_go_to_an_heir_once_their_owner_is_gone_and_each_owner_has_its_turn() {
    let (mut charter, secretariat, county) = two_members();
    let reassign =
        |from, to| Operation::Reassign { from: MemberNumber(from), to: MemberNumber(to), reason: String::new() };
    assert!(secretariat.try_append(&mut charter, vec![reassign(2, 1)]).is_err(), "it is here");
    secretariat.expel(&mut charter, &county, None);
    assert!(secretariat.try_append(&mut charter, vec![reassign(2, 2)]).is_err(), "a former member owns nothing new");
    secretariat.try_append(&mut charter, vec![reassign(2, 1)]).expect("its records can be given");
    let log = &charter.logs()[1];
    assert_eq!((log.owner(), log.member), (MemberNumber(1), MemberNumber(2)));
    assert_eq!((log.tenure(MemberNumber(2), 3), log.tenure(MemberNumber(2), 4)), (Some(0), None));
    assert_eq!((log.tenure(MemberNumber(1), 3), log.tenure(MemberNumber(1), 4)), (None, Some(1)));
}
