//! Xianmeng: two nodes of a federation that was founded for this, driven as an operator drives them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use ureq::Agent;

use crate::process::{self, Process, wait};
use crate::record::{FIELDS, NUMBER, Record, sheet};
use crate::system::{About, POLL, System};

const LOOPBACK: &str = "127.0.0.1:0";
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";
/// Records of one page when everything is read.
const PAGE: usize = 1_000;
/// How often a node is asked whether it has indexed everything.
const POLL_SETTLE: Duration = Duration::from_millis(200);

/// A data directory, and its node while it runs.
struct Node {
    directory: PathBuf,
    process: Option<Process>,
    api: String,
    token: String,
    agent: Agent,
}

/// Two nodes.
pub struct Xianmeng {
    program: PathBuf,
    folder: PathBuf,
    limit: Duration,
    author: Node,
    receiver: Node,
}

impl Xianmeng {
    /// Nodes in this folder, made by this program.
    pub fn new(program: PathBuf, folder: &Path, limit: Duration) -> Self {
        let (author, receiver) = (Node::at(folder.join("author")), Node::at(folder.join("receiver")));
        Self { program, folder: folder.to_owned(), limit, author, receiver }
    }

    fn run(&self, node: &Node, arguments: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--json").arg("--data").arg(&node.directory);
        Ok(serde_json::from_str(&process::run(&mut command)?)?)
    }

    fn start(&self, node: &Node) -> Result<Process> {
        let mut command = Command::new(&self.program);
        command.args(["run", "--json", "--data"]).arg(&node.directory);
        let mut process = Process::start(command, &node.directory.join("node.log"))?;
        let line = process.line(self.limit)?;
        ensure!(line.contains("\"ready\":true"), "the node is not ready: {line}");
        Ok(process)
    }

    fn init(&self, node: &Node, name: &str, class: &str, peers: &[&str]) -> Result<()> {
        let mut arguments = vec!["init", "--name", name, "--class", class, "--api", LOOPBACK, "--listen", LISTEN];
        arguments.extend(["--portal", "none", "--no-discovery"]);
        peers.iter().for_each(|peer| arguments.extend(["--peer", *peer]));
        self.run(node, &arguments).map(drop)
    }
}

impl Node {
    fn at(directory: PathBuf) -> Self {
        let config = Agent::config_builder().timeout_global(Some(Duration::from_secs(60)));
        let agent = Agent::new_with_config(config.http_status_as_error(false).build());
        Self { directory, process: None, api: String::new(), token: String::new(), agent }
    }

    fn read_api(&mut self) -> Result<()> {
        let read = |name: &str| std::fs::read_to_string(self.directory.join(name)).map(|text| text.trim().to_owned());
        (self.api, self.token) = (read("api.address")?, read("api.token")?);
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.api)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn get(&self, path: &str) -> Result<Value> {
        let mut answer = self.agent.get(self.url(path)).header("Authorization", self.bearer()).call()?;
        let text = answer.body_mut().with_config().limit(64 * 1_024 * 1_024).read_to_string()?;
        ensure!(answer.status().is_success(), "{path}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Length of the log of the first member, who is the author here.
    fn length(status: &Value) -> u64 {
        status["heads"][0]["length"].as_u64().unwrap_or_default()
    }

    fn is_indexed(&self) -> Result<bool> {
        let lag = &self.get("/v1/search/status")?["lag"];
        Ok(lag["state"] == "following" && lag["records"] == 0)
    }
}

impl System for Xianmeng {
    fn name(&self) -> &'static str {
        "xianmeng"
    }

    fn found(&mut self) -> Result<About> {
        self.init(&self.author, "秘书处", "secretariat", &[])?;
        self.run(&self.author, &["charter", "create", "--federation", "测试联盟"])?;
        self.author.process = Some(self.start(&self.author)?);
        self.author.read_api()?;
        let network = self.author.get("/v1/network")?;
        let address = network["listen"][0].as_str().context("the author listens")?.to_owned();
        let invitation = self.folder.join("invitation.json").to_string_lossy().into_owned();
        self.run(&self.author, &["charter", "invite", "--out", &invitation])?;
        self.init(&self.receiver, "奉节县", "county", &[&address])?;
        self.run(&self.receiver, &["join", &invitation])?;
        self.run(&self.author, &["charter", "admit", "--all", "--yes"])?;
        self.run(&self.receiver, &["join", &invitation])?;
        let status = self.author.get("/v1/status")?;
        Ok(About {
            version: format!("xianmeng {}", status["version"].as_str().unwrap_or("?")),
            durability: "fsync of journal and database before each answer, at most 1,000 records to a batch".into(),
            signed: "one Ed25519 signature per record, verified by the receiver".into(),
        })
    }

    fn control_ports(&self) -> Vec<u16> {
        let ports = [&self.author, &self.receiver].map(|node| node.api.rsplit_once(':')?.1.parse().ok());
        ports.into_iter().flatten().collect()
    }

    fn publish(&mut self, records: Range<usize>) -> Result<()> {
        let path = self.folder.join(format!("sheet-{}.csv", records.start));
        std::fs::write(&path, sheet(records.clone()))?;
        let report = self.run(&self.author, &["import", &path.to_string_lossy()])?;
        ensure!(report["published"].as_u64() == Some(records.len() as u64), "{report}");
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        for node in [&self.author, &self.receiver].into_iter().filter(|node| node.process.is_some()) {
            wait("everything is indexed", POLL_SETTLE, self.limit, || node.is_indexed())?;
        }
        Ok(())
    }

    fn start_receiver(&mut self) -> Result<()> {
        self.receiver.process = Some(self.start(&self.receiver)?);
        self.receiver.read_api()
    }

    fn wait_complete(&mut self, total: usize, _fresh: usize) -> Result<()> {
        let wanted = Node::length(&self.author.get("/v1/status")?);
        wait("the receiver has caught up", POLL, self.limit, || {
            let status = self.receiver.get("/v1/status")?;
            // A session that ended well says that there is nothing more, not only that this much is here.
            Ok(status["counters"]["sync-sessions"].as_u64() >= Some(1)
                && status["complete"] == true
                && Node::length(&status) >= wanted
                && status["records"].as_u64() >= Some(total as u64))
        })?;
        Ok(())
    }

    fn check(&mut self) -> Result<usize> {
        let (mut cursor, mut count) = (None::<String>, 0);
        for _ in 0..10_000_000 / PAGE {
            let more = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
            let page = self.receiver.get(&format!("/v1/records?kind=demand&limit={PAGE}{more}"))?;
            let records = page["records"].as_array().context("a list of records")?;
            for record in records {
                let number = record["external"].as_str().unwrap_or_default();
                let wanted = Record::new(Record::index_of(number).context("a record's own number")?);
                let text = record["fields"].as_array().and_then(|fields| fields.last());
                ensure!(text.is_some_and(|text| text["value"] == wanted.values[7].as_str()), "{number} differs");
            }
            count += records.len();
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(count),
            }
        }
        anyhow::bail!("the pages do not end")
    }

    fn publish_one(&mut self, index: usize) -> Result<String> {
        let record = Record::new(index);
        let mut fields = serde_json::Map::new();
        fields.insert(NUMBER.into(), record.number.into());
        fields.extend(FIELDS.iter().zip(record.values).map(|(name, value)| ((*name).to_owned(), Value::from(value))));
        let body = json!({ "kind": "demand", "fields": fields });
        let request = self.author.agent.post(self.author.url("/v1/records"));
        let mut answer = request.header("Authorization", self.author.bearer()).send_json(&body)?;
        let text = answer.body_mut().read_to_string()?;
        let published: Value = serde_json::from_str(&text)?;
        published["records"][0].as_str().map(str::to_owned).with_context(|| text)
    }

    fn is_readable(&mut self, handle: &str) -> Result<bool> {
        let url = self.receiver.url(&format!("/v1/records/{handle}"));
        let mut answer = self.receiver.agent.get(url).header("Authorization", self.receiver.bearer()).call()?;
        // Read to the end, so that the connection serves the next question.
        answer.body_mut().read_to_string()?;
        Ok(answer.status().is_success())
    }

    fn stop_receiver(&mut self) -> Result<()> {
        self.receiver.process.take().context("the receiver runs")?.stop("TERM")
    }

    fn receiver_root(&self) -> PathBuf {
        self.receiver.directory.clone()
    }

    fn receiver_store(&self) -> Vec<PathBuf> {
        ["store", "journal"].map(|name| self.receiver.directory.join(name)).to_vec()
    }
}
