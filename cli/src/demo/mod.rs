//! `xianmeng demo`: a federation on one machine, from the founding to a newcomer that catches up without the
//! secretariat.

mod federation;
mod placement;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::output::{Output, table};
use federation::{DemoNode, Participant, StepError};
use placement::Part;

/// How long a state may take to come about.
const WAIT: Duration = Duration::from_secs(60);
/// How often the nodes are asked while waiting.
const POLL: Duration = Duration::from_millis(200);
const FEDERATION: &str = "县域招商演示联盟";

const SECRETARIAT: Participant =
    Participant { id: "secretariat", name: "联盟秘书处", class: "secretariat", region: "" };
const MEMBERS: [Participant; 5] = [
    Participant { id: "fengjie", name: "奉节县", class: "county", region: "500236" },
    Participant { id: "xiayi", name: "夏邑县", class: "county", region: "411426" },
    Participant { id: "leling", name: "乐陵市", class: "county", region: "371481" },
    Participant { id: "fund", name: "县域产业基金管理公司", class: "fund", region: "" },
    Participant { id: "agency", name: "县域招商服务中心", class: "agency", region: "" },
];
const NEWCOMER: Participant = Participant { id: "qingyun", name: "庆云县", class: "county", region: "371423" };

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct DemoArguments {
    /// 做完就停，全部成立才返回 0（否则联盟一直开着）。
    /// Do it once and exit 0 only if all held; without it the federation stays up
    #[arg(long)]
    once: bool,
    /// 演示用的目录（缺省在系统临时目录里新建）。
    /// Directory for the demonstration (default: a new one in the system's temporary directory)
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Shows a federation at work.
pub fn demo(context: &Context, arguments: &DemoArguments) -> Result<(), Failure> {
    let root = root(arguments.directory.as_deref())?;
    let program = std::env::current_exe().map_err(Failure::internal)?;
    let mut demo = Demo::new(context.out, &program, root.clone());
    let result = demo.play();
    let finished = match result {
        Ok(report) => {
            context.out.json(&report);
            if arguments.once { Ok(()) } else { demo.stay_up() }
        }
        Err(reason) => Err(Failure::new(
            ExitCode::Internal,
            "demo-failed",
            format!("演示没有成功：{reason}"),
            format!("the demonstration failed: {reason}"),
        )
        .fix(
            format!("各节点的日志在 {} 下的 node.log。", root.display()),
            format!("each node's log is node.log under {}", root.display()),
        )),
    };
    let stopped = demo.stop_all();
    finished?;
    stopped.map_err(Failure::internal)?;
    if arguments.directory.is_none() {
        // Only what this program made itself is removed.
        let _ = std::fs::remove_dir_all(&root);
    }
    Ok(())
}

fn root(directory: Option<&Path>) -> Result<PathBuf, Failure> {
    let root = match directory {
        Some(directory) => directory.to_owned(),
        None => std::env::temp_dir().join(format!("xianmeng-demo-{}", std::process::id())),
    };
    let used = root.join(SECRETARIAT.id);
    if used.exists() {
        return Err(Failure::new(
            ExitCode::DataDirectory,
            "demo-directory-used",
            format!("{} 里已经有一次演示。", root.display()),
            format!("{} holds a demonstration already", root.display()),
        )
        .fix("换一个目录，或先删掉它。", "choose another directory, or remove it first"));
    }
    std::fs::create_dir_all(&root).map_err(|error| Failure::file(&root, &error))?;
    Ok(root)
}

struct Demo {
    out: Output,
    root: PathBuf,
    nodes: Vec<DemoNode>,
    newcomer: DemoNode,
}

impl Demo {
    fn new(out: Output, program: &Path, root: PathBuf) -> Self {
        let participants = std::iter::once(SECRETARIAT).chain(MEMBERS);
        let nodes = participants.map(|participant| DemoNode::new(participant, program, &root)).collect();
        let newcomer = DemoNode::new(NEWCOMER, program, &root);
        Self { out, root, nodes, newcomer }
    }

    fn step(&self, zh: &str, en: &str) {
        self.out.line(format!("\n== {zh}\n   {en}"));
    }

    fn play(&mut self) -> Result<Value, StepError> {
        self.found()?;
        self.join()?;
        let imported = self.import()?;
        self.show_delivery()?;
        self.step("秘书处停机，成员之间照常发布", "The secretariat stops; the members go on publishing");
        self.nodes[0].stop()?;
        self.publish_without_secretariat()?;
        self.step(
            "新成员庆云县启动：秘书处不在，只从成员那里补齐",
            "A newcomer starts and catches up from the members alone",
        );
        self.newcomer.start()?;
        self.wait_equal()?;
        self.print_table()?;
        self.step("秘书处重新启动，补上停机期间的条目", "The secretariat starts again and catches up");
        self.nodes[0].start()?;
        self.wait_equal()?;
        let nodes = self.print_table()?;
        self.out.line("\n全部节点的前沿摘要相等。\nThe frontier digests of all nodes are equal.");
        Ok(json!({ "directory": self.root, "imported": imported, "nodes": nodes, "equal": true }))
    }

    fn found(&mut self) -> Result<(), StepError> {
        self.step(
            "秘书处创立联盟（一名登记人，试运行）",
            "The secretariat founds the federation (one registrar: a trial)",
        );
        let secretariat = &mut self.nodes[0];
        secretariat.init()?;
        let created = secretariat.command(&["charter", "create", "--federation", FEDERATION])?;
        secretariat.start()?;
        self.out.line(format!("   联盟编号 federation {}", text(&created, "federation")));
        Ok(())
    }

    /// Everybody asks for admission with one invitation; the registrar admits them; then they start.
    fn join(&mut self) -> Result<(), StepError> {
        self.step("成员申请加入，登记人核对指纹后接纳", "Members apply, and the registrar admits them");
        let invitation = self.root.join("invitation.json");
        let invitation = invitation.to_string_lossy().into_owned();
        self.invite(&invitation)?;
        for node in &self.nodes[1..] {
            node.init()?;
            node.command(&["join", &invitation])?;
        }
        self.nodes[0].command(&["charter", "admit", "--all", "--yes"])?;
        for node in &mut self.nodes[1..] {
            node.start()?;
        }
        self.wait("everybody is a member and may sign", |demo| {
            for node in &demo.nodes {
                let status = node.status()?;
                if status["signing"]["ready"] != true || number(&status, "members") != demo.nodes.len() as u64 {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        self.wait_equal()?;
        // The newcomer is admitted while the secretariat is awake; its invitation names members, too.
        let invitation = self.root.join("newcomer.json");
        let invitation = invitation.to_string_lossy().into_owned();
        self.invite(&invitation)?;
        self.newcomer.init()?;
        self.newcomer.command(&["join", &invitation])?;
        self.nodes[0].command(&["charter", "admit", "--all", "--yes"])?;
        self.newcomer.command(&["join", &invitation])?;
        let names: Vec<&str> = self.nodes.iter().map(|node| node.participant.name).collect();
        self.out.line(format!("   已接纳 admitted: {}，{}（稍后启动 starts later）", names.join("、"), NEWCOMER.name));
        Ok(())
    }

    fn invite(&self, file: &str) -> Result<(), StepError> {
        self.nodes[0].command(&["charter", "invite", "--out", file]).map(|_| ())
    }

    fn import(&self) -> Result<Value, StepError> {
        self.step("各成员导入样例表格", "Each member imports its rows of the samples");
        let mut reports = Vec::new();
        for part in placement::parts().map_err(|error| error.to_string())? {
            let node = self.node(&part.node)?;
            let report = self.import_part(node, &part)?;
            reports.push(report);
        }
        let again = placement::parts().map_err(|error| error.to_string())?.remove(0);
        let again = self.import_part(self.node(&again.node)?, &again)?;
        if number(&again, "published") != 0 {
            return Err(format!("a second import of the same sheet published something: {again}"));
        }
        self.out.line("   同一张表再导入一次：没有新内容\n   The same sheet imported again publishes nothing");
        Ok(Value::Array(reports))
    }

    fn import_part(&self, node: &DemoNode, part: &Part) -> Result<Value, StepError> {
        let path = self.root.join(format!("{}-{}.csv", part.sheet, part.node));
        std::fs::write(&path, &part.content).map_err(|error| format!("{}: {error}", path.display()))?;
        let report = node.command(&["import", &path.to_string_lossy()])?;
        let published = number(&report, "published");
        let name = node.participant.name;
        self.out.line(format!("   {name} {}: {} 行 rows, {published} 条已发布 published", part.sheet, part.rows));
        for row in report["withheld"].as_array().into_iter().flatten() {
            let shown = format!("{} {}", text(row, "external"), text(row, "title"));
            self.out.line(format!(
                "     不出本节点 stays here: {shown}: {} {}",
                text(row, "reason_zh"),
                text(row, "reason_en")
            ));
        }
        Ok(report)
    }

    fn node(&self, id: &str) -> Result<&DemoNode, StepError> {
        let node = self.nodes.iter().find(|node| node.participant.id == id);
        node.ok_or_else(|| format!("placement.csv names the node {id}, which does not exist"))
    }

    /// Shows each node's newest entry on its way until every member's node that runs has it.
    fn show_delivery(&self) -> Result<(), StepError> {
        self.step("送达情况", "Delivery");
        let begun = Instant::now();
        // The newcomer is a member already, and its node does not run yet.
        let expected = self.nodes.len() as u64 - 1;
        loop {
            let mut line = Vec::new();
            let mut whole = true;
            for node in &self.nodes {
                let status = node.status()?;
                let delivery = &status["delivery"];
                let delivered = number(delivery, "delivered");
                whole &= delivered >= expected;
                line.push(format!("{} {delivered}/{}", node.participant.name, number(delivery, "members")));
            }
            self.out.line(format!("   {:>4} ms  {}", begun.elapsed().as_millis(), line.join("  ")));
            if whole {
                return Ok(());
            }
            if begun.elapsed() > WAIT {
                return Err("not everything was delivered in time".into());
            }
            std::thread::sleep(POLL);
        }
    }

    fn publish_without_secretariat(&self) -> Result<(), StepError> {
        let fengjie = self.node("fengjie")?;
        let arguments = [
            "publish",
            "--kind",
            "demand",
            "--external",
            "XQ-DEMO",
            "--wait",
            "0",
            "需求名称=脐橙深加工企业",
            "需求类别=招商",
        ];
        let published = fengjie.command(&arguments)?;
        let label = published["labels"][0].as_str().unwrap_or_default().to_owned();
        self.wait("the new demand is on every running node", |demo| {
            for node in demo.nodes.iter().filter(|node| node.is_running()) {
                if node.command(&["show", &label]).is_err() {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        self.out.line(format!("   {label} 已在每个运行中的节点上可见 is on every running node"));
        Ok(())
    }

    fn running(&self) -> impl Iterator<Item = &DemoNode> {
        self.nodes.iter().chain(std::iter::once(&self.newcomer)).filter(|node| node.is_running())
    }

    fn wait_equal(&self) -> Result<(), StepError> {
        self.wait("equal digests", |demo| {
            let mut digests = std::collections::BTreeSet::new();
            for node in demo.running() {
                let status = node.status()?;
                digests.insert((text(&status, "digest").to_owned(), status["complete"] == true));
            }
            Ok(digests.len() == 1 && digests.iter().all(|(_, complete)| *complete))
        })
    }

    fn wait(&self, what: &str, mut holds: impl FnMut(&Self) -> Result<bool, StepError>) -> Result<(), StepError> {
        let begun = Instant::now();
        while !holds(self)? {
            if begun.elapsed() > WAIT {
                return Err(format!("{what}: not within {} s", WAIT.as_secs()));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    fn print_table(&self) -> Result<Value, StepError> {
        let (mut rows, mut nodes) = (Vec::new(), Vec::new());
        for node in self.nodes.iter().chain(std::iter::once(&self.newcomer)) {
            let name = node.participant.name.to_owned();
            if !node.is_running() {
                rows.push(vec![name, "停机 stopped".into(), String::new(), String::new(), String::new()]);
                continue;
            }
            let status = node.status()?;
            let figure = |key| number(&status, key).to_string();
            let digest: String = text(&status, "digest").chars().take(16).collect();
            rows.push(vec![name, "运行 running".into(), figure("entries"), figure("records"), digest]);
            nodes.push(json!({
                "name": node.participant.name,
                "entries": status["entries"],
                "records": status["records"],
                "digest": status["digest"],
            }));
        }
        let headers = ["节点 node", "状态 state", "条目 entries", "记录 records", "前沿摘要 frontier digest"];
        self.out.line(table(&headers, rows));
        Ok(Value::Array(nodes))
    }

    /// Keeps the federation up until the person at the keyboard has seen enough.
    fn stay_up(&self) -> Result<(), Failure> {
        self.out.line("\n联盟一直开着。按 Ctrl-C 结束。试试：\nThe federation stays up. Press Ctrl-C to end it. Try:");
        for node in self.running() {
            self.out.line(format!("   xianmeng --data {} list", node.directory().display()));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::internal)?;
        runtime.block_on(tokio::signal::ctrl_c()).map_err(Failure::internal)
    }

    fn stop_all(&mut self) -> Result<(), StepError> {
        let nodes = self.nodes.iter_mut().chain(std::iter::once(&mut self.newcomer));
        nodes.map(DemoNode::stop).fold(Ok(()), Result::and)
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_default()
}
