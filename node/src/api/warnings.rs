//! What of the charter needs a person's attention. None of it stops anything by itself.

use protocol::charter::{Charter, Standing};
use protocol::identity::PublicKey;
use protocol::replica::Replica;

use super::types::ProblemDetail;

/// Warnings that follow from the charter, the worst first.
pub(crate) fn of_charter(charter: &Charter, own: &PublicKey, now_ms: u64) -> Vec<ProblemDetail> {
    let mut warnings = Vec::new();
    let mut warn = |code: &str, zh: String, en: String| {
        warnings.push(ProblemDetail { at: "charter".into(), code: code.into(), zh, en });
    };
    if let Some(rival) = charter.rival() {
        let version = rival.block().version;
        warn(
            "charter-equivocation",
            format!("第 {version} 块有两个都有效的版本：登记人自相矛盾；请电话核实，再用 xianmeng charter pin 选定"),
            format!(
                "two valid blocks of version {version}: call the registrars, then choose with `xianmeng charter pin`"
            ),
        );
    }
    let member = charter.log_of(own).and_then(|grant| charter.members().get(&grant.member));
    if let Some(member) = member.filter(|member| member.standing != Standing::Active) {
        let (version, ground) =
            member.ground().map(|ground| (ground.version, ground.reason.clone())).unwrap_or_default();
        let (standing, number) = (member.standing, member.number);
        warn(
            &format!("member-{}", standing.name()),
            format!("本成员（{number}）自章程第 {version} 块起{}，依据：{ground}", standing.zh()),
            format!("this member ({number}) is {} since charter block {version}, ground: {ground}", standing.name()),
        );
    } else if charter.log_of(own).is_some_and(|grant| grant.seal.is_some()) {
        warn(
            "key-sealed",
            "本节点的签名密钥已封存，不再签署；请执行 xianmeng key request signing，把申请交给登记人".into(),
            "the signing key of this node is sealed and signs nothing: run `xianmeng key request signing` and hand the \
             request to a registrar"
                .into(),
        );
    }
    let expires_ms = charter.tip_block().expires_ms;
    if expires_ms < now_ms {
        warn(
            "charter-expired",
            "章程已过期：没有任何功能停用，但请登记人尽快续签".into(),
            "the charter has expired: nothing stops, but the registrars should renew it soon".into(),
        );
    }
    let kinds = crate::kinds::kinds().hash();
    if !charter.kind_sets().is_empty() && !charter.kind_sets().values().any(|hash| *hash == kinds) {
        warn(
            "kind-set-unknown",
            format!(
                "章程没有载明本节点的类别集 {}：它独有的类别暂不能发布；请登记人执行 xianmeng charter kinds",
                kinds.short()
            ),
            format!(
                "the charter does not name this node's kind set {}: kinds of its own cannot be published until a \
                 registrar runs `xianmeng charter kinds`",
                kinds.short()
            ),
        );
    }
    let ended = charter.seats().iter().filter(|seat| seat.ended.is_none() && seat.has_run_out(now_ms));
    for seat in ended {
        let (number, role) = (seat.number, seat.grant.role);
        warn(
            "term-ended",
            format!("第 {number} 号席位（{}，成员 {}）任期已满", role.zh(), seat.grant.member),
            format!("the term of seat {number} ({}, member {}) has ended", role.name(), seat.grant.member),
        );
    }
    warnings
}

/// Logs that stand still because their keys signed two entries at one place, and are not sealed yet.
pub(crate) fn of_logs(replica: &Replica) -> Vec<ProblemDetail> {
    let charter = replica.charter();
    let forked = charter.logs().iter().filter(|log| log.seal.is_none());
    let forked = forked.filter_map(|log| Some((log.member, replica.fork_of(&log.key)?)));
    let warning = |(member, sequence)| {
        let name = charter.members().get(&member).map(|member| member.name.as_str()).unwrap_or_default();
        ProblemDetail {
            at: "log".into(),
            code: "log-forked".into(),
            zh: format!(
                "成员 {member}“{name}”的日志在第 {sequence} 条分叉，此后的一概不算；要由它申请新密钥（xianmeng key \
                 request signing），登记人换钥"
            ),
            en: format!(
                "the log of member {member}, {name}, is forked at entry {sequence}, and nothing from there on counts: it \
                 asks for a new key (`xianmeng key request signing`), and a registrar replaces the old one"
            ),
        }
    };
    forked.map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::charter::{Class, Departure, Operation, Role, Seal, SeatGrant};
    use protocol::identity::public_key;
    use protocol::testing::{EXPIRES_MS, FOUNDED_MS, Organisation};

    #[test]
    fn what_needs_attention_is_named_once_each() {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        let key = public_key(&county.signing);
        let member = charter.log_of(&key).expect("it is a member").member;
        assert_eq!(of_charter(&charter, &key, FOUNDED_MS), []);
        let seat = SeatGrant {
            role: Role::Council,
            member,
            key: PublicKey::ZERO,
            person: "张三".into(),
            from_ms: FOUNDED_MS,
            until_ms: FOUNDED_MS + 1_000,
        };
        secretariat.try_append(&mut charter, vec![Operation::GrantRole(seat)]).expect("a seat is free");
        let codes = |charter: &Charter, now_ms| {
            let warnings = of_charter(charter, &key, now_ms);
            warnings.into_iter().map(|warning| warning.code).collect::<Vec<_>>()
        };
        assert_eq!(codes(&charter, FOUNDED_MS), Vec::<String>::new());
        assert_eq!(codes(&charter, EXPIRES_MS + 1), ["charter-expired", "term-ended"]);
        let suspend = Departure { member, reason: "欠费".into(), seals: vec![Seal { key, last: None }] };
        secretariat.try_append(&mut charter, vec![Operation::Suspend(suspend)]).expect("it is active");
        assert_eq!(codes(&charter, FOUNDED_MS), ["member-suspended"]);
    }
}
