//! A helper thread for work that waits: requests go in, answers come out, over two bounded channels.
//!
//! The polling thread only ever tries to send and tries to receive. The thread ends when its `Helper` is dropped,
//! after the request it is working on; nobody waits for it.

use std::{io, thread};

use crossbeam::channel::{Receiver, Sender, TryRecvError, bounded};

/// The near end of a helper thread.
#[derive(Debug)]
pub(crate) struct Helper<Q, A> {
    requests: Sender<Q>,
    answers: Receiver<A>,
}

/// The helper thread is gone, which only a defect in it can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl<Q: Send + 'static, A: Send + 'static> Helper<Q, A> {
    /// Starts a thread that answers every request with `work`; at most `capacity` of each wait.
    pub(crate) fn spawn(
        name: String,
        capacity: usize,
        mut work: impl FnMut(Q) -> A + Send + 'static,
    ) -> io::Result<Self> {
        let (requests, inbox) = bounded::<Q>(capacity);
        let (outbox, answers) = bounded::<A>(capacity);
        thread::Builder::new().name(name).spawn(move || {
            for request in inbox {
                if outbox.send(work(request)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { requests, answers })
    }

    /// Hands over a request. False when as many wait already as may.
    pub(crate) fn try_request(&self, request: Q) -> bool {
        self.requests.try_send(request).is_ok()
    }

    /// An answer, if one is there.
    pub(crate) fn try_answer(&self) -> Result<Option<A>, Gone> {
        match self.answers.try_recv() {
            Ok(answer) => Ok(Some(answer)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Gone),
        }
    }
}
