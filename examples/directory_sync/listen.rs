//! Follows the tenant: change notifications wake the sync, and a silence does too.

use std::{error::Error, net::SocketAddr, path::Path};

use entra_core::{Secret, SecureRandom as _, SystemRandom};
use entra_graph::{
    GraphClient, NewSubscription,
    notifications::{Receiver, SubscriptionResource, Supervisor, Wakes},
    sync::{DirectorySync, SyncError},
};
use tokio::net::TcpListener;

/// Serves the notification URL, keeps the subscriptions alive, and syncs whenever something may have changed. Ends with the
/// endpoint, so never by itself.
///
/// The URL must lead to the address from where Graph runs, such as through a reverse proxy with TLS.
pub(crate) async fn follow(
    graph: &GraphClient,
    sync: &DirectorySync,
    path: &Path,
    address: SocketAddr,
    url: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    // A new secret for each process: subscriptions of an earlier one are replaced.
    let client_state = client_state()?;
    let receiver = Receiver::builder(client_state.clone()).build()?;
    let (endpoint, notifications) = receiver.into_queue();
    let listener = TcpListener::bind(address).await?;
    let url = match url {
        Some(url) => url.to_owned(),
        None => format!("http://{}/notifications", listener.local_addr()?),
    };
    eprintln!("listening at {url}");
    let app: axum::Router = endpoint.route("/notifications");
    tokio::spawn(async move { axum::serve(listener, app).await });

    let resources = [
        SubscriptionResource::users(),
        SubscriptionResource::groups(),
    ];
    let subscriptions =
        resources.map(|resource| NewSubscription::new(resource, &*url, client_state.clone()));
    let supervisor = Supervisor::new(graph, subscriptions)?;
    let mut wakes = Wakes::new(graph, notifications).supervisor(supervisor);
    while let Some(wake) = wakes.next().await {
        eprintln!("{:?}, {} notifications", wake.cause, wake.notifications);
        if let Some(error) = wakes.supervised().and_then(Supervisor::last_error) {
            eprintln!("no subscription: {error}");
        }
        match super::sync(sync.clone(), path).await {
            Ok(()) => {}
            Err(error) => {
                eprintln!("error: {error:#}");
                // Removals that are held back wait for an administrator. Everything else is copied with each wake.
                if !is_held(&*error) {
                    wakes.again_in(std::time::Duration::from_secs(60));
                }
            }
        }
    }
    Ok(())
}

fn is_held(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<SyncError>()
        .is_some_and(|error| error.held().is_some())
}

/// 128 random bits.
fn client_state() -> Result<Secret, entra_core::Error> {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes)?;
    Ok(Secret::new(
        bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}
