//! Watches: questions that are kept, and streams of new and changed results.
//!
//! A stream is made of server-sent events: `record` with a number as its id, by which a listener that lost the connection
//! goes on, and `notice`. A comment is sent now and then, so that a dead connection is noticed. The stream ends with the
//! node, when the watch is removed, and when somebody else listens to the same watch.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::extract::{JsonBody, Pairs, Segment, blocking};
use super::limits::{EVENTS_WAITING, HEARTBEAT, TURN_WAIT};
use super::problem::ApiProblem;
use super::search::{QUESTION, read_question};
use super::types::{CreateWatch, Problem, WatchEvent, WatchNotice, WatchView};
use super::{Shared, SharedState};
use crate::derive::Committed;
use crate::finding::FindingError;
use crate::finding::watch::Watch;
use crate::kinds::kinds;

/// How long what was seen may wait until it is written down, while nothing comes.
const SAVE_TIME: Duration = Duration::from_secs(30);
/// How long a stream that ends by itself waits for the index to be ready.
const READY_WAIT: Duration = Duration::from_secs(60);

/// Lists watches.
#[utoipa::path(get, path = "/v1/watches", tag = "search",
    description = "列出已保存的关注。Lists the questions that are kept.",
    responses((status = 200, description = "关注。The watches.", body = [WatchView])))]
pub(super) async fn list(State(shared): State<Shared>) -> Result<Json<Vec<WatchView>>, ApiProblem> {
    let views = blocking(move || {
        let present = shared.core().positions();
        shared.watches.all().iter().map(|watch| view(watch, &present)).collect()
    });
    Ok(Json(views.await?))
}

fn view(watch: &Watch, present: &protocol::view::Positions) -> WatchView {
    let progress = watch.progress();
    WatchView {
        name: watch.name.clone().unwrap_or_default(),
        query: watch.asked.clone(),
        created_ms: watch.created_ms,
        listening: watch.is_listened(),
        unseen_entries: progress.seen.entries_until(present),
        delivered: progress.last,
    }
}

/// Keeps a question under a name.
#[utoipa::path(post, path = "/v1/watches", tag = "search", request_body = CreateWatch,
    description = "保存一个关注：此后符合的新记录和变更会经事件流送出，没人收听时也不丢。Keeps a question; what is new from now on is told by \
        its events, also what came while nobody listened.",
    responses((status = 201, description = "已保存。Kept.", body = WatchView),
        (status = 409, description = "重名或已满。The name is taken, or there are too many.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn create(
    State(shared): State<Shared>,
    JsonBody(asked): JsonBody<CreateWatch>,
) -> Result<(StatusCode, Json<WatchView>), ApiProblem> {
    let made = blocking(move || {
        let present = shared.core().positions();
        let watch = shared.watches.add(kinds(), &asked.name, asked.query, present.clone())?;
        Ok::<_, FindingError>(view(&watch, &present))
    });
    Ok((StatusCode::CREATED, Json(made.await??)))
}

/// Removes a watch.
#[utoipa::path(delete, path = "/v1/watches/{name}", tag = "search",
    description = "删去一个关注。Removes a watch.",
    params(("name" = String, Path, description = "名称。Its name.")),
    responses((status = 204, description = "已删去。It is gone."),
        (status = 404, description = "没有。There is none.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove(State(shared): State<Shared>, Segment(name): Segment) -> Result<StatusCode, ApiProblem> {
    blocking(move || shared.watches.remove(&name)).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// Listens to a watch.
#[utoipa::path(get, path = "/v1/watches/{name}/events", tag = "search",
    description = "一个关注的事件流（text/event-stream）：事件 record 的数据是 WatchEvent，notice 的是 WatchNotice；带 Last-Event-ID 可接着收。\
        once=true 时送完已有的就结束。The events of a watch: `record` with a WatchEvent, `notice` with a WatchNotice.",
    params(("name" = String, Path, description = "名称。Its name."),
        ("once" = Option<bool>, Query, description = "送完已有的就结束。End when what is there was sent.")),
    responses((status = 200, description = "事件流。Events.", body = WatchEvent, content_type = "text/event-stream"),
        (status = 404, description = "没有。There is none.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn events(
    State(shared): State<Shared>,
    Segment(name): Segment,
    headers: HeaderMap,
    pairs: Pairs,
) -> Result<Response, ApiProblem> {
    let once = pairs.known(&["once"])?.one("once")? == Some("true");
    let watch = shared.watches.get(&name)?;
    let after = last_event(&headers).and_then(|id| id.parse().ok());
    let turn = shared.event_turn().await?;
    Ok(answer(Listener { shared, watch, id: None, after, once }, turn))
}

/// Listens to a question without a name.
#[utoipa::path(get, path = "/v1/search/events", tag = "search",
    description = "对一个问题的事件流，参数与 /v1/search 相同（不含分页）：从现在起的新记录和变更。带 Last-Event-ID 可接着收。\
        The events of a question, with the parameters of /v1/search: what is new or changed from now on.",
    params(("words" = Option<String>, Query, description = "词语及 /v1/search 的其他条件。Words, and the other parameters of /v1/search.")),
    responses((status = 200, description = "事件流。Events.", body = WatchEvent, content_type = "text/event-stream"),
        (status = 422, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn search_events(
    State(shared): State<Shared>,
    headers: HeaderMap,
    pairs: Pairs,
) -> Result<Response, ApiProblem> {
    let asked = read_question(&pairs.known(&QUESTION)?)?;
    let former = last_event(&headers).and_then(|id| id.split_once('-'));
    let (known, present) = (former.map(|(id, _)| id.to_owned()), shared.core().positions());
    let (id, watch) = shared.watches.nameless(kinds(), asked, present, known.as_deref())?;
    // The numbers of another stream say nothing of this one.
    let after = former.filter(|(known, _)| *known == id).and_then(|(_, number)| number.parse().ok());
    let turn = shared.event_turn().await?;
    Ok(answer(Listener { shared: shared.clone(), watch, id: Some(id), after, once: false }, turn))
}

fn last_event(headers: &HeaderMap) -> Option<&str> {
    headers.get("last-event-id")?.to_str().ok()
}

impl SharedState {
    async fn event_turn(&self) -> Result<OwnedSemaphorePermit, ApiProblem> {
        let turn = tokio::time::timeout(TURN_WAIT, Arc::clone(&self.event_streams).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or_else(|| {
            let (zh, en) = ("正在收听的事件流太多。", "too many streams of events are open");
            ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", zh, en)
                .fix("请关掉不用的再试。", "close one that is not needed and try again")
        })
    }
}

/// How sending what there is ended.
enum End {
    /// Everything that the index has was sent.
    AllSent,
    /// The index is not ready or failed.
    IndexBehind,
    /// Nobody listens any more, or somebody else does.
    ListenerGone,
}

/// What a notice tells.
enum NoticeOf {
    /// Results may be missing, because entries count no longer.
    Cut,
    /// The index was not ready, so what is new is not known.
    IndexBehind,
}

/// Somebody who listens.
struct Listener {
    shared: Shared,
    watch: Arc<Watch>,
    /// Of a question without a name.
    id: Option<String>,
    /// The last result that arrived, if the listener says so.
    after: Option<u64>,
    once: bool,
}

fn answer(listener: Listener, turn: OwnedSemaphorePermit) -> Response {
    let (sender, receiver) = mpsc::channel(EVENTS_WAITING);
    tokio::spawn(async move {
        let watch = Arc::clone(&listener.watch);
        let shared = listener.shared.clone();
        listener.pump(sender).await;
        // What was seen is written down at the end in any case.
        save(&shared, &watch).await;
        drop(turn);
    });
    let events = futures::stream::unfold(receiver, |mut receiver: mpsc::Receiver<Event>| async move {
        receiver.recv().await.map(|event| (Ok::<_, Infallible>(event), receiver))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")).into_response()
}

async fn save(shared: &Shared, watch: &Arc<Watch>) {
    let (shared, watch) = (shared.clone(), Arc::clone(watch));
    let saved = blocking(move || shared.watches.save(&watch)).await;
    if let Ok(Err(error)) = saved {
        tracing::warn!(%error, "what was seen of a watch is not written down; it is told again after a restart");
    }
}

impl Listener {
    /// Sends what comes until the listener, the watch or the node is gone.
    async fn pump(self, sender: mpsc::Sender<Event>) {
        let (own, mut turns) = self.watch.listen();
        let mut committed = self.shared.context.derived.committed();
        let mut stopped = self.shared.stopped.clone();
        let work = async {
            if let Some(after) = self.after
                && !self.resend(after, &sender).await
            {
                return;
            }
            let mut saved_at = Instant::now();
            let patience = Instant::now() + READY_WAIT;
            loop {
                let known = committed.borrow_and_update().clone();
                let end = match known {
                    Some(known) => self.catch_up(own, &known, &sender, &mut saved_at).await,
                    None => End::IndexBehind,
                };
                match end {
                    End::ListenerGone => return,
                    End::AllSent if self.once => return,
                    End::AllSent | End::IndexBehind => {}
                }
                let changed = committed.changed();
                if self.once {
                    // Who asks once must be able to tell "nothing more" from "not known yet".
                    match tokio::time::timeout_at(patience.into(), changed).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) | Err(_) => return drop(sender.send(notice(NoticeOf::IndexBehind)).await),
                    }
                } else if changed.await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            // Whoever has to give way does so before anything more is noted as seen.
            _ = turns.wait_for(|turn| *turn != own) => {}
            _ = stopped.wait_for(|stop| *stop) => {}
            () = sender.closed() => {}
            () = work => {}
        }
    }

    /// Sends results again that came after the last one that arrived. Says whether somebody listens still.
    async fn resend(&self, after: u64, sender: &mpsc::Sender<Event>) -> bool {
        let (shared, watch) = (self.shared.clone(), Arc::clone(&self.watch));
        match blocking(move || watch.again(&shared.finder(), after)).await {
            Ok(Ok(events)) => {
                for (number, event) in events {
                    if sender.send(self.event(number, &event)).await.is_err() {
                        return false;
                    }
                }
                true
            }
            _ => false,
        }
    }

    /// Sends everything up to what the index has, as the listener of this turn.
    async fn catch_up(
        &self,
        turn: u64,
        known: &Arc<Committed>,
        sender: &mpsc::Sender<Event>,
        saved_at: &mut Instant,
    ) -> End {
        loop {
            let (shared, watch, known) = (self.shared.clone(), Arc::clone(&self.watch), Arc::clone(known));
            let brought = match blocking(move || watch.look(&shared.finder(), &known)).await {
                Ok(Ok(brought)) => brought,
                // The index failed or is being opened: there will be another commit.
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a watch waits for the index");
                    return End::IndexBehind;
                }
                Err(_) => return End::ListenerGone,
            };
            let some = !brought.events.is_empty();
            for (number, event) in &brought.events {
                if sender.send(self.event(*number, event)).await.is_err() {
                    return End::ListenerGone;
                }
            }
            if brought.is_cut && sender.send(notice(NoticeOf::Cut)).await.is_err() {
                return End::ListenerGone;
            }
            // Seen is what the connection has taken.
            if sender.reserve_many(EVENTS_WAITING).await.is_err() || !self.watch.advance(turn, brought.progress) {
                return End::ListenerGone;
            }
            if some || saved_at.elapsed() >= SAVE_TIME {
                save(&self.shared, &self.watch).await;
                *saved_at = Instant::now();
            }
            if brought.is_there {
                return End::AllSent;
            }
        }
    }

    fn event(&self, number: u64, event: &WatchEvent) -> Event {
        let id = match &self.id {
            Some(id) => format!("{id}-{number}"),
            None => number.to_string(),
        };
        Event::default().event("record").id(id).json_data(event).unwrap_or_else(|error| {
            tracing::error!(%error, "a result cannot be written");
            Event::default().comment("unwritable")
        })
    }
}

fn notice(of: NoticeOf) -> Event {
    let (code, zh, en) = match of {
        NoticeOf::Cut => (
            "cut",
            "此前的一些条目已不算数，可能有结果没有送出；请再查一次。",
            "some entries count no longer, so results may be missing; search again",
        ),
        NoticeOf::IndexBehind => (
            "index-behind",
            "搜索索引还没有准备好，不知道有没有新结果；请稍后再试，或用 xianmeng index 查看进度。",
            "the search index is not ready, so it is not known what is new; try again later, or see `xianmeng index`",
        ),
    };
    let notice = WatchNotice { code: code.to_owned(), zh: zh.to_owned(), en: en.to_owned() };
    Event::default().event("notice").json_data(&notice).unwrap_or_else(|_| Event::default().comment(code))
}
