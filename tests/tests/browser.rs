//! The portal in a real browser: at the width of a telephone and of a desk, by keyboard only, without scripts, as those
//! hear it who do not see, and without a request to anybody else.
//!
//! Pictures of every page are written to the folder of temporary files of the build (`tmp/portal`), for people to look
//! at.

use std::collections::BTreeSet;
use std::path::PathBuf;

use harness::board::{Board, PASSWORD, ServedBoard};
use harness::browser::Browser;
use serde_json::json;

/// Every page, with the name of its picture.
const PAGES: [(&str, &str); 13] = [
    ("/", "overview"),
    ("/members", "members"),
    ("/members?state=silent&sort=name&order=desc", "members-narrowed"),
    ("/members/5", "member"),
    ("/topology", "topology"),
    ("/custody", "custody"),
    ("/duties", "duties"),
    ("/indicators", "indicators"),
    ("/indicators/ZB002", "indicator"),
    ("/bulletins", "bulletins"),
    ("/bulletins/0-12", "bulletin"),
    ("/alarms", "alarms"),
    ("/node", "node"),
];
const WIDTHS: [(u32, u32); 2] = [(360, 740), (1_440, 900)];
/// Between the two nothing may break either.
const BETWEEN: [u32; 3] = [600, 800, 1_100];
const AXE: &str = include_str!("../browser/axe-core/axe.min.js");
/// The width of many desks; English words are longer.
const DESK: (u32, u32) = (1_280, 900);
/// The narrowest that a column of words may be, in pixels: below it a word stands under the other.
const COLUMN_PIXELS_MIN: u64 = 56;
/// Steps of the keyboard to anything that a page offers first.
const TABS_MAX: usize = 60;

fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("portal");
    std::fs::create_dir_all(&folder).expect("the directory is writable");
    folder
}

#[track_caller]
fn assert_only_this_host(browser: &Browser, served: &ServedBoard) {
    let requests = browser.requests();
    let own = served.url("/");
    // The browser's own pages and addresses with their data in them ask nobody.
    let asks = |url: &&String| !["chrome:", "data:", "about:"].iter().any(|scheme| url.starts_with(scheme));
    let (known, foreign): (Vec<&String>, Vec<&String>) =
        requests.iter().filter(asks).partition(|url| url.starts_with(&own));
    assert!(foreign.is_empty(), "{foreign:?}");
    assert!(!known.is_empty(), "the log of the network is empty, so it proves nothing");
}

#[track_caller]
fn assert_no_sideways_scroll(browser: &Browser, what: &str) {
    let wide = browser.value(
        "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5).map(e => e.tagName + '.' + e.className).join(' ')",
    );
    let (width, screen) =
        (browser.value("document.documentElement.scrollWidth"), browser.value("document.documentElement.clientWidth"));
    assert!(width.as_u64() <= screen.as_u64(), "{what} scrolls sideways: {width} > {screen}: {wide}");
}

#[test]
fn every_page_fits_a_telephone_and_a_desk_and_asks_nobody_else() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::of(24));
    browser.resize(360, 740);
    browser.open(&served.url("/login"));
    browser.picture(&pictures().join("login-360.png"));
    assert_no_sideways_scroll(&browser, "/login");
    browser.open(&served.link());
    for (width, height) in WIDTHS {
        browser.resize(width, height);
        for (path, name) in PAGES {
            browser.open(&served.url(path));
            if path == "/topology" {
                browser.wait("document.querySelector('#graph canvas') !== null");
            }
            browser.picture(&pictures().join(format!("{name}-{width}.png")));
            assert_no_sideways_scroll(&browser, &format!("{path} at {width}"));
        }
    }
    for width in BETWEEN {
        browser.resize(width, 800);
        for (path, _) in PAGES {
            browser.open(&served.url(path));
            assert_no_sideways_scroll(&browser, &format!("{path} at {width}"));
        }
    }
    browser.resize(360, 740);
    browser.open(&served.url("/?lang=en"));
    for (path, name) in PAGES {
        browser.open(&served.url(path));
        assert_eq!(browser.value("document.documentElement.lang"), json!("en"), "the language is remembered");
        assert_no_sideways_scroll(&browser, &format!("{path} in English"));
        browser.picture(&pictures().join(format!("{name}-360-en.png")));
    }
    browser.resize(DESK.0, DESK.1);
    for (path, name) in PAGES {
        browser.open(&served.url(path));
        assert_no_sideways_scroll(&browser, &format!("{path} in English at {}", DESK.0));
        browser.picture(&pictures().join(format!("{name}-{}-en.png", DESK.0)));
        let narrow = browser.value(&format!(
            "[...document.querySelectorAll('table.list thead th')].filter(e => e.getBoundingClientRect().width > 0 &&
                e.getBoundingClientRect().width < {COLUMN_PIXELS_MIN} && e.innerText.length > 4).map(e => e.innerText)"
        ));
        assert_eq!(narrow, json!([]), "{path}: columns whose words are broken into pieces");
    }
    assert_only_this_host(&browser, &served);
    assert_eq!(browser.complaints(), Vec::<String>::new(), "the policy of the pages fits the pages");
}

/// Presses Tab until the focus is where it should be; the focus must be seen at each step.
#[track_caller]
fn tab_to(browser: &Browser, what: &str, expression: &str) {
    for _ in 0..TABS_MAX {
        browser.press("Tab");
        if browser.value("document.activeElement === document.body") == json!(true) {
            continue;
        }
        let seen = browser.value("getComputedStyle(document.activeElement).outlineStyle !== 'none'");
        assert_eq!(seen, json!(true), "the focus is not seen at {}", browser.value("document.activeElement.outerHTML"));
        if browser.value(expression) == json!(true) {
            return;
        }
    }
    panic!("{what} is not reached by {TABS_MAX} steps of the keyboard");
}

fn log_in_by_keyboard(browser: &Browser, name: &str) {
    browser.wait("document.activeElement.id === 'name'");
    browser.type_text(name);
    browser.press("Tab");
    browser.type_text(PASSWORD);
    browser.press("Enter");
    browser.wait("location.pathname !== '/login' && document.readyState === 'complete'");
}

#[test]
fn the_keyboard_alone_leads_from_the_login_to_one_member() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::of(24));
    browser.resize(1_440, 900);
    browser.open(&served.url("/members?state=silent"));
    assert_eq!(browser.value("location.pathname"), json!("/login"), "nothing is shown before the login");
    log_in_by_keyboard(&browser, "viewer");
    assert_eq!(browser.value("location.pathname + location.search"), json!("/members?state=silent"));
    browser.open(&served.url("/"));
    browser.press("Tab");
    assert_eq!(browser.value("document.activeElement.className"), json!("skip"), "the first step skips to the content");
    browser.press("Enter");
    browser.wait("document.activeElement.id === 'main'");
    browser.open(&served.url("/"));
    let members =
        "document.activeElement.getAttribute('href') === '/members' && !!document.activeElement.closest('nav')";
    tab_to(&browser, "the members", members);
    browser.press("Enter");
    browser.wait("location.pathname === '/members' && document.readyState === 'complete'");
    tab_to(&browser, "a member", "/^m\\d+$/.test(document.activeElement.id)");
    let href = browser.value("document.activeElement.getAttribute('href')");
    browser.press("Enter");
    browser.wait("/^.members.\\d+$/.test(location.pathname) && document.readyState === 'complete'");
    assert_eq!(browser.value("location.pathname"), href);
    assert_eq!(browser.value("document.querySelectorAll('h1').length"), json!(1));
}

#[test]
fn without_scripts_every_page_is_whole() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::of(24));
    browser.scripts(false);
    browser.open(&served.url("/login"));
    log_in_by_keyboard(&browser, "operator");
    for (path, name) in PAGES {
        browser.open(&served.url(path));
        let text = browser.value("document.querySelector('main').innerText.length");
        assert!(text.as_u64() > Some(80), "{path} is empty without scripts");
        assert_eq!(browser.value("typeof window.htmx"), json!("undefined"), "scripts are off");
        let refresh = browser.value("document.querySelector('meta[http-equiv=refresh]')?.content ?? ''");
        let refresh = refresh.as_str().unwrap_or_default();
        assert!(refresh.ends_with("refresh=1"), "{path} is fetched again by itself, and says so: {refresh}");
        assert_no_sideways_scroll(&browser, name);
    }
    // A form narrows the list.
    browser.open(&served.url("/members"));
    let all = browser.value("document.querySelectorAll('tbody tr').length");
    assert_eq!(all, json!(24));
    tab_to(&browser, "the field for a name", "document.activeElement.name === 'q'");
    browser.type_text("奉节");
    browser.press("Enter");
    browser.wait("location.search.includes('q=') && document.readyState === 'complete'");
    let fewer = browser.value("document.querySelectorAll('tbody tr').length");
    assert!(fewer.as_u64() > Some(0) && fewer.as_u64() < all.as_u64(), "{fewer} of {all}");
}

#[test]
fn axe_finds_nothing_serious() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::of(24));
    browser.open(&served.url("/login"));
    let mut found = axe(&browser, "/login");
    browser.open(&served.link());
    for (width, height) in WIDTHS {
        browser.resize(width, height);
        for (path, _) in PAGES {
            browser.open(&served.url(path));
            found.extend(axe(&browser, &format!("{path} at {width}")));
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// What axe-core takes for serious or critical on the page that is open.
fn axe(browser: &Browser, what: &str) -> Vec<String> {
    browser.value(&format!("{AXE}; true"));
    let violations = browser.value(
        "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations
            .filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')))",
    );
    let violations = violations.as_array().expect("axe answers with a list").iter();
    violations.map(|one| format!("{what}: {}", one.as_str().unwrap_or_default())).collect()
}

#[test]
fn a_page_follows_events_and_two_windows_share_one_stream() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::of(24));
    browser.open(&served.link());
    browser.open(&served.url("/duties"));
    browser
        .wait("document.getElementById('live-state').textContent !== '' && !document.querySelector('.live-state.off')");
    browser.value("document.getElementById('live').dataset.old = 'yes'; true");
    served.board.change();
    browser.wait("document.getElementById('live').dataset.old === undefined");
    assert_eq!(browser.value("document.querySelectorAll('#live').length"), json!(1));
    let streams: BTreeSet<String> = browser.requests().into_iter().filter(|url| url.ends_with("/events")).collect();
    assert_eq!(streams.len(), 1);
}

/// Makes the stream of events one that is refused, and polling quick.
const NO_STREAM: &str = "
    const Stream = EventSource;
    window.EventSource = function () { return new Stream('/no-such-page'); };
    Object.assign(window.EventSource, {CONNECTING: 0, OPEN: 1, CLOSED: 2});
    document.addEventListener('DOMContentLoaded', () => {
        document.getElementById('live-state').dataset.pollSeconds = '0.2';
    });";

#[test]
fn a_page_without_a_stream_says_so_and_is_fetched_again() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::of(24));
    browser.open(&served.link());
    browser.command("Page.addScriptToEvaluateOnNewDocument", json!({"source": NO_STREAM}));
    browser.open(&served.url("/duties"));
    browser.wait("document.querySelector('#live-state.off')?.textContent.includes('没有实时更新') ?? false");
    // It goes on and on.
    for _ in 0..3 {
        browser.value("document.getElementById('live').dataset.old = 'yes'; true");
        browser.value("document.querySelector('footer time').textContent = ''; true");
        browser.wait("document.getElementById('live').dataset.old === undefined");
        browser.wait("document.querySelector('footer time').textContent !== ''");
    }
    assert_eq!(browser.value("document.querySelectorAll('#live').length"), json!(1));
}

#[test]
fn what_has_the_focus_keeps_it_and_what_was_said_is_not_said_again() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::cut_off(24));
    browser.resize(1_440, 500);
    browser.open(&served.link());
    browser.open(&served.url("/custody"));
    browser
        .wait("document.getElementById('live-state').textContent !== '' && !document.querySelector('.live-state.off')");
    assert_eq!(browser.value("document.querySelectorAll('#live [role=alert], #live [role=status]').length"), json!(0));
    // The second link to a member that has several, without an id.
    let link = "[...document.querySelectorAll('#live td a[href=\"/members/0\"]')][3]";
    browser.value(&format!("{link}.focus(); window.scrollBy(0, 40); window.before = window.scrollY; true"));
    assert_eq!(browser.value("document.activeElement.id"), json!(""));
    browser.value(
        "window.said = 0; new MutationObserver(() => { window.said += 1 })
            .observe(document.getElementById('announcement'), {childList: true, characterData: true, subtree: true}); true",
    );
    for _ in 0..2 {
        browser.value("document.getElementById('live').dataset.old = 'yes'; true");
        served.board.change();
        browser.wait("document.getElementById('live').dataset.old === undefined");
    }
    assert_eq!(browser.value(&format!("document.activeElement === {link}")), json!(true), "the focus stays");
    assert_eq!(browser.value("window.scrollY === window.before"), json!(true), "nothing moves");
    assert_eq!(browser.value("window.said"), json!(0), "what is critical stood there before");
}

#[test]
fn a_node_that_is_cut_off_says_so_first() {
    let Some(browser) = Browser::start() else { return };
    let served = ServedBoard::serve(Board::cut_off(24));
    browser.open(&served.link());
    for path in ["/", "/members", "/members/5", "/topology", "/custody"] {
        browser.open(&served.url(path));
        let said = browser.value("document.querySelector('.notice.critical')?.innerText ?? ''");
        assert!(said.as_str().unwrap_or_default().contains("断开"), "{path}: {said}");
    }
    browser.picture(&pictures().join("cut-off.png"));
}
