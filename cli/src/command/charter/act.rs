//! Acts: everything that a charter block can do, as commands. Each makes operations of what the charter and the node
//! say; [`super::signing`] signs them.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use node::api::types::HistoryItem;
use node::key_request::{KEY_REQUEST_BYTES_MAX, KeyRequest};
use node::kinds::kinds;
use protocol::charter::{
    BallotRule, Charter, Departure, KeyGrant, Operation, Purpose, Role, RoleRule, SeatGrant, Standing,
};
use protocol::erasure::Target;
use protocol::identity::{ContentHash, EntryId, MemberNumber, PublicKey};

use crate::client::segment;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

use super::admit::{self, AdmitArguments};
use super::class_key::{self, ClassKeyArguments};
use super::confirm;
use super::lead_holder::{self, LeadHolderArguments};
use super::seals::{Logs, SealArguments, find_key};
use super::signing::{Draft, Session};

/// What a block can do.
#[derive(Debug, Subcommand)]
pub enum Act {
    /// 批准入盟申请（--as 编号：原成员重新入盟）。
    /// Admit applicants (--as NUMBER: a former member under its own number)
    Admit(AdmitArguments),
    /// 提醒一个成员履行义务。
    /// Remind a member of its duties
    Warn(MemberReason),
    /// 暂停一个成员的权利。
    /// Suspend a member
    Suspend(Departing),
    /// 恢复被暂停的成员（凭新签名密钥的申请文件）。
    /// Reinstate a suspended member, with a request for a new signing key
    Reinstate(Reinstating),
    /// 成员退出（自愿或劝退）。
    /// A member leaves, of its own will or persuaded
    Leave(Departing),
    /// 除名一个成员。
    /// Expel a member
    Expel(Departing),
    /// 封存一把密钥，或移动封存点。
    /// Seal a key, or move its seal
    Seal(Sealing),
    /// 更换密钥：封存旧的，启用新的。
    /// Replace a key: the old one ends, the new one begins
    ReplaceKey(Replacing),
    /// 增加一把密钥。
    /// Add a key
    AddKey(Requesting),
    /// 授予席位。
    /// Grant a seat
    GrantRole(Granting),
    /// 收回席位。
    /// Take a seat
    TakeRole(Taking),
    /// 规定一种角色的席位数和任期。
    /// Say how many seats a role has, and for how long
    RoleRule(Ruling),
    /// 联盟名称、门槛、投票规则和到期时间。
    /// Name, threshold, rule of ballots and expiry
    Rules(Rules),
    /// 规定广播转发的速度。
    /// Limit how fast a member's entries are passed on by gossip
    Limits(Limits),
    /// 采用一套义务规则。
    /// Adopt a set of duty rules
    DutyRules(DutyRules),
    /// 采用本机在用的类别集（附加类别文件），使其类别可以发布。
    /// Adopt the kind set in use here, so that records of its kinds can be published
    Kinds(AdoptingKinds),
    /// 把已离开成员的记录交给另一成员（区县合并）。
    /// Give the records of a former member to another (merger of two counties)
    Reassign(Reassigning),
    /// 清除记录的内容。
    /// Erase the bodies of records
    Erase(Erasing),
    /// 制作一个类别的加密密钥，或把现行的补发给新成员。
    /// Make the key of a class, or wrap the present one for further holders
    ClassKey(ClassKeyArguments),
    /// 指定线索查重的评估方（两个，须是两个成员）。
    /// Name a holder for duplicate leads (two of them, two different members)
    LeadHolder(LeadHolderArguments),
}

/// A member, and why.
#[derive(Debug, Args)]
pub struct MemberReason {
    /// 成员编号或全名。
    /// Number or exact name of the member
    #[arg(value_name = "MEMBER")]
    member: String,
    /// 依据和决定。
    /// Ground and decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A member that loses its rights.
#[derive(Debug, Args)]
pub struct Departing {
    #[command(flatten)]
    whom: MemberReason,
    #[command(flatten)]
    seal: SealArguments,
}

/// A request for a key.
#[derive(Debug, Args)]
pub struct Requesting {
    /// 密钥申请文件。
    /// The key request, a file
    #[arg(value_name = "FILE")]
    request: PathBuf,
    /// 不再询问指纹是否核对过。
    /// Do not ask whether the fingerprint was compared
    #[arg(long, short)]
    yes: bool,
}

/// A suspended member returns.
#[derive(Debug, Args)]
pub struct Reinstating {
    #[command(flatten)]
    key: Requesting,
    /// 依据和决定。
    /// Ground and decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// A key ends.
#[derive(Debug, Args)]
pub struct Sealing {
    /// 成员，或密钥的前 8 个以上字符。
    /// A member, or the first characters of a key, 8 or more
    #[arg(value_name = "KEY")]
    key: String,
    #[command(flatten)]
    seal: SealArguments,
}

/// A key takes the place of another.
#[derive(Debug, Args)]
pub struct Replacing {
    #[command(flatten)]
    key: Requesting,
    /// 旧密钥的前 8 个以上字符（缺省：申请里写的，或同用途现用的那把）。
    /// The old key (default: what the request says, or the one in use for that purpose)
    #[arg(long, value_name = "KEY")]
    old: Option<String>,
    #[command(flatten)]
    seal: SealArguments,
}

/// A seat to grant.
#[derive(Debug, Args)]
pub struct Granting {
    /// 角色：登记人、理事、专家委员、监督委员、见证人、秘书长。
    /// Role: registrar, council, expert, supervisor, witness, secretary-general
    #[arg(value_name = "ROLE")]
    role: String,
    /// 成员编号或全名。
    /// Number or exact name of the member
    #[arg(value_name = "MEMBER")]
    member: String,
    /// 在任者姓名。
    /// Who sits there
    #[arg(long, value_name = "NAME", default_value = "")]
    person: String,
    /// 任期天数，从现在起（缺省不限）。
    /// Days of the term from now on (default: without end)
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=36_500))]
    days: Option<u64>,
}

/// A seat to take.
#[derive(Debug, Args)]
pub struct Taking {
    /// 席位编号。
    /// Number of the seat
    #[arg(value_name = "SEAT")]
    seat: u32,
    /// 依据和决定。
    /// Ground and decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// The rule of a role.
#[derive(Debug, Args)]
pub struct Ruling {
    /// 角色。
    /// Role
    #[arg(value_name = "ROLE")]
    role: String,
    /// 席位数上限。
    /// Seats at most
    #[arg(long, value_name = "COUNT")]
    seats: u16,
    /// 任期天数上限，0 为不限。
    /// Days of a term at most; 0 for any
    #[arg(long, value_name = "DAYS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=36_500))]
    term_days: u64,
}

/// Rules of the federation; what is not named stays.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Rules {
    /// 联盟名称。
    /// Name of the federation
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// 须有几名登记人签署。
    /// Registrars that must sign
    #[arg(long, value_name = "COUNT")]
    threshold: Option<u16>,
    /// 投票规则：more-than-half（过半）或 half-is-enough（半数即可）。
    /// Rule of ballots: more-than-half or half-is-enough
    #[arg(long, value_name = "RULE", value_parser = ["more-than-half", "half-is-enough"])]
    ballots: Option<String>,
    /// 从现在起多少天后到期。
    /// Days from now until the charter expires
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(1..=36_500))]
    expires_days: Option<u64>,
}

/// How fast gossip passes entries on.
#[derive(Debug, Args)]
pub struct Limits {
    /// 每个成员每分钟的条数，0 为不限。
    /// Entries of one member in a minute; 0 sets no limit
    #[arg(long, value_name = "COUNT")]
    gossip_entries_per_minute: u32,
}

/// A set of duty rules.
#[derive(Debug, Args)]
pub struct DutyRules {
    /// 编号。
    /// Its number
    #[arg(value_name = "NUMBER")]
    number: u16,
    /// 规则文件。
    /// The file of the rules
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// A kind set.
#[derive(Debug, Args)]
pub struct AdoptingKinds {
    /// 版本号（缺省：现有最大的加一）。
    /// Its version (default: one above the highest)
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u16).range(1..))]
    version: Option<u16>,
    /// 类别集的哈希（缺省：本机在用的；见 xianmeng kinds check）。
    /// Hash of the set (default: the one in use here; see `xianmeng kinds check`)
    #[arg(long, value_name = "HASH")]
    hash: Option<ContentHash>,
}

/// Records that change hands.
#[derive(Debug, Args)]
pub struct Reassigning {
    /// 已退出或除名的成员。
    /// The former member
    #[arg(value_name = "FROM")]
    from: String,
    /// 接手的成员。
    /// The member that takes them
    #[arg(value_name = "TO")]
    to: String,
    /// 依据和决定。
    /// Ground and decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Records whose bodies go.
#[derive(Debug, Args)]
pub struct Erasing {
    /// 记录编号（如 42-7）或记录号。
    /// Labels (such as 42-7) or ids of records
    #[arg(value_name = "RECORD", required = true)]
    records: Vec<String>,
    /// 依据和决定。
    /// Ground and decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Act {
    /// The block's content. Admissions of many applicants are divided by the caller.
    pub fn draft(&self, context: &Context, session: &Session) -> Result<Draft, Failure> {
        let charter = &session.charter;
        let operation = match self {
            Self::Admit(arguments) => return admit::draft(context, session, arguments),
            Self::Rules(arguments) => return rules(charter, arguments),
            Self::ReplaceKey(arguments) => return replace_key(context, session, arguments),
            Self::Warn(MemberReason { member, reason }) => {
                Operation::Warn { member: find_member(charter, member)?, reason: reason.clone() }
            }
            Self::Suspend(arguments) => Operation::Suspend(departure(context, session, arguments)?),
            Self::Leave(arguments) => Operation::Leave(departure(context, session, arguments)?),
            Self::Expel(arguments) => Operation::Expel(departure(context, session, arguments)?),
            Self::Reinstate(Reinstating { key, reason }) => {
                let (grant, _) = requested(context, charter, key)?;
                Operation::Reinstate { reason: reason.clone(), grant }
            }
            Self::Seal(Sealing { key, seal }) => {
                let key = find_key(charter, key)?;
                Operation::SealKey(Logs::new(context, &session.client)?.seal_of(charter, &key, seal)?)
            }
            Self::AddKey(arguments) => Operation::AddKey(requested(context, charter, arguments)?.0),
            Self::GrantRole(arguments) => Operation::GrantRole(seat(charter, arguments)?),
            Self::TakeRole(Taking { seat, reason }) => Operation::TakeRole { seat: *seat, reason: reason.clone() },
            Self::RoleRule(Ruling { role, seats, term_days }) => Operation::RoleRule(RoleRule {
                role: find_role(role)?,
                seats_max: *seats,
                term_ms: term_days * time::DAY_MS,
            }),
            Self::Limits(Limits { gossip_entries_per_minute }) => {
                Operation::Limits { gossip_entries_per_minute: *gossip_entries_per_minute }
            }
            Self::DutyRules(DutyRules { number, file }) => {
                let bytes = std::fs::read(file).map_err(|error| Failure::file(file, &error))?;
                Operation::DutyRules { version: *number, hash: ContentHash::of(&bytes) }
            }
            Self::Kinds(arguments) => adopt_kinds(charter, arguments)?,
            Self::Reassign(Reassigning { from, to, reason }) => {
                let (from, to) = (find_member(charter, from)?, find_member(charter, to)?);
                Operation::Reassign { from, to, reason: reason.clone() }
            }
            Self::Erase(arguments) => erase(session, arguments)?,
            Self::ClassKey(arguments) => class_key::operation(&session.directory, charter, arguments)?,
            Self::LeadHolder(arguments) => lead_holder::operation(context, charter, arguments)?,
        };
        Ok(Draft::of(vec![operation]))
    }
}

/// A member by its number or exact name; of several of one name, the active one.
pub fn find_member(charter: &Charter, text: &str) -> Result<MemberNumber, Failure> {
    let named: Vec<_> = charter.members().values().filter(|member| member.name == text.trim()).collect();
    let numbered = text.trim().parse().ok().and_then(|number| charter.members().get(&MemberNumber(number)));
    let active = named.iter().find(|member| member.standing == Standing::Active).or(named.first()).copied();
    numbered.or(active).map(|member| member.number).ok_or_else(|| {
        let (zh, en) = (format!("没有成员“{text}”。"), format!("there is no member {text:?}"));
        Failure::new(ExitCode::NotFound, "member-unknown", zh, en)
            .fix("xianmeng charter show 列出全部成员。", "`xianmeng charter show` lists the members")
    })
}

fn find_role(text: &str) -> Result<Role, Failure> {
    Role::from_name(text.trim()).ok_or_else(|| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        let (zh, en) = (format!("没有角色“{text}”。"), format!("there is no role {text:?}"));
        Failure::new(ExitCode::InputRefused, "role-unknown", zh, en)
            .fix(format!("可用：{}", names.join("、")), format!("one of {}", names.join(", ")))
    })
}

fn departure(context: &Context, session: &Session, arguments: &Departing) -> Result<Departure, Failure> {
    let charter = &session.charter;
    let number = find_member(charter, &arguments.whom.member)?;
    let standing = charter.members().get(&number).map(|member| (member.standing, &member.name));
    if let Some((standing @ (Standing::Left | Standing::Expelled), name)) = standing {
        let (zh, en) = (format!("“{name}”{}。", standing.zh()), format!("{name} has {} already", standing.name()));
        return Err(Failure::new(ExitCode::InputRefused, "member-gone", zh, en));
    }
    let seals = Logs::new(context, &session.client)?.seals(charter, number, &arguments.seal)?;
    Ok(Departure { member: number, reason: arguments.whom.reason.clone(), seals })
}

/// Reads and checks a key request, and has a person compare its fingerprint.
fn requested(
    context: &Context,
    charter: &Charter,
    arguments: &Requesting,
) -> Result<(KeyGrant, Option<PublicKey>), Failure> {
    let request = read_request(&arguments.request)?;
    let grant = request.verify(&charter.federation()).map_err(|error| {
        let zh = format!("密钥申请不成立：{error}");
        Failure::new(ExitCode::InputRefused, "key-request", zh, error.to_string())
            .fix("请对方重新生成申请。", "ask the member for a new request")
    })?;
    let name = charter.members().get(&grant.member).map(|member| member.name.clone()).unwrap_or_default();
    let (member, purpose, digits) = (grant.member, grant.key.purpose.name(), request.fingerprint());
    context.out.say(
        format!("成员 {member}“{name}”申请新的 {purpose} 密钥，指纹 {digits}。{}", request.note),
        format!("Member {member}, {name}, asks for a {purpose} key, fingerprint {digits}."),
    );
    confirm::compared(context, arguments.yes)?;
    Ok((grant, request.old_key))
}

fn read_request(path: &Path) -> Result<KeyRequest, Failure> {
    let unreadable = |reason: String| {
        let (zh, en) = (format!("{} 不是密钥申请：{reason}", path.display()), format!("no key request: {reason}"));
        Failure::new(ExitCode::InputRefused, "key-request-unreadable", zh, en)
    };
    let length = std::fs::metadata(path).map_err(|error| Failure::file(path, &error))?.len();
    if length > KEY_REQUEST_BYTES_MAX {
        return Err(unreadable(format!("{length} > {KEY_REQUEST_BYTES_MAX}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
    serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
}

/// A registrar's seat hangs on its key, so it goes over to the new one in the same block.
fn replace_key(context: &Context, session: &Session, arguments: &Replacing) -> Result<Draft, Failure> {
    let charter = &session.charter;
    let (grant, stated) = requested(context, charter, &arguments.key)?;
    let named = arguments.old.as_deref().map(|text| find_key(charter, text)).transpose()?;
    let member = charter.members().get(&grant.member);
    let current = member.and_then(|member| member.key(grant.key.purpose));
    let old = named.or(stated).or(current).ok_or_else(|| {
        let (zh, en) = ("没有可替换的旧密钥。", "there is no key to replace");
        Failure::new(ExitCode::NotFound, "key-unknown", zh, en)
            .fix("请用 --old 指明，或改用 add-key。", "name it with --old, or use add-key")
    })?;
    let seal = Logs::new(context, &session.client)?.seal_of(charter, &old, &arguments.seal)?;
    let mut operations = vec![Operation::ReplaceKey { seal, grant }];
    let seat = charter.seats().iter().find(|seat| seat.ended.is_none() && seat.grant.key == old);
    if let Some(seat) = seat.filter(|_| grant.key.purpose == Purpose::Governance) {
        operations.push(Operation::GrantRole(SeatGrant { key: grant.key.key, ..seat.grant.clone() }));
    }
    Ok(Draft::of(operations))
}

fn seat(charter: &Charter, arguments: &Granting) -> Result<SeatGrant, Failure> {
    let (role, member) = (find_role(&arguments.role)?, find_member(charter, &arguments.member)?);
    let key = match role {
        Role::Registrar => charter.members().get(&member).and_then(|member| member.key(Purpose::Governance)),
        _ => Some(PublicKey::ZERO),
    };
    let key = key.ok_or_else(|| {
        let (zh, en) =
            ("这个成员没有治理密钥，当不了登记人。", "the member has no governance key and cannot be a registrar");
        Failure::new(ExitCode::InputRefused, "no-governance-key", zh, en)
            .fix("先用 add-key 增加一把。", "add one with add-key first")
    })?;
    let from_ms = time::now_ms();
    let until_ms = arguments.days.map_or(0, |days| from_ms + days * time::DAY_MS);
    let from_ms = if until_ms == 0 { 0 } else { from_ms };
    Ok(SeatGrant { role, member, key, person: arguments.person.trim().to_owned(), from_ms, until_ms })
}

fn rules(charter: &Charter, arguments: &Rules) -> Result<Draft, Failure> {
    let named = arguments.name.is_some() || arguments.threshold.is_some() || arguments.ballots.is_some();
    let ballots = arguments.ballots.as_deref().and_then(BallotRule::from_name).unwrap_or(charter.ballot_rule());
    let rules = Operation::Rules {
        name: arguments.name.clone().unwrap_or_else(|| charter.name().to_owned()),
        threshold: arguments.threshold.unwrap_or(charter.threshold()),
        ballots,
    };
    let operations = if named { vec![rules] } else { Vec::new() };
    Ok(Draft { operations, expires_days: arguments.expires_days })
}

/// A set is named once: a second version of it would only make statements differ that say the same.
fn adopt_kinds(charter: &Charter, arguments: &AdoptingKinds) -> Result<Operation, Failure> {
    let hash = arguments.hash.unwrap_or_else(|| kinds().hash());
    let named = charter.kind_sets();
    if let Some((version, _)) = named.iter().find(|(_, named)| **named == hash) {
        let (zh, en) = (
            format!("章程第 {version} 版类别集就是 {}，不用再写。", hash.short()),
            format!("the charter names {} as kind set {version} already", hash.short()),
        );
        return Err(Failure::new(ExitCode::InputRefused, "kind-set-named", zh, en).fix(
            "若有新的类别文件，请放进数据目录的 kinds 目录，或加 --kinds 目录。",
            "put new kind files into the directory `kinds` of the data directory, or add --kinds DIR",
        ));
    }
    let highest = named.keys().next_back().copied().unwrap_or_default();
    let version = arguments.version.or_else(|| highest.checked_add(1)).filter(|version| !named.contains_key(version));
    let version = version.ok_or_else(|| {
        let (zh, en) = ("这个版本号已经用过。", "that version is taken");
        Failure::new(ExitCode::InputRefused, "kind-set-version", zh, en)
            .fix(format!("请用 --version {} 以上。", highest.saturating_add(1)), format!("name one above {highest}"))
    })?;
    Ok(Operation::KindSet { version, hash })
}

/// Every statement about the records goes, in the order that the layout wants.
fn erase(session: &Session, arguments: &Erasing) -> Result<Operation, Failure> {
    let mut targets: Vec<Target> = Vec::new();
    for record in &arguments.records {
        let history: Vec<HistoryItem> = session.client.get(&format!("/v1/records/{}/history", segment(record)), &[])?;
        // What does not count is no statement of the record.
        for item in history.into_iter().filter(|item| item.counts) {
            let log = session.charter.logs().get(item.log as usize);
            let key = log.ok_or_else(|| Failure::internal("the node names a log that the charter does not have"))?.key;
            let id: EntryId = item.entry.parse().map_err(Failure::internal)?;
            targets.push(Target { key, sequence: item.sequence, id, creates: item.operation == "create" });
        }
    }
    targets.sort();
    targets.dedup();
    Ok(Operation::Erase { reason: arguments.reason.clone(), targets })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::charter::Class;
    use protocol::testing::Organisation;

    #[test]
    fn members_are_found_by_number_and_exact_name() {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        secretariat.admit(&mut charter, &Organisation::new("奉节县", Class::County, 2));
        assert_eq!(find_member(&charter, "奉节县"), Ok(MemberNumber(2)));
        assert_eq!(find_member(&charter, "2"), Ok(MemberNumber(2)));
        assert_eq!(find_member(&charter, "奉节").expect_err("only the exact name").code, "member-unknown");
    }

    #[test]
    fn a_kind_set_is_adopted_once_under_the_next_version() {
        let (charter, _) = Organisation::found("秘书处", 1);
        let highest = charter.kind_sets().keys().next_back().copied().unwrap_or_default();
        let adopt = |version, hash| adopt_kinds(&charter, &AdoptingKinds { version, hash });
        let hash = ContentHash::of(b"another set");
        assert_eq!(adopt(None, Some(hash)), Ok(Operation::KindSet { version: highest + 1, hash }));
        assert_eq!(adopt(Some(40), Some(hash)), Ok(Operation::KindSet { version: 40, hash }));
        if let Some((version, named)) = charter.kind_sets().iter().next() {
            assert_eq!(adopt(None, Some(*named)).expect_err("it is named").code, "kind-set-named");
            assert_eq!(adopt(Some(*version), Some(hash)).expect_err("it is taken").code, "kind-set-version");
        }
    }

    #[test]
    fn rules_that_are_not_named_stay() {
        let (charter, _) = Organisation::found("秘书处", 1);
        let arguments = Rules { name: None, threshold: Some(2), ballots: None, expires_days: None };
        let draft = rules(&charter, &arguments).expect("nothing to refuse");
        let kept =
            Operation::Rules { name: charter.name().to_owned(), threshold: 2, ballots: BallotRule::MoreThanHalf };
        assert_eq!(draft.operations, [kept]);
        let renewal = Rules { name: None, threshold: None, ballots: None, expires_days: Some(30) };
        assert!(rules(&charter, &renewal).is_ok_and(|draft| draft.operations.is_empty()));
    }
}
