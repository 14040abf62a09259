//! The node's HTTP API, as a blocking client on the loopback interface.

use std::fs;
use std::io::{self, Read};
use std::time::Duration;

use node::api::types::Problem;
use node::directory::DataDirectory;
use node::joining::joining_state;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, problem};

/// How long the node may think before its answer begins.
const ANSWER_SECONDS_MAX: u64 = 300;
/// Longest answer that is read into memory.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// A connection to the running node of a data directory.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
    base: String,
    token: String,
}

impl Client {
    /// Finds the running node of `directory`.
    pub fn connect(directory: &DataDirectory) -> Result<Self, Failure> {
        let address = fs::read_to_string(directory.address_path()).map_err(|_| no_api(directory))?;
        let token = directory.token().map_err(|error| home::directory_failure(&error))?;
        Ok(Self::new(address.trim(), token))
    }

    fn new(address: &str, token: String) -> Self {
        // A proxy for the Internet must not stand between a command and its own machine.
        let config = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_recv_response(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))
            .build();
        Self { agent: config.into(), base: format!("http://{address}"), token }
    }

    /// Reads a resource.
    pub fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, Failure> {
        let mut request = self.agent.get(self.url(path)).header("Authorization", self.authorization());
        for (name, value) in query {
            request = request.query(name, value);
        }
        read_json(checked(request.call())?)
    }

    /// Reads a resource piece by piece; between two pieces it may be silent for as long as it likes.
    pub fn get_reader(&self, path: &str, query: &[(&str, String)]) -> Result<impl Read + use<>, Failure> {
        let mut request = self.agent.get(self.url(path)).header("Authorization", self.authorization());
        for (name, value) in query {
            request = request.query(name, value);
        }
        Ok(checked(request.call())?.into_body().into_with_config().limit(u64::MAX).reader())
    }

    /// Sends a JSON body and reads a JSON answer.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        read_json(checked(self.posting(path).send_json(body))?)
    }

    /// Sends a JSON body; the answer may be empty.
    pub fn post_silent(&self, path: &str, body: &impl Serialize) -> Result<(), Failure> {
        checked(self.posting(path).send_json(body)).map(drop)
    }

    /// Sends bytes and reads a JSON answer.
    pub fn post_bytes<T: DeserializeOwned>(&self, path: &str, bytes: &[u8]) -> Result<T, Failure> {
        read_json(checked(self.posting(path).content_type("application/octet-stream").send(bytes))?)
    }

    /// Sends a file and reads a JSON answer.
    pub fn post_file<T: DeserializeOwned>(&self, path: &str, file: fs::File) -> Result<T, Failure> {
        read_json(checked(self.posting(path).content_type("application/octet-stream").send(file))?)
    }

    /// Removes a resource; one that is gone already is as good.
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        match self.delete_known(path) {
            Err(failure) if failure.exit == ExitCode::NotFound => Ok(()),
            other => other,
        }
    }

    /// Removes a resource that must be there.
    pub fn delete_known(&self, path: &str) -> Result<(), Failure> {
        let request = self.agent.delete(self.url(path)).header("Authorization", self.authorization());
        checked(request.call()).map(drop)
    }

    fn posting(&self, path: &str) -> ureq::RequestBuilder<ureq::typestate::WithBody> {
        self.agent.post(self.url(path)).header("Authorization", self.authorization())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn authorization(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

/// A piece of a path, percent-encoded: labels and own numbers hold Chinese characters and slashes.
pub fn segment(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn checked(answer: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>, Failure> {
    let mut answer = answer.map_err(transport_failure)?;
    let status = answer.status().as_u16();
    if answer.status().is_success() {
        return Ok(answer);
    }
    let text = answer.body_mut().read_to_string().map_err(transport_failure)?;
    Err(match serde_json::from_str::<Problem>(&text) {
        Ok(found) => problem::failure(status, found),
        Err(_) if status == 401 => {
            let (zh, en) = ("节点不认这个口令。", "the node does not accept the token");
            Failure::new(ExitCode::DataDirectory, "token", zh, en).fix(
                "请确认 --data 指的是正在运行的那个节点的目录。",
                "make sure that --data names the directory of the node that runs",
            )
        }
        Err(_) => problem::unreadable(status, &text),
    })
}

fn read_json<T: DeserializeOwned>(mut answer: Response<Body>) -> Result<T, Failure> {
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(transport_failure)?;
    serde_json::from_str(&text).map_err(|error| problem::unreadable(status, &format!("{error}: {text}")))
}

fn transport_failure(error: ureq::Error) -> Failure {
    match error {
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            not_running("节点没有运行", "the node does not run")
        }
        ureq::Error::ConnectionFailed | ureq::Error::HostNotFound => {
            not_running("节点没有运行", "the node does not run")
        }
        ureq::Error::Timeout(_) => not_running("节点没有及时应答", "the node did not answer in time"),
        error => {
            let (zh, en) = (format!("与节点的连接断了：{error}"), format!("the connection to the node broke: {error}"));
            not_running(&zh, &en)
        }
    }
}

/// The failure of an answer that broke off.
pub fn broken_answer(error: &io::Error) -> Failure {
    let (zh, en) = (format!("节点的应答中断了：{error}"), format!("the node's answer broke off: {error}"));
    not_running(&zh, &en)
}

/// Why there is no API: a node that waits for its admission has none yet, and any other one does not run.
fn no_api(directory: &DataDirectory) -> Failure {
    if directory.genesis_path().exists() || joining_state(directory).is_none() {
        return not_running("节点没有运行", "the node does not run");
    }
    Failure::new(
        ExitCode::NodeUnreachable,
        "node-joining",
        "节点还没有入盟，在此之前不能发布，也不能查询",
        "the node is not a member yet; until then it can neither publish nor be asked",
    )
    .fix(
        "xianmeng status 可看申请进展与下一步。",
        "`xianmeng status` says how far the application is, and what comes next",
    )
}

fn not_running(zh: &str, en: &str) -> Failure {
    Failure::new(ExitCode::NodeUnreachable, "node-unreachable", zh, en).fix(
        "请在另一个窗口执行 xianmeng run（--data 要相同），再试一次。",
        "start it in another window with `xianmeng run` (same --data) and try again",
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use super::*;

    /// A server that gives one answer and shows what it was asked.
    fn serve(answer: &'static str) -> (Client, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it listens").to_string();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("the client connects");
            let mut request = [0; 4096];
            let length = stream.read(&mut request).expect("the client asks");
            stream.write_all(answer.as_bytes()).expect("the client listens");
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (Client::new(&address, "secret".into()), thread)
    }

    #[test]
    fn the_token_and_the_query_are_sent_and_the_answer_is_read() {
        let (client, thread) = serve("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n[7]");
        let numbers: Vec<u32> = client.get("/v1/x", &[("where", "规模>=5亿元".into())]).expect("a good answer");
        assert_eq!(numbers, [7]);
        let request = thread.join().expect("the server ends").to_lowercase();
        assert!(request.contains("authorization: bearer secret"));
        assert!(request.starts_with("get /v1/x?where=%e8%a7%84%e6%a8%a1%3e%3d5"), "{request}");
    }

    #[test]
    fn a_problem_becomes_a_failure() {
        let body = "HTTP/1.1 404 Not Found\r\nContent-Length: 45\r\nConnection: close\r\n\r\n\
                    {\"code\":\"record-unknown\",\"zh\":\"z\",\"en\":\"e\"  }";
        let (client, thread) = serve(body);
        let failure = client.get::<Vec<u32>>("/v1/x", &[]).expect_err("it is missing");
        assert_eq!((failure.exit, failure.code.as_ref()), (ExitCode::NotFound, "record-unknown"));
        thread.join().expect("the server ends");
    }

    #[test]
    fn nobody_listening_is_exit_code_three_with_a_way_out() {
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it listens");
        let client = Client::new(&port.to_string(), "secret".into());
        let failure = client.get::<Vec<u32>>("/v1/x", &[]).expect_err("nobody is there");
        assert_eq!(failure.exit, ExitCode::NodeUnreachable);
        assert!(failure.fix_en.contains("xianmeng run"));
    }

    #[test]
    fn own_numbers_survive_in_a_path() {
        assert_eq!(segment("42-7"), "42-7");
        assert_eq!(segment("甲/1"), "%E7%94%B2%2F1");
    }
}
