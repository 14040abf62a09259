//! PostgreSQL: two clusters, a publication on one and a subscription on the other.
//!
//! It is asked over Unix sockets, so only replication travels over loopback. Columns instead of signed entries: nothing
//! is signed, and whoever runs the publisher decides what the others have.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ::postgres::{Client, Config, NoTls, Statement};
use anyhow::{Context, Result, ensure};
use std::io::Write;

use crate::process::{self, Process, wait};
use crate::record::Record;
use crate::system::{About, POLL, System};

/// Where Debian keeps the programs, newest first, if the search path has them not.
const FOLDERS: [&str; 4] = [
    "/usr/lib/postgresql/18/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
];
/// Who runs the servers if the comparison runs as root, which they refuse.
const USERS: [&str; 2] = ["postgres", "nobody"];
const TABLE: &str = "CREATE TABLE records (number text PRIMARY KEY, category text NOT NULL, name text NOT NULL, \
    industry text NOT NULL, quantity text NOT NULL, unit text NOT NULL, deadline text NOT NULL, state text NOT NULL, \
    description text NOT NULL)";
const INSERT: &str = "INSERT INTO records VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
/// How often a starting server is asked.
const POLL_START: Duration = Duration::from_millis(5);

struct Cluster {
    directory: PathBuf,
    port: u16,
    listen: &'static str,
    process: Option<Process>,
    client: Option<(Client, Statement)>,
}

/// Two clusters.
pub struct Postgres {
    programs: PathBuf,
    user: Option<(String, String)>,
    limit: Duration,
    author: Cluster,
    receiver: Cluster,
    is_subscribed: bool,
}

impl Postgres {
    /// Clusters in this folder. An error if the programs are not to be found.
    pub fn new(folder: &Path, limit: Duration) -> Result<Self> {
        let cluster = |name: &str, port, listen| Cluster {
            directory: folder.join(name),
            port,
            listen,
            process: None,
            client: None,
        };
        let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self {
            programs: programs()?,
            user: user()?,
            limit,
            author: cluster("author", free, "127.0.0.1"),
            receiver: cluster("receiver", free, ""),
            is_subscribed: false,
        })
    }

    /// A program of the server, run as whoever may run it.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let Some((user, group)) = &self.user else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", group, "--clear-groups", "--"]).arg(program);
        command
    }

    fn init(&self, cluster: &Cluster) -> Result<()> {
        std::fs::create_dir_all(&cluster.directory)?;
        if let Some((user, group)) = &self.user {
            process::run(Command::new("chown").arg(format!("{user}:{group}")).arg(&cluster.directory))?;
        }
        let mut command = self.program("initdb");
        command.args(["-A", "trust", "-U", "comparison", "-E", "UTF8", "--locale", "C", "-D"]);
        process::run(command.arg(cluster.data()).current_dir(&cluster.directory))?;
        Ok(())
    }

    fn start(mut command: Command, cluster: &mut Cluster, limit: Duration) -> Result<()> {
        command.current_dir(&cluster.directory).arg("-D").arg(cluster.data());
        command.arg("-k").arg(&cluster.directory).args(["-p", &cluster.port.to_string()]);
        command.args(["-c", "wal_level=logical", "-c"]).arg(format!("listen_addresses={}", cluster.listen));
        cluster.process = Some(Process::start(command, &cluster.directory.with_extension("log"))?);
        let mut client = None;
        wait("a server answers", POLL_START, limit, || {
            client = cluster.connect().ok();
            Ok(client.is_some())
        })?;
        let mut client = client.context("it answers")?;
        // Before the table is there, there is nothing to ask for.
        client.batch_execute("SET statement_timeout = '600s'")?;
        let statement = client.prepare("SELECT count(*) FROM pg_class")?;
        cluster.client = Some((client, statement));
        Ok(())
    }
}

impl Cluster {
    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn connect(&self) -> Result<Client> {
        let mut config = Config::new();
        config.host_path(&self.directory).port(self.port).user("comparison").dbname("postgres");
        Ok(config.connect_timeout(Duration::from_secs(5)).connect(NoTls)?)
    }

    fn client(&mut self) -> Result<&mut Client> {
        Ok(&mut self.client.as_mut().context("the server runs")?.0)
    }

    /// Makes the statement that is asked many times.
    fn prepare(&mut self, text: &str) -> Result<()> {
        let (client, statement) = self.client.as_mut().context("the server runs")?;
        *statement = client.prepare(text)?;
        Ok(())
    }

    fn show(&mut self, setting: &str) -> Result<String> {
        Ok(self.client()?.query_one(&format!("SHOW {setting}"), &[])?.get(0))
    }
}

impl System for Postgres {
    fn name(&self) -> &'static str {
        "postgresql"
    }

    fn found(&mut self) -> Result<About> {
        self.init(&self.author)?;
        self.init(&self.receiver)?;
        Self::start(self.program("postgres"), &mut self.receiver, self.limit)?;
        self.receiver.client()?.batch_execute(TABLE)?;
        self.stop_receiver()?;
        Self::start(self.program("postgres"), &mut self.author, self.limit)?;
        self.author.client()?.batch_execute(TABLE)?;
        self.author.client()?.batch_execute("CREATE PUBLICATION everything FOR TABLE records")?;
        self.author.prepare(INSERT)?;
        let (fsync, commit) = (self.author.show("fsync")?, self.author.show("synchronous_commit")?);
        Ok(About {
            version: format!("PostgreSQL {}", self.author.show("server_version")?),
            durability: format!("fsync {fsync}, synchronous_commit {commit}; the subscription's is on as well"),
            signed: "not signed, and central".into(),
        })
    }

    fn control_ports(&self) -> Vec<u16> {
        Vec::new()
    }

    fn publish(&mut self, records: Range<usize>) -> Result<()> {
        let mut writer = self.author.client()?.copy_in("COPY records FROM STDIN (FORMAT csv)")?;
        for record in records.map(Record::new) {
            writeln!(writer, "{},{}", record.number, record.values.join(","))?;
        }
        writer.finish()?;
        Ok(())
    }

    fn settle(&mut self) -> Result<()> {
        for cluster in [&mut self.author, &mut self.receiver].into_iter().filter(|cluster| cluster.process.is_some()) {
            // What a bulk load leaves to be done, so that it is not done while something is measured.
            cluster.client()?.batch_execute("VACUUM ANALYZE records")?;
            cluster.client()?.batch_execute("CHECKPOINT")?;
        }
        Ok(())
    }

    fn start_receiver(&mut self) -> Result<()> {
        Self::start(self.program("postgres"), &mut self.receiver, self.limit)?;
        self.receiver.prepare("SELECT description FROM records WHERE number = $1")
    }

    fn wait_complete(&mut self, total: usize, _fresh: usize) -> Result<()> {
        if !self.is_subscribed {
            let author = format!("host=127.0.0.1 port={} user=comparison dbname=postgres", self.author.port);
            let statement = format!(
                "CREATE SUBSCRIPTION copy CONNECTION '{author}' PUBLICATION everything WITH (synchronous_commit = on)"
            );
            self.receiver.client()?.batch_execute(&statement)?;
            self.is_subscribed = true;
        }
        let end: String = self.author.client()?.query_one("SELECT pg_current_wal_lsn()::text", &[])?.get(0);
        let (author, receiver) = (&mut self.author, &mut self.receiver);
        wait("the subscription has caught up", POLL, self.limit, || {
            let copied =
                "SELECT count(*) FILTER (WHERE srsubstate <> 'r') = 0 AND count(*) > 0 FROM pg_subscription_rel";
            let followed = format!(
                "SELECT count(*) = 1 FROM pg_stat_replication \
                 WHERE application_name = 'copy' AND state = 'streaming' AND flush_lsn >= '{end}'::pg_lsn"
            );
            Ok(receiver.client()?.query_one(copied, &[])?.get(0)
                && author.client()?.query_one(followed.as_str(), &[])?.get(0))
        })?;
        let count: i64 = self.receiver.client()?.query_one("SELECT count(*) FROM records", &[])?.get(0);
        ensure!(count >= total as i64, "{count} of {total} rows are there");
        Ok(())
    }

    fn check(&mut self) -> Result<usize> {
        let rows = self.receiver.client()?.query("SELECT number, description FROM records", &[])?;
        for row in &rows {
            let number: &str = row.get(0);
            let wanted = Record::new(Record::index_of(number).context("a record's own number")?);
            ensure!(row.get::<_, &str>(1) == wanted.values[7], "{number} differs");
        }
        Ok(rows.len())
    }

    fn publish_one(&mut self, index: usize) -> Result<String> {
        let Record { number, values: [a, b, c, d, e, f, g, h] } = Record::new(index);
        let (client, insert) = self.author.client.as_mut().context("the author runs")?;
        client.execute(&*insert, &[&number, &a, &b, &c, &d, &e, &f, &g, &h])?;
        Ok(number)
    }

    fn is_readable(&mut self, handle: &str) -> Result<bool> {
        let (client, select) = self.receiver.client.as_mut().context("the receiver runs")?;
        Ok(client.query_opt(&*select, &[&handle])?.is_some())
    }

    fn stop_receiver(&mut self) -> Result<()> {
        self.receiver.client = None;
        self.receiver.process.take().context("the receiver runs")?.stop("INT")
    }

    fn receiver_root(&self) -> PathBuf {
        self.receiver.data()
    }

    fn receiver_store(&self) -> Vec<PathBuf> {
        vec![self.receiver.data().join("base")]
    }
}

/// The folder of the server's programs.
fn programs() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(FOLDERS.iter().map(PathBuf::from));
    let found = folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists());
    found.context("initdb and postgres are not installed (Debian: apt-get install postgresql)")
}

/// Who shall run the servers; nobody else if this is not root.
fn user() -> Result<Option<(String, String)>> {
    let id = |arguments: &[&str]| process::run(Command::new("id").args(arguments)).map(|text| text.trim().to_owned());
    if id(&["-u"])? != "0" {
        return Ok(None);
    }
    let named = USERS.iter().find_map(|user| Some((id(&["-u", user]).ok()?, id(&["-g", user]).ok()?)));
    named.map(Some).context("there is no user that could run the servers")
}
