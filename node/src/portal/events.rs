//! The one stream of events: it says that something changed, and the page that is shown fetches its live part again.
//!
//! One stream for each browser: when a second window of the same session begins to listen, the first is told `moved` and
//! stays silent until it is looked at again. A rush of changes becomes one event.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::Portal;
use super::data::{Data, Topic};
use super::limits::{EVENT_INTERVAL, EVENT_PAUSE, EVENTS_WAITING, HEARTBEAT, LISTENERS_MAX};
use super::visit::Visit;
use crate::core::now_ms;

/// How often each topic changed.
type Beats = BTreeMap<Topic, u64>;

/// Tells listeners that something changed.
pub(super) struct Events {
    beats: watch::Sender<Beats>,
    places: Arc<Semaphore>,
    /// For each session, which of its listeners is the latest.
    latest: Mutex<BTreeMap<u64, u64>>,
    turns: watch::Sender<u64>,
}

impl Events {
    pub(super) fn new() -> Self {
        Self {
            beats: watch::Sender::new(Beats::new()),
            places: Arc::new(Semaphore::new(LISTENERS_MAX)),
            latest: Mutex::default(),
            turns: watch::Sender::new(0),
        }
    }

    /// Follows what changes, until the portal stops.
    pub(super) async fn follow(self: Arc<Self>, data: Arc<dyn Data>) {
        let mut followed = tokio::task::JoinSet::new();
        for (topic, mut changes) in data.changes() {
            let events = Arc::clone(&self);
            followed.spawn(async move {
                while changes.changed().await.is_ok() {
                    events.beat(topic);
                    tokio::time::sleep(EVENT_PAUSE).await;
                }
            });
        }
        // Silence is seen by the clock alone.
        let mut clock = tokio::time::interval(EVENT_INTERVAL);
        loop {
            clock.tick().await;
            self.beat(Topic::Health);
        }
    }

    fn beat(&self, topic: Topic) {
        self.beats.send_modify(|beats| *beats.entry(topic).or_default() += 1);
    }

    /// Makes a listener the latest of its session.
    fn join(&self, session: u64) -> u64 {
        let mut turn = 0;
        self.turns.send_modify(|turns| {
            *turns += 1;
            turn = *turns;
            self.latest.lock().insert(session, turn);
        });
        turn
    }

    fn is_latest(&self, session: u64, turn: u64) -> bool {
        self.latest.lock().get(&session) == Some(&turn)
    }

    fn leave(&self, session: u64, turn: u64) {
        let mut latest = self.latest.lock();
        if latest.get(&session) == Some(&turn) {
            latest.remove(&session);
        }
    }
}

/// Serves the stream.
pub(super) async fn listen(State(portal): State<Portal>, visit: Visit) -> Response {
    let Some(session) = visit.session else { return StatusCode::UNAUTHORIZED.into_response() };
    let Ok(place) = Arc::clone(&portal.events.places).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "30")]).into_response();
    };
    let (sender, receiver) = mpsc::channel(EVENTS_WAITING);
    tokio::spawn(pump(portal, session.number, sender, place));
    let events = futures::stream::unfold(receiver, |mut receiver: mpsc::Receiver<Event>| async move {
        receiver.recv().await.map(|event| (Ok::<_, Infallible>(event), receiver))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")).into_response()
}

async fn pump(portal: Portal, session: u64, sender: mpsc::Sender<Event>, _place: OwnedSemaphorePermit) {
    let events = Arc::clone(&portal.events);
    let turn = events.join(session);
    let (mut beats, mut turns) = (events.beats.subscribe(), events.turns.subscribe());
    let (mut stopped, mut heartbeat) = (portal.stopped.clone(), tokio::time::interval(HEARTBEAT));
    let mut known = beats.borrow_and_update().clone();
    let hello = Event::default().event("hello").data("1");
    let mut going = sender.send(hello).await.is_ok();
    while going {
        tokio::select! {
            changed = beats.changed() => {
                going = changed.is_ok();
                let now = beats.borrow_and_update().clone();
                for (topic, beat) in now.iter().filter(|(topic, beat)| known.get(topic) != Some(beat)) {
                    let event = Event::default().event(topic.name()).data(beat.to_string());
                    going &= sender.send(event).await.is_ok();
                }
                known = now;
            }
            _ = turns.changed() => {
                if !events.is_latest(session, turn) {
                    // Whoever is gone need not be told.
                    let _ = sender.send(Event::default().event("moved").data("1")).await;
                    going = false;
                }
            }
            _ = heartbeat.tick() => going = portal.sessions.lasts(session, now_ms()),
            () = async { _ = stopped.wait_for(|stop| *stop).await } => going = false,
            () = sender.closed() => going = false,
        }
    }
    events.leave(session, turn);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_listeners_of_a_session_only_the_latest_stays() {
        let events = Events::new();
        let (first, other) = (events.join(1), events.join(2));
        let second = events.join(1);
        assert!(!events.is_latest(1, first) && events.is_latest(1, second) && events.is_latest(2, other));
        events.leave(1, first);
        assert!(events.is_latest(1, second), "who was replaced takes nobody along");
        events.leave(1, second);
        assert!(events.latest.lock().len() == 1);
    }
}
