//! Every bound of the portal, in one place. They protect the node and its people; none decides what is valid.

use std::time::Duration;

/// Connections at a time; further ones wait in the system's queue.
pub const CONNECTIONS_MAX: usize = 256;
/// Connections of one place at a time, an IPv4 address or a /64 of IPv6; further ones are closed at once. A proxy of this
/// machine is no place.
pub const CONNECTIONS_PER_PLACE_MAX: usize = 32;
/// How long the head of a request may take to come, and a connection may be idle between two requests.
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(20);
/// Longest head of a request, in bytes.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;
/// How long a form may take to come, once its head is there.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a client may take nothing of an answer.
pub const WRITE_STALL_MAX: Duration = Duration::from_secs(30);
/// Requests that are worked on at a time; further ones wait. A form is read before.
pub const REQUESTS_MAX: usize = 16;
/// How long a request waits for its turn.
pub const TURN_WAIT: Duration = Duration::from_secs(10);
/// How long a page may take.
pub const PAGE_TIME_MAX: Duration = Duration::from_secs(30);
/// Longest form that is sent, in bytes.
pub const FORM_BYTES_MAX: usize = 16 * 1024;
/// Longest path and query that is kept to come back to after a login, in bytes.
pub const RETURN_BYTES_MAX: usize = 1_024;
/// Longest text that a list is filtered by, in characters.
pub const FILTER_CHARACTERS_MAX: usize = 64;
/// How long open requests may take to end when the portal stops.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(4);

/// Sessions at a time; a new one ends the one that was used longest ago.
pub const SESSIONS_MAX: usize = 256;
/// Sessions of one account at a time.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 8;
/// How long a session lasts, however much it is used.
pub const SESSION_MS_MAX: u64 = 12 * 60 * 60 * 1_000;
/// How long a session lasts unused. A page that is fetched again by itself does not count as use.
pub const SESSION_IDLE_MS_MAX: u64 = 2 * 60 * 60 * 1_000;
/// Links to enter by that were printed and not used.
pub const LINKS_MAX: usize = 8;
/// How long such a link is good for.
pub const LINK_MS_MAX: u64 = 5 * 60 * 1_000;

/// Accounts of one portal.
pub const ACCOUNTS_MAX: usize = 256;
/// Longest name of an account, in characters.
pub const ACCOUNT_NAME_CHARACTERS_MAX: usize = 32;
/// Shortest password, in characters.
pub const PASSWORD_CHARACTERS_MIN: usize = 10;
/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 256;
/// Passwords that are checked at a time: each takes 19 MiB for a moment.
pub const PASSWORD_CHECKS_MAX: usize = 2;

/// Wrong passwords from one place for one account before the next must wait.
pub const FREE_ATTEMPTS: u32 = 2;
/// Wrong passwords from one place, whatever the account, before the next must wait.
pub const FREE_ATTEMPTS_OF_ADDRESS: u32 = 10;
/// The longest wait after a wrong password.
pub const ATTEMPT_WAIT_MS_MAX: u64 = 5 * 60 * 1_000;
/// Wrong passwords for one account, wherever they come from, before the next must wait; places from which the account
/// was entered are not slowed down by what others do.
pub const FREE_ATTEMPTS_OF_ACCOUNT: u32 = 20;
/// The longest such wait.
pub const ATTEMPT_WAIT_OF_ACCOUNT_MS_MAX: u64 = 60 * 1_000;
/// Places from which accounts were entered that are remembered.
pub const KNOWN_PLACES_MAX: usize = 1_024;
/// How long after its wait a wrong password is remembered.
pub const ATTEMPT_MEMORY_MS: u64 = 30 * 60 * 1_000;
/// Places and accounts whose wrong passwords are remembered; the one that may try soonest is forgotten first.
pub const ATTEMPTS_REMEMBERED_MAX: usize = 4_096;

/// Browsers that listen to events at a time.
pub const LISTENERS_MAX: usize = 64;
/// Events of one listener that wait for its connection.
pub const EVENTS_WAITING: usize = 8;
/// How often a stream of events says that it is there still.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// The shortest time between two looks at what changed: a rush of entries becomes one event.
pub const EVENT_PAUSE: Duration = Duration::from_secs(3);
/// How often the pages are told to look again while nothing is stored, so that silence shows.
pub const EVENT_INTERVAL: Duration = Duration::from_secs(20);
/// How often a page that gets no stream of events is fetched again.
pub const POLL_SECONDS: u64 = 20;
/// How often a page is fetched again where there are no scripts.
pub const REFRESH_SECONDS: u64 = 60;
/// How old figures that take long may be before they are worked out again.
pub const VIEW_AGE_MAX: Duration = Duration::from_secs(3);
/// How old they may be to be shown meanwhile.
pub const VIEW_AGE_SHOWN_MAX: Duration = Duration::from_secs(300);

/// How long a write waits until the log of logins and writes has its line; without a line nothing is written.
pub const LINE_WAIT: Duration = Duration::from_secs(5);

/// Objections that a list shows of one indicator.
pub const OBJECTIONS_IN_LIST: usize = 2;
/// Objections that the page of one indicator, or of one bulletin, shows of a figure.
pub const OBJECTIONS_SHOWN: usize = 50;
/// Characters of an objection or an answer in a list.
pub const TEXT_IN_LIST_CHARACTERS: usize = 80;
/// Characters of an objection or an answer on a page of its own.
pub const TEXT_SHOWN_CHARACTERS: usize = 1_000;
/// Bulletins that were computed again and whose verdicts are kept; as many as the list shows.
pub const CHECKS_KEPT_MAX: usize = 100;
/// How old the verdict on a bulletin may be before it is computed again.
pub const CHECK_AGE_MAX: Duration = Duration::from_secs(900);
/// Differences of one bulletin that its page shows.
pub const DIFFERENCES_SHOWN: usize = 100;
