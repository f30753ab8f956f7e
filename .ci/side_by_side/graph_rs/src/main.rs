//! graph-rs-sdk by its documented ways: run.py starts it with the root of the service and a case.

use graph_rs_sdk::{Graph, GraphClientConfiguration, ODataQuery};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{json, Value};
use url::Url;

#[derive(Debug, Deserialize)]
struct Page {
    value: Vec<Value>,
}

type Problem = Box<dyn std::error::Error + Send + Sync>;

async fn run(root: &str, case: &str) -> Result<usize, Problem> {
    // It takes a token, or one of its own credentials.
    let configuration = GraphClientConfiguration::new()
        .access_token("token-1")
        .https_only(false);
    let mut client = Graph::from(configuration);
    client.use_test_endpoint(&Url::parse(&format!("{root}/v1.0"))?);
    if case == "post" {
        let user = json!({"displayName": "Adele"});
        let response = client.users().create_user(&user).send().await?;
        return match response.status().is_success() {
            true => Ok(0),
            false => Err(format!("status {}", response.status()).into()),
        };
    }
    let list = client.users().list_user().count("true");
    let list = list.header(
        HeaderName::from_static("consistencylevel"),
        HeaderValue::from_static("eventual"),
    );
    let mut items = 0;
    for page in list.paging().json::<Page>().await? {
        let body = page.into_body().map_err(|error| format!("{error:?}"))?;
        items += body.value.len();
    }
    Ok(items)
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let (items, error) = match run(&arguments[1], &arguments[2]).await {
        Ok(items) => (items, None),
        Err(error) => (0, Some(error.to_string())),
    };
    println!("{}", json!({"items": items, "error": error}));
}
