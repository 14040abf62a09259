//! What the charter says of this node: its end, its keys, its members.

use protocol::charter::{Charter, Purpose, Standing};
use protocol::identity::{MemberNumber, PublicKey};

use super::CHARTER_EXPIRING_MS;
use super::catalogue::{self, CHARTER_EXPIRED, CHARTER_EXPIRING, Check, KEY_WRONG};
use crate::api::types::{Finding, ProblemDetail};

/// The check behind a warning of the status.
pub(super) fn check_of(code: &str) -> Check {
    match code {
        "charter-equivocation" => catalogue::CHARTER_SPLIT,
        "key-sealed" => catalogue::KEY_SEALED,
        "charter-expired" => catalogue::CHARTER_EXPIRED,
        "kind-set-unknown" => catalogue::KINDS_UNKNOWN,
        "term-ended" => catalogue::SEAT_ENDED,
        "log-forked" => catalogue::LOG_FORKED,
        "rewrap-needed" => catalogue::REWRAP_NEEDED,
        "another-process-uses-the-keys" => catalogue::KEYS_ELSEWHERE,
        "place-unknown" | "directory-is-a-copy" => catalogue::DIRECTORY_COPIED,
        "journal-behind" | "log-lost" => catalogue::LOG_LOST,
        "store-was-damaged" => catalogue::STORE_DAMAGED,
        "charter-branch-changed" => catalogue::STORE_REBUILT,
        "lead-holder-wrong-key" | "lead-holder-key" => catalogue::LEAD_HOLDER_KEY,
        "lead-holder-ledger" => catalogue::LEAD_HOLDER_LEDGER,
        "clock-shifted" => catalogue::CLOCK_SHIFTED,
        code if code.starts_with("member-") => catalogue::MEMBER_INACTIVE,
        _ => catalogue::ATTENTION,
    }
}

/// A warning of the status as a finding. Where a check says several things, the text tells them apart.
pub(super) fn from_warning(warning: &ProblemDetail) -> Finding {
    let check = check_of(&warning.code);
    let subject = match check.id {
        id if id == catalogue::ATTENTION.id => warning.code.clone(),
        id if id == catalogue::LOG_FORKED.id || id == catalogue::SEAT_ENDED.id => {
            blake3::hash(warning.en.as_bytes()).to_hex()[..8].to_owned()
        }
        _ => warning.at.clone(),
    };
    check.finding(subject, warning.zh.clone(), warning.en.clone())
}

/// The charter's term. That it has ended is also a warning of the status.
pub(super) fn term(charter: &Charter, now_ms: u64) -> Option<Finding> {
    let expires_ms = charter.tip_block().expires_ms;
    let version = charter.version();
    if expires_ms < now_ms {
        let days = (now_ms - expires_ms) / 86_400_000;
        let zh = format!("章程（第 {version} 块）已过期 {days} 天");
        return Some(CHARTER_EXPIRED.finding(
            "charter",
            zh,
            format!("the charter (block {version}) expired {days} days ago"),
        ));
    }
    let left_ms = expires_ms - now_ms;
    (left_ms < CHARTER_EXPIRING_MS).then(|| {
        let days = left_ms / 86_400_000;
        let zh = format!("章程（第 {version} 块）再过 {days} 天到期");
        CHARTER_EXPIRING.finding("charter", zh, format!("the charter (block {version}) expires in {days} days"))
    })
}

/// Keys that the charter does not grant to the member whose directory this is. Sealed keys, and keys of members that
/// left, are told elsewhere; a governance key may lie elsewhere.
pub(super) fn wrong_keys(charter: &Charter, held: &[(Purpose, PublicKey)]) -> Vec<Finding> {
    let owner = owner(charter, held);
    if owner
        .is_some_and(|owner| charter.members().get(&owner).is_some_and(|member| member.standing != Standing::Active))
    {
        return Vec::new();
    }
    let wrong = held.iter().filter(|(purpose, key)| match (charter.ever_of(key), owner) {
        (Some((member, granted)), Some(owner)) => member != owner || granted != *purpose,
        _ => true,
    });
    wrong
        .map(|(purpose, key)| {
            let (name, short) = (purpose.name(), key.short());
            let zh = format!("密钥 {name}（公钥 {short}…）不是章程给本成员的");
            KEY_WRONG.finding(
                name,
                zh,
                format!("the {name} key (public key {short}…) is none that the charter grants to this member"),
            )
        })
        .collect()
}

/// Whose directory this is: of the member that most of its keys belong to.
fn owner(charter: &Charter, held: &[(Purpose, PublicKey)]) -> Option<MemberNumber> {
    let members: Vec<MemberNumber> =
        held.iter().filter_map(|(_, key)| charter.ever_of(key)).map(|(member, _)| member).collect();
    members.iter().max_by_key(|member| members.iter().filter(|other| other == member).count()).copied()
}
