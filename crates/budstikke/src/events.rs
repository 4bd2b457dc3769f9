//! What happened while messages came and went, for a screen or a log of the person's own.

use std::pin::Pin;
use std::task::{Context, Poll};

use budstikke_e2ee::join::JoinError;
use tokio::sync::broadcast;
use tokio_stream::Stream;
use tokio_stream::wrappers::BroadcastStream;

use crate::mission::CertificateStatus;

/// Something that a person may want to know. Names and texts are not in it: look them up when you show it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A stranger knocked at the front door.
    ContactArrived {
        /// Short id for [`Client::answer`](crate::Client::answer).
        contact: String,
        /// Whether the emergency form came with it.
        emergency: bool,
    },
    /// A colleague's device has taken a first contact.
    ContactTaken {
        /// Its short id.
        contact: String,
    },
    /// A case channel exists on this device.
    CaseOpened {
        /// Its id.
        case: String,
    },
    /// The other side proposed or countered channel terms.
    TermsProposed {
        /// The case.
        case: String,
    },
    /// Both sides have accepted the same terms.
    TermsInForce {
        /// The case.
        case: String,
    },
    /// A message came in and stands in the case.
    MessageReceived {
        /// The case.
        case: String,
        /// Its number there.
        number: u64,
        /// What kind of message, as in `budstikke.case.v1`.
        kind: String,
    },
    /// A message came in, is kept, and is not acted on.
    MessageRefused {
        /// The case.
        case: String,
        /// Its number there.
        number: u64,
        /// The refusal's stable code.
        code: String,
    },
    /// All cells of an own message are stored at the relay.
    MessageAtRelay {
        /// The case.
        case: String,
        /// Its number there.
        number: u64,
    },
    /// A hand-over of cases has come a step further.
    HandoverChanged {
        /// Its short name.
        handover: String,
    },
    /// This officer is asked to take cases over.
    HandoverOffered {
        /// Its short name.
        handover: String,
    },
    /// The person concerned does not want who is to read: somebody else has to have it.
    HandoverObjected {
        /// The case.
        case: String,
    },
    /// The other side answered with a receipt.
    Receipt {
        /// The case.
        case: String,
        /// Number of the own message it is about.
        number: u64,
    },
    /// The members of a case or of the team changed.
    MembersChanged {
        /// The case, or `None` for the team.
        case: Option<String>,
    },
    /// The other side's key is another than before: compare the safety words before anything more is sent.
    KeyChanged {
        /// The case.
        case: String,
    },
    /// This device is no longer part of a case: what it has of it is history, and its keys are gone.
    RemovedFromCase {
        /// The case.
        case: String,
    },
    /// This device was removed from its team: it has no keys any more that open something new.
    RemovedFromTeam,
    /// A new device used a code that this one gave out, and was certified.
    DeviceEnrolled {
        /// Label that the admin gave it.
        officer: String,
    },
    /// The code that this device joins with was answered: it is certified, and asks to be let into the team.
    JoinAnswered,
    /// The code that this device wanted to join with leads nowhere.
    JoinRefused {
        /// Why.
        why: JoinError,
    },
    /// Another device's commit came first; ours was made anew on top of it.
    CommitLost {
        /// The case, or `None` for the team.
        case: Option<String>,
    },
    /// Messages of a sender are missing: still on their way, or dropped by a relay.
    HistoryBroken {
        /// The case.
        case: String,
        /// The sender, as people know them.
        from: String,
        /// How many messages of that sender have not come (yet).
        missing: u64,
        /// Which, by the sender's own count in the group, from 1; of very many the last ones.
        numbers: Vec<u64>,
    },
    /// A message that was missing has come.
    MessageLate {
        /// The case.
        case: String,
        /// The sender.
        from: String,
        /// The sender's own number of it.
        number: u64,
    },
    /// A message came once more and is ignored.
    DuplicateIgnored {
        /// The case.
        case: String,
        /// How many came more than once in this case by now.
        count: u64,
    },
    /// A message waits for longer than a day for a change that its relay does not show.
    ChangesWithheld {
        /// The case.
        case: String,
        /// Unix seconds since when.
        since: i64,
    },
    /// A relay has signed two things that contradict each other; the proof is kept.
    RelayEquivocated {
        /// The case, or `None` for the team.
        case: Option<String>,
    },
    /// Nothing more is sent in a case: its group forked or its relay is convicted.
    CaseFrozen {
        /// The case.
        case: String,
    },
    /// A member has lost its keys and asks to be added again.
    AskedToBeAddedAgain {
        /// The case.
        case: String,
    },
    /// A device of the mission asks to be let into a case whose officer has left without handing it over. It reads
    /// nothing before somebody here says yes: [`Client::recover`](crate::Client::recover).
    AskedToTakeOver {
        /// The case.
        case: String,
        /// Who, as people know them.
        who: String,
    },
    /// The directory names other holders: what this device leaves in reserve is theirs to open from now on.
    HoldersChanged {
        /// Their names.
        holders: Vec<String>,
    },
    /// A head of mission has opened what a colleague left in reserve.
    ReserveOpened {
        /// Who had left.
        leaver: String,
        /// Who has opened it.
        by: String,
    },
    /// A member asks for a new group.
    AskedForNewGroup {
        /// The case.
        case: String,
    },
    /// This device is back in a case, or the case goes on in a new group.
    CaseRecovered {
        /// The case.
        case: String,
        /// Whether it is another group than before.
        new_group: bool,
    },
    /// Three quarters of the time for an alert that came here are over, and no person has taken it.
    AlertNear {
        /// Its short name.
        alert: String,
    },
    /// An alert's deadline has passed and no person has taken it.
    AlertOverdue {
        /// Its short name.
        alert: String,
    },
    /// Nobody took an alert in time: the copy for whoever comes next is released.
    AlertPassedOn {
        /// Its short name.
        alert: String,
    },
    /// Nobody took an own alert in time, and the copy for whoever comes next has not left this device.
    AlertNotPassedOn {
        /// Its short name.
        alert: String,
    },
    /// Who had taken an own alert gave it back: it waits for a person again, and nobody is passed it any more.
    AlertOpenAgain {
        /// Its short name.
        alert: String,
    },
    /// An alert that nobody took in time has come to this device.
    AlertForYou {
        /// Its short name.
        alert: String,
    },
    /// Nobody is left to pass an alert on to.
    AlertExhausted {
        /// Its short name.
        alert: String,
    },
    /// A person outside of its line has answered an alert, or it was taken back.
    AlertTaken {
        /// Its short name.
        alert: String,
    },
    /// A certificate of this vault's chain has to be renewed, or has ended. Said once a day.
    CertificateEnds(CertificateStatus),
    /// This device has a new certificate.
    CertificateRenewed {
        /// Unix seconds at which it ends.
        not_after: i64,
    },
    /// Two directories of the Ministry's are signed and contradict each other: somebody is shown another one than
    /// others. The one that was held stays; see [`Client::directory`](crate::Client::directory).
    DirectoryForked {
        /// Number of the one that came.
        number: u64,
    },
    /// A cell or message was not acceptable; it is dropped or kept apart, and others go on.
    Problem {
        /// One plain sentence.
        what: String,
    },
}

/// Events as they happen, from the moment of asking. A reader that falls far behind misses the oldest.
pub struct EventStream(BroadcastStream<Event>);

impl EventStream {
    pub(crate) fn new(receiver: broadcast::Receiver<Event>) -> Self {
        Self(BroadcastStream::new(receiver))
    }
}

impl Stream for EventStream {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        loop {
            match std::task::ready!(Pin::new(&mut self.0).poll_next(cx)) {
                Some(Ok(event)) => return Poll::Ready(Some(event)),
                Some(Err(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventStream")
    }
}
