//! The portal over plain HTTP: who comes in, what a form must prove, how large and how fast pages are.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use harness::board::{Board, PASSWORD, ServedBoard};
use ureq::http::Response;
use ureq::{Agent, Body};

/// Another address of this machine, so another place than that of the visitors.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// How long a visitor waits for an answer: less than a slow client may keep its connection.
const PATIENCE: Duration = Duration::from_secs(8);
/// Longest page, compressed, of a federation of 800 members.
const PAGE_BYTES_MAX: usize = 300 * 1_024;
const PATHS: [&str; 12] = [
    "/",
    "/members",
    "/members/5",
    "/topology",
    "/custody",
    "/duties",
    "/indicators",
    "/indicators/ZB001",
    "/bulletins",
    "/bulletins/0-12",
    "/alarms",
    "/node",
];

struct Visitor<'a> {
    served: &'a ServedBoard,
    agent: Agent,
    cookies: std::cell::RefCell<Vec<(String, String)>>,
}

impl<'a> Visitor<'a> {
    fn new(served: &'a ServedBoard) -> Self {
        Self::waiting(served, None)
    }

    /// One who waits no longer than this for an answer.
    fn waiting(served: &'a ServedBoard, patience: Option<Duration>) -> Self {
        let config = Agent::config_builder().proxy(None).http_status_as_error(false).max_redirects(0);
        let config = config.timeout_global(patience);
        let agent = config.max_redirects_will_error(false).build().into();
        Self { served, agent, cookies: Vec::new().into() }
    }

    fn cookie(&self) -> String {
        let pairs = self.cookies.borrow();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&self, response: Response<Body>) -> Response<Body> {
        for set in response.headers().get_all("set-cookie") {
            let text = set.to_str().expect("text");
            assert!(text.contains("HttpOnly") && text.contains("SameSite=Strict"), "{text}");
            let (name, value) = text.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            let mut cookies = self.cookies.borrow_mut();
            cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        response
    }

    fn get(&self, path: &str) -> Response<Body> {
        let request = self.agent.get(self.served.url(path)).header("Cookie", self.cookie());
        self.keep(request.header("Accept-Language", "zh-CN").call().expect("the portal answers"))
    }

    fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response<Body> {
        let request = self.agent.post(self.served.url(path)).header("Cookie", self.cookie());
        self.keep(
            request.header("Accept-Language", "zh-CN").send_form(fields.iter().copied()).expect("the portal answers"),
        )
    }

    fn log_in(&self, name: &str, password: &str) -> Response<Body> {
        let csrf = hidden(&text(self.get("/login")), "csrf");
        self.post("/login", &[("csrf", &csrf), ("name", name), ("password", password), ("next", "")])
    }
}

fn text(mut response: Response<Body>) -> String {
    response.body_mut().read_to_string().expect("text")
}

fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect("a hidden field");
    rest.split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn nothing_is_shown_to_whoever_is_not_logged_in() {
    let served = ServedBoard::serve(Board::of(8));
    let visitor = Visitor::new(&served);
    for path in PATHS.into_iter().chain(["/topology/graph", "/no-such-page"]) {
        let answer = visitor.get(path);
        assert_eq!(answer.status(), 303, "{path}");
        assert!(answer.headers()["location"].to_str().is_ok_and(|to| to.starts_with("/login")), "{path}");
    }
    assert_eq!(visitor.get("/events").status(), 401);
    assert!(
        !text(visitor.get("/login")).contains("中国县域产业招商联盟"),
        "the federation is not named before the login"
    );
    assert_eq!(visitor.post("/duties/unchanged", &[]).status(), 303);
}

#[test]
fn a_link_lets_its_bearer_in_once() {
    let served = ServedBoard::serve(Board::of(8));
    let link = served.link();
    let path = link.split_once(&served.address.to_string()).expect("its own address").1.to_owned();
    let visitor = Visitor::new(&served);
    assert_eq!(visitor.get(&path).status(), 303);
    assert_eq!(visitor.get("/").status(), 200);
    let other = Visitor::new(&served);
    assert_eq!(other.get(&path).status(), 403);
    assert_eq!(other.get("/").status(), 303);
}

#[test]
fn a_login_needs_the_password_and_is_slowed_down_without() {
    let served = ServedBoard::serve(Board::of(8));
    let visitor = Visitor::new(&served);
    assert_eq!(visitor.log_in("viewer", "a wrong password").status(), 401);
    // Until the wait is longer than a slow machine takes to check a password.
    let wait_seconds = || {
        let answer = visitor.log_in("viewer", "a wrong password");
        let wait = answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse::<u64>().ok());
        wait.unwrap_or_default()
    };
    assert!((0..100_000).any(|_| wait_seconds() >= 4), "it is slowed down");
    let slowed = visitor.log_in("viewer", PASSWORD);
    assert_eq!(slowed.status(), 429, "even the right one waits");
    assert!(slowed.headers().contains_key("retry-after"));
    let right = visitor.log_in("operator", PASSWORD);
    assert_eq!(right.status(), 303);
    assert_eq!(visitor.get("/members").status(), 200);
    let recorded = served.board.recorded();
    assert!(recorded.iter().all(|access| access.action == "login"));
    assert!(recorded.iter().all(|access| access.address == Ipv4Addr::LOCALHOST), "each line says from where");
    let last = recorded.last().expect("logins are recorded");
    assert_eq!((last.subject.as_str(), last.outcome), ("operator", "ok"));
    assert!(recorded.iter().filter(|access| access.outcome == "refused").all(|access| access.subject.is_empty()));
    let csrf = hidden(&text(visitor.get("/")), "csrf");
    assert_eq!(visitor.post("/logout", &[("csrf", &csrf)]).status(), 303);
    assert_eq!(visitor.get("/members").status(), 303, "the session is over");
}

#[test]
fn a_write_needs_the_token_of_the_session_and_the_role() {
    let served = ServedBoard::serve(Board::of(8));
    let operator = Visitor::new(&served);
    operator.log_in("operator", PASSWORD);
    let csrf = hidden(&text(operator.get("/duties")), "csrf");
    for wrong in ["", "0", &"0".repeat(64)] {
        assert_eq!(operator.post("/duties/unchanged", &[("csrf", wrong)]).status(), 403);
    }
    // The board of the test cannot publish: that it was asked is what counts here.
    assert_eq!(operator.post("/duties/unchanged", &[("csrf", &csrf)]).status(), 409);
    let viewer = Visitor::new(&served);
    viewer.log_in("viewer", PASSWORD);
    let other = hidden(&text(viewer.get("/duties")), "csrf");
    assert_eq!(viewer.post("/duties/unchanged", &[("csrf", &other)]).status(), 403, "who reads may not write");
    assert_eq!(operator.post("/duties/unchanged", &[("csrf", &other)]).status(), 403, "another session's token");
    let writes: Vec<_> = served.board.recorded().into_iter().filter(|access| access.action == "write").collect();
    let outcomes: Vec<&str> = writes.iter().map(|access| access.outcome).collect();
    let refused = "refused";
    assert_eq!(outcomes, [refused, refused, refused, "begun", refused, refused, refused]);
    assert!(writes.iter().all(|access| access.actor.starts_with("portal:")));
}

#[test]
fn another_host_s_name_and_another_site_s_form_are_refused() {
    let served = ServedBoard::serve(Board::of(8));
    let visitor = Visitor::new(&served);
    let ask = |host: &str| {
        let request = visitor.agent.get(served.url("/login")).header("Host", host);
        request.call().expect("the portal answers").status().as_u16()
    };
    assert_eq!([ask("localhost"), ask("127.0.0.1:1"), ask("evil.example"), ask("10.0.0.1")], [200, 200, 403, 403]);
    visitor.log_in("operator", PASSWORD);
    let csrf = hidden(&text(visitor.get("/duties")), "csrf");
    let send = |name: &str, value: &str| {
        let request = visitor.agent.post(served.url("/duties/unchanged")).header("Cookie", visitor.cookie());
        let sent = request.header(name, value).send_form([("csrf", csrf.as_str())]);
        sent.expect("the portal answers").status().as_u16()
    };
    assert_eq!(send("Sec-Fetch-Site", "cross-site"), 403);
    assert_eq!(send("Origin", "http://evil.example"), 403);
    assert_eq!(send("Sec-Fetch-Site", "same-origin"), 409);
}

#[test]
fn every_answer_is_hardened_and_what_never_changes_is_kept() {
    let served = ServedBoard::serve(Board::of(8));
    let visitor = Visitor::new(&served);
    visitor.log_in("viewer", PASSWORD);
    for path in PATHS.into_iter().chain(["/no-such-page", "/login", "/members/99999", "/indicators/NONE"]) {
        let answer = visitor.get(path);
        let headers = answer.headers();
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(!policy.contains("unsafe") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert_eq!(headers["referrer-policy"], "same-origin", "{path}");
    }
    let page = text(visitor.get("/"));
    let (_, rest) = page.split_once("href=\"/static/").expect("a style");
    let address = format!("/static/{}", rest.split('"').next().unwrap_or_default());
    let style = visitor.get(&address);
    assert!(style.headers()["cache-control"].to_str().is_ok_and(|kept| kept.contains("immutable")));
    assert!(!page.contains("<script>") && !page.contains(" style=") && !page.contains("onclick"), "nothing inline");
}

#[test]
fn errors_are_pages_and_texts_of_others_are_no_mark_up() {
    let served = ServedBoard::serve(Board::of(8));
    let visitor = Visitor::new(&served);
    visitor.log_in("viewer", PASSWORD);
    for (path, words) in
        [("/no-such-page", "没有这个页面"), ("/members/99999", "没有这个成员"), ("/indicators/NONE", "没有这个指标")]
    {
        let answer = visitor.get(path);
        assert_eq!(answer.status(), 404, "{path}");
        assert!(text(answer).contains(words), "{path}");
    }
    let echoed = text(visitor.get("/members?q=%3Cscript%3Ealert(1)%3C/script%3E"));
    assert!(!echoed.contains("<script>alert") && echoed.contains("没有符合条件的成员"));
    let english = text(visitor.get("/members?lang=en"));
    assert!(english.contains("<html lang=\"en\">") && english.contains("Never joined"));
    assert!(text(visitor.get("/members")).contains("lang=\"en\""), "the language is remembered");
}

#[test]
fn nothing_is_written_without_a_line_in_the_log() {
    let served = ServedBoard::serve(Board::of(8));
    let operator = Visitor::new(&served);
    operator.log_in("operator", PASSWORD);
    let csrf = hidden(&text(operator.get("/duties")), "csrf");
    served.board.refuse_lines(true);
    let refused = operator.post("/duties/unchanged", &[("csrf", &csrf)]);
    assert_eq!(refused.status(), 503);
    assert!(text(refused).contains("访问日志写不进去"));
    assert_eq!(served.board.asked_to_write(), 0, "nothing was done");
    served.board.refuse_lines(false);
    assert_eq!(operator.post("/duties/unchanged", &[("csrf", &csrf)]).status(), 409);
    assert_eq!(served.board.asked_to_write(), 1);
}

/// Connections from another place, each with this much of a request.
fn slow(served: &ServedBoard, count: usize, begun: &str) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = served.connect_from(ELSEWHERE);
        // Whoever is cut off need not be told.
        let _ = stream.write_all(begun.as_bytes());
        stream
    };
    (0..count).map(connect).collect()
}

#[test]
fn forms_that_come_slowly_keep_nobody_waiting() {
    let served = ServedBoard::serve(Board::of(8));
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 100\r\n\r\nname=",
        served.address
    );
    let held = slow(&served, 24, &head);
    let visitor = Visitor::waiting(&served, Some(PATIENCE));
    assert_eq!(visitor.get("/login").status(), 200, "another client is served");
    drop(held);
}

#[test]
fn one_place_cannot_take_every_connection() {
    let served = ServedBoard::serve(Board::of(8));
    let held = slow(&served, 300, "GET /login HTTP/1.1\r\nHost: ");
    let visitor = Visitor::waiting(&served, Some(PATIENCE));
    assert_eq!(visitor.get("/login").status(), 200, "another client is served");
    drop(held);
}

#[test]
fn two_portals_of_one_host_do_not_log_each_other_out() {
    let (one, other) = (ServedBoard::serve(Board::of(8)), ServedBoard::serve(Board::of(8)));
    let (at_one, at_other) = (Visitor::new(&one), Visitor::new(&other));
    at_one.log_in("viewer", PASSWORD);
    // A browser has one store of cookies for a host, whatever the port.
    at_other.cookies.replace(at_one.cookies.borrow().clone());
    at_other.log_in("viewer", PASSWORD);
    at_one.cookies.replace(at_other.cookies.borrow().clone());
    assert_eq!(at_one.get("/members").status(), 200);
    assert_eq!(at_other.get("/members").status(), 200);
}

#[test]
fn looking_at_a_link_does_not_use_it_up() {
    let served = ServedBoard::serve(Board::of(8));
    let link = served.link();
    let visitor = Visitor::new(&served);
    let looked = visitor.agent.head(&link).call().expect("the portal answers");
    assert_eq!(looked.status(), 204);
    assert!(!looked.headers().contains_key("set-cookie") || !format!("{:?}", looked.headers()).contains("session"));
    let path = link.split_once(&served.address.to_string()).expect("its own address").1.to_owned();
    assert_eq!(visitor.get(&path).status(), 303);
    assert_eq!(visitor.get("/").status(), 200);
}

#[test]
fn no_link_of_a_page_leads_to_another_host() {
    let served = ServedBoard::serve(Board::of(8));
    let visitor = Visitor::new(&served);
    visitor.log_in("viewer", PASSWORD);
    for path in ["//evil.example", "//evil.example/members?a=b", "/\\evil.example"] {
        let mut stream = TcpStream::connect(served.address).expect("the portal listens");
        let host = served.address;
        let cookie = visitor.cookie();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n")
            .expect("it takes the request");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        assert!(!answer.contains("=\"//") && !answer.contains("=\"/\\"), "{path}: {answer}");
    }
}

/// The figure of the tile that leads to this address.
fn tile(page: &str, href: &str) -> usize {
    let (_, rest) = page.split_once(&format!("<a href=\"{href}\"><span class=\"tile-label\">")).expect("a tile");
    let (_, value) = rest.split_once("<strong class=\"tile-value\">").expect("its figure");
    value.split('<').next().and_then(|digits| digits.parse().ok()).expect("a number")
}

fn rows(page: &str) -> usize {
    let (_, list) = page.split_once("<h2 id=\"list\">").expect("the list");
    let (list, _) = list.split_once("<h2 id=\"rules\">").expect("its end");
    list.matches("<th role=\"rowheader\"").count()
}

#[test]
fn a_tile_counts_what_its_list_shows_and_each_period_has_its_own_state() {
    let served = ServedBoard::serve(Board::of(24));
    let visitor = Visitor::new(&served);
    visitor.log_in("viewer", PASSWORD);
    let duties = text(visitor.get("/duties"));
    for state in ["escalated", "overdue", "late", "met", "met_no_change", "due"] {
        let href = format!("/duties?state={state}");
        let counted = tile(&duties, &href);
        assert!(counted > 0, "{state}");
        assert_eq!(counted, rows(&text(visitor.get(&href))), "{state}");
    }
    let due = text(visitor.get("/duties?state=due&member=4"));
    let of_period = |state: &str, period: &str| format!("{state}</span> <span class=\"period\">{period}</span>");
    assert!(due.contains(&of_period("已履行", "2026-10")) && due.contains(&of_period("待履行", "2026-11")));
    let overview = text(visitor.get("/"));
    let listed = text(visitor.get("/indicators?verdict=no-target")).matches("<th role=\"rowheader\"").count();
    assert_eq!((tile(&overview, "/indicators?verdict=no-target"), listed), (1, 1));
}

#[test]
fn objections_are_bounded_and_why_there_is_no_value_is_said() {
    let served = ServedBoard::serve(Board::of(24));
    let visitor = Visitor::new(&served);
    visitor.log_in("viewer", PASSWORD);
    let list = text(visitor.get("/indicators?q=ZB002"));
    assert_eq!(list.matches("本县还有两份记录没有计入").count(), 2);
    assert!(list.contains("另有 68") && list.contains('…') && !list.contains("同样的情况"));
    assert_eq!(list.matches(">未答复</span>").count(), 2, "those that wait for an answer come first");
    let one = text(visitor.get("/indicators/ZB002"));
    assert_eq!(one.matches("本县还有两份记录没有计入").count(), 50);
    assert!(one.contains("另有 20") && one.contains("同样的情况"));
    let none = text(visitor.get("/indicators?q=ZB003"));
    assert!(none.contains("没有数值：无法计算：记录里没有营业收入"), "{none}");
}

#[test]
fn a_bulletin_shows_the_verdict_of_this_node() {
    let served = ServedBoard::serve(Board::of(24));
    let visitor = Visitor::new(&served);
    visitor.log_in("viewer", PASSWORD);
    let list = text(visitor.get("/bulletins"));
    for said in ["2026Q3", "秘书处", "正在核对", "重算一致", "不一致"] {
        assert!(list.contains(said), "{said}");
    }
    let one = text(visitor.get("/bulletins/0-12"));
    for said in ["ZB002 的数值：公报写 18，重算得 19", "本县还有两份记录没有计入", "xianmeng verify bulletin 0-12"]
    {
        assert!(one.contains(said), "{said}");
    }
    let missing = visitor.get("/bulletins/9-9");
    assert_eq!(missing.status(), 404);
    assert!(text(missing).contains("没有这期公报"));
    let empty = ServedBoard::serve(Board::of(0));
    let visitor = Visitor::new(&empty);
    visitor.log_in("viewer", PASSWORD);
    assert!(text(visitor.get("/bulletins")).contains("还没有公布过指标公报"));
}

#[test]
fn pages_about_800_members_are_small() {
    let served = ServedBoard::serve(Board::of(800));
    let visitor = Visitor::new(&served);
    visitor.log_in("viewer", PASSWORD);
    for path in PATHS {
        let begun = Instant::now();
        let request = visitor.agent.get(served.url(path)).header("Cookie", visitor.cookie());
        let response = request.header("Accept-Encoding", "gzip").call().expect("the portal answers");
        let first_byte = begun.elapsed();
        assert_eq!(response.headers()["content-encoding"], "gzip", "{path}");
        let mut bytes = Vec::new();
        response.into_body().into_reader().read_to_end(&mut bytes).expect("readable");
        eprintln!("{path}: {} bytes, first byte after {} ms", bytes.len(), first_byte.as_millis());
        assert!(bytes.len() < PAGE_BYTES_MAX, "{path}: {} bytes", bytes.len());
    }
}
