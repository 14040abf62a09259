//! The commands, one file each.

mod access_log;
mod alarms;
mod assignment;
mod audit;
mod bulletin;
mod charter;
mod confirm;
mod count;
mod custody;
mod delivery;
mod doctor;
mod duties;
mod erase;
mod erasures;
mod export;
mod export_sheet;
mod find;
mod fund;
mod gaps;
mod health;
mod history;
mod import;
mod import_bundle;
mod index;
mod indicators;
mod init;
mod interrupt;
mod join;
mod key;
mod kinds;
mod land;
mod leads;
mod list;
mod local;
mod log;
mod matching;
mod peers;
mod portal;
mod publish;
mod rank;
mod recover;
mod republish;
mod revise;
mod rewrap;
mod run;
mod show;
mod statements;
mod status;
mod sync;
mod template;
mod toolkit;
mod verify;
mod watch;
mod withdraw;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What `xianmeng` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// 新建节点：密钥、数据目录和设置。
    /// Make a node: keys, data directory and settings
    Init(init::InitArguments),
    /// 用恢复包重建节点。
    /// Make the node again from its recovery kit
    Recover(recover::RecoverArguments),
    /// 密钥：列出、口令保护、导出、恢复包。
    /// Keys: list, protect by a passphrase, export, recovery kit
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// 凭邀请函申请加入联盟。
    /// Apply for admission with an invitation
    Join(join::JoinArguments),
    /// 运行节点，直到 Ctrl-C。
    /// Run the node until Ctrl-C
    Run(run::RunArguments),
    /// 章程：建盟、邀请、审批、签署、席位、封存。
    /// The charter: found a federation, invite, admit, sign, seats, seals
    #[command(subcommand)]
    Charter(charter::CharterCommand),
    /// 发布一条或多条记录。
    /// Publish one record or several
    Publish(publish::PublishArguments),
    /// 导入表格（xlsx、xls、csv）。
    /// Import sheets (xlsx, xls, csv)
    Import(import::ImportArguments),
    /// 表格模板（Excel）：每列怎么填、下拉选项、示例行。
    /// Templates (workbooks): what each column wants, drop-downs, an example row
    Template(template::TemplateArguments),
    /// 按词语、拼音和条件查找记录；find land 找地，find fund 找基金。
    /// Find records by words, pinyin and conditions; `find land` for land, `find fund` for funds
    Find(find::FindArguments),
    /// 关注：有符合的新记录或变更就显示；可保存，离开期间到的也不丢。
    /// Watch for new and changed records; a watch that is kept also tells what came meanwhile
    Watch(watch::WatchArguments),
    /// 检索索引：状态、重建。
    /// The search index: its state, building it anew
    #[command(subcommand)]
    Index(index::IndexCommand),
    /// 列出和筛选记录。
    /// List and screen records
    List(list::ListArguments),
    /// 按字段分组数记录，并可合计一个数字字段。
    /// Count records by groups, and add up a figure of theirs
    Count(count::CountArguments),
    /// 缺什么、重什么、闲什么、能合什么：同质竞争、缺环、闲置基金、汇集需求、匹配成功率。
    /// What is doubled, missing, idle, could be pooled, and how matching goes
    #[command(subcommand)]
    Gaps(gaps::GapsCommand),
    /// 按一个数字给记录排序，例如线索按四高二低总分。
    /// Records by a figure, for instance leads by their four-high-two-low score
    Rank(rank::RankArguments),
    /// 基金超市。
    /// The fund supermarket
    #[command(subcommand)]
    Fund(fund::FundCommand),
    /// 找地：地块台账和写明面积的资源。
    /// Find land: parcels, and resources that state an area
    #[command(subcommand)]
    Land(land::LandCommand),
    /// 哪些记录与它匹配：好的在前，逐项说明理由。
    /// What fits a record: the best first, with the reason for every dimension
    Match(matching::MatchArguments),
    /// 给基金推荐项目和资金需求。
    /// Projects and needs of money for a fund
    Recommend(matching::RecommendArguments),
    /// 履责情况：谁该做、何时截止、做了没有；--as-of 按某日结束时推算，--overdue 只列逾期。
    /// Duties: who owes what by when and how it was performed, as of any day
    Duties(duties::DutiesArguments),
    /// 声明“本期无变化”：替本成员履行本期义务；已履行的不再报。
    /// Say that nothing changed: performs what this member owes in the running periods, once
    Unchanged,
    /// 声明一条或多条记录仍然属实：什么也不改，算作无变化的更新。
    /// Say that records are still true: changes nothing, and counts as an update without change
    Confirm(confirm::ConfirmArguments),
    /// 一县的招商工具包（八库两清单两册一图一指南）有哪些、缺哪些。
    /// Which of the 14 items of the county toolkit a county has, and which are missing
    Toolkit(toolkit::ToolkitArguments),
    /// 记录的类别：列出、说明、检查类别文件、写出文档。
    /// Kinds of record: list, explain, check kind files, write the document
    Kinds(kinds::KindsArguments),
    /// 显示一条记录。
    /// Show a record
    Show(show::ShowArguments),
    /// 一条记录的历次变更。
    /// Every version of a record
    History(history::HistoryArguments),
    /// 一个成员或一把密钥的日志：哪些条目算数，哪些不算，为什么。
    /// The log of a member or key: which entries count, which do not, and why
    Log(log::LogArguments),
    /// 更正一条记录。
    /// Correct a record
    Revise(revise::ReviseArguments),
    /// 撤回一条记录（历史保留）。
    /// Withdraw a record (its history stays)
    Withdraw(withdraw::WithdrawArguments),
    /// 从所有节点清除自己记录的内容（不可撤销）。
    /// Erase the content of one's own records from every node (for good)
    Erase(erase::EraseArguments),
    /// 清除过什么，哪些成员已确认。
    /// What was erased, and which members acknowledged it
    Erasures(erasures::ErasuresArguments),
    /// 换钥之后，重新发布被封存点排除的真实陈述。
    /// After a key change: publish again what stands above the seal and is genuine
    Republish(republish::RepublishArguments),
    /// 换钥之后，把有读者打不开的密文记录重新加密发布。
    /// After a key change: seal anew the confidential records that a reader cannot open
    Rewrap(rewrap::RewrapArguments),
    /// 只存在本机的文档，例如联系人；绝不离开本节点。
    /// Documents that never leave this node, for instance contacts
    #[command(subcommand)]
    Local(local::LocalCommand),
    /// 线索查重：哪些线索别的成员也有，名称相近的有哪些。
    /// Duplicate leads: which of them other members have too, and whose names are alike
    #[command(subcommand)]
    Leads(leads::LeadsCommand),
    /// 指标：数值、目标、判定、期间、覆盖；给出编号时列出算出它的记录。
    /// Indicators: value, target, verdict, period, coverage; with a code, the records that it comes from
    Indicators(indicators::IndicatorsArguments),
    /// 指标公报：公布、列出、显示。
    /// Bulletins of figures: publish, list, show
    #[command(subcommand)]
    Bulletin(bulletin::BulletinCommand),
    /// 对公报里的一项指标提出异议。
    /// Object to one figure of a bulletin
    Object(bulletin::ObjectArguments),
    /// 秘书处：答复一条异议。
    /// The secretariat: answer an objection
    Answer(bulletin::AnswerArguments),
    /// 离线核验导出文件或日志段；verify bulletin 重算一份指标公报。
    /// Verify an export or journal segments, without a node; `verify bulletin` computes a bulletin again
    Verify(verify::VerifyArguments),
    /// 重新核验本节点持有的一切，逐一列出差异；audit bundle 写出可离线证明没有缺漏的文件。
    /// Verify everything that is held again and name every difference; `audit bundle` writes a proof for outsiders
    Audit(audit::AuditArguments),
    /// 把全部数据导出到一个文件；加 --sheet 把记录导出成 Excel 或 CSV。
    /// Write everything to one file; with --sheet, records as a workbook or CSV
    Export(export::ExportArguments),
    /// 读入别处导出的文件。
    /// Read in a file that was exported elsewhere
    ImportBundle(import_bundle::ImportBundleArguments),
    /// 网页门户：打开、账号管理。
    /// The portal in the browser: open it, manage its accounts
    #[command(subcommand)]
    Portal(portal::PortalCommand),
    /// 现在连着哪些节点。
    /// The peers connected now
    Peers,
    /// 全盟节点健康：谁在线、失联、从未上线，谁落后、分叉、时钟不准、磁盘将满。
    /// The members' nodes: who is up, silent or never joined, and what is wrong with whom
    Health(health::HealthArguments),
    /// 存管：每个日志有几家、几省持有到哪一条，最少的在前。
    /// Custody: how many members in how many provinces hold each log, those that fewest hold first
    Custody,
    /// 节点状态，或一条记录送达了多少家。
    /// How the node is, or how far a record has got
    Status(status::StatusArguments),
    /// 诊断：有什么不对、为什么、怎么办；节点不运行也能用，什么也不改。
    /// What is wrong, why, and what to do; works without a running node and changes nothing
    Doctor,
    /// 现在的告警，以及送到哪里。
    /// The alarms that last, and where they are sent
    Alarms,
    /// 登录和写入的日志；--verify 核验有没有被改动。
    /// The log of logins and writes; --verify tells whether it was altered
    AccessLog(access_log::AccessLogArguments),
    /// 立即与同伴核对一轮。
    /// Reconcile with peers now
    Sync,
    /// 在本机演示一个联盟：创立、加入、导入、停秘书处、新成员补齐。
    /// Show a federation on this machine: founding, joining, import, the secretariat stopped, a newcomer
    Demo(crate::demo::DemoArguments),
}

impl Command {
    /// Whether the command judges kind files that need not be in order, so that none are put in use before it.
    pub fn checks_kind_files(&self) -> bool {
        matches!(self, Self::Kinds(arguments) if arguments.checks_files())
    }
}

/// Does what was asked.
pub fn perform(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(arguments) => init::perform(context, arguments),
        Command::Recover(arguments) => recover::perform(context, arguments),
        Command::Key(command) => key::perform(context, command),
        Command::Join(arguments) => join::perform(context, &arguments),
        Command::Run(arguments) => run::perform(context, &arguments),
        Command::Charter(command) => charter::perform(context, command),
        Command::Publish(arguments) => publish::perform(context, &arguments),
        Command::Import(arguments) => import::perform(context, &arguments),
        Command::Template(arguments) => template::perform(context, &arguments),
        Command::Find(arguments) => find::perform(context, &arguments),
        Command::Watch(arguments) => watch::perform(context, &arguments),
        Command::Index(command) => index::perform(context, &command),
        Command::List(arguments) => list::perform(context, &arguments),
        Command::Count(arguments) => count::perform(context, &arguments),
        Command::Gaps(command) => gaps::perform(context, command),
        Command::Rank(arguments) => rank::perform(context, &arguments),
        Command::Fund(command) => fund::perform(context, command),
        Command::Land(command) => land::perform(context, command),
        Command::Match(arguments) => matching::perform(context, &arguments),
        Command::Duties(arguments) => duties::perform(context, &arguments),
        Command::Unchanged => duties::unchanged(context),
        Command::Confirm(arguments) => confirm::perform(context, &arguments),
        Command::Recommend(arguments) => matching::recommend(context, &arguments),
        Command::Toolkit(arguments) => toolkit::perform(context, &arguments),
        Command::Kinds(arguments) => kinds::perform(context, &arguments),
        Command::Show(arguments) => show::perform(context, &arguments),
        Command::History(arguments) => history::perform(context, &arguments),
        Command::Log(arguments) => log::perform(context, &arguments),
        Command::Revise(arguments) => revise::perform(context, &arguments),
        Command::Withdraw(arguments) => withdraw::perform(context, &arguments),
        Command::Erase(arguments) => erase::perform(context, &arguments),
        Command::Erasures(arguments) => erasures::perform(context, &arguments),
        Command::Republish(arguments) => republish::perform(context, &arguments),
        Command::Rewrap(arguments) => rewrap::perform(context, &arguments),
        Command::Local(command) => local::perform(context, command),
        Command::Leads(command) => leads::perform(context, command),
        Command::Indicators(arguments) => indicators::perform(context, &arguments),
        Command::Bulletin(command) => bulletin::perform(context, command),
        Command::Object(arguments) => bulletin::object(context, &arguments),
        Command::Answer(arguments) => bulletin::answer(context, &arguments),
        Command::Verify(arguments) => verify::perform(context, &arguments),
        Command::Audit(arguments) => audit::perform(context, arguments),
        Command::Export(arguments) => export::perform(context, &arguments),
        Command::ImportBundle(arguments) => import_bundle::perform(context, &arguments),
        Command::Portal(command) => portal::perform(context, command),
        Command::Peers => peers::perform(context),
        Command::Health(arguments) => health::perform(context, &arguments),
        Command::Custody => custody::perform(context),
        Command::Status(arguments) => status::perform(context, &arguments),
        Command::Doctor => doctor::perform(context),
        Command::Alarms => alarms::perform(context),
        Command::AccessLog(arguments) => access_log::perform(context, &arguments),
        Command::Sync => sync::perform(context),
        Command::Demo(arguments) => crate::demo::demo(context, &arguments),
    }
}
