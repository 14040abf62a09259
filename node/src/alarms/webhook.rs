//! Webhooks: each alarm is posted as JSON until the receiver takes it, in order, with growing waits.
//!
//! A message is signed, so that a receiver can tell who sent it: the header `X-Xianmeng-Signature: blake3=HEX` is the
//! keyed BLAKE3 hash of the header `X-Xianmeng-Time`, a full stop and the body, under the key that [`key`] derives from
//! the file `alarms.secret` for this target alone. A receiver answers with any 2xx; everything else, redirections too,
//! is tried again. A message that a receiver refuses several times goes behind the others, so that it holds none of
//! them up. What could be secret stays here: messages hold findings, and views only scheme, host and port of a target.
//!
//! A receiver with an `https` address must show a certificate of a public authority, or of those that the settings name
//! instead (`alarms.authorities`).
//!
//! What waits is kept in memory: a node that starts again raises anew what lasts, and counts from one.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::limits::{
    ATTEMPT_TIME, FAILURES_TOLD, GIVE_UP_AFTER, REFUSALS_MAX, RETRY_FIRST, RETRY_JITTER_PERCENT, RETRY_LONGEST,
    URL_BYTES_MAX, WAITING_MAX, WEBHOOKS_MAX,
};
use crate::api::types::{AlarmMessage, Finding, Severity, WebhookView};
use crate::core::now_ms;
use crate::doctor::catalogue::WEBHOOK_FAILING;

/// What the signature's key is derived under.
const KEY_CONTEXT: &str = "xianmeng 2026 webhook signature 2";
const HTTP: &str = "http://";
const HTTPS: &str = "https://";
/// The header with the time in the signature.
pub const TIME_HEADER: &str = "X-Xianmeng-Time";
/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "X-Xianmeng-Signature";

/// The webhooks of a node. A cheap handle.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    targets: Arc<Vec<Arc<Target>>>,
}

#[derive(Debug)]
struct Target {
    url: String,
    /// Scheme, host and port; a number behind them where several targets share these.
    shown: String,
    key: [u8; 32],
    /// A file with the authorities of certificates; without it those that are public.
    authorities: Option<PathBuf>,
    queue: Mutex<Queue>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    delivered: u64,
    given_up: u64,
    delivered_ms: Option<u64>,
    failures: u32,
    error: Option<String>,
}

/// A message that was not taken yet.
#[derive(Debug, Clone)]
struct Waiting {
    queued: Instant,
    severity: Severity,
    body: Arc<Vec<u8>>,
    /// Times that the receiver was there and refused it.
    refusals: u32,
}

/// Why an attempt failed.
#[derive(Debug)]
enum Failure {
    /// The receiver answered, and did not take the message.
    Refused(String),
    /// There was no answer.
    Unreached(String),
}

/// The key that signs the messages to one target: derived from the text in `alarms.secret` without the white space
/// around it, a line feed, and the target's address as the settings have it. A receiver is given this key and not the
/// secret: it cannot sign for another.
pub fn key(secret: &str, url: &str) -> [u8; 32] {
    blake3::derive_key(KEY_CONTEXT, format!("{}\n{url}", secret.trim()).as_bytes())
}

/// The signature of a message.
pub fn signature(key: &[u8; 32], time_ms: u64, body: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(time_ms.to_string().as_bytes()).update(b".").update(body);
    format!("blake3={}", hasher.finalize().to_hex())
}

/// Whether webhooks can be used; the reason when not.
pub fn check(urls: &[String]) -> Result<(), String> {
    if urls.len() > WEBHOOKS_MAX {
        return Err(format!("alarms.webhooks: at most {WEBHOOKS_MAX}"));
    }
    for url in urls {
        if url.len() > URL_BYTES_MAX || origin(url).is_none() {
            return Err("alarms.webhooks: each must be http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH, without a user name".into());
        }
    }
    Ok(())
}

/// Scheme, host and port of an address that can be used.
fn origin(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let scheme = [HTTP, HTTPS].into_iter().find(|scheme| url.starts_with(scheme))?;
    let rest = url.strip_prefix(scheme)?.strip_prefix(authority.as_str())?;
    let usable = !uri.host()?.is_empty() && !authority.as_str().contains('@') && rest.starts_with('/');
    (usable && !url.contains(['#', '\\'])).then(|| format!("{scheme}{authority}"))
}

impl Targets {
    /// Targets at these addresses, which [`check`] let pass. `authorities` is a PEM file with the certificates that those
    /// of https targets must come from; without it public authorities are trusted.
    pub fn new(urls: &[String], secret: &str, authorities: Option<&Path>) -> Self {
        let origins: Vec<String> = urls.iter().map(|url| origin(url).unwrap_or_default()).collect();
        let target = |(index, url): (usize, &String)| {
            let origin = &origins[index];
            let shared = origins.iter().filter(|other| *other == origin).count() > 1;
            let shown = if shared { format!("{origin} #{}", index + 1) } else { origin.clone() };
            let (url, key) = (url.clone(), key(secret, url));
            let authorities = authorities.filter(|_| url.starts_with(HTTPS)).map(Path::to_owned);
            Arc::new(Target { url, shown, key, authorities, queue: Mutex::default(), arrived: Notify::new() })
        };
        Self { targets: Arc::new(urls.iter().enumerate().map(target).collect()) }
    }

    /// Queues a message for every target.
    pub fn send(&self, message: &AlarmMessage) {
        if self.targets.is_empty() {
            return;
        }
        let body = Arc::new(serde_json::to_vec(message).expect("a message holds texts and numbers only"));
        for target in self.targets.iter() {
            let (queued, severity, body) = (Instant::now(), message.alarm.severity, Arc::clone(&body));
            target.queue.lock().push(Waiting { queued, severity, body, refusals: 0 });
            target.arrived.notify_one();
        }
    }

    /// Delivers until the node stops.
    pub async fn run(self) {
        let mut tasks = JoinSet::new();
        self.targets.iter().for_each(|target| {
            tasks.spawn(Arc::clone(target).run());
        });
        while tasks.join_next().await.is_some() {}
    }

    /// How delivery goes.
    pub fn views(&self) -> Vec<WebhookView> {
        self.targets.iter().map(|target| target.view()).collect()
    }

    /// Targets that take nothing.
    pub fn findings(&self) -> Vec<Finding> {
        self.targets.iter().filter_map(|target| target.finding()).collect()
    }
}

impl Target {
    async fn run(self: Arc<Self>) {
        let mut agent = None;
        loop {
            let next = self.queue.lock().next(Instant::now());
            let Some(body) = next else {
                self.arrived.notified().await;
                continue;
            };
            let (target, kept) = (Arc::clone(&self), agent.take());
            let posted = tokio::task::spawn_blocking({
                let body = Arc::clone(&body);
                move || {
                    // Read again until it can be: whoever mends the file needs no new start.
                    let agent = kept.map_or_else(|| agent_of(target.authorities.as_deref()), Ok);
                    let agent = agent.map_err(Failure::Unreached)?;
                    Ok((target.post(&agent, &body), agent))
                }
            });
            let posted = posted.await.unwrap_or_else(|error| Err(Failure::Unreached(error.to_string())));
            let posted = posted.and_then(|(posted, used)| {
                agent = Some(used);
                posted
            });
            if let Some(wait) = self.note(posted, &body) {
                tokio::time::sleep(wait).await;
            }
        }
    }

    /// Posts a message once.
    fn post(&self, agent: &Agent, body: &[u8]) -> Result<(), Failure> {
        let time_ms = now_ms();
        let request = agent.post(&self.url).header("Content-Type", "application/json");
        let request = request.header(TIME_HEADER, time_ms.to_string());
        let answered = request.header(SIGNATURE_HEADER, signature(&self.key, time_ms, body)).send(body);
        match answered {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(Failure::Refused(format!("HTTP {}", answer.status().as_u16()))),
            Err(error) => Err(Failure::Unreached(cause(&error))),
        }
    }

    /// Notes what came of an attempt. How long to wait before the next, after a failure.
    fn note(&self, posted: Result<(), Failure>, body: &Arc<Vec<u8>>) -> Option<Duration> {
        let mut queue = self.queue.lock();
        // It may have made room for another meanwhile.
        let place = queue.waiting.iter().position(|waiting| Arc::ptr_eq(&waiting.body, body));
        let (error, refused) = match posted {
            Ok(()) => {
                place.map(|place| queue.waiting.remove(place));
                (queue.failures, queue.error) = (0, None);
                queue.delivered += 1;
                queue.delivered_ms = Some(now_ms());
                return None;
            }
            Err(Failure::Refused(error)) => (error, true),
            Err(Failure::Unreached(error)) => (error, false),
        };
        tracing::debug!(target = self.shown, error, "a webhook did not take an alarm");
        queue.failures = queue.failures.saturating_add(1);
        queue.error = Some(error);
        if refused && let Some(place) = place {
            queue.refused(place);
        }
        Some(wait(queue.failures))
    }

    fn view(&self) -> WebhookView {
        let queue = self.queue.lock();
        WebhookView {
            target: self.shown.clone(),
            delivered: queue.delivered,
            given_up: queue.given_up,
            waiting: queue.waiting.len(),
            delivered_ms: queue.delivered_ms,
            error: queue.error.clone(),
        }
    }

    fn finding(&self) -> Option<Finding> {
        let queue = self.queue.lock();
        let error = queue.error.as_ref().filter(|_| queue.failures >= FAILURES_TOLD)?;
        let (shown, failures, waiting) = (&self.shown, queue.failures, queue.waiting.len());
        let zh = format!("{shown} 连续 {failures} 次没有收下告警，{waiting} 条在等：{error}");
        let en = format!("{shown} did not take an alarm {failures} times in a row, {waiting} wait: {error}");
        Some(WEBHOOK_FAILING.finding(shown.as_str(), zh, en))
    }
}

impl Queue {
    /// Keeps a message. Without room the least severe is given up, the oldest of them.
    fn push(&mut self, message: Waiting) {
        self.waiting.push_back(message);
        if self.waiting.len() <= WAITING_MAX {
            return;
        }
        let least = self.waiting.iter().enumerate().min_by_key(|(place, waiting)| (waiting.severity, *place));
        if let Some((place, _)) = least {
            self.waiting.remove(place);
            self.given_up += 1;
        }
    }

    /// The message that is next, without those that waited for too long.
    fn next(&mut self, now: Instant) -> Option<Arc<Vec<u8>>> {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| now.saturating_duration_since(waiting.queued) < GIVE_UP_AFTER);
        self.given_up += (before - self.waiting.len()) as u64;
        self.waiting.front().map(|waiting| Arc::clone(&waiting.body))
    }

    /// Counts a refusal; after several the others take their turn.
    fn refused(&mut self, place: usize) {
        let Some(waiting) = self.waiting.get_mut(place) else { return };
        waiting.refusals += 1;
        if waiting.refusals >= REFUSALS_MAX {
            waiting.refusals = 0;
            if let Some(waiting) = self.waiting.remove(place) {
                self.waiting.push_back(waiting);
            }
        }
    }
}

/// What went wrong, in words that do not hold the address: it may be a secret.
fn cause(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => "timeout".to_owned(),
        ureq::Error::HostNotFound => "host not found".to_owned(),
        ureq::Error::ConnectionFailed => "connection failed".to_owned(),
        ureq::Error::Rustls(error) => error.to_string(),
        _ => "the request failed".to_owned(),
    }
}

/// A client that trusts the authorities in a file, or public ones. The reason when the file cannot be used.
fn agent_of(authorities: Option<&Path>) -> Result<Agent, String> {
    let roots = authorities.map_or(Ok(RootCerts::WebPki), |path| {
        read_authorities(path).map_err(|error| format!("alarms.authorities: {error}"))
    })?;
    let config = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .timeout_global(Some(ATTEMPT_TIME))
        .build();
    Ok(config.into())
}

fn read_authorities(path: &Path) -> Result<RootCerts, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| error.to_string())? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err("the file holds no certificate (PEM)".to_owned());
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// The wait after so many failures in a row, a little longer or shorter by chance.
fn wait(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let wait = RETRY_FIRST.saturating_mul(1 << doublings).min(RETRY_LONGEST);
    let mut random = [0; 2];
    // Without randomness all wait equally long, which does no harm to one node.
    let _ = getrandom::fill(&mut random);
    let span = 2 * RETRY_JITTER_PERCENT + 1;
    let percent = 100 - RETRY_JITTER_PERCENT + u64::from(u16::from_le_bytes(random)) % span;
    wait * u32::try_from(percent).unwrap_or(100) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let within = |failures, seconds: u64| {
            let (low, high) = (Duration::from_millis(seconds * 750), Duration::from_millis(seconds * 1_250));
            (low..=high).contains(&wait(failures))
        };
        assert!((0..100).all(|_| within(1, 1) && within(2, 2) && within(5, 16) && within(40, 300)));
        assert!((0..200).map(|_| wait(40)).collect::<std::collections::BTreeSet<_>>().len() > 1, "chance has a part");
    }

    #[test]
    fn addresses_that_cannot_be_used_are_refused_and_shown_ones_hold_no_secret() {
        let refused = |url: &str| check(&[url.to_owned()]).is_err();
        assert!(refused("https://example.org") && refused("ftp://example.org/") && refused("http://"));
        assert!(refused("http://user:secret@example.org/") && refused("http://example.org/a b"));
        let url = "http://127.0.0.1:9000/hook?token=secret".to_owned();
        assert_eq!(check(std::slice::from_ref(&url)), Ok(()));
        assert!(check(&vec![url.clone(); WEBHOOKS_MAX + 1]).is_err());
        let shown = |urls: &[String]| -> Vec<String> {
            Targets::new(urls, "s", None).views().into_iter().map(|view| view.target).collect()
        };
        assert_eq!(shown(std::slice::from_ref(&url)), ["http://127.0.0.1:9000"]);
        assert!(refused("http://example.org?token=secret") && refused("http://example.org#secret"));
        assert!(refused("http:///path") && refused("http://example.org"));
        let two = [url, "http://127.0.0.1:9000/other".to_owned()];
        assert_eq!(shown(&two), ["http://127.0.0.1:9000 #1", "http://127.0.0.1:9000 #2"], "each is named");
        assert!(!cause(&ureq::Error::BadUri("http://a/?token=secret".into())).contains("secret"));
    }

    #[test]
    fn a_signature_depends_on_secret_target_time_and_body() {
        let (one, other) = (key("one", "http://a/"), key("other", "http://a/"));
        assert_eq!(key("one\n", "http://a/"), one, "as the file holds it");
        assert_ne!(key("one", "http://b/"), one, "a receiver cannot sign for another");
        assert_eq!(signature(&one, 7, b"{}"), signature(&one, 7, b"{}"));
        assert_ne!(signature(&one, 7, b"{}"), signature(&other, 7, b"{}"));
        assert_ne!(signature(&one, 7, b"{}"), signature(&one, 8, b"{}"));
        assert_ne!(signature(&one, 7, b"{}"), signature(&one, 7, b"{ }"));
    }

    fn waiting(severity: Severity, body: &str) -> Waiting {
        Waiting { queued: Instant::now(), severity, body: Arc::new(body.as_bytes().to_vec()), refusals: 0 }
    }

    fn first(queue: &mut Queue, now: Instant) -> Option<String> {
        queue.next(now).map(|body| String::from_utf8_lossy(&body).into_owned())
    }

    #[test]
    fn a_full_queue_keeps_the_worst() {
        let mut queue = Queue::default();
        queue.push(waiting(Severity::Critical, "worst"));
        (0..WAITING_MAX + 10).for_each(|_| queue.push(waiting(Severity::Warning, "mild")));
        queue.push(waiting(Severity::Critical, "last"));
        assert_eq!((queue.waiting.len(), queue.given_up), (WAITING_MAX, 12));
        assert_eq!(first(&mut queue, Instant::now()).as_deref(), Some("worst"));
        assert_eq!(queue.waiting.back().map(|waiting| waiting.severity), Some(Severity::Critical));
    }

    #[test]
    fn a_message_that_is_refused_or_too_old_holds_nobody_up() {
        let mut queue = Queue::default();
        ["a", "b"].iter().for_each(|body| queue.push(waiting(Severity::Warning, body)));
        for _ in 0..REFUSALS_MAX {
            assert_eq!(first(&mut queue, Instant::now()).as_deref(), Some("a"));
            queue.refused(0);
        }
        assert_eq!(first(&mut queue, Instant::now()).as_deref(), Some("b"));
        // Too old are all of them, not the first alone.
        assert_eq!(first(&mut queue, Instant::now() + GIVE_UP_AFTER), None);
        assert_eq!(queue.given_up, 2);
    }

    /// Answers one request over TLS, and gives what came; the error of the handshake where there is one.
    fn receiver(certified: &rcgen::CertifiedKey) -> (String, std::thread::JoinHandle<std::io::Result<String>>) {
        use std::io::{Read, Write};
        let chain = vec![certified.cert.der().clone()];
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(certified.key_pair.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key.into()).unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}/hook", listener.local_addr().unwrap().port());
        let thread = std::thread::spawn(move || {
            let (socket, _) = listener.accept()?;
            socket.set_read_timeout(Some(ATTEMPT_TIME))?;
            let session = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
            let mut stream = rustls::StreamOwned::new(session, socket);
            let mut text = Vec::new();
            while !text.ends_with(b"{}") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                text.push(byte[0]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
            stream.conn.send_close_notify();
            stream.flush()?;
            Ok(String::from_utf8_lossy(&text).into_owned())
        });
        (url, thread)
    }

    #[test]
    fn a_receiver_by_https_must_be_certified_by_an_authority_that_is_trusted() {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("authorities.pem");
        let post = |url: &str, authorities: Option<&Path>| {
            assert_eq!(check(&[url.to_owned()]), Ok(()));
            let targets = Targets::new(&[url.to_owned()], "s", authorities);
            let target = &targets.targets[0];
            agent_of(target.authorities.as_deref())
                .map_err(Failure::Unreached)
                .and_then(|agent| target.post(&agent, b"{}"))
        };
        let words = |posted: Result<(), Failure>| match posted {
            Err(Failure::Unreached(text)) => text,
            other => panic!("{other:?}"),
        };
        assert!(words(post("https://localhost:1/hook", Some(&file))).starts_with("alarms.authorities: "), "no file");
        std::fs::write(&file, "no certificate").unwrap();
        assert!(words(post("https://localhost:1/hook", Some(&file))).contains("PEM"));

        std::fs::write(&file, certified.cert.pem()).unwrap();
        let (url, thread) = receiver(&certified);
        post(&url, Some(&file)).unwrap();
        let request = thread.join().unwrap().unwrap();
        assert!(request.starts_with("POST /hook ") && request.to_lowercase().contains("x-xianmeng-signature: blake3="));

        let (url, thread) = receiver(&certified);
        let text = words(post(&url, None));
        assert!(text.contains("certificate") && !text.contains("hook"), "not a public authority: {text}");
        assert!(thread.join().unwrap().is_err(), "nothing was told to it");
    }
}
