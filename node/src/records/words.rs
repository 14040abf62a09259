//! The words of every refusal: what is wrong and the way out, in Chinese and English.

use protocol::kind::lifecycle::Illegal;
use protocol::kind::{Rule, RuleBroken};

use super::PREFIX_CHARACTERS_MIN;
use super::error::RecordError;
use crate::core::PublishError;

/// What is wrong and the way out, each in Chinese and English.
pub(super) struct Words {
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) fix_zh: String,
    pub(super) fix_en: String,
}

fn words(zh: impl Into<String>, en: impl Into<String>, fix_zh: &str, fix_en: &str) -> Words {
    Words { zh: zh.into(), en: en.into(), fix_zh: fix_zh.into(), fix_en: fix_en.into() }
}

impl RecordError {
    /// What is wrong and the way out.
    pub(super) fn words(&self) -> Words {
        match self {
            Self::KindUnknown { given, known } => words(
                format!("没有“{given}”这个类别；可用：{known}。"),
                format!("there is no kind `{given}`; there are {known}"),
                "请核对类别名；若是新版软件才有的类别，请更新本节点。",
                "check the name of the kind; if newer software has it, update this node",
            ),
            Self::KindSetUnknown { hash, kind_zh, kind_en } => words(
                format!("章程没有载明含有类别“{kind_zh}”的类别集（本节点的是 {}）。", hash.short()),
                format!("the charter names no kind set with kind {kind_en} as this node has it ({})", hash.short()),
                "请登记人把它写入章程（xianmeng charter kinds），或换用章程所载的软件版本和类别文件。",
                "ask a registrar to add it (`xianmeng charter kinds`), or use the software and kind files that the \
                 charter names",
            ),
            Self::KindSetOther { found, version } => words(
                format!("陈述写的是类别集第 {found} 版，本节点不能按它检查；这一类别请写第 {version} 版。"),
                format!(
                    "the statement names kind set {found}, under which this node cannot check it; this kind goes under {version}"
                ),
                "请用与节点相同版本的软件生成陈述。",
                "make the statement with software of the node's version",
            ),
            Self::WriterClass { kind_zh, kind_en, class_zh, class_en } => words(
                format!("{class_zh}类成员不能发布“{kind_zh}”。"),
                format!("a member of class {class_en} does not publish records of kind {kind_en}"),
                "请由相应类别的成员发布，或改用本类成员可写的类别。",
                "let a member of the right class publish it, or choose another kind",
            ),
            Self::Layout(error) => words(
                format!("内容不符合格式：{error}。"),
                format!("the content does not have the layout of a statement: {error}"),
                "请核对内容；文字太长时请缩短。",
                "check the content; shorten texts that are too long",
            ),
            Self::Fields(broken) => fields_words(broken),
            Self::Lifecycle { field_zh, field_en, illegal } => lifecycle_words(field_zh, field_en, illegal),
            Self::Publish(error) => publish_words(error),
            other => {
                let words = other.words_of_readers().or_else(|| other.words_of_fields());
                words.unwrap_or_else(|| other.words_of_records())
            }
        }
    }

    /// The words of what concerns readers.
    fn words_of_readers(&self) -> Option<Words> {
        Some(match self {
            Self::KindLocal { kind_zh, kind_en } => words(
                format!("“{kind_zh}”只留在本节点，不发布到联盟（规则：readers = local）。"),
                format!("{kind_en} stays on this node and is never published (rule: readers = local)"),
                "请用 xianmeng local add 存在本机。",
                "keep it here with `xianmeng local add`",
            ),
            Self::ReadersLocal => words(
                "readers 为 local 的内容不发布，只存在本机。",
                "what is for readers `local` is not published but kept here",
                "请用 xianmeng local add，或接口 POST /v1/local。",
                "use `xianmeng local add`, or POST /v1/local",
            ),
            Self::Readers { given } => words(
                format!("看不懂可读范围“{given}”。"),
                format!("the readers `{given}` cannot be read"),
                "可写 all、class:fund（类别）、role:council（角色）、members:3,7（成员编号）或 local。",
                "write all, class:fund, role:council, members:3,7 or local",
            ),
            Self::Parties { given } => words(
                format!("看不懂当事方“{given}”。"),
                format!("the parties `{given}` cannot be read"),
                "可写 members:3,7（成员编号）、class:county（类别）或 role:council（角色）；整条公开或保密请用 readers。",
                "write members:3,7, class:county or role:council; for the record as a whole name `readers`",
            ),
            Self::PartiesNone { kind_zh, kind_en } => words(
                format!("“{kind_zh}”没有只给当事方看的字段。"),
                format!("{kind_en} has no fields for parties only"),
                "要整条保密，请改用 readers；否则请去掉 parties。",
                "to seal the whole record name `readers`; otherwise leave out `parties`",
            ),
            Self::PartiesOfWhole => words(
                "整条保密的记录不能再另写当事方。",
                "a record that is sealed as a whole has readers and no parties",
                "请只用 readers 写明谁可读整条；或用 readers = all 公开整条，再用 parties 写明保密字段的当事方。",
                "name `readers` only; or open the record with readers = all and name the parties of its confidential fields",
            ),
            Self::ReadersNobody { readers } => words(
                format!("可读范围“{readers}”里现在没有人。"),
                "nobody is among these readers now",
                "请先由登记人授予席位，或改用 members:编号。",
                "have registrars grant a seat, or name members by number",
            ),
            Self::ReadersTooMany { found, bound } => words(
                format!("可读成员有 {found} 个，最多 {bound} 个。"),
                format!("these are {found} readers, and one document is sealed for {bound} at most"),
                "请改用 class:类别，或分成几份。",
                "use class:NAME, or several documents",
            ),
            Self::ReaderWithoutKey { member } => words(
                format!("成员 {member} 不在册，或没有加密密钥，不能列为读者。"),
                format!("member {member} is not active or has no encryption key"),
                "请核对成员编号；缺加密密钥时请该成员申请增加。",
                "check the number; a member without an encryption key asks for one",
            ),
            Self::ClassKeyNeeded { class } => words(
                format!("{}类成员太多，须用类别密钥加密，而现行的类别密钥没有发给全部成员。", class.zh()),
                format!("class {} is so large that it needs a class key for all its present members", class.name()),
                "请登记人执行 xianmeng charter class-key 类别。",
                "ask a registrar for `xianmeng charter class-key CLASS`",
            ),
            Self::SealedGiven => words(
                "陈述里自带密文；密文由节点生成。",
                "the statement brings a sealed part of its own; the node seals",
                "请提交明文字段，并用 readers 指明可读范围。",
                "hand in the fields and name the readers",
            ),
            Self::ClosedHere { label, closed } => words(
                format!("记录 {label} 的密文在本节点打不开：{}。", closed.zh()),
                format!("the confidential part of {label} does not open here: {}", closed.en()),
                "请恢复本节点以前的加密密钥（恢复包），或撤回后重新发布。",
                "bring back this node's former encryption keys (recovery kit), or withdraw it and publish again",
            ),
            Self::Sealing(error) => words(
                format!("无法加密：{error}。"),
                format!("it cannot be sealed: {error}"),
                "请缩短内容或减少读者。",
                "shorten the content or name fewer readers",
            ),
            _ => return None,
        })
    }

    /// The words of what concerns one field or number.
    fn words_of_fields(&self) -> Option<Words> {
        Some(match self {
            Self::FieldUnknown { field, kind_zh, kind_en, known } => words(
                format!("“{kind_zh}”没有字段“{field}”；可用：{known}。"),
                format!("{kind_en} has no field `{field}`"),
                "请核对字段名，中英文名都可以。",
                "check the name of the field; Chinese and English names both serve",
            ),
            Self::FieldTwice { field_zh, field_en } => words(
                format!("字段“{field_zh}”写了两次。"),
                format!("the field {field_en} is named twice"),
                "请只写一次，并且不要同时设置和清除。",
                "name it once, and do not set and clear it together",
            ),
            Self::FieldBlank { field_zh, field_en } => words(
                format!("字段“{field_zh}”要设为空值。"),
                format!("the field {field_en} is set to nothing"),
                "要去掉一个字段，请把它列在 clear 里。",
                "to take a field away, name it under `clear`",
            ),
            Self::ExternalMismatch { external, field } => words(
                format!("自有编号“{external}”与编号字段“{field}”不一致。"),
                format!("the own number `{external}` and its field `{field}` disagree"),
                "请只写一处，或写成一样。",
                "give one of them, or make them agree",
            ),
            Self::ExternalFixed => words(
                "记录的自有编号不能修改。",
                "the own number of a record does not change",
                "请撤回这条记录，用新编号另发一条。",
                "withdraw the record and publish another one under the new number",
            ),
            Self::BulletinFixed => words(
                "指标公报签署后不再变动，也不需要声明仍然属实。",
                "a bulletin of figures stands as it was signed and needs no confirmation",
                "要更正，请另发一期公报（xianmeng bulletin publish）；对数字有疑问，请提出异议（xianmeng object）。",
                "publish another one (`xianmeng bulletin publish`), or object to a figure (`xianmeng object`)",
            ),
            Self::ExternalExists { external, label } => words(
                format!("自有编号“{external}”已经有记录 {label}。"),
                format!("the record {label} has the own number `{external}` already"),
                "要改内容，请修订那条记录；是另一件事，请换一个编号。",
                "revise that record, or give this one another number",
            ),
            Self::ExternalTwice { external } => words(
                format!("自有编号“{external}”在这一批里出现了两次。"),
                format!("the own number `{external}` occurs twice in this request"),
                "请换一个编号或去掉一条。",
                "give one of them another number or leave it out",
            ),
            Self::Withheld { field_zh, field_en, zh, en } => words(
                format!("这条记录不能离开本节点：{zh}（字段“{field_zh}”）。"),
                format!("this record must not leave the node: {en} (field {field_en})"),
                "请去掉相应内容再发布，或用 --readers local 只存在本机。",
                "take out what is marked, or keep it on this node with --readers local",
            ),
            Self::FilterKind => words(
                "筛选条件要先指定类别。",
                "a condition needs a kind",
                "请加上 kind=类别名。",
                "add kind=<name of the kind>",
            ),
            Self::Filter(error) => words(
                format!("筛选条件有误：{error}"),
                error.to_string(),
                "请按“字段=值”书写，例如 规模>=5亿元。",
                "write field, operator and value, for instance 规模>=5亿元",
            ),
            _ => return None,
        })
    }

    fn words_of_records(&self) -> Words {
        match self {
            Self::NotFound { reference } => words(
                format!("找不到记录“{reference}”。"),
                format!("there is no record `{reference}`"),
                &format!(
                    "请用完整编号、编号开头至少 {PREFIX_CHARACTERS_MIN} 位、42-7 这样的标号，或本成员的自有编号；刚发布的可能还没同步到。"
                ),
                &format!(
                    "give a full id, {PREFIX_CHARACTERS_MIN} or more of its first characters, a label such as 42-7, or \
                     an own number of this member; what is very new may not have arrived yet"
                ),
            ),
            Self::Ambiguous { reference, candidates } => words(
                format!("“{reference}”可以指 {} 条记录。", candidates.len()),
                format!("`{reference}` can mean {} records", candidates.len()),
                "请用下列完整编号之一，或写成“类别:自有编号”。",
                "use one of the full ids below, or write kind:number",
            ),
            Self::NotOwner { label } => words(
                format!("记录 {label} 不是本成员的，只有其发布者能改。"),
                format!("the record {label} is another member's; only its owner changes it"),
                "请联系发布者。",
                "ask its owner",
            ),
            Self::KindOther { label } => words(
                format!("记录 {label} 是另一个类别的。"),
                format!("the record {label} is of another kind"),
                "请核对类别。",
                "check the kind",
            ),
            Self::Withdrawn { label } => words(
                format!("记录 {label} 已经撤回，不能再改。"),
                format!("the record {label} was withdrawn and does not change any more"),
                "需要的话请另发一条。",
                "publish another one if need be",
            ),
            Self::Erased { label, by_zh, by_en } => words(
                format!("记录 {label} 的内容已由{by_zh}清除，只留条目头。"),
                format!("the content of record {label} was erased by {by_en}; only its header stays"),
                "经过和理由见 xianmeng history 与 xianmeng erasures。",
                "see `xianmeng history` and `xianmeng erasures` for when and why",
            ),
            Self::EntryUnknown { id } => words(
                format!("本节点没有条目 {}。", id.short()),
                format!("there is no entry {} here", id.short()),
                "请核对完整标识；刚发布的可能还没同步到。",
                "check the full id; what is very new may not have arrived yet",
            ),
            Self::NotErasable { id } => words(
                format!("条目 {} 不是记录的陈述，不能清除。", id.short()),
                format!("entry {} states no record and cannot be erased", id.short()),
                "能清除的只有记录。",
                "only records can be erased",
            ),
            Self::NothingToErase => words(
                "没有可清除的：没有写明记录，或已经清除。",
                "nothing to erase: no record is named, or all of it was erased before",
                "清除的进展见 xianmeng erasures。",
                "see `xianmeng erasures` for how far erasures have got",
            ),
            Self::Incomplete { id } => words(
                format!("记录 {} 的内容还没有到齐。", id.short()),
                format!("a part of record {} has not arrived yet", id.short()),
                "请等同步完成后再试。",
                "try again when sync has finished",
            ),
            Self::NothingToChange => words(
                "没有写明要改什么。",
                "nothing is set and nothing is cleared",
                "请在 set 或 clear 里写明字段。",
                "name fields under `set` or `clear`",
            ),
            Self::Cursor => words(
                "这个翻页标记无效。",
                "no page gave out this cursor",
                "请从第一页重新开始。",
                "begin again with the first page",
            ),
            _ => words(
                "系统没有给出随机数。",
                "the system gives no random bytes",
                "请检查操作系统的随机数设备。",
                "check the random device of the operating system",
            ),
        }
    }
}

fn fields_words(broken: &[RuleBroken]) -> Words {
    let Some(first) = broken.first() else { return words("字段有误。", "fields are wrong", "", "") };
    let (more_zh, more_en) = match broken.len() {
        1 => (String::new(), String::new()),
        count => (format!("（共 {count} 处，见明细）"), format!(" ({count} in all, see the details)")),
    };
    let (fix_zh, fix_en) = match first.rule {
        Rule::FieldLocal => ("这类内容只留在本节点。", "what is of this sort stays on this node"),
        _ => ("请按提示改正后再发布。", "correct it as told and publish again"),
    };
    words(format!("{}{more_zh}", first.zh), format!("{}{more_en}", first.en), fix_zh, fix_en)
}

/// From where to where, and everything that is missing.
fn lifecycle_words(field_zh: &str, field_en: &str, illegal: &Illegal) -> Words {
    let list = |texts: Vec<&str>, between: &str| texts.join(between);
    let missing_zh = list(illegal.missing.iter().map(|unmet| unmet.zh.as_str()).collect(), "；");
    let missing_en = list(illegal.missing.iter().map(|unmet| unmet.en.as_str()).collect(), "; ");
    let (from_zh, from_en) = match illegal.from_zh.is_empty() {
        true => ("新记录", "a new record"),
        false => (illegal.from_zh.as_str(), illegal.from_en.as_str()),
    };
    words(
        format!("{field_zh}不能变更：{from_zh} → {}。还缺：{missing_zh}。", illegal.to_zh),
        format!("{field_en} cannot change: {from_en} -> {}; missing: {missing_en}", illegal.to_en),
        "请补齐所缺的，再改状态；作为依据的其他记录要先发布，同一批里的不算。",
        "supply what is missing, then change the state; records that serve as evidence are published first, those of \
         the same request do not count",
    )
}

fn publish_words(error: &PublishError) -> Words {
    let en = error.to_string();
    match error {
        PublishError::NotMember => words(
            "本节点的签名密钥没有发布权：尚未入盟、已被除名或密钥已封存。",
            en,
            "请与登记人联系。",
            "talk to a registrar",
        ),
        PublishError::Forked { sequence } => words(
            format!("本节点的日志在第 {sequence} 条分叉：两台机器用了同一把密钥。"),
            en,
            "请停掉另一台机器，执行 xianmeng key request signing --reason forked，按卡片请登记人换钥。",
            "stop the other machine, run `xianmeng key request signing --reason forked` and do as its card says",
        ),
        PublishError::KeySealed { version } => words(
            format!("本节点的签名密钥已在章程第 {version} 块封存，还没有启用新的。"),
            en,
            "请执行 xianmeng key request signing，把申请交给登记人；批准后节点自动换用。",
            "run `xianmeng key request signing` and hand the request to a registrar; the node then changes over by itself",
        ),
        PublishError::WaitingForPeers => words(
            "本节点刚启动，正在等其他成员确认本节点日志的末尾，暂不能签署。",
            en,
            "请稍等几秒再试；日志曾丢失的，要等三个成员应答。",
            "try again in a few seconds; after a lost journal three members must answer",
        ),
        PublishError::ClockBehind { behind_ms } => words(
            format!("本机时钟比章程慢 {} 秒。", behind_ms / 1_000),
            en,
            "请校准本机时钟。",
            "set this machine's clock",
        ),
        PublishError::ClockAhead { ahead_ms } => words(
            format!("本机时钟比多数成员快 {} 秒，现在签署的内容要到那时才有人看得到，暂不签署。", ahead_ms / 1_000),
            en,
            "请校准本机时钟（systemctl status systemd-timesyncd），一两秒后再试。",
            "set this machine's clock (see `systemctl status systemd-timesyncd`) and try again after a second or two",
        ),
        PublishError::Entry { index, error } => {
            words(format!("第 {} 条不能签署：{error}。", index + 1), en, "请缩短内容。", "shorten the content")
        }
        PublishError::Store { disk_full: true, .. } => {
            words("磁盘已满，没有发布。", en, "请腾出空间，再重新启动节点。", "make room and start the node again")
        }
        PublishError::Store { reason, .. } => words(
            format!("存储出错：{reason}。"),
            en,
            "请重新启动节点；查看日志。",
            "start the node again; see its log",
        ),
        PublishError::Closed => words("节点正在关闭。", en, "请等它重新启动。", "wait until it has started again"),
    }
}
