//! A real browser: headless Chromium, driven by its own driver.
//!
//! The driver speaks WebDriver, which is JSON over HTTP, so the client that the tests have anyway is enough. What the
//! standard lacks (screens of any size, scripts switched off, the log of the network) are commands of the browser.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// When it is set, the browser must be there: what is missing fails instead of being left out.
const REQUIRED_VARIABLE: &str = "XIANMENG_BROWSER";
const DRIVER: &str = "chromedriver";
const BROWSER: &str = "/usr/bin/chromium";
/// How long the browser may take for anything.
const WAIT: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

const ARGUMENTS: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--lang=zh-CN",
    "--accept-lang=zh-CN",
];

/// A browser with an empty profile.
pub struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one. `None` where there is none and none is required.
    pub fn start() -> Option<Self> {
        let installed = Path::new(BROWSER).exists() && Command::new(DRIVER).arg("--version").output().is_ok();
        if !installed {
            assert!(std::env::var_os(REQUIRED_VARIABLE).is_none(), "chromium and chromium-driver are not installed");
            eprintln!("left out: there is no chromium and chromium-driver on this machine");
            return None;
        }
        let mut command = Command::new(DRIVER);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = command.spawn().expect("the driver is installed");
        let port = port(&mut driver);
        let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
        let agent: ureq::Agent = config.timeout_global(Some(WAIT)).build().into();
        let profile = tempfile::tempdir().expect("a temporary directory");
        let mut arguments: Vec<String> = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let options = json!({"binary": BROWSER, "args": arguments});
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}});
        let base = format!("http://127.0.0.1:{port}");
        let mut browser = Self { driver, session: format!("{base}/session"), agent, _profile: profile };
        let answer = browser.post("", &json!({"capabilities": {"alwaysMatch": wanted}}));
        let id = answer["sessionId"].as_str().expect("the driver opens a session");
        browser.session = format!("{base}/session/{id}");
        Some(browser)
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let mut response =
            self.agent.post(format!("{}{path}", self.session)).send_json(body).expect("the driver answers");
        let text = response.body_mut().with_config().limit(1 << 28).read_to_string().expect("the answer is text");
        let mut answer: Value = serde_json::from_str(&text).expect("the answer is JSON");
        assert!(answer["value"]["error"].is_null(), "{path}: {}", answer["value"]);
        answer["value"].take()
    }

    /// A command of the browser itself.
    #[track_caller]
    pub fn command(&self, name: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    /// Opens an address and waits until it is loaded.
    #[track_caller]
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({"url": url}));
    }

    /// The value of an expression, which may be a promise. It works where scripts of pages are switched off.
    #[track_caller]
    pub fn value(&self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.command("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait(&self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != json!(true) {
            assert!(begun.elapsed() < WAIT, "{expression}: not in time, at {}", self.value("location.href"));
            std::thread::sleep(POLL);
        }
    }

    /// Presses a key: `Tab`, `Enter`.
    #[track_caller]
    pub fn press(&self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            other => panic!("the tests press no {other}"),
        };
        let mut parameters = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
        if !text.is_empty() {
            parameters["text"] = json!(text);
        }
        self.command("Input.dispatchKeyEvent", parameters.clone());
        parameters["type"] = json!("keyUp");
        self.command("Input.dispatchKeyEvent", parameters);
    }

    /// Types a text into what has the focus.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.command("Input.insertText", json!({"text": text}));
    }

    /// Makes the screen so wide.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.command("Emulation.setDeviceMetricsOverride", screen);
    }

    /// Switches the scripts of pages off, or on.
    #[track_caller]
    pub fn scripts(&self, on: bool) {
        self.command("Emulation.setScriptExecutionDisabled", json!({"value": !on}));
    }

    /// Writes a picture of the whole page.
    #[track_caller]
    pub fn picture(&self, path: &Path) {
        let answer = self.command("Page.captureScreenshot", json!({"captureBeyondViewport": true}));
        let bytes = data_encoding::BASE64.decode(answer["data"].as_str().unwrap_or_default().as_bytes());
        std::fs::write(path, bytes.expect("the browser sends a picture")).expect("the directory is writable");
    }

    /// Every address that was asked for since the last call, by the log of the network.
    #[track_caller]
    pub fn requests(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "performance"}));
        let messages = log.as_array().expect("a list").iter().filter_map(|entry| entry["message"].as_str());
        let messages = messages.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        let sent = messages.filter(|message| message["message"]["method"] == "Network.requestWillBeSent");
        sent.filter_map(|message| Some(message["message"]["params"]["request"]["url"].as_str()?.to_owned())).collect()
    }

    /// What the browser complains of since the last call, for instance a script that the policy refuses.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().expect("a list").iter().filter(|entry| entry["level"] == "SEVERE");
        entries.map(|entry| entry["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The session's end takes the browser with it; the driver is killed in any case.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn port(driver: &mut Child) -> u16 {
    let output = driver.stdout.take().expect("the driver's output is a pipe");
    let mut lines = BufReader::new(output).lines();
    let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("started successfully on port ")?;
        rest.trim_end_matches('.').parse().ok()
    });
    // The rest is read, so that the driver never waits for it.
    std::thread::spawn(move || lines.for_each(drop));
    said.expect("the driver says on which port it listens")
}
