//! Places where a test aborts the process, to see that nothing is lost and nothing is sent twice.
//!
//! Each place stands between two durable steps. With the feature `crash-points`, the process aborts at the place
//! that the environment variable `BUDSTIKKE_CRASH_AT` names; without it, nothing of this is compiled in.

/// Every place, in the order in which sending and receiving a message passes them.
pub const POINTS: &[&str] = &[
    "send-before-commit",
    "send-after-commit",
    "outbox-before-send",
    "outbox-after-ack",
    "outbox-after-delete",
    "receive-after-read",
    "receive-before-commit",
    "receive-after-commit",
    "receive-after-trim",
    "commit-after-staging",
    "commit-after-append",
    "commit-after-merge",
    "rotate-before-mailbox",
    "rotate-before-publish",
    "rotate-after-publish",
    "rotate-before-news",
    "rotate-after-news",
];

/// Aborts here if a test asked for it.
#[cfg(feature = "crash-points")]
pub(crate) fn point(name: &'static str) {
    debug_assert!(POINTS.contains(&name), "an unlisted crash point: {name}");
    if std::env::var("BUDSTIKKE_CRASH_AT").is_ok_and(|wanted| wanted == name) {
        std::process::abort();
    }
}

/// Aborts here if a test asked for it.
#[cfg(not(feature = "crash-points"))]
pub(crate) fn point(_: &'static str) {}
