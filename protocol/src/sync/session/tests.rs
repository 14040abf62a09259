use super::*;
use crate::charter::{Charter, Class};
use crate::entry::VerifiedEntry;
use crate::fork::ForkProof;
use crate::identity::FederationId;
use crate::testing::{Organisation, Peer, sync};

const NONCE: [u8; 16] = [1; 16];
const PEER_NONCE: [u8; 16] = [2; 16];
/// Where the type of the first operation stands in a signed block.
const OPERATION_TYPE_OFFSET: usize = 60;

/// A charter of `blocks` blocks: the first founds the federation, each other admits a county.
fn charter(blocks: u32) -> Charter {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    for seed in 2..=blocks {
        secretariat.admit(&mut charter, &Organisation::new("奉节县", Class::County, seed));
    }
    charter
}

fn hello(peer: &Peer) -> Hello {
    let outputs = Session::new(PEER_NONCE, 0).start(&peer.replica);
    match outputs.into_iter().next() {
        Some(Output::Send(Message::Hello(hello))) => hello,
        other => panic!("a session starts with a hello, not {other:?}"),
    }
}

fn heads_of(peer: &Peer) -> Message {
    let heads = heads::encode(&peer.replica.frontier().heads, &ShortIdKey::new(&NONCE, &PEER_NONCE));
    Message::Heads { heads: ByteBuf::from(heads), proofs: vec![], rival: ByteBuf::new() }
}

/// A session of a peer with the first block only that asked a peer with all blocks of `charter` for the others.
fn asked(charter: &Charter) -> (Session, Peer, Peer) {
    let (behind, ahead) = (Peer::new(charter, 1), Peer::new(charter, charter.blocks().len()));
    let mut session = Session::new(NONCE, 0);
    let outputs = session.handle(Message::Hello(hello(&ahead)), &behind.replica, 0);
    assert_eq!(outputs, Ok(vec![Output::Send(Message::BlocksRequest { after: 1 })]));
    (session, behind, ahead)
}

fn blocks(charter: &Charter, numbers: std::ops::Range<usize>) -> Message {
    let blocks = charter.blocks()[numbers].iter().map(|block| ByteBuf::from(block.encode()));
    Message::Blocks { blocks: blocks.collect() }
}

/// Carries out the blocks among `outputs` and resumes.
fn carry_out(
    session: &mut Session,
    peer: &mut Peer,
    outputs: Result<Vec<Output>, SyncError>,
) -> Result<Vec<Output>, SyncError> {
    for output in outputs? {
        match output {
            Output::IngestBlocks(blocks) => blocks.iter().for_each(|block| peer.insert_block(block)),
            other => panic!("only blocks were expected, not {other:?}"),
        }
    }
    session.resume(Ingested::default(), &peer.replica)
}

/// A session of a peer with `charter` whose peer has the same, but another digest.
fn differing(charter: &Charter) -> (Session, Peer) {
    let peer = Peer::new(charter, charter.blocks().len());
    let mut session = Session::new(NONCE, 0);
    let hello = Hello { digest: FrontierDigest([7; 32]), ..hello(&peer) };
    let outputs = session.handle(Message::Hello(hello), &peer.replica, 0).expect("the hello is in order");
    assert!(matches!(outputs[..], [Output::Send(Message::Heads { .. })]), "{outputs:?}");
    (session, peer)
}

/// Two entries of one organisation that contradict each other, as a proof.
fn fork_proof(charter: &Charter, organisation: &Organisation) -> ForkProof {
    let entry = |mark: u8| organisation.entry(charter, None, charter.tip_block().time_ms, 102, vec![mark; 16]);
    let (one, other): (&VerifiedEntry, &VerifiedEntry) = (&entry(1), &entry(2));
    ForkProof::new(one, other).expect("the two contradict each other")
}

#[test]
fn blocks_that_come_late_are_ignored() {
    let charter = charter(2);
    let (mut session, mut behind, ahead) = asked(&charter);
    behind.insert_block(&charter.blocks()[1]);
    let outputs = session.handle(heads_of(&ahead), &behind.replica, 0).expect("the heads are in order");
    assert!(matches!(outputs[0], Output::Send(Message::Heads { .. })), "{outputs:?}");
    assert_eq!(session.handle(blocks(&charter, 1..2), &behind.replica, 0), Ok(vec![]));
    let unasked = session.handle(blocks(&charter, 1..2), &behind.replica, 0);
    assert_eq!(unasked, Err(SyncError::OutOfTurn { message: "blocks" }));
}

#[test]
fn blocks_that_nobody_asked_for_are_out_of_turn() {
    let charter = charter(2);
    let (mut session, peer) = differing(&charter);
    let unasked = session.handle(blocks(&charter, 0..1), &peer.replica, 0);
    assert_eq!(unasked, Err(SyncError::OutOfTurn { message: "blocks" }));
}

#[test]
fn a_peer_whose_blocks_help_is_asked_again() {
    let charter = charter(3);
    let (mut session, mut behind, _) = asked(&charter);
    let outputs = session.handle(blocks(&charter, 1..2), &behind.replica, 0);
    let outputs = carry_out(&mut session, &mut behind, outputs);
    assert_eq!(outputs, Ok(vec![Output::Send(Message::BlocksRequest { after: 2 })]));
    let outputs = session.handle(blocks(&charter, 2..3), &behind.replica, 0);
    let outputs = carry_out(&mut session, &mut behind, outputs).expect("the blocks are in order");
    assert!(matches!(outputs[..], [Output::Send(Message::Heads { .. })]), "{outputs:?}");
}

#[test]
fn a_peer_whose_blocks_do_not_help_is_asked_once() {
    let charter = charter(2);
    for useless in [blocks(&charter, 0..1), Message::Blocks { blocks: vec![] }] {
        let (mut session, mut behind, _) = asked(&charter);
        let outputs = session.handle(useless, &behind.replica, 0);
        let ended = carry_out(&mut session, &mut behind, outputs);
        assert_eq!(ended, Err(SyncError::CharterStuck));
        assert!(SyncError::CharterStuck.is_offence());
    }
}

#[test]
fn an_unknown_operation_is_no_offence() {
    let charter = charter(2);
    let (mut session, behind, _) = asked(&charter);
    let mut bytes = charter.blocks()[1].encode();
    assert_eq!(bytes[OPERATION_TYPE_OFFSET..OPERATION_TYPE_OFFSET + 2], [3, 0], "the block admits a member");
    bytes[OPERATION_TYPE_OFFSET] = 0xff;
    let ended = session.handle(Message::Blocks { blocks: vec![ByteBuf::from(bytes)] }, &behind.replica, 0);
    assert_eq!(ended, Err(SyncError::UpdateNeeded));
    assert!(!SyncError::UpdateNeeded.is_offence());
}

#[test]
fn a_block_that_does_not_decode_is_an_offence() {
    let charter = charter(2);
    let (mut session, behind, _) = asked(&charter);
    let mut bytes = charter.blocks()[1].encode();
    bytes.pop();
    let ended = session.handle(Message::Blocks { blocks: vec![ByteBuf::from(bytes)] }, &behind.replica, 0);
    let error = ended.expect_err("the block is cut");
    assert!(matches!(error, SyncError::Malformed { message: "blocks", .. }), "{error:?}");
    assert!(error.is_offence());
}

#[test]
fn done_before_full_heads_keeps_the_session_open() {
    let (mut session, peer) = differing(&charter(1));
    let outputs = session.handle(heads_of(&peer), &peer.replica, 0);
    assert_eq!(outputs, Ok(vec![Output::Send(Message::FullHeadsRequest)]));
    assert_eq!(session.handle(Message::Done, &peer.replica, 0), Ok(vec![]));
    let outputs = session.handle(Message::FullHeads { heads: vec![] }, &peer.replica, 0);
    assert_eq!(outputs, Ok(vec![Output::Send(Message::Done), Output::Finish]));
}

#[test]
fn full_heads_are_taken_once() {
    let (mut session, peer) = differing(&charter(1));
    let full_heads = || Message::FullHeads { heads: vec![] };
    let out_of_turn = Err(SyncError::OutOfTurn { message: "full-heads" });
    assert_eq!(session.handle(full_heads(), &peer.replica, 0), out_of_turn);
    session.handle(heads_of(&peer), &peer.replica, 0).expect("the heads are in order");
    assert_eq!(session.handle(full_heads(), &peer.replica, 0), Ok(vec![Output::Send(Message::Done)]));
    assert_eq!(session.handle(full_heads(), &peer.replica, 0), out_of_turn);
}

#[test]
fn too_many_messages_with_proofs_are_greedy() {
    let (mut session, peer) = differing(&charter(1));
    let proofs = || Message::Proofs { proofs: vec![] };
    for _ in 0..PROOFS_MESSAGES_MAX {
        assert_eq!(session.handle(proofs(), &peer.replica, 0), Ok(vec![Output::IngestProofs(vec![])]));
        assert_eq!(session.resume(Ingested::default(), &peer.replica), Ok(vec![]));
    }
    assert_eq!(session.handle(proofs(), &peer.replica, 0), Err(SyncError::Greedy));
    assert!(SyncError::Greedy.is_offence());
}

#[test]
fn proofs_that_would_change_nothing_are_not_verified() {
    let charter = charter(2);
    let member = Organisation::new("奉节县", Class::County, 2);
    let (mut session, mut peer) = differing(&charter);
    let damaged = |organisation: &Organisation| {
        let mut bytes = fork_proof(&charter, organisation).encode();
        *bytes.last_mut().expect("a proof has bytes") ^= 1;
        assert!(ForkProof::decode(&bytes, &charter.federation()).is_err());
        Message::Proofs { proofs: vec![ByteBuf::from(bytes)] }
    };
    let nothing = Ok(vec![Output::IngestProofs(vec![])]);
    let stranger = Organisation::new("路人", Class::Observer, 9);
    assert_eq!(session.handle(damaged(&stranger), &peer.replica, 0), nothing);
    let refused = session.handle(damaged(&member), &peer.replica, 0);
    assert!(matches!(refused, Err(SyncError::Proof(_))), "{refused:?}");
    peer.insert_proof(&fork_proof(&charter, &member));
    assert_eq!(session.handle(damaged(&member), &peer.replica, 0), nothing);
}

#[test]
fn another_federation_is_no_offence() {
    let charter = charter(1);
    let peer = Peer::new(&charter, 1);
    let foreign = Hello { federation: FederationId([9; 32]), ..hello(&peer) };
    let ended = Session::new(NONCE, 0).handle(Message::Hello(foreign), &peer.replica, 0);
    assert_eq!(ended, Err(SyncError::Foreign));
    assert!(!SyncError::Foreign.is_offence());
}

#[test]
fn blocks_before_an_unknown_one_are_of_use() {
    let charter = charter(3);
    let (mut session, mut behind, _) = asked(&charter);
    let mut unknown = charter.blocks()[2].encode();
    unknown[OPERATION_TYPE_OFFSET] = 0xff;
    let sent = vec![ByteBuf::from(charter.blocks()[1].encode()), ByteBuf::from(unknown.clone())];
    let outputs = session.handle(Message::Blocks { blocks: sent }, &behind.replica, 0);
    let outputs = carry_out(&mut session, &mut behind, outputs);
    assert_eq!(outputs, Ok(vec![Output::Send(Message::BlocksRequest { after: 2 })]));
    let ended = session.handle(Message::Blocks { blocks: vec![ByteBuf::from(unknown)] }, &behind.replica, 0);
    assert_eq!(ended, Err(SyncError::UpdateNeeded));
}

#[test]
fn peers_on_two_branches_exchange_the_proof_and_part() {
    let (charter, secretariat) = Organisation::found("秘书处", 1);
    let mut branches = [charter.clone(), charter];
    for (branch, seed) in branches.iter_mut().zip([2, 3]) {
        secretariat.admit(branch, &Organisation::new("县", Class::County, seed));
    }
    // One of the two is ahead: it alone sees that the charters part.
    secretariat.admit(&mut branches[1], &Organisation::new("县", Class::County, 4));
    let [mut one, mut other] = branches.each_ref().map(|branch| Peer::new(branch, branch.blocks().len()));
    let ended = sync(&mut one, &mut other, [1, 2]);
    assert_eq!(ended, Err(SyncError::CharterBranch));
    let rivals = [&one, &other].map(|peer| peer.replica.charter().rival().map(|rival| rival.block().version));
    assert!(rivals.iter().flatten().all(|version| *version == 2) && rivals.iter().any(Option::is_some), "{rivals:?}");
}

#[test]
fn the_proof_that_registrars_contradicted_themselves_travels_along_one_branch() {
    let (charter, secretariat) = Organisation::found("秘书处", 1);
    let (mut held, mut rival) = (charter.clone(), charter);
    secretariat.admit(&mut held, &Organisation::new("县", Class::County, 2));
    secretariat.admit(&mut rival, &Organisation::new("县", Class::County, 3));
    let mut knowing = Peer::new(&held, 2);
    let mut ignorant = Peer::new(&held, 2);
    knowing.insert_block(&rival.blocks()[1]);
    assert_ne!(knowing.replica.frontier().digest(), ignorant.replica.frontier().digest());
    sync(&mut knowing, &mut ignorant, [1, 2]).expect("one charter");
    assert_eq!(ignorant.replica.charter().rival(), Some(&rival.blocks()[1]));
    assert_eq!(knowing.replica.frontier().digest(), ignorant.replica.frontier().digest());
}

#[test]
fn a_rival_with_an_unknown_operation_is_no_offence() {
    let charter = charter(2);
    let (one, other) = (Peer::new(&charter, 2), Peer::new(&charter, 2));
    let mut unknown = charter.blocks()[1].encode();
    unknown[OPERATION_TYPE_OFFSET] = 0xff;
    let mut session = Session::new(NONCE, 0);
    let said = Hello { complete: false, ..hello(&other) };
    session.handle(Message::Hello(said), &one.replica, 0).expect("one federation");
    let Message::Heads { heads, proofs, .. } = heads_of(&other) else { panic!("heads are heads") };
    let heads = Message::Heads { heads, proofs, rival: ByteBuf::from(unknown) };
    let outputs = session.handle(heads, &one.replica, 0);
    assert_eq!(outputs, Ok(vec![Output::Send(Message::Done)]));
}
