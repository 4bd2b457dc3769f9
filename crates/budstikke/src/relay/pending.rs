//! The requests that wait for answers: which frame belongs to whom, and how much may come. No I/O.

use std::collections::HashMap;
use std::time::Instant;

use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::op::Response;
use tokio::sync::oneshot;

use super::RelayError;

/// Everything that answers one request.
#[derive(Debug)]
pub(super) struct Answer {
    /// Pushed frames in order, each with its payload.
    pub(super) pushes: Vec<(Response, Vec<u8>)>,
    /// The frame that ended it; never [`Response::Error`].
    pub(super) last: Response,
}

/// One request's place.
struct Waiting {
    caller: oneshot::Sender<Result<Answer, RelayError>>,
    pushes: Vec<(Response, Vec<u8>)>,
    max_pushes: usize,
    since: Instant,
}

/// All requests of one stream that wait. A request stays until its last frame comes, even when its caller has gone,
/// so that a late answer is told from a made-up one.
#[derive(Default)]
pub(super) struct Pending {
    waiting: HashMap<u64, Waiting>,
}

/// The relay answered what was not asked, or more than was asked; the stream is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Violation(pub(super) &'static str);

impl Pending {
    /// Makes a place for the answer to `request`, which may come with up to `max_pushes` pushed frames.
    pub(super) fn expect(
        &mut self,
        request: u64,
        max_pushes: usize,
        now: Instant,
    ) -> oneshot::Receiver<Result<Answer, RelayError>> {
        let (caller, answer) = oneshot::channel();
        let waiting = Waiting { caller, pushes: Vec::new(), max_pushes, since: now };
        self.waiting.insert(request, waiting);
        answer
    }

    /// Takes a frame from the relay.
    pub(super) fn accept(&mut self, frame: Frame) -> Result<(), Violation> {
        let Frame { kind, request, op, payload, .. } = frame;
        match kind {
            Kind::Cover => return Ok(()),
            Kind::Request => return Err(Violation("it sent a request")),
            Kind::Push | Kind::Response => {}
        }
        let unasked = Violation("it answered what was not asked");
        let waiting = self.waiting.get_mut(&request).ok_or(unasked)?;
        let response = Response::decode(&op);
        match (kind, payload) {
            (Kind::Push, Some(payload)) => {
                let response = response.map_err(|_| Violation("its push is malformed"))?;
                waiting.max_pushes =
                    waiting.max_pushes.checked_sub(1).ok_or(Violation("it pushed too much"))?;
                if !waiting.caller.is_closed() {
                    waiting.pushes.push((response, payload));
                }
                Ok(())
            }
            (Kind::Response, None) => {
                let Some(waiting) = self.waiting.remove(&request) else { return Ok(()) };
                let answer = match response {
                    Ok(Response::Error { code, retry_after_s }) => {
                        Err(RelayError::from_code(code, retry_after_s))
                    }
                    Ok(last) => Ok(Answer { pushes: waiting.pushes, last }),
                    Err(_) => Err(RelayError::Protocol("its answer is malformed")),
                };
                // A caller that has gone needs no answer.
                let _ = waiting.caller.send(answer);
                Ok(())
            }
            (_, _) => Err(Violation("its frame has the wrong size")),
        }
    }

    /// Ends everything that waits with this error.
    pub(super) fn fail(&mut self, error: &RelayError) {
        for (_, waiting) in self.waiting.drain() {
            let _ = waiting.caller.send(Err(error.clone()));
        }
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Since when the oldest waits.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.waiting.values().map(|waiting| waiting.since).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use budstikke_proto::id::Label;
    use budstikke_proto::limits::TAG_LEN;
    use proptest::prelude::*;

    fn op() -> impl Strategy<Value = Vec<u8>> {
        let cell = Response::Cell { seq: 1, label: Label::from_bytes([1; 16]) };
        prop_oneof![
            Just(Response::Done.encode()),
            Just(cell.encode()),
            proptest::collection::vec(any::<u8>(), 0..20),
        ]
    }

    fn frame() -> impl Strategy<Value = Frame> {
        let kind = prop_oneof![
            4 => Just(Kind::Push),
            4 => Just(Kind::Response),
            1 => Just(Kind::Cover),
            1 => Just(Kind::Request),
        ];
        (kind, 0u64..4, op(), any::<bool>()).prop_map(|(kind, request, op, data)| {
            let payload = data.then(|| vec![0; 4]);
            Frame { kind, request, tag: [0; TAG_LEN], op, payload }
        })
    }

    proptest! {
        #[test]
        fn nobody_gets_more_than_they_asked_for(frames in proptest::collection::vec(frame(), 0..40)) {
            let mut pending = Pending::default();
            let mut callers: Vec<_> =
                (0..3).map(|request| pending.expect(request, 2, Instant::now())).collect();
            let mut responses = [0; 3];
            for frame in frames {
                let (kind, request) = (frame.kind, frame.request);
                let whole = frame.payload.is_none();
                let taken = pending.accept(frame);
                match (kind, usize::try_from(request).ok().and_then(|at| responses.get_mut(at))) {
                    (Kind::Cover, _) => prop_assert!(taken.is_ok()),
                    (Kind::Response, Some(count)) if whole && *count == 0 => {
                        prop_assert!(taken.is_ok());
                        *count += 1;
                    }
                    (Kind::Response | Kind::Request, _) => prop_assert!(taken.is_err()),
                    (Kind::Push, None) => prop_assert!(taken.is_err()),
                    (Kind::Push, Some(count)) => prop_assert!(*count == 0 || taken.is_err()),
                }
            }
            prop_assert_eq!(pending.is_empty(), responses == [1; 3]);
            for (caller, responses) in callers.iter_mut().zip(responses) {
                match caller.try_recv() {
                    Ok(Ok(answer)) => prop_assert!(answer.pushes.len() <= 2 && responses == 1),
                    Ok(Err(error)) => prop_assert!(matches!(error, RelayError::Protocol(_))),
                    Err(_) => prop_assert_eq!(responses, 0),
                }
            }
        }
    }

    #[test]
    fn a_failure_reaches_everybody() {
        let mut pending = Pending::default();
        let mut answer = pending.expect(1, 0, Instant::now());
        pending.fail(&RelayError::ClientClosed);
        assert_eq!(answer.try_recv().unwrap().unwrap_err(), RelayError::ClientClosed);
        assert!(pending.is_empty() && pending.oldest().is_none());
    }
}
