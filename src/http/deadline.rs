//! Bounds in time that cost nothing where the work is done at once.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

/// The output of a future that ends in time, `None` otherwise. A timer is set only when the future has to wait: reads of
/// the embedded database and bodies that came with their head do not. The future is boxed here, once: an `async fn` would
/// keep room for it as an argument and again as what it awaits, in each caller anew, and actix-web moves the whole.
pub(crate) fn within<F: Future>(limit: Duration, future: F) -> impl Future<Output = Option<F::Output>> {
    let mut future = Box::pin(future);
    async move {
        if let Poll::Ready(output) = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await {
            return Some(output);
        }
        tokio::time::timeout(limit, future).await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_is_done_passes_and_work_that_never_ends_does_not() {
        assert_eq!(within(Duration::ZERO, async { 1 }).await, Some(1));
        assert_eq!(within(Duration::from_millis(1), std::future::pending::<()>()).await, None);
        assert_eq!(within(Duration::from_secs(60), tokio::task::yield_now()).await, Some(()));
    }
}
