//! A future that goes on to its end also when nobody waits for it any more.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tokio::runtime::Handle;

/// Dropped after it was begun and before its end, it goes on in a task of its own, and what it gives is dropped there.
pub struct Finish<T: Send + 'static> {
    future: Option<BoxFuture<'static, T>>,
    begun: bool,
}

impl<T: Send + 'static> Finish<T> {
    pub fn new(future: BoxFuture<'static, T>) -> Self {
        Self { future: Some(future), begun: false }
    }
}

impl<T: Send + 'static> Future for Finish<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.begun = true;
        let future = self.future.as_mut().expect("nobody asks for what was given already");
        let given = std::task::ready!(future.as_mut().poll(cx));
        self.future = None;
        Poll::Ready(given)
    }
}

impl<T: Send + 'static> Drop for Finish<T> {
    fn drop(&mut self) {
        if let (Some(future), true, Ok(runtime)) = (self.future.take(), self.begun, Handle::try_current()) {
            runtime.spawn(async move { drop(future.await) });
        }
    }
}
