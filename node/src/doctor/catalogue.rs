//! Every check of `doctor`: its stable id, how bad it is, its usual cause, and the way out.
//!
//! What exactly was found stands in the finding; what does not depend on that stands here once, for the command, the
//! API, the board and `docs/DOCTOR.md`. An id never changes its meaning.

use crate::api::types::{Finding, Severity};

/// A check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Stable id.
    pub id: &'static str,
    /// How bad it is when it finds something, unless the finding says otherwise.
    pub severity: Severity,
    /// What it means, in Chinese and English.
    pub meaning: (&'static str, &'static str),
    /// The usual cause, in Chinese and English.
    pub cause: (&'static str, &'static str),
    /// What to do, in Chinese and English.
    pub fix: (&'static str, &'static str),
}

impl Check {
    /// A finding of this check. Who collects findings fills in since when it is known.
    pub fn finding(&self, subject: impl Into<String>, zh: impl Into<String>, en: impl Into<String>) -> Finding {
        Finding {
            id: self.id.to_owned(),
            severity: self.severity,
            subject: subject.into(),
            since_ms: 0,
            what_zh: zh.into(),
            what_en: en.into(),
            cause_zh: self.cause.0.to_owned(),
            cause_en: self.cause.1.to_owned(),
            fix_zh: self.fix.0.to_owned(),
            fix_en: self.fix.1.to_owned(),
        }
    }
}

/// The check of an id.
pub fn check(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id == id)
}

macro_rules! checks {
    ($($name:ident $id:literal $severity:ident
        means $meaning_zh:literal, $meaning_en:literal;
        cause $cause_zh:literal, $cause_en:literal;
        fix $fix_zh:literal, $fix_en:literal;)*) => {
        $(
            #[doc = $meaning_en]
            pub const $name: Check = Check {
                id: $id,
                severity: Severity::$severity,
                meaning: ($meaning_zh, $meaning_en),
                cause: ($cause_zh, $cause_en),
                fix: ($fix_zh, $fix_en),
            };
        )*

        /// All checks, in the order of the document.
        pub const ALL: &[&Check] = &[$(&$name,)*];
    };
}

checks! {
    NODE_STOPPED "node-stopped" Warning
        means "节点没有运行", "the node does not run";
        cause "没有启动，或已退出", "it was not started, or has ended";
        fix "执行 xianmeng run，或启动系统服务；若它自己退出，先看退出码和日志",
            "run `xianmeng run` or start the service; if it ended by itself, look at its exit code and log first";
    NODE_SILENT "node-silent" Critical
        means "有进程占用数据目录，但接口不应答", "a process holds the data directory, and its API does not answer";
        cause "节点正在启动或停止，或卡住了", "the node is starting or stopping, or hangs";
        fix "等一分钟再查；仍不应答就停掉该进程再启动，并保留日志",
            "wait a minute and look again; if it stays silent, stop that process, start it again and keep its log";
    NODE_ODD "node-odd" Critical
        means "节点的接口应答不对", "the node's API does not answer as it should";
        cause "api.address 指向别的节点或程序，api.token 不是它的，或节点的软件与本命令版本不同",
            "api.address leads to another node or program, api.token is not its own, or node and command are of \
             different versions";
        fix "用同一版本的程序，核对 --data；重新启动本节点，它会重写 api.address",
            "use one version for both and check --data; start this node again, which writes api.address anew";
    CHECK_FAILED "check-failed" Critical
        means "检查本身出错，其余结果不全", "a check failed itself, and what is found is not everything";
        cause "程序有错", "a fault of the program";
        fix "保留日志并报告；升级后再查一次", "keep the log and report it; upgrade and look again";
    NOT_ADMITTED "not-admitted" Warning
        means "本节点还不属于任何联盟", "this node belongs to no federation yet";
        cause "入盟申请还没有批准，或还没有申请", "its application was not admitted yet, or never made";
        fix "执行 xianmeng status 看申请进度；没有申请过就用 xianmeng join 邀请函.json",
            "`xianmeng status` shows how far the application is; without one, `xianmeng join INVITATION.json`";
    CONFIG_WRONG "config-wrong" Critical
        means "设置文件写得不对或读不出", "the settings cannot be read or are wrong";
        cause "config.toml 被改错", "config.toml was edited wrongly";
        fix "按提示改正 config.toml；每个键都可以删掉，删掉即取缺省值",
            "correct config.toml as it says; every key may be left out and then has its default";
    DIRECTORY_OPEN "directory-open" Warning
        means "别的用户能读数据目录或密钥", "other users can read the data directory or its keys";
        cause "复制或解压时放宽了权限", "copying or unpacking loosened the permissions";
        fix "chmod 700 数据目录和 keys，chmod 600 其中的密钥和 api.token；若别人可能已读过密钥，请更换",
            "chmod 700 the directory and `keys`, chmod 600 the keys and api.token in them; if others may have read \
             the keys, replace them";
    DIRECTORY_READ_ONLY "directory-read-only" Critical
        means "数据目录不可写", "the data directory cannot be written";
        cause "目录归别的用户所有，或文件系统只读", "it belongs to another user, or the file system is read-only";
        fix "以节点的用户执行，或用 chown 把目录还给它；文件系统只读时先查磁盘",
            "run it as the node's user, or chown the directory back; if the file system is read-only, check the disk \
             first";
    DISK_FULL "disk-full" Critical
        means "磁盘几乎没有空间了，节点很快不能写入", "the disk has hardly any room, and the node will soon write nothing";
        cause "别的程序占满磁盘，或数据增长", "other programs filled the disk, or the data grew";
        fix "腾出空间或换大盘，然后重新启动节点；已确认的都还在",
            "free some space or use a larger disk, then start the node again; what was acknowledged is safe";
    DISK_FILLING "disk-filling" Warning
        means "磁盘空间不多了", "the disk is filling up";
        cause "别的程序占用，或数据增长", "other programs, or growing data";
        fix "尽快腾出空间；确认不再需要作为证据后，可删除数据目录里的 store.damaged-*",
            "free some space soon; `store.damaged-*` in the data directory may be deleted once it is no evidence any \
             more";
    CLOCK_OFF "clock-off" Warning
        means "本机时钟与多数成员不一致", "this machine's clock differs from that of most members";
        cause "没有校时（NTP），或时区换算写进了系统时间", "no time service (NTP), or the zone was put into the system time";
        fix "开启 NTP 校时（例如 timedatectl set-ntp true），再查一次",
            "turn on NTP (for instance `timedatectl set-ntp true`) and look again";
    CLOCK_BEHIND_CHARTER "clock-behind-charter" Critical
        means "本机时钟早于章程最后一块，不能签署", "this machine's clock is before the charter's last block: nothing can be signed";
        cause "系统时间错了", "the system time is wrong";
        fix "校准系统时间（NTP）", "set the system time (NTP)";
    CLOCK_SHIFTED "clock-shifted" Critical
        means "本节点的时钟被测试用的环境变量拨偏", "a variable of the environment, meant for tests, sets this node's clock wrong";
        cause "设置了 XIANMENG_TEST_CLOCK_OFFSET_MS", "XIANMENG_TEST_CLOCK_OFFSET_MS is set";
        fix "去掉这个环境变量，重新启动节点", "remove that variable and start the node again";
    PORT_TAKEN "port-taken" Critical
        means "监听地址已被占用", "a listen address is taken by somebody else";
        cause "另一个程序，或同一节点的另一个进程", "another program, or a second process of this node";
        fix "关掉占用端口的程序（ss -ltnp 可查），或改 config.toml 的 network.listen、api.listen、portal.listen",
            "stop what uses the port (`ss -ltnp` shows it), or change network.listen, api.listen or \
             portal.listen in config.toml";
    PORT_REFUSED "port-refused" Critical
        means "系统不允许在这个地址监听", "the system does not let the node listen at an address";
        cause "端口小于 1024 而没有权限，或本机没有这个地址",
            "a port below 1024 without the right to it, or no such address on this machine";
        fix "改 config.toml 的 network.listen，或按 deploy/README.md 给予权限",
            "change network.listen in config.toml, or grant the right as deploy/README.md says";
    PORT_BLOCKED "port-blocked" Warning
        means "本节点公布的地址连不通", "an address that this node announces cannot be reached";
        cause "防火墙没有放行，路由器没有转发，或 network.announce 写错",
            "a firewall, a missing forwarding rule, or a wrong network.announce";
        fix "放行 network.announce 里的端口（TCP 和 UDP），并核对它。有的路由器不让内网访问自己的外网地址，此时请别的成员试",
            "open the port in network.announce (TCP and UDP), and check it. Some routers do not let a machine reach its own \
             outer address: then ask another member to try";
    PEER_REFUSED "peer-refused" Warning
        means "配置的节点拒绝连接：那台机器在，但没有程序监听这个端口",
            "a configured peer refuses: the machine is there, and nobody listens at the port";
        cause "对方节点没有运行，或端口写错", "the other node does not run, or the port is wrong";
        fix "请对方启动节点，或核对 network.peers 里的端口",
            "ask the other side to start its node, or check the port in network.peers";
    PEER_TIMEOUT "peer-timeout" Warning
        means "配置的节点没有应答", "a configured peer does not answer";
        cause "防火墙、地址写错，或对方机器关着", "a firewall, a wrong address, or a machine that is off";
        fix "核对 network.peers 里的地址，请双方检查防火墙", "check the address in network.peers; both sides check their firewalls";
    PEER_WRONG_ID "peer-wrong-id" Warning
        means "配置的地址上是另一个节点", "another node answers at a configured address";
        cause "对方换过传输密钥，地址改给了别人，或有人冒充",
            "the peer changed its transport key, the address went to somebody else, or somebody poses as it";
        fix "电话核对对方的传输公钥，再改 network.peers 末尾的 /p2p/…",
            "compare the transport key by telephone, then change the /p2p/… at the end of network.peers";
    PEER_STRANGER "peer-stranger" Warning
        means "配置的地址上应答的不是有效成员", "who answers at a configured address is no active member";
        cause "地址写错，那个成员已离开，或本节点的章程落后", "a wrong address, a member that left, or a charter that is behind here";
        fix "核对 network.peers；若本节点刚启动，等它补齐章程",
            "check network.peers; a node that has just started should first catch up with the charter";
    PEER_ADDRESS "peer-address" Warning
        means "配置的节点地址不能用", "the address of a configured peer is of no use";
        cause "network.peers 写错，或写成了自己的地址", "network.peers is wrong, or names this node itself";
        fix "改成 /ip4/地址/tcp/端口 的写法", "write it as /ip4/ADDRESS/tcp/PORT";
    PEER_UNREACHABLE "peer-unreachable" Warning
        means "配置的节点连不上", "a configured peer cannot be reached";
        cause "域名解析不了、网络不通，或握手失败", "a name that does not resolve, no route, or a failed handshake";
        fix "核对 network.peers，检查本机网络和域名解析", "check network.peers, this machine's network and its name resolution";
    NO_MEMBERS "no-members" Critical
        means "本节点断开了：没有连着任何成员，也听不到信标", "this node is cut off: no member is connected, and no beacon is heard";
        cause "本机断网，或其他节点都没有运行", "this machine is cut off, or no other node runs";
        fix "检查本机网络；看 xianmeng peers 和其他发现",
            "check this machine's network; see `xianmeng peers` and the other findings";
    PEER_THROTTLED "peer-throttled" Warning
        means "有节点超出限额，被限流", "a peer goes beyond its bounds and is throttled";
        cause "对方软件有误、版本不符，或有意滥发", "faulty or different software on its side, or abuse";
        fix "通知该成员；若是有意，登记人可以暂停它", "tell that member; if it is on purpose, registrars can suspend it";
    NODE_SLOW "node-slow" Warning
        means "本节点来不及处理收到的消息", "this node cannot keep up with the messages that it receives";
        cause "本机太慢，或一时消息太多；不是对方的过错", "this machine is slow, or there are very many; the peer is not to blame";
        fix "看本机的处理器和磁盘；丢下的由同步补齐", "look at this machine's processor and disk; sync brings what was dropped";
    LOG_PACED "log-paced" Warning
        means "有成员的条目来得比广播的限额快", "entries of a member come faster than gossip carries them";
        cause "例如一次导入很多记录；不是过错", "a large import, for instance; nobody is to blame";
        fix "不用做什么：同步会取来", "nothing: sync brings them";
    KEY_MISSING "key-missing" Critical
        means "密钥文件不在", "a key file is missing";
        cause "文件被移走或删除", "it was moved or deleted";
        fix "放回 keys 里的文件，或用恢复包重建（xianmeng recover）",
            "put the file in `keys` back, or make the node again from its recovery kit (`xianmeng recover`)";
    KEY_UNREADABLE "key-unreadable" Critical
        means "密钥文件读不出", "a key file cannot be read";
        cause "权限不对、文件损坏，或公钥与私钥不符", "wrong permissions, a damaged file, or halves that do not fit";
        fix "以节点的用户执行；文件坏了就从备份或恢复包取回",
            "run it as the node's user; take a damaged file from a backup or the recovery kit";
    KEY_LOCKED "key-locked" Warning
        means "密钥有口令保护，现在没有能用的口令", "a key is protected, and no passphrase at hand opens it";
        cause "没有给出口令，或口令不对", "no passphrase was given, or a wrong one";
        fix "设置 XIANMENG_PASSPHRASE_FILE 或 keys.passphrase_command，或在终端启动节点",
            "set XIANMENG_PASSPHRASE_FILE or keys.passphrase_command, or start the node at a terminal";
    KEY_WRONG "key-wrong" Critical
        means "密钥与章程不符：章程没有把它给本成员", "a key does not fit the charter, which grants it to nobody here";
        cause "keys 里放了别的密钥，换钥后恢复了旧备份，或数据目录与密钥不是一套",
            "another key lies in `keys`, an old backup came back after a key change, or keys and directory belong to \
             different nodes";
        fix "放回正确的密钥文件；确实换了密钥就执行 xianmeng key request，由登记人登记",
            "put the right key file back; if the key is new, `xianmeng key request` and let a registrar grant it";
    KEY_SEALED "key-sealed" Critical
        means "本节点的签名密钥已封存", "the signing key of this node is sealed";
        cause "登记人因换钥、被盗或分叉封存了它", "a registrar sealed it after a change, a theft or a fork";
        fix "执行 xianmeng key request signing，把申请交给登记人",
            "run `xianmeng key request signing` and hand the request to a registrar";
    KEYS_ELSEWHERE "keys-elsewhere" Critical
        means "另一个进程在用本节点的密钥", "another process uses this node's keys";
        cause "数据目录被复制后两处同时运行，或密钥被盗", "a copied directory runs in two places, or the keys were stolen";
        fix "只保留一份；没有人复制过就立即联系登记人换钥",
            "keep one of the two; if nobody copied it, ask a registrar at once to replace the keys";
    DIRECTORY_COPIED "directory-copied" Warning
        means "数据目录是复制或恢复来的，不能证明本节点日志的末尾",
            "the data directory was copied or restored and does not prove where the own log ends";
        cause "换机、从备份恢复，或用恢复包重建", "another machine, a backup, or a recovery kit";
        fix "让节点开着，等其他成员确认；确实没有别的成员可问时 xianmeng key confirm-alone",
            "let it run until other members have confirmed; if nobody is left to ask, `xianmeng key confirm-alone`";
    LOG_LOST "log-lost" Critical
        means "本节点签署过的条目在本机上不全", "entries that this node signed are not all on this machine";
        cause "journal 目录被删或落后", "the directory `journal` was deleted or is behind";
        fix "让节点开着，从其他成员补齐；不要再删 journal", "let it run until other members have brought them; never delete `journal`";
    CHARTER_EXPIRED "charter-expired" Warning
        means "章程已过期", "the charter has expired";
        cause "登记人没有续签", "the registrars did not renew it";
        fix "请登记人执行 xianmeng charter rules --expires-days 365；此前没有功能停用",
            "ask a registrar to run `xianmeng charter rules --expires-days 365`; nothing stops meanwhile";
    CHARTER_EXPIRING "charter-expiring" Warning
        means "章程快到期了", "the charter expires soon";
        cause "临近有效期末", "its term is nearly over";
        fix "请登记人尽快续签（xianmeng charter rules --expires-days 365）",
            "ask a registrar to renew it (`xianmeng charter rules --expires-days 365`)";
    CHARTER_SPLIT "charter-split" Critical
        means "章程有两个相互矛盾的版本", "two valid blocks contradict each other";
        cause "登记人自相矛盾，或治理密钥被盗", "the registrars contradicted themselves, or a governance key was stolen";
        fix "电话核实后用 xianmeng charter pin 选定", "call the registrars, then choose with `xianmeng charter pin`";
    MEMBER_INACTIVE "member-inactive" Critical
        means "本成员已不是有效成员", "this member is no active member any more";
        cause "被暂停、退出或除名", "it was suspended, left, or was expelled";
        fix "与登记人联系", "talk to a registrar";
    SEAT_ENDED "seat-ended" Warning
        means "有席位任期已满", "the term of a seat has ended";
        cause "没有换届或续任", "nobody was elected anew";
        fix "换届后请登记人记入章程", "after the election a registrar records it in the charter";
    KINDS_UNKNOWN "kinds-unknown" Warning
        means "章程没有载明本节点的类别集", "the charter does not name this node's kind set";
        cause "本节点的软件比章程新，或加了附加类别文件", "the software here is newer than the charter, or has extra kind files";
        fix "请登记人执行 xianmeng charter kinds", "a registrar runs `xianmeng charter kinds`";
    LOG_FORKED "log-forked" Warning
        means "有成员的日志分叉，此后的不算", "the log of a member is forked, and nothing from there on counts";
        cause "两台机器用同一把密钥签署", "two machines signed with one key";
        fix "该成员执行 xianmeng key request signing，登记人换钥",
            "that member runs `xianmeng key request signing`, and a registrar replaces the key";
    STORE_STOPPED "store-stopped" Critical
        means "存储已停止写入", "the store takes no more writes";
        cause "磁盘满、磁盘故障或读到损坏", "a full disk, a failing disk, or damage";
        fix "检查磁盘空间和健康状况，再重新启动节点；已确认的都还在",
            "check the disk's room and health, then start the node again; what was acknowledged is safe";
    STORE_DAMAGED "store-damaged" Critical
        means "存储里有损坏的内容", "the store holds something that is not what was written";
        cause "磁盘故障、断电或有人改动文件", "a failing disk, a power cut, or somebody changed the files";
        fix "重新启动节点：损坏的数据移到一旁，其余从日志和同伴补齐；同时检查磁盘",
            "start the node again: what is damaged is put aside and the rest comes from the journal and from peers; \
             check the disk";
    STORE_REBUILT "store-rebuilt" Warning
        means "存储损坏过，已重建", "the store was damaged and has been rebuilt";
        cause "磁盘故障、断电，或改走了章程的另一支", "a failing disk, a power cut, or another branch of the charter";
        fix "检查磁盘；缺的条目会从同伴补齐", "check the disk; missing entries come from peers";
    STORE_ASIDE "store-aside" Warning
        means "数据目录里有移到一旁的损坏数据", "damaged data lies aside in the data directory";
        cause "某次启动发现存储损坏", "a start found the store damaged";
        fix "查明原因后可以删除 store.damaged-*", "delete `store.damaged-*` once the cause is known";
    STORE_UNCHECKED "store-unchecked" Warning
        means "没有核验存储", "the store was not verified";
        cause "数据太大、临时目录没有空间，或没有权限",
            "it is too large, the temporary directory has no room, or the permissions are missing";
        fix "用 xianmeng audit 完整核验", "`xianmeng audit` verifies everything";
    BODIES_MISSING "bodies-missing" Warning
        means "有条目的正文还没有到", "bodies of entries have not arrived yet";
        cause "正在补齐，或持有它们的节点都没有运行", "catching up, or nobody who holds them runs";
        fix "让节点连着；长时间不齐就看 xianmeng peers", "stay connected; if it lasts, see `xianmeng peers`";
    INDEX_MISSING "index-missing" Warning
        means "检索索引不在，正在或将要重建", "the search index is not there and is, or will be, built anew";
        cause "search 目录被删、损坏，或软件换了版本", "the directory `search` was deleted or damaged, or the software changed";
        fix "不用做什么，节点自己重建；xianmeng index status 可看进度",
            "nothing: the node builds it by itself; `xianmeng index status` shows how far it is";
    INDEX_BEHIND "index-behind" Warning
        means "检索索引落后", "the search index is behind";
        cause "正在大量导入，或磁盘太慢", "a large import, or a slow disk";
        fix "等它跟上；长时间落后就看磁盘", "wait; if it lasts, look at the disk";
    INDEX_FAILED "index-failed" Critical
        means "检索索引出错", "the search index failed";
        cause "磁盘满或 search 目录损坏", "a full disk or a damaged directory `search`";
        fix "看磁盘空间；xianmeng index rebuild 可以重建", "look at the disk; `xianmeng index rebuild` builds it anew";
    LEAD_HOLDER_KEY "lead-holder-key" Warning
        means "线索查重的密钥有问题", "something is wrong with a key of the search for duplicate leads";
        cause "评估方密钥不在手边，或与章程不符", "a holder's key is not at hand, or not the one that the charter names";
        fix "评估方恢复密钥或执行 xianmeng key holder；其他成员告知登记人",
            "the holder brings it back or runs `xianmeng key holder`; others tell a registrar";
    LEAD_HOLDER_LEDGER "lead-holder-ledger" Warning
        means "评估次数的记录读不出", "the counts of evaluations cannot be read";
        cause "数据目录里 leads 下的文件损坏", "a damaged file under `leads`";
        fix "从备份恢复该文件", "restore the file from a backup";
    REWRAP_NEEDED "rewrap-needed" Warning
        means "有密文记录应能读的成员打不开", "confidential records have a reader that cannot open them";
        cause "成员换过加密密钥，或读者变了", "an encryption key or the readers changed";
        fix "执行 xianmeng rewrap", "run `xianmeng rewrap`";
    ACCESS_LOG_ALTERED "access-log-altered" Critical
        means "访问日志被改动或删过行", "the log of logins and writes was altered or lost lines";
        cause "有人改动文件，或磁盘损坏", "somebody changed the file, or the disk is damaged";
        fix "保留现状作为证据，查明谁能写数据目录；执行 xianmeng access-log --verify 看位置",
            "keep it as evidence and find out who can write to the directory; `xianmeng access-log --verify` names \
             the place";
    ACCESS_LOG_FAILED "access-log-failed" Critical
        means "访问日志写不进去", "the log of logins and writes cannot be written";
        cause "磁盘满或权限不对", "a full disk or wrong permissions";
        fix "腾出空间、恢复权限；期间读写照常", "free some space or restore the permissions; reading and writing go on meanwhile";
    WEBHOOK_FAILING "webhook-failing" Warning
        means "告警送不出去", "alarms cannot be delivered";
        cause "接收方没有运行、地址写错，或网络不通", "the receiver does not run, its address is wrong, or there is no route";
        fix "核对 config.toml 的 alarms.webhooks 和接收方", "check alarms.webhooks in config.toml and the receiver";
    ATTENTION "attention" Warning
        means "其他需要留意的事", "something else that needs attention";
        cause "见说明", "see what it says";
        fix "按说明处理", "do as it says";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_every_text_is_there_in_both_languages() {
        let ids: BTreeSet<&str> = ALL.iter().map(|check| check.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for check in ALL {
            assert!(check.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", check.id);
            assert_ne!(check.severity, Severity::Ok, "{}", check.id);
            for (zh, en) in [check.meaning, check.cause, check.fix] {
                assert!(zh.chars().any(|c| ('\u{4e00}'..'\u{9fff}').contains(&c)), "{}: {zh}", check.id);
                assert!(!en.is_empty() && en.is_ascii() || en.contains('…'), "{}: {en}", check.id);
            }
        }
        assert_eq!(check("disk-full"), Some(&DISK_FULL));
        assert_eq!(check("no-such-check"), None);
    }
}
