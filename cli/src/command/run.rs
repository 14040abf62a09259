//! `run`: the daemon, until a signal ends it.

use std::fs;

use clap::Args;
use node::directory::DataDirectory;
use node::{Node, NodeError, RunOptions};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// Overrides the filter of the settings.
const LOG_VARIABLE: &str = "XIANMENG_LOG";

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// 日志过滤，例如 info,node::sync=debug（优先于环境变量 XIANMENG_LOG 和设置文件）。
    /// What to log (before XIANMENG_LOG and the settings)
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

/// Starts the node, says that it is ready, and waits for SIGINT or SIGTERM.
pub fn perform(context: &Context, arguments: &RunArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    start_logging(&directory, arguments.log.as_deref())?;
    runtime()?.block_on(serve(context, directory))
}

async fn serve(context: &Context, directory: DataDirectory) -> Result<(), Failure> {
    // Before the node starts, so that a signal during a long start is not lost.
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
    let node = tokio::select! {
        started = Node::start(RunOptions { directory: directory.clone() }) => started.map_err(|error| node_failure(&error))?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    say_ready(context, &directory)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("shutting down");
    node.shutdown().await;
    Ok(())
}

fn say_ready(context: &Context, directory: &DataDirectory) -> Result<(), Failure> {
    let api = fs::read_to_string(directory.address_path()).map_err(|error| Failure::file(&directory.address_path(), &error))?;
    let (api, data) = (api.trim(), directory.path());
    context.out.json_line(&json!({"ready": true, "api": api, "data": data, "pid": std::process::id()}));
    context.out.line(format!("节点已就绪 ready: http://{api}  {}", data.display()));
    Ok(())
}

fn start_logging(directory: &DataDirectory, given: Option<&str>) -> Result<(), Failure> {
    let from_environment = std::env::var(LOG_VARIABLE).ok().filter(|text| !text.is_empty());
    let text = match (given, from_environment) {
        (Some(text), _) => text.to_owned(),
        (None, Some(text)) => text,
        (None, None) => directory.config().map_err(|error| home::directory_failure(&error))?.log.filter,
    };
    let filter = EnvFilter::try_new(&text).map_err(|error| {
        let (zh, en) = (format!("日志过滤“{text}”写得不对：{error}"), format!("log filter {text:?}: {error}"));
        Failure::new(ExitCode::InputRefused, "log-filter", zh, en)
            .fix("例如 info 或 info,node::sync=debug。", "for instance info or info,node::sync=debug")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .try_init()
        .map_err(Failure::internal)
}

/// The runtime that the node runs on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::internal)
}

/// The failure that an error of the daemon means.
pub fn node_failure(error: &NodeError) -> Failure {
    Failure::new(ExitCode::Internal, "node", format!("节点出错：{error}"), error.to_string())
}
