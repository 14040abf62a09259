use protocol::charter::Class;
use protocol::identity::{PublicKey, public_key};
use protocol::testing::Organisation;
use serde_bytes::ByteBuf;

use super::*;
use crate::config::Config;
use crate::core::now_ms;
use crate::directory::Profile;
use crate::records::tests::world::World;

struct Office {
    world: World,
    directory: DataDirectory,
    desk: Desk,
}

impl Office {
    async fn new() -> Self {
        let world = World::new().await;
        let profile = Profile { name: "秘书处".into(), class: "secretariat".into(), region: String::new() };
        let path = world.folder.path().join("office");
        let directory = DataDirectory::create(&path, &profile, &Config::default()).expect("an empty directory");
        let desk = Desk::open(&directory).expect("nothing is there yet");
        desk.add_invitation("many".into(), now_ms() + 60_000, false).expect("there is room");
        desk.add_invitation("one".into(), now_ms() + 60_000, true).expect("there is room");
        Self { world, directory, desk }
    }

    /// What the desk answers to an organisation.
    fn answer(&self, who: &Organisation, token: &str) -> JoinReply {
        let application = ByteBuf::from(who.application(&self.world.core.federation()).encode());
        let request = JoinRequest { token: token.into(), application };
        self.desk.answer(&self.world.core, public_key(&who.transport), &encode(&request))
    }

    /// The same desk after a restart.
    fn reopened(self) -> Self {
        let desk = Desk::open(&self.directory).expect("what was written reads back");
        Self { desk, ..self }
    }
}

fn stranger(seed: u32) -> Organisation {
    Organisation::new(&format!("外人{seed}"), Class::County, seed)
}

fn refused(reason: &str) -> JoinReply {
    JoinReply::Refused { reason: reason.into() }
}

#[tokio::test]
async fn a_token_for_one_belongs_to_its_first_applicant() {
    let office = Office::new().await;
    assert_eq!(office.answer(&stranger(10), "none"), refused("token"));
    assert_eq!(office.answer(&stranger(10), "one"), JoinReply::Pending);
    assert_eq!(office.answer(&stranger(11), "one"), refused("token"));
    let office = office.reopened();
    assert_eq!(office.answer(&stranger(11), "one"), refused("token"));
    assert_eq!(office.answer(&stranger(10), "one"), JoinReply::Pending);
    for seed in 11..14 {
        assert_eq!(office.answer(&stranger(seed), "many"), JoinReply::Pending);
    }
    assert_eq!(office.desk.applications(&office.world.core).len(), 4);
}

#[tokio::test]
async fn a_refused_application_does_not_come_back() {
    let office = Office::new().await;
    assert_eq!(office.answer(&stranger(10), "many"), JoinReply::Pending);
    let id = office.desk.applications(&office.world.core)[0].id.clone();
    assert!(office.desk.remove(&id, &office.world.core));
    assert!(!office.desk.remove(&id, &office.world.core));
    assert_eq!(office.answer(&stranger(10), "many"), refused("refused"));
    let office = office.reopened();
    assert_eq!(office.answer(&stranger(10), "many"), refused("refused"));
    assert!(JoinError::Refused { reason: "refused".into() }.is_final());
    assert_eq!(office.answer(&stranger(11), "many"), JoinReply::Pending);
}

#[tokio::test]
async fn a_member_that_lost_everything_but_its_keys_is_let_in_without_a_token() {
    let office = Office::new().await;
    let reply = office.answer(&office.world.other, "");
    assert!(matches!(reply, JoinReply::Admitted { blocks } if blocks.len() == office.world.charter.blocks().len()));
}

#[tokio::test]
async fn the_first_layout_of_invitations_still_reads() {
    let office = Office::new().await;
    let text = format!("{{\"old\": {}}}", now_ms() + 60_000);
    std::fs::write(office.directory.invitations_path(), text).expect("it can be written");
    let office = office.reopened();
    assert_eq!(office.answer(&stranger(10), "old"), JoinReply::Pending);
}

#[tokio::test]
async fn an_applicant_writes_down_how_far_it_is() {
    let office = Office::new().await;
    let directory = &office.directory;
    assert_eq!(joining_state(directory), None);
    let invitation = Invitation {
        format: 1,
        federation: office.world.core.federation(),
        federation_name: "测试联盟".into(),
        pin: BlockHash(office.world.core.federation().0),
        pin_version: 1,
        bootstrap: vec![InvitationPeer { transport: PublicKey([1; 32]), addresses: Vec::new() }],
        token: "many".into(),
        expires_ms: now_ms() + 60_000,
    };
    let text = serde_json::to_vec(&invitation).expect("every key is text");
    std::fs::write(directory.invitation_path(), text).expect("it can be written");
    let applicant = Applicant::open(directory).expect("the invitation is there");
    assert!(applicant.ask().await.is_err(), "nobody can be reached");
    let state = joining_state(directory).expect("it was written");
    assert_eq!((state.state, state.fingerprint), (JoiningPhase::Asking, applicant.fingerprint()));
    assert!(state.error.is_some() && state.asked_ms >= state.since_ms);
}
