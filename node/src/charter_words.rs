//! Charter operations in words, so that whoever signs a block reads what it does (DESIGN 4.5).
//!
//! The words come from the block's own bytes. A charter, where there is one, only lends names to numbers.

use protocol::charter::{BallotRule, Charter, Departure, KeyGrant, Operation, Seal, SeatGrant};
use protocol::identity::MemberNumber;
use protocol::lead_token::HolderGrant;
use protocol::sealed::WrappedClassKey;

use crate::api::types::Words;
use crate::key_request::{grant_fingerprint, holder_fingerprint};

/// What an operation does.
pub fn describe(operation: &Operation, charter: Option<&Charter>) -> Words {
    let name = |member: MemberNumber| name_of(member, charter);
    let (zh, en) = match operation {
        Operation::Rules { name, threshold, ballots } => rules(name, *threshold, *ballots),
        Operation::KindSet { version, hash } => {
            (format!("采用第 {version} 版类别集 {hash}"), format!("adopts kind set {version}, {hash}"))
        }
        Operation::DutyRules { version, hash } => {
            (format!("采用第 {version} 号义务规则 {hash}"), format!("adopts duty rules {version}, {hash}"))
        }
        Operation::Admit { member, application } => {
            let (applicant, digits) = (&application.application, application.application.fingerprint());
            let class = applicant.class;
            (
                format!("接纳“{}”（{}）为成员 {member}，指纹 {digits}", applicant.name, class.zh()),
                format!("admits {} ({}) as member {member}, fingerprint {digits}", applicant.name, class.name()),
            )
        }
        Operation::Warn { member, reason } => {
            (format!("提醒{}：{reason}", name(*member)), format!("warns {}: {reason}", name(*member)))
        }
        Operation::Suspend(departure) => departs("暂停", "suspends", departure, charter),
        Operation::Leave(departure) => departs("准予退出：", "lets go", departure, charter),
        Operation::Expel(departure) => departs("除名", "expels", departure, charter),
        Operation::Reinstate { reason, grant } => {
            let (zh, en) = granted(grant, None, charter);
            let member = name(grant.member);
            (format!("恢复{member}：{reason}；{zh}"), format!("reinstates {member}: {reason}; {en}"))
        }
        Operation::AddKey(grant) => granted(grant, None, charter),
        Operation::SealKey(seal) => sealed(seal, charter),
        Operation::ReplaceKey { seal, grant } => {
            let ((old_zh, old_en), (zh, en)) = (sealed(seal, charter), granted(grant, Some(seal), charter));
            (format!("{old_zh}；{zh}"), format!("{old_en}; {en}"))
        }
        Operation::GrantRole(grant) => seat(grant, charter),
        Operation::TakeRole { seat, reason } => {
            let holder = charter.and_then(|charter| charter.seats().iter().find(|held| held.number == *seat));
            let (zh, en) = holder.map_or_else(Default::default, |held| {
                let member = name(held.grant.member);
                (format!("（{} {member}）", held.grant.role.zh()), format!(" ({} {member})", held.grant.role.name()))
            });
            (format!("收回第 {seat} 号席位{zh}：{reason}"), format!("takes seat {seat}{en}: {reason}"))
        }
        Operation::RoleRule(rule) => {
            let (role, seats, days) = (rule.role, rule.seats_max, rule.term_ms / DAY_MS);
            (
                format!("{}至多 {seats} 席，任期至多 {days} 天（0 为不限）", role.zh()),
                format!("{}: {seats} seats at most, terms of {days} days at most (0: any)", role.name()),
            )
        }
        Operation::Limits { gossip_entries_per_minute: entries } => (
            format!("每个成员每分钟经广播转发至多 {entries} 条（0 为不限）"),
            format!("passes on {entries} entries of a member in a minute by gossip (0: any)"),
        ),
        Operation::Reassign { from, to, reason } => (
            format!("{}的记录归{}：{reason}", name(*from), name(*to)),
            format!("gives the records of {} to {}: {reason}", name(*from), name(*to)),
        ),
        Operation::ClassKey(wrapped) => class_key(wrapped),
        Operation::LeadHolder(grant) => lead_holder(grant, charter),
        Operation::Erase { reason, targets } => {
            let named: Vec<String> = targets.iter().map(|target| target.id.short()).collect();
            let (count, named) = (targets.len(), named.join(" "));
            (format!("清除 {count} 条内容（{named}）：{reason}"), format!("erases {count} bodies ({named}): {reason}"))
        }
    };
    Words { zh, en }
}

fn class_key(wrapped: &WrappedClassKey) -> (String, String) {
    let (class, version) = (wrapped.class, wrapped.version);
    (
        format!("发布{}类读者的第 {version} 版类密钥", class.zh()),
        format!("publishes class key {version} of the {} class", class.name()),
    )
}

fn lead_holder(grant: &HolderGrant, charter: Option<&Charter>) -> (String, String) {
    let (slot, member, per_day) = (grant.slot.number(), name_of(grant.member, charter), grant.evaluations_per_day);
    let digits = holder_fingerprint(grant.member, &grant.key);
    (
        format!("指定{member}为线索查重的第 {slot} 评估方，每个成员每天至多 {per_day} 次，密钥指纹 {digits}"),
        format!(
            "names {member} as holder {slot} for duplicate leads, {per_day} evaluations a day for each member, key \
             fingerprint {digits}"
        ),
    )
}

const DAY_MS: u64 = 86_400_000;

fn rules(name: &str, threshold: u16, ballots: BallotRule) -> (String, String) {
    let share = match ballots {
        BallotRule::MoreThanHalf => "过半数",
        BallotRule::HalfIsEnough => "半数",
    };
    (
        format!("联盟名称“{name}”，须 {threshold} 名登记人签署，或{share}成员投票"),
        format!("name {name}; {threshold} registrars must sign, or ballots: {}", ballots.name()),
    )
}

fn name_of(member: MemberNumber, charter: Option<&Charter>) -> String {
    let known = charter.and_then(|charter| charter.members().get(&member));
    known.map_or_else(|| format!("{member}"), |known| format!("{member}“{}”", known.name))
}

fn departs(zh: &str, en: &str, departure: &Departure, charter: Option<&Charter>) -> (String, String) {
    let member = name_of(departure.member, charter);
    let ends: Vec<(String, String)> = departure.seals.iter().map(|seal| sealed(seal, charter)).collect();
    let tail = |pick: fn(&(String, String)) -> &String| ends.iter().map(|end| format!("; {}", pick(end))).collect();
    let (tail_zh, tail_en): (String, String) = (tail(|end| &end.0), tail(|end| &end.1));
    (
        format!("{zh}{member}：{}{}", departure.reason, tail_zh.replace("; ", "；")),
        format!("{en} {member}: {}{tail_en}", departure.reason),
    )
}

fn sealed(seal: &Seal, charter: Option<&Charter>) -> (String, String) {
    let key = seal.key.short();
    let signs = charter.is_none_or(|charter| charter.log_of(&seal.key).is_some());
    match seal.last {
        Some(last) => (
            format!("密钥 {key} 到第 {} 条（{}）为止有效", last.sequence, last.id.short()),
            format!("key {key} counts up to entry {} ({})", last.sequence, last.id.short()),
        ),
        None if signs => (format!("密钥 {key} 的条目一概不算"), format!("nothing of key {key} counts")),
        None => (format!("密钥 {key} 作废"), format!("key {key} ends")),
    }
}

fn granted(grant: &KeyGrant, replaces: Option<&Seal>, charter: Option<&Charter>) -> (String, String) {
    let (member, purpose) = (name_of(grant.member, charter), grant.key.purpose.name());
    let digits = grant_fingerprint(grant.member, purpose, &grant.key.key, replaces.map(|seal| &seal.key));
    let key = grant.key.key.short();
    (
        format!("给{member}新的 {purpose} 密钥 {key}，指纹 {digits}"),
        format!("gives {member} the {purpose} key {key}, fingerprint {digits}"),
    )
}

fn seat(grant: &SeatGrant, charter: Option<&Charter>) -> (String, String) {
    let (member, role) = (name_of(grant.member, charter), grant.role);
    let person = if grant.person.is_empty() { String::new() } else { format!(" {}", grant.person) };
    let days = grant.until_ms.saturating_sub(grant.from_ms) / DAY_MS;
    let (term_zh, term_en) = match grant.until_ms {
        0 => ("无任期限制".to_owned(), "without end".to_owned()),
        _ => (format!("任期 {days} 天"), format!("for {days} days")),
    };
    (
        format!("{member}{person} 任{}，{term_zh}", role.zh()),
        format!("{member}{person} becomes {}, {term_en}", role.name()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::charter::Class;
    use protocol::testing::Organisation;

    #[test]
    fn the_words_name_the_applicant_and_the_digits_to_compare() {
        let (charter, _) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2).application(&charter.federation());
        let digits = county.application.fingerprint();
        let words = describe(&Operation::Admit { member: MemberNumber(2), application: county }, None);
        assert!(words.zh.contains("奉节县") && words.zh.contains(&digits) && words.en.contains(&digits));
        let warn = Operation::Warn { member: MemberNumber(1), reason: "逾期".into() };
        assert_eq!(describe(&warn, Some(&charter)).zh, "提醒1“秘书处”：逾期");
    }
}
