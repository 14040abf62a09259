//! Where a log shall end: the part of a command that makes seals (DESIGN 4.3).

use clap::Args;
use node::api::types::{LogEntries, LogEntry, LogHead, Status};
use protocol::charter::{Charter, LogGrant, Position, Purpose, Seal};
use protocol::identity::{EntryId, MemberNumber, PublicKey};

use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// Entries asked for at a time.
const PAGE: u64 = 1_000;

/// Where the log ends; by default at the head that this node holds, below a fork.
#[derive(Debug, Default, Args)]
#[group(multiple = false)]
pub struct SealArguments {
    /// 到第几条为止有效。
    /// The last entry that counts, by its sequence
    #[arg(long, value_name = "SEQUENCE")]
    at: Option<u64>,
    /// 从这一条起无效（条目号或序号）。
    /// The first entry that does not count, by its id or sequence
    #[arg(long, value_name = "ENTRY")]
    before: Option<String>,
    /// 从这个时间起无效（北京时间；以对方自报的时间为准）。
    /// Entries from this time on do not count (Beijing time; as their author claims it)
    #[arg(long, value_name = "TIME")]
    before_time: Option<String>,
    /// 分叉时认哪一支（该支的条目号）。
    /// Of a forked log, the branch that counts, up to and with this entry
    #[arg(long, value_name = "ENTRY")]
    branch: Option<String>,
    /// 一概不算数。
    /// Nothing counts
    #[arg(long, alias = "accept-none")]
    nothing: bool,
}

/// Reads logs of the running node.
pub struct Logs<'a> {
    context: &'a Context,
    client: &'a Client,
    heads: Vec<LogHead>,
}

impl<'a> Logs<'a> {
    /// Asks for the heads.
    pub fn new(context: &'a Context, client: &'a Client) -> Result<Self, Failure> {
        let status: Status = client.get("/v1/status", &[])?;
        Ok(Self { context, client, heads: status.heads })
    }

    /// One seal for each open signing key of the member, in ascending order of key.
    pub fn seals(
        &self,
        charter: &Charter,
        member: MemberNumber,
        arguments: &SealArguments,
    ) -> Result<Vec<Seal>, Failure> {
        let open = charter.logs().iter().filter(|log| log.member == member && log.seal.is_none());
        let mut seals: Vec<Seal> = open.map(|log| self.seal(log, arguments)).collect::<Result<_, _>>()?;
        seals.sort_by_key(|seal| seal.key);
        Ok(seals)
    }

    /// The seal of any key: of one without a log it says only that it ends.
    pub fn seal_of(&self, charter: &Charter, key: &PublicKey, arguments: &SealArguments) -> Result<Seal, Failure> {
        match charter.log_of(key) {
            Some(log) => self.seal(log, arguments),
            None => Ok(Seal { key: *key, last: None }),
        }
    }

    fn seal(&self, log: &LogGrant, arguments: &SealArguments) -> Result<Seal, Failure> {
        let last = self.last(log, arguments)?;
        if let Some(last) = last {
            self.context.out.say(
                format!("密钥 {} 到第 {} 条（{}）为止有效。", log.key.short(), last.sequence, last.id.short()),
                format!("Key {} counts up to entry {} ({}).", log.key.short(), last.sequence, last.id.short()),
            );
        }
        Ok(Seal { key: log.key, last })
    }

    fn last(&self, log: &LogGrant, arguments: &SealArguments) -> Result<Option<Position>, Failure> {
        if arguments.nothing {
            return Ok(None);
        }
        if let Some(sequence) = arguments.at {
            return self.position(log, sequence).map(Some);
        }
        if let Some(text) = &arguments.before {
            let sequence = match text.parse() {
                Ok(sequence) => sequence,
                Err(_) => self.find(log, |entry| entry.id.starts_with(&text.to_lowercase()))?.sequence,
            };
            return self.below(log, sequence);
        }
        if let Some(text) = &arguments.before_time {
            return self.before_time(log, text);
        }
        if let Some(text) = &arguments.branch {
            return self.branch(log, text).map(Some);
        }
        let head = self.heads.iter().find(|head| head.log == log.number);
        if let Some(fork) = head.and_then(|head| head.forked_at) {
            self.context.out.say(
                format!(
                    "这份日志在第 {fork} 条分叉，缺省只算分叉以下；另选一支用 --branch 条目号（xianmeng log 可查）。"
                ),
                format!(
                    "The log is forked at entry {fork}; what is below counts. Choose a branch with --branch ENTRY \
                     (see `xianmeng log`)."
                ),
            );
        }
        let Some(head) = head.filter(|head| head.length > 0) else { return Ok(None) };
        Ok(Some(Position { sequence: head.length - 1, id: head.head.parse().map_err(Failure::internal)? }))
    }

    fn page(&self, log: &LogGrant, from: u64, limit: u64) -> Result<LogEntries, Failure> {
        let query = [("from", from.to_string()), ("limit", limit.to_string())];
        self.client.get(&format!("/v1/logs/{}/entries", log.key), &query)
    }

    fn position(&self, log: &LogGrant, sequence: u64) -> Result<Position, Failure> {
        let page = self.page(log, sequence, 1)?;
        let entry = page.entries.iter().find(|entry| entry.sequence == sequence);
        position_of(entry.ok_or_else(|| not_held(&sequence.to_string()))?)
    }

    /// The place before `sequence`; none when that is the first.
    fn below(&self, log: &LogGrant, sequence: u64) -> Result<Option<Position>, Failure> {
        sequence.checked_sub(1).map(|last| self.position(log, last)).transpose()
    }

    fn find(&self, log: &LogGrant, fits: impl Fn(&LogEntry) -> bool) -> Result<LogEntry, Failure> {
        self.search(log, fits)?.ok_or_else(|| not_held("?"))
    }

    fn search(&self, log: &LogGrant, fits: impl Fn(&LogEntry) -> bool) -> Result<Option<LogEntry>, Failure> {
        let mut from = 0;
        loop {
            let page = self.page(log, from, PAGE)?;
            let Some(last) = page.entries.last() else { return Ok(None) };
            from = last.sequence + 1;
            if let Some(found) = page.entries.into_iter().find(|entry| fits(entry)) {
                return Ok(Some(found));
            }
        }
    }

    fn before_time(&self, log: &LogGrant, text: &str) -> Result<Option<Position>, Failure> {
        let Some(time_ms) = time::parse(text) else {
            let (zh, en) = (format!("时间“{text}”看不懂。"), format!("{text:?} is no time"));
            return Err(Failure::new(ExitCode::InputRefused, "time", zh, en)
                .fix("写法：2026-11-22 08:00（北京时间）。", "write 2026-11-22 08:00 (Beijing time)"));
        };
        self.context.out.say(
            "注意：时间是签名者自报的，偷走密钥的人可以倒填日期；更可靠的是 --before 条目号。",
            "Note: times are what the signer claimed, and a thief can date back; --before ENTRY is safer.",
        );
        match self.search(log, |entry| entry.time_ms >= time_ms)? {
            Some(first) => self.below(log, first.sequence),
            None => {
                let held = self.page(log, 0, 1)?.held;
                self.below(log, held)
            }
        }
    }

    fn branch(&self, log: &LogGrant, text: &str) -> Result<Position, Failure> {
        let text = text.to_lowercase();
        let page = self.page(log, 0, 1)?;
        let tip = page.branches.iter().find(|id| id.starts_with(&text));
        if let (Some(id), Some(sequence)) = (tip, page.forked_at) {
            return Ok(Position { sequence, id: id.parse().map_err(Failure::internal)? });
        }
        position_of(&self.find(log, |entry| entry.id.starts_with(&text))?)
    }
}

fn position_of(entry: &LogEntry) -> Result<Position, Failure> {
    let id: EntryId = entry.id.parse().map_err(Failure::internal)?;
    Ok(Position { sequence: entry.sequence, id })
}

fn not_held(what: &str) -> Failure {
    let (zh, en) = (format!("本节点没有这一条：{what}。"), format!("this node does not hold that entry: {what}"));
    Failure::new(ExitCode::NotFound, "entry-unknown", zh, en)
        .fix("xianmeng log 成员 列出条目。", "`xianmeng log MEMBER` lists the entries")
}

/// A key by how its hexadecimal form begins, or the open signing key of a member.
pub fn find_key(charter: &Charter, text: &str) -> Result<PublicKey, Failure> {
    let begins = text.trim().to_lowercase();
    let keys = charter.members().values().flat_map(|member| &member.keys).map(|key| key.key);
    let found: Vec<PublicKey> = keys.filter(|key| begins.len() >= 8 && key.to_string().starts_with(&begins)).collect();
    if let [key] = found[..] {
        return Ok(key);
    }
    let member = super::act::find_member(charter, text)?;
    let signing = charter.members().get(&member).and_then(|member| member.key(Purpose::Signing));
    signing.ok_or_else(|| {
        let (zh, en) = (format!("“{text}”没有可用的签名密钥。"), format!("{text:?} has no open signing key"));
        Failure::new(ExitCode::NotFound, "key-unknown", zh, en)
            .fix("请写出密钥的前 8 个字符。", "name the key by its first 8 characters")
    })
}
