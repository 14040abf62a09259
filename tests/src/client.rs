//! Clients of a node that take whatever comes: an answer, a refusal, or nothing. The stories' own requests end the story
//! when a node does not answer; a node under load or about to start again may well not.

use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::node::Node;

/// Longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What came of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status; nothing when the connection was refused, closed, or silent for too long.
    pub status: Option<u16>,
    /// The body, as far as it is text.
    pub text: String,
}

impl Reply {
    /// Whether it is a success.
    pub fn is_ok(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    fn of(answer: Result<Response<Body>, ureq::Error>) -> Self {
        let Ok(mut response) = answer else { return Self::default() };
        let status = response.status().as_u16();
        // An answer that breaks off is none.
        match response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string() {
            Ok(text) => Self { status: Some(status), text },
            Err(_) => Self::default(),
        }
    }
}

/// Whether a client keeps its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connections {
    /// One after the other over the same, as a program does that asks often.
    Kept,
    /// A new one for every request, as the command line does.
    Fresh,
}

/// A client of the API.
#[derive(Debug, Clone)]
pub struct Client {
    agent: Agent,
    base: String,
    authorization: String,
}

impl Client {
    /// A client of the node's API with its token, which waits so long for an answer.
    pub fn new(node: &Node, connections: Connections, patience: Duration) -> Self {
        let (address, token) = node.api();
        let base = format!("http://{address}");
        Self { agent: agent(connections, patience), base, authorization: format!("Bearer {token}") }
    }

    /// The same with another token, or without one.
    pub fn with_token(self, token: Option<&str>) -> Self {
        let authorization = token.map(|token| format!("Bearer {token}")).unwrap_or_default();
        Self { authorization, ..self }
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.base));
        Reply::of(request.header("Authorization", &self.authorization).call())
    }

    /// Asks for a path whose answer goes on, and reads what comes within that time; nothing when it is not given.
    pub fn listen(&self, path: &str, time: Duration) -> Option<impl std::io::Read + use<>> {
        let request = self.agent.get(format!("{}{path}", self.base)).config().timeout_global(Some(time)).build();
        let response = request.header("Authorization", &self.authorization).call().ok()?;
        response.status().is_success().then(|| response.into_body().into_reader())
    }

    /// Removes what is at a path.
    pub fn delete(&self, path: &str) -> Reply {
        let request = self.agent.delete(format!("{}{path}", self.base));
        Reply::of(request.header("Authorization", &self.authorization).call())
    }

    /// Sends JSON to a path.
    pub fn post(&self, path: &str, content: &Value) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.base));
        Reply::of(request.header("Authorization", &self.authorization).send_json(content))
    }

    /// Sends bytes to a path.
    pub fn post_bytes(&self, path: &str, content: &[u8]) -> Reply {
        let request = self.agent.post(format!("{}{path}", self.base));
        Reply::of(request.header("Authorization", &self.authorization).send(content))
    }
}

/// A reader of the portal who entered by a link.
#[derive(Debug, Clone)]
pub struct Pages {
    agent: Agent,
    base: String,
    cookie: String,
}

impl Pages {
    /// Enters; nothing when the node lets nobody in now.
    pub fn enter(node: &Node, patience: Duration) -> Option<Self> {
        let agent = agent(Connections::Fresh, patience);
        let link = node.run(&["portal", "open"]).json["url"].as_str()?.to_owned();
        let response = agent.get(&link).call().ok()?;
        let cookies = response.headers().get_all("set-cookie").iter().filter_map(|text| text.to_str().ok());
        let pairs: Vec<&str> = cookies.filter_map(|text| text.split(';').next()).collect();
        let (base, _) = link.split_once("/open")?;
        Some(Self { base: base.to_owned(), cookie: pairs.join("; "), agent })
    }

    /// Where the portal listens: host and port.
    pub fn address(&self) -> &str {
        self.base.strip_prefix("http://").unwrap_or(&self.base)
    }

    /// Reads a page.
    pub fn read(&self, path: &str) -> Reply {
        let request = self.agent.get(format!("{}{path}", self.base));
        Reply::of(request.header("Cookie", &self.cookie).header("Accept-Encoding", "identity").call())
    }
}

fn agent(connections: Connections, patience: Duration) -> Agent {
    let config = Agent::config_builder().proxy(None).http_status_as_error(false).timeout_global(Some(patience));
    let config = config.max_redirects(0).max_redirects_will_error(false);
    match connections {
        Connections::Kept => config.build().into(),
        Connections::Fresh => config.max_idle_connections(0).build().into(),
    }
}

/// A text as it stands in a query.
pub fn in_query(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
