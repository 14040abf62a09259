//! `watch`: new and changed results of a question, as they come.

use std::io::{self, BufRead, BufReader, IsTerminal, Read};

use clap::Args;
use node::api::types::{CreateWatch, SearchQuery, WatchEvent, WatchNotice, WatchView};
use serde_json::json;

use super::find::{BOLD, ConditionArguments, lines, pairs};
use crate::client::{Client, broken_answer, segment};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// Longest event, in bytes.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

/// Arguments of `watch`.
#[derive(Debug, Default, Args)]
pub struct WatchArguments {
    /// 已保存的关注的名称，或要关注的词语。
    /// The name of a watch that is kept, or words
    #[arg(value_name = "NAME|WORDS")]
    words: Vec<String>,
    /// 其余条件。
    /// The other conditions
    #[command(flatten)]
    conditions: ConditionArguments,
    /// 以这个名称保存；以后 xianmeng watch 名称 可接着收，没收听时到的也不丢。
    /// Keep it under this name; `xianmeng watch NAME` goes on later, with what came meanwhile
    #[arg(long, value_name = "NAME")]
    save: Option<String>,
    /// 列出已保存的关注。
    /// List the watches that are kept
    #[arg(long, conflicts_with_all = ["words", "save", "remove", "once"])]
    list: bool,
    /// 删去这个关注。
    /// Remove this watch
    #[arg(long, value_name = "NAME", conflicts_with_all = ["words", "save", "once"])]
    remove: Option<String>,
    /// 收完已有的就结束，不再等。
    /// End when what is there was told
    #[arg(long)]
    once: bool,
}

/// Does what was asked.
pub fn perform(context: &Context, arguments: &WatchArguments) -> Result<(), Failure> {
    let client = context.client()?;
    if arguments.list {
        return list(context, &client);
    }
    if let Some(name) = &arguments.remove {
        client.delete_known(&format!("/v1/watches/{}", segment(name)))?;
        context.out.json(&json!({"removed": name}));
        context.out.say(format!("已删去关注“{name}”。"), format!("the watch `{name}` is gone"));
        return Ok(());
    }
    let query = arguments.conditions.query(&arguments.words);
    if query == SearchQuery::default() && arguments.save.is_none() {
        return Err(nothing_named());
    }
    if let Some(name) = &arguments.save {
        let made: WatchView = client.post("/v1/watches", &CreateWatch { name: name.clone(), query })?;
        context.out.json_line(&made);
        context.out.say(
            format!("已保存关注“{name}”：此后符合的新记录和变更都会记着。"),
            format!("the watch `{name}` is kept: what is new from now on is remembered"),
        );
        return if arguments.once { Ok(()) } else { follow(context, &client, name, false) };
    }
    let whole = arguments.words.join(" ");
    let only_words = query == SearchQuery { words: whole.clone(), ..SearchQuery::default() };
    let kept: Vec<WatchView> = client.get("/v1/watches", &[])?;
    if only_words && kept.iter().any(|watch| watch.name == whole) {
        return follow(context, &client, &whole, arguments.once);
    }
    if arguments.once {
        let (zh, en) = (format!("没有名为“{whole}”的关注。"), format!("there is no watch `{whole}`"));
        return Err(Failure::new(ExitCode::NotFound, "watch-unknown", zh, en).fix(
            "--once 只用于已保存的关注；xianmeng watch --list 列出已有的。",
            "--once is for watches that are kept; `xianmeng watch --list` lists them",
        ));
    }
    say_listening(context, &query.words);
    let reader = client.get_reader("/v1/search/events", &pairs(&query))?;
    tell(context, reader)
}

fn nothing_named() -> Failure {
    Failure::new(ExitCode::Usage, "usage", "没有写要关注什么。", "nothing to watch for is named").fix(
        "写词语或条件，例如 xianmeng watch 冷链 --kind demand；或 xianmeng watch --list。",
        "write words or conditions, for instance `xianmeng watch 冷链 --kind demand`, or `xianmeng watch --list`",
    )
}

fn list(context: &Context, client: &Client) -> Result<(), Failure> {
    let watches: Vec<WatchView> = client.get("/v1/watches", &[])?;
    context.out.json(&watches);
    if watches.is_empty() {
        context.out.say(
            "还没有保存的关注；xianmeng watch 词语 --save 名称 可保存一个。",
            "no watch is kept; `xianmeng watch WORDS --save NAME` keeps one",
        );
        return Ok(());
    }
    let row = |watch: &WatchView| {
        let conditions = pairs(&watch.query).into_iter().filter(|(_, value)| !value.is_empty());
        let conditions: Vec<String> = conditions.map(|(name, value)| format!("{name}={value}")).collect();
        let listening = if watch.listening { "收听中" } else { "-" };
        vec![
            watch.name.clone(),
            conditions.join(" "),
            watch.delivered.to_string(),
            listening.to_owned(),
            time::show(watch.created_ms),
        ]
    };
    context.out.table(&["名称", "条件", "已送", "收听", "建立时间"], watches.iter().map(row).collect());
    Ok(())
}

fn follow(context: &Context, client: &Client, name: &str, once: bool) -> Result<(), Failure> {
    if !once {
        say_listening(context, name);
    }
    let query: Vec<(&str, String)> = once.then(|| ("once", "true".to_owned())).into_iter().collect();
    let reader = client.get_reader(&format!("/v1/watches/{}/events", segment(name)), &query)?;
    tell(context, reader)
}

fn say_listening(context: &Context, what: &str) {
    context.out.say(format!("正在关注：{what}（Ctrl-C 结束）"), format!("watching: {what} (Ctrl-C ends it)"));
}

/// Tells every event until the stream ends.
fn tell(context: &Context, reader: impl Read) -> Result<(), Failure> {
    let mut events = Events { reader: BufReader::new(reader) };
    while let Some(event) = events.next().map_err(|error| broken_answer(&error))? {
        let unreadable = |error: serde_json::Error| Failure::internal(format!("an event cannot be read: {error}"));
        match event.name.as_str() {
            "record" => {
                let event: WatchEvent = serde_json::from_str(&event.data).map_err(unreadable)?;
                context.out.json_line(&event);
                show(context, &event);
            }
            "notice" => {
                let notice: WatchNotice = serde_json::from_str(&event.data).map_err(unreadable)?;
                context.out.json_line(&notice);
                if notice.code == "index-behind" {
                    return Err(Failure::new(ExitCode::NotAllowed, "index-behind", notice.zh, notice.en));
                }
                context.out.say(notice.zh, notice.en);
            }
            _ => {}
        }
    }
    Ok(())
}

fn show(context: &Context, event: &WatchEvent) {
    let marks = io::stdout().is_terminal().then_some(BOLD);
    let what = if event.is_new { "新 new" } else { "变更 changed" };
    context.out.line(format!("[{what}]"));
    lines(&event.record, marks).iter().for_each(|line| context.out.line(line));
}

/// One server-sent event.
#[derive(Debug, Default, PartialEq, Eq)]
struct ServerEvent {
    name: String,
    data: String,
}

/// Reads server-sent events.
struct Events<R> {
    reader: BufReader<R>,
}

impl<R: Read> Events<R> {
    /// The next event; `None` at the end of the stream.
    fn next(&mut self) -> io::Result<Option<ServerEvent>> {
        let mut event = ServerEvent::default();
        loop {
            let mut line = String::new();
            let room = (EVENT_BYTES_MAX - event.data.len()) as u64;
            let read = (&mut self.reader).take(room).read_line(&mut line)?;
            if read as u64 == room && !line.ends_with('\n') {
                return Err(io::Error::other("an event is too long"));
            }
            if read == 0 {
                return Ok(None);
            }
            let line = line.trim_end_matches(['\n', '\r']);
            match line.split_once(':') {
                None if line.is_empty() && event == ServerEvent::default() => {}
                None if line.is_empty() => return Ok(Some(event)),
                Some(("event", name)) => event.name = name.trim_start().to_owned(),
                Some(("data", data)) => {
                    if !event.data.is_empty() {
                        event.data.push('\n');
                    }
                    event.data.push_str(data.strip_prefix(' ').unwrap_or(data));
                }
                // Comments say only that the stream is there; ids are for those who come back.
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Vec<(String, String)> {
        let mut events = Events { reader: BufReader::new(text.as_bytes()) };
        let mut found = Vec::new();
        while let Some(event) = events.next().expect("it can be read") {
            found.push((event.name, event.data));
        }
        found
    }

    #[test]
    fn events_are_read_and_heartbeats_are_passed_over() {
        let text = ": alive\n\nevent: record\nid: 7\ndata: {\"a\":1}\n\n: alive\n\nevent: notice\ndata: one\ndata: two\n\nevent: cut";
        assert_eq!(events(text), [("record".into(), "{\"a\":1}".into()), ("notice".into(), "one\ntwo".into())]);
        assert_eq!(events(""), []);
        let long = format!("data: {}\n\n", "x".repeat(EVENT_BYTES_MAX));
        let mut too_long = Events { reader: BufReader::new(long.as_bytes()) };
        assert!(too_long.next().is_err());
    }
}
