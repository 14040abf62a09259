//! The invitation file (邀请函): all that an organisation needs to ask for admission (DESIGN 4.7).

use std::fs;
use std::path::Path;

use node::joining::Invitation;

use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// The one format that this build writes and reads.
pub const INVITATION_FORMAT: u32 = 1;

/// Reads an invitation and checks what can be checked without the network.
pub fn read(path: &Path, now_ms: u64) -> Result<Invitation, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    parse(&text, now_ms)
}

fn parse(text: &str, now_ms: u64) -> Result<Invitation, Failure> {
    let refused = |code: &'static str, zh: String, en: String| {
        Failure::new(ExitCode::InputRefused, code, zh, en)
            .fix("请向秘书处要一份新的邀请函。", "ask the secretariat for a new invitation")
    };
    let unreadable = |reason: String| {
        refused("invitation-unreadable", format!("这不是邀请函：{reason}"), format!("this is no invitation: {reason}"))
    };
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if let Some(format) = format.filter(|format| *format != u64::from(INVITATION_FORMAT)) {
        let (zh, en) = (
            format!("邀请函的格式版本是 {format}，本程序只懂 {INVITATION_FORMAT}。"),
            format!("invitation format {format} is not known, only {INVITATION_FORMAT}"),
        );
        return Err(Failure::new(ExitCode::InputRefused, "invitation-format", zh, en)
            .fix("请升级本程序。", "update this program"));
    }
    let invitation: Invitation = serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))?;
    let genesis = invitation.pin.as_bytes() == invitation.federation.as_bytes();
    if invitation.pin_version == 0 || (invitation.pin_version == 1) != genesis {
        return Err(unreadable("pin ≠ federation".into()));
    }
    if invitation.bootstrap.iter().all(|node| node.addresses.is_empty()) {
        return Err(unreadable("bootstrap: 没有地址 no address".into()));
    }
    if invitation.expires_ms <= now_ms {
        let when = time::show(invitation.expires_ms);
        let (zh, en) = (format!("邀请函已于 {when} 过期。"), format!("the invitation expired on {when}"));
        return Err(refused("invitation-expired", zh, en));
    }
    Ok(invitation)
}

/// The file's content.
pub fn to_json(invitation: &Invitation) -> String {
    let text = serde_json::to_string_pretty(invitation).expect("every key is text");
    format!("{text}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::joining::InvitationPeer;
    use protocol::identity::{BlockHash, FederationId, PublicKey};

    fn invitation() -> Invitation {
        Invitation {
            format: INVITATION_FORMAT,
            federation: FederationId([7; 32]),
            federation_name: "测试联盟".into(),
            pin: BlockHash([7; 32]),
            pin_version: 1,
            bootstrap: vec![InvitationPeer {
                transport: PublicKey([1; 32]),
                addresses: vec!["/ip4/127.0.0.1/tcp/1".into()],
            }],
            token: "00".repeat(16),
            expires_ms: 1_000,
        }
    }

    #[test]
    fn an_invitation_survives_a_round_trip() {
        assert_eq!(parse(&to_json(&invitation()), 999), Ok(invitation()));
    }

    #[test]
    fn each_fault_has_its_own_code() {
        let code = |invitation: Invitation, now_ms| {
            parse(&to_json(&invitation), now_ms).expect_err("it is at fault").code.clone().into_owned()
        };
        assert_eq!(code(invitation(), 1_000), "invitation-expired");
        assert_eq!(code(Invitation { format: 2, ..invitation() }, 0), "invitation-format");
        assert_eq!(code(Invitation { pin: BlockHash([8; 32]), ..invitation() }, 0), "invitation-unreadable");
        assert_eq!(code(Invitation { bootstrap: Vec::new(), ..invitation() }, 0), "invitation-unreadable");
        assert_eq!(parse("PK", 0).expect_err("no JSON").code, "invitation-unreadable");
    }
}
