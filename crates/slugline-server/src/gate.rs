//! How much is computed at once, and what waits for it.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::problem::{Code, Problem};

/// So long a client should wait that was turned away.
const PAUSE: Duration = Duration::from_secs(1);

/// Lets so many requests compute at a time, and as many wait as are allowed to.
#[derive(Debug)]
pub(crate) struct Gate {
    running: Arc<Semaphore>,
    places: Semaphore,
    patience: Duration,
    /// Requests that wait.
    waiting: Gauge,
}

impl Gate {
    pub(crate) fn new(
        concurrency: usize,
        queue: usize,
        patience: Duration,
        waiting: Gauge,
    ) -> Self {
        let most = |n: usize| n.min(Semaphore::MAX_PERMITS);
        Self {
            running: Arc::new(Semaphore::new(most(concurrency.max(1)))),
            places: Semaphore::new(most(queue)),
            patience,
            waiting,
        }
    }

    /// Waits for its turn, which lasts as long as what is given back. Those that wait come in the order
    /// in which they came; who goes away meanwhile leaves the queue.
    pub(crate) async fn enter(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(turn) = Arc::clone(&self.running).try_acquire_owned() {
            return Ok(turn);
        }
        let overloaded = |what: &str| {
            Problem::new(
                Code::Overloaded,
                format!("The service has more to do than it can: {what}. Try again later."),
            )
            .retry_after(PAUSE)
        };
        let Ok(_place) = self.places.try_acquire() else {
            return Err(overloaded("its queue is full"));
        };
        let _counted = Counted::new(&self.waiting);
        match timeout(self.patience, Arc::clone(&self.running).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(closed)) => Err(Problem::internal(closed)),
            Err(_) => Err(overloaded("this request waited too long for its turn")),
        }
    }
}

/// One more in a gauge, for as long as it lives.
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_computes_one_waits_and_the_next_is_turned_away() {
        let waiting = Gauge::default();
        let gate = Arc::new(Gate::new(1, 1, Duration::from_secs(5), waiting.clone()));
        let turn = gate.enter().await.unwrap();
        let second = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter().await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert_eq!(waiting.get(), 1);
        let third = gate.enter().await.unwrap_err();
        assert_eq!((third.code, third.retry_after), (Code::Overloaded, Some(PAUSE)));
        drop(turn);
        second.await.unwrap().unwrap();
        assert_eq!(waiting.get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_ends_and_who_goes_away_leaves_the_queue() {
        let waiting = Gauge::default();
        let gate = Gate::new(1, 1, Duration::from_secs(5), waiting.clone());
        let _turn = gate.enter().await.unwrap();
        let problem = gate.enter().await.unwrap_err();
        assert!(problem.detail.contains("waited too long"), "{}", problem.detail);
        assert!(timeout(Duration::from_secs(1), gate.enter()).await.is_err());
        assert_eq!(waiting.get(), 0);
        let problem = gate.enter().await.unwrap_err();
        assert!(problem.detail.contains("waited too long"), "{}", problem.detail);
    }
}
