//! Large jobs by graph-rs-sdk, by its documented ways: the bench `quota_bound` starts it with the root of the service, a job and
//! a file that describes it.

use futures::StreamExt;
use graph_rs_sdk::{Graph, GraphClientConfiguration, ODataQuery};
use serde::Deserialize;
use serde_json::{json, Value};
use url::Url;

type Problem = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Deserialize)]
struct Page {
    value: Vec<Value>,
}

/// Sends requests 20 at a time. Returns the responses, in which a caller must look for errors.
async fn batches(client: &Graph, requests: Vec<Value>) -> Result<Vec<Value>, Problem> {
    let mut responses = Vec::new();
    for some in requests.chunks(20) {
        let response = client.batch(&json!({"requests": some})).send().await?;
        let body: Value = response.json().await?;
        responses.extend(body["responses"].as_array().cloned().unwrap_or_default());
    }
    Ok(responses)
}

fn texts(input: &Value, name: &str) -> Vec<String> {
    let list = input[name].as_array().cloned().unwrap_or_default();
    list.iter().filter_map(|one| Some(one.as_str()?.to_owned())).collect()
}

fn succeeded(responses: &[Value]) -> usize {
    let status = |one: &&Value| one["status"].as_u64().is_some_and(|status| status < 300);
    responses.iter().filter(status).count()
}

async fn run(root: &str, job: &str, input: &Value) -> Result<usize, Problem> {
    let token = input["token"].as_str().unwrap_or_default();
    let configuration = GraphClientConfiguration::new().access_token(token).https_only(false);
    let mut client = Graph::from(configuration);
    client.use_test_endpoint(&Url::parse(&format!("{root}/v1.0"))?);
    let headers = json!({"Content-Type": "application/json"});
    match job {
        "groups" => {
            let request = |(number, id): (usize, &String)| {
                let url = format!("/groups/{id}/members?$select=id");
                json!({"id": number.to_string(), "method": "GET", "url": url})
            };
            let groups = texts(input, "groups");
            let responses = batches(&client, groups.iter().enumerate().map(request).collect()).await?;
            let members = |one: &Value| one["body"]["value"].as_array().map_or(0, Vec::len);
            Ok(responses.iter().map(members).sum())
        }
        "objects" => {
            let mut objects = 0;
            for ids in texts(input, "ids").chunks(1_000) {
                let body = json!({"ids": ids});
                let response = client.directory_objects().get_by_ids(&body).send().await?;
                objects += response.json::<Page>().await?.value.len();
            }
            Ok(objects)
        }
        "members" => {
            let url = format!("/groups/{}/members/$ref", input["group"].as_str().unwrap_or_default());
            let request = |(number, id): (usize, &String)| {
                let body = json!({"@odata.id": format!("{root}/v1.0/directoryObjects/{id}")});
                json!({"id": number.to_string(), "method": "POST", "url": url, "headers": headers, "body": body})
            };
            let users = texts(input, "users");
            Ok(succeeded(&batches(&client, users.iter().enumerate().map(request).collect()).await?))
        }
        "creates" => {
            let domain = input["domain"].as_str().unwrap_or_default();
            let request = |number: u64| {
                let name = format!("new.user{number}");
                let password = json!({"password": "zq4#Correct-7Vx!horse"});
                let body = json!({
                    "accountEnabled": true, "displayName": name, "mailNickname": name,
                    "userPrincipalName": format!("{name}@{domain}"), "passwordProfile": password,
                });
                json!({"id": number.to_string(), "method": "POST", "url": "/users", "headers": headers, "body": body})
            };
            let count = input["count"].as_u64().unwrap_or_default();
            Ok(succeeded(&batches(&client, (0..count).map(request).collect()).await?))
        }
        _ => {
            let list = client.users().list_user().top("999");
            let list = list.select(&["userPrincipalName", "assignedLicenses"]);
            let mut pages = list.expand(&["manager($select=id)"]).paging().stream::<Page>()?;
            let mut users = 0;
            while let Some(page) = pages.next().await {
                let body = page?.into_body().map_err(|error| format!("{error:?}"))?;
                users += body.value.len();
            }
            Ok(users)
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let arguments: Vec<String> = std::env::args().collect();
    let input = serde_json::from_str(&std::fs::read_to_string(&arguments[3])?)?;
    let done = run(&arguments[1], &arguments[2], &input).await?;
    println!("{}", json!({"done": done}));
    Ok(())
}
