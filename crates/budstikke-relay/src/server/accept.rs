//! Newcomers: from a first packet to a connection.

use std::sync::Arc;

use quinn::{Endpoint, Incoming};
use tokio::time::{interval, timeout};

use super::{CODE_FULL, Shared};
use crate::admission::door::{Handshake, Verdict};
use crate::admission::work::LOOK;
use crate::log;

/// Lets newcomers in until the relay closes.
pub(super) async fn accept(shared: Arc<Shared>, endpoint: Endpoint) {
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = shared.closing.cancelled() => return,
        };
        let Some(incoming) = incoming else { return };
        let proved = incoming.remote_address_validated();
        let address = incoming.remote_address().ip();
        match shared.door.knock(shared.started.elapsed(), address, proved) {
            Verdict::Enter(handshake) => {
                shared.tasks.spawn(connect(Arc::clone(&shared), incoming, handshake));
            }
            Verdict::Retry => {
                metrics::counter!("budstikke_retries_total").increment(1);
                // Fails only for an address that was proved.
                let _ = incoming.retry();
            }
            Verdict::Ignore => {
                metrics::counter!("budstikke_newcomers_ignored_total").increment(1);
                incoming.ignore();
            }
            Verdict::Refuse(why) => {
                metrics::counter!("budstikke_connections_refused_total", "why" => why).increment(1);
                incoming.refuse();
            }
        }
    }
}

/// Background work: the price of work follows the load, and the door forgets.
pub(super) async fn watch_load(shared: Arc<Shared>) {
    let mut looks = interval(LOOK);
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = shared.closing.cancelled() => return,
        }
        shared.door.tidy(shared.started.elapsed());
        shared.prices.look(shared.door.fill());
        let efforts = shared.prices.efforts();
        metrics::gauge!("budstikke_work_effort").set(f64::from(efforts.create));
        metrics::gauge!("budstikke_front_door_effort").set(f64::from(efforts.front_door));
    }
}

async fn connect(shared: Arc<Shared>, incoming: Incoming, handshake: Handshake) {
    let Ok(connecting) = incoming.accept() else { return };
    let Ok(Ok(connection)) = timeout(handshake.patience, connecting).await else {
        metrics::counter!("budstikke_handshakes_failed_total").increment(1);
        return log::debug("a handshake failed", &[]);
    };
    let Some(_place) = handshake.done(connection.remote_address().ip()) else {
        metrics::counter!("budstikke_connections_refused_total", "why" => "full").increment(1);
        return connection.close(CODE_FULL, b"");
    };
    metrics::counter!("budstikke_connections_total").increment(1);
    metrics::gauge!("budstikke_connections").increment(1.0);
    super::serve(&shared, &connection).await;
    metrics::gauge!("budstikke_connections").decrement(1.0);
    log::trace("a connection ended", &[]);
}
