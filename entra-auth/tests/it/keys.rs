//! No token ever goes to another cloud, tenant, client, scope set or claims request.

use std::sync::Arc;

use entra_auth::{ClientSecretCredential, TokenCache};
use entra_core::{Cloud, TenantId, TokenCredential, TokenRequest};
use proptest::{collection::vec, prelude::*, sample::subsequence};

use crate::support::{Service, decode};

const CLOUDS: [&str; 2] = ["https://login.one.example", "https://login.two.example"];
const TENANTS: [&str; 3] = [
    "contoso.com",
    "fabrikam.com",
    "11111111-1111-1111-1111-111111111111",
];
const CLIENTS: [&str; 2] = [
    "22222222-2222-2222-2222-222222222222",
    "33333333-3333-3333-3333-333333333333",
];
const SCOPES: [&str; 4] = ["a/.default", "b/.default", "a/.defaultb", "a"];
const CLAIMS: [Option<&str>; 3] = [None, Some("{}"), Some(r#"{"access_token":{}}"#)];

#[derive(Clone, Debug)]
struct Call {
    cloud: usize,
    tenant: usize,
    client: usize,
    scopes: Vec<&'static str>,
    claims: usize,
    elsewhere: Option<usize>,
    forced: bool,
}

fn call() -> impl Strategy<Value = Call> {
    (
        0..CLOUDS.len(),
        0..TENANTS.len(),
        0..CLIENTS.len(),
        subsequence(SCOPES.to_vec(), 1..=SCOPES.len()).prop_shuffle(),
        0..CLAIMS.len(),
        proptest::option::of(0..TENANTS.len()),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(cloud, tenant, client, scopes, claims, elsewhere, forced)| Call {
                cloud,
                tenant,
                client,
                scopes,
                claims,
                elsewhere,
                forced,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_token_was_issued_for_what_it_is_given_for(calls in vec(call(), 1..60), capacity in 1usize..40) {
        let service = Service::new();
        let cache = TokenCache::with_capacity(capacity);
        let credentials: Vec<ClientSecretCredential> = (0..CLOUDS.len() * TENANTS.len() * CLIENTS.len())
            .map(|at| {
                let (cloud, rest) = (at % CLOUDS.len(), at / CLOUDS.len());
                let (tenant, client) = (rest % TENANTS.len(), rest / TENANTS.len());
                ClientSecretCredential::builder(TENANTS[tenant], CLIENTS[client], "s3cr3t")
                    .cloud(Cloud::custom(CLOUDS[cloud], "https://graph.example").unwrap())
                    .transport(Arc::clone(&service))
                    .cache(&cache)
                    .build()
                    .unwrap()
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for call in &calls {
                let at = call.cloud + CLOUDS.len() * (call.tenant + TENANTS.len() * call.client);
                let mut request = TokenRequest::new(call.scopes.clone());
                request.claims = CLAIMS[call.claims].map(str::to_owned);
                request.tenant = call.elsewhere.map(|tenant| TENANTS[tenant].parse::<TenantId>().unwrap());
                request.force_refresh = call.forced;
                let token = credentials[at].token(&request).await.unwrap();

                let tenant = TENANTS[call.elsewhere.unwrap_or(call.tenant)];
                let mut scopes = call.scopes.clone();
                scopes.sort_unstable();
                let claims = CLAIMS[call.claims].map(|claims| format!("claims={claims};")).unwrap_or_default();
                let expected = format!(
                    "{}/{tenant}/oauth2/v2.0/token?client_id={};scope={};{claims}",
                    CLOUDS[call.cloud].trim_start_matches("https://"),
                    CLIENTS[call.client],
                    scopes.join(" "),
                );
                prop_assert_eq!(decode(&token).1, expected);
                prop_assert!(cache.len() <= capacity);
            }
            Ok(())
        })?;
    }
}
