//! `/livez`, `/readyz` and `/metrics`, on a loopback address of the operator's choice.
//!
//! Counters of the whole relay only: no label ever names a client, a mailbox or a size.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::server::SpawnError;
use crate::store::Store;

pub(crate) async fn spawn(
    listen: SocketAddr,
    store: Arc<dyn Store>,
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> Result<SocketAddr, SpawnError> {
    let listener = TcpListener::bind(listen).await.map_err(SpawnError::Listen)?;
    let local = listener.local_addr().map_err(SpawnError::Listen)?;
    let router = Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(move || ready(Arc::clone(&store))))
        .route(
            "/metrics",
            get(|| async { recorder().map(PrometheusHandle::render).unwrap_or_default() }),
        );
    // Installed once per process, before the first counter.
    let _ = recorder();
    tasks.spawn(async move {
        let serve = axum::serve(listener, router);
        tokio::select! {
            // A failing admin page does not end the relay.
            _ = serve.into_future() => {}
            () = stop.cancelled() => {}
        }
    });
    Ok(local)
}

/// Ready while the store commits; a commit of nothing writes nothing.
async fn ready(store: Arc<dyn Store>) -> (StatusCode, &'static str) {
    match store.apply(0, Vec::new()).await {
        Ok(_) => (StatusCode::OK, "ok\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    }
}

fn recorder() -> Option<&'static PrometheusHandle> {
    static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();
    HANDLE.get_or_init(|| PrometheusBuilder::new().install_recorder().ok()).as_ref()
}
