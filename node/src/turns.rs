//! Turns of requests: how many may be worked on at a time, counted until the work has ended.
//!
//! A request that takes too long, or whose client hangs up, is dropped; what it began on a thread for work that blocks
//! goes on, and so does what is carried to its end whoever waits. So the turns of a request belong to that work as well:
//! otherwise whoever asks and hangs up, again and again, takes every thread that there is.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

tokio::task_local! {
    /// The turns of the request that this task works on.
    static TURNS: Arc<Vec<OwnedSemaphorePermit>>;
}

/// Works on a request that holds these turns. They are given back when it has ended, and all that it began by
/// [`blocking`] and [`spawn`].
pub(crate) async fn hold<F: Future>(turns: Vec<OwnedSemaphorePermit>, request: F) -> F::Output {
    TURNS.scope(Arc::new(turns), request).await
}

/// Does work that blocks away from the async threads, with the turns of the request that it is for, if there is one.
pub(crate) fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    let turns = TURNS.try_with(Arc::clone).ok();
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turns);
        done
    })
}

/// Carries work to its end even when nobody waits for it, with the turns of the request that it is for, if there is one.
pub(crate) fn spawn<F>(work: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    match TURNS.try_with(Arc::clone) {
        Ok(turns) => tokio::spawn(TURNS.scope(turns, work)),
        Err(_) => tokio::spawn(work),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn work_whose_client_is_gone_keeps_its_turn() {
        let room = Arc::new(Semaphore::new(1));
        let turn = Arc::clone(&room).acquire_owned().await.expect("it is never closed");
        let (release, waits) = sync_channel::<()>(0);
        let (begin, begun) = tokio::sync::oneshot::channel();
        let request = tokio::spawn(hold(vec![turn], async move {
            // As what writes does: in a task of its own, which needs a thread later.
            let work = spawn(async move {
                blocking(move || {
                    let _ = begin.send(());
                    waits.recv()
                })
                .await
            });
            let _ = work.await;
        }));
        begun.await.expect("the work begins");
        request.abort();
        let _ = request.await;
        assert_eq!(room.available_permits(), 0, "the work goes on, and nobody else has its turn");
        drop(release);
        let freed = tokio::time::timeout(Duration::from_secs(30), room.acquire()).await;
        drop(freed.expect("the work has ended").expect("it is never closed"));
    }
}
