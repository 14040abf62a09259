//! The invitation (邀请函): all that an organisation needs to ask for admission (DESIGN 4.7).
//!
//! It is a JSON file, or one line of text that begins with `xianmeng:` and fits into a QR code: the same content,
//! packed, with the first few nodes only.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use data_encoding::BASE64URL_NOPAD;
use node::joining::{Invitation, InvitationPeer};
use protocol::identity::{BlockHash, FederationId, PublicKey};
use serde::{Deserialize, Serialize};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// The one format that this build writes and reads.
pub const INVITATION_FORMAT: u32 = 1;

/// How the line of text begins.
const LINE_PREFIX: &str = "xianmeng:";
/// The name of standard input on the command line.
const STANDARD_INPUT: &str = "-";
/// Longest invitation, in bytes.
const BYTES_MAX: usize = 64 * 1024;
/// Nodes that the line names; more would make its code too fine for a camera.
const LINE_NODES_MAX: usize = 3;

/// What the line packs.
#[derive(Serialize, Deserialize)]
struct Packed {
    format: u32,
    federation: [u8; 32],
    pin: [u8; 32],
    pin_version: u32,
    federation_name: String,
    bootstrap: Vec<([u8; 32], Vec<String>)>,
    token: String,
    expires_ms: u64,
}

/// Reads an invitation (a file, the line itself, or `-` for standard input) and checks what can be checked without
/// the network.
pub fn read(given: &str, now_ms: u64) -> Result<Invitation, Failure> {
    if given.starts_with(LINE_PREFIX) {
        return parse(given, now_ms);
    }
    let path = Path::new(given);
    let mut text = String::new();
    let read = match given {
        STANDARD_INPUT => io::stdin().lock().take(BYTES_MAX as u64).read_to_string(&mut text),
        _ => File::open(path).and_then(|file| file.take(BYTES_MAX as u64).read_to_string(&mut text)),
    };
    read.map_err(|error| Failure::file(path, &error))?;
    parse(&text, now_ms)
}

/// The invitation as one line, for a QR code or a message.
pub fn to_line(invitation: &Invitation) -> String {
    let peers = invitation.bootstrap.iter().take(LINE_NODES_MAX);
    let packed = Packed {
        format: invitation.format,
        federation: invitation.federation.0,
        pin: invitation.pin.0,
        pin_version: invitation.pin_version,
        federation_name: invitation.federation_name.clone(),
        bootstrap: peers.map(|peer| (peer.transport.0, peer.addresses.clone())).collect(),
        token: invitation.token.clone(),
        expires_ms: invitation.expires_ms,
    };
    let bytes = bincode::serde::encode_to_vec(&packed, packing()).expect("texts and numbers can be packed");
    format!("{LINE_PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
}

fn packing() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<BYTES_MAX>()
}

/// Unpacks a line into the JSON that a file would hold, so that both are checked by the same rules.
fn unpack(line: &str) -> Option<String> {
    // A line that was sent by mail may have been broken.
    let letters: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = BASE64URL_NOPAD.decode(letters.as_bytes()).ok()?;
    let (packed, read): (Packed, usize) = bincode::serde::decode_from_slice(&bytes, packing()).ok()?;
    let peer = |(transport, addresses)| InvitationPeer { transport: PublicKey(transport), addresses };
    let invitation = Invitation {
        format: packed.format,
        federation: FederationId(packed.federation),
        federation_name: packed.federation_name,
        pin: BlockHash(packed.pin),
        pin_version: packed.pin_version,
        bootstrap: packed.bootstrap.into_iter().map(peer).collect(),
        token: packed.token,
        expires_ms: packed.expires_ms,
    };
    (read == bytes.len()).then(|| to_json(&invitation))
}

fn parse(text: &str, now_ms: u64) -> Result<Invitation, Failure> {
    let refused = |code: &'static str, zh: String, en: String| {
        Failure::new(ExitCode::InputRefused, code, zh, en)
            .fix("请向秘书处要一份新的邀请函。", "ask the secretariat for a new invitation")
    };
    let unreadable = |reason: String| {
        refused("invitation-unreadable", format!("这不是邀请函：{reason}"), format!("this is no invitation: {reason}"))
    };
    let unpacked = match text.trim().strip_prefix(LINE_PREFIX) {
        Some(line) => {
            Some(unpack(line).ok_or_else(|| unreadable("缺了或错了字符 characters are missing or wrong".into()))?)
        }
        None => None,
    };
    let text = unpacked.as_deref().unwrap_or(text);
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
        let line = to_line(&invitation());
        assert_eq!(parse(&line, 999), Ok(invitation()));
        assert_eq!(parse(&format!("{}\n{}\n", &line[..30], &line[30..]), 999), Ok(invitation()), "broken by mail");
        assert_eq!(read(&line, 999), Ok(invitation()));
        assert_eq!(parse(&line, 1_000).expect_err("late").code, "invitation-expired");
        assert_eq!(parse(&line[..line.len() - 3], 0).expect_err("cut").code, "invitation-unreadable");
    }

    #[test]
    fn the_line_of_a_large_federation_fits_into_a_code() {
        let addresses = vec!["/ip4/192.0.2.117/tcp/4701".into(), "/ip4/192.0.2.117/udp/4701/quic-v1".into()];
        let peer = InvitationPeer { transport: PublicKey([1; 32]), addresses };
        let line = to_line(&Invitation { bootstrap: vec![peer; 8], ..invitation() });
        assert!(crate::code::terminal(&line).is_ok(), "{} characters", line.len());
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
