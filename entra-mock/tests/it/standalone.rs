//! The standalone server: TLS, files, and shutdown.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use entra_mock::{Seed, Server, ServerError};

use crate::support::{GRAPH_SCOPE, fetch, http};

/// A directory that is removed at the end of the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("entra-mock {name}'s {}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The variables of a shell that has read the file.
fn sourced(path: &Path) -> HashMap<String, String> {
    let output = Command::new("sh")
        .args(["-c", ". \"$1\" && env -0", "sh"])
        .arg(path)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .split('\0')
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn client_trusting(pem: &str) -> reqwest::Client {
    let roots = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).unwrap();
    reqwest::Client::builder()
        .tls_certs_only(roots)
        .build()
        .unwrap()
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn the_environment_file_is_all_a_client_needs() {
    let scratch = Scratch::new("env");
    let env_file = scratch.0.join("tenant.env");
    // Permissions of an older, readable file must not remain.
    fs::write(&env_file, "old").unwrap();
    let ca_file = scratch.0.join("ca.pem");
    let server = Server::builder()
        .tls(true)
        .users(30)
        .random_seed(3)
        .env_file(&env_file)
        .ca_file(&ca_file)
        .start()
        .await
        .unwrap();

    let env = sourced(&env_file);
    for path in [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "AZURE_CLIENT_CERTIFICATE_PATH",
    ]
    .map(|name| Path::new(&env[name]))
    .into_iter()
    .chain([env_file.as_path()])
    {
        assert_eq!(mode(path), 0o600, "{}", path.display());
    }
    assert_eq!(env["AZURE_AUTHORITY_HOST"], server.uri());
    assert_eq!(env["ENTRA_GRAPH_URL"], format!("{}/v1.0", server.uri()));
    assert_eq!(env["ENTRA_REDIRECT_URI"], "http://localhost:3000/callback");
    assert_eq!(env["ENTRA_GROUP_ID"].len(), 36);
    assert_eq!(env["ENTRA_USER_UPN"], "adele@contoso.com");
    assert_eq!(env["ENTRA_ADMIN_UPN"], "admin@contoso.com");
    assert!(env["ENTRA_ADMIN_PASSWORD"].len() > 12);
    assert_eq!(env["ENTRA_PUBLIC_CLIENT_ID"], env["AZURE_CLIENT_ID"]);
    assert!(env["ENTRA_USER_PASSWORD"].len() > 12);
    let pem = fs::read_to_string(&env["AZURE_CLIENT_CERTIFICATE_PATH"]).unwrap();
    assert!(pem.contains("BEGIN PRIVATE KEY") && pem.contains("BEGIN CERTIFICATE"));

    let own_ca = fs::read_to_string(&env["NODE_EXTRA_CA_CERTS"]).unwrap();
    let bundle = fs::read_to_string(&env["SSL_CERT_FILE"]).unwrap();
    assert!(
        bundle.ends_with(&own_ca),
        "the bundle has our authority besides the system's"
    );
    assert_eq!(own_ca, fs::read_to_string(&ca_file).unwrap());

    let client = client_trusting(&own_ca);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &env["AZURE_CLIENT_ID"]),
        ("client_secret", &env["AZURE_CLIENT_SECRET"]),
        ("scope", GRAPH_SCOPE),
    ];
    let url = format!(
        "{}/{}/oauth2/v2.0/token",
        env["AZURE_AUTHORITY_HOST"], env["AZURE_TENANT_ID"]
    );
    let token = fetch(client.post(url).form(&form)).await;
    assert_eq!(token.status, 200, "{}", token.text);
    let jwt = token.body["access_token"].as_str().unwrap();
    for path in [
        "users?$count=true",
        "groups",
        "applications",
        "servicePrincipals",
        "devices",
        "organization",
        "subscribedSkus",
        "auditLogs/signIns",
        "auditLogs/directoryAudits",
    ] {
        let list = fetch(
            client
                .get(format!("{}/{path}", env["ENTRA_GRAPH_URL"]))
                .bearer_auth(jwt)
                .header("consistencylevel", "eventual"),
        )
        .await;
        assert_eq!(list.status, 200, "{path}: {}", list.text);
        if path.starts_with("users") {
            assert_eq!(list.body["@odata.count"], 30);
        }
    }
    let app = fetch(
        client
            .get(format!(
                "{}/applications(appId='{}')",
                env["ENTRA_GRAPH_URL"], env["AZURE_CLIENT_ID"]
            ))
            .bearer_auth(jwt),
    )
    .await
    .body;
    assert_eq!(app["isFallbackPublicClient"], true);
    assert_eq!(app["keyCredentials"].as_array().map(Vec::len), Some(1));
    assert!(
        !app.to_string().contains(&env["AZURE_CLIENT_SECRET"]),
        "a secret is never shown again"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_certificate_covers_the_real_host_names() {
    let scratch = Scratch::new("names");
    let ca_file = scratch.0.join("ca.pem");
    let server = Server::builder()
        .tls(true)
        .seed(Seed::Empty)
        .ca_file(&ca_file)
        .control_host("entra-mock")
        .start()
        .await
        .unwrap();
    let port = server
        .uri()
        .rsplit(':')
        .next()
        .unwrap()
        .parse::<u16>()
        .unwrap();
    let ca = fs::read_to_string(&ca_file).unwrap();
    let roots = reqwest::Certificate::from_pem_bundle(ca.as_bytes()).unwrap();
    for host in [
        "login.microsoftonline.com",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
        "graph.microsoft.com",
        "localhost",
        "entra-mock",
    ] {
        let client = reqwest::Client::builder()
            .tls_certs_only(roots.clone())
            .resolve(host, ([127, 0, 0, 1], port).into())
            .build()
            .unwrap();
        let document = fetch(client.get(format!(
            "https://{host}:{port}/contoso.com/v2.0/.well-known/openid-configuration"
        )))
        .await;
        assert!(
            document.body["issuer"]
                .as_str()
                .unwrap()
                .starts_with(&format!("https://{host}:{port}/"))
        );
    }
    let client = client_trusting(&ca);
    assert_eq!(
        client
            .get(format!("https://127.0.0.1:{port}/common/discovery/keys"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    server.stop().await;
}

#[tokio::test]
async fn a_user_signs_in_at_the_page_over_tls() {
    let scratch = Scratch::new("page");
    let env_file = scratch.0.join("tenant.env");
    let server = Server::builder()
        .tls(true)
        .env_file(&env_file)
        .start()
        .await
        .unwrap();
    let env = sourced(&env_file);
    let ca = fs::read_to_string(&env["NODE_EXTRA_CA_CERTS"]).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only(reqwest::Certificate::from_pem_bundle(ca.as_bytes()).unwrap())
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let address = format!(
        "{}/{}/oauth2/v2.0/authorize",
        server.uri(),
        env["AZURE_TENANT_ID"]
    );
    let url = reqwest::Url::parse_with_params(
        &address,
        [
            ("client_id", env["AZURE_CLIENT_ID"].as_str()),
            ("response_type", "code"),
            ("redirect_uri", &env["ENTRA_REDIRECT_URI"]),
            ("scope", "openid User.Read"),
            ("login_hint", &env["ENTRA_USER_UPN"]),
        ],
    )
    .unwrap();
    let page = fetch(http.get(url.clone())).await;
    assert!(page.text.contains("id=\"passwd\""), "{}", page.text);
    let fields = [
        ("login", env["ENTRA_USER_UPN"].as_str()),
        ("passwd", &env["ENTRA_USER_PASSWORD"]),
        ("step", "password"),
    ];
    let back = fetch(http.post(url).form(&fields)).await;
    assert_eq!(back.status, 302, "{}", back.text);
    let location = back.header("location").unwrap();
    assert!(location.starts_with("http://localhost:3000/callback?code="));
    let cookie = back.header("set-cookie").unwrap();
    assert!(
        cookie.contains("; Secure") && cookie.contains("; HttpOnly"),
        "{cookie}"
    );
    server.stop().await;
}

#[tokio::test]
async fn the_application_of_the_file_works_with_the_web_examples_on_any_port() {
    let scratch = Scratch::new("example");
    let env_file = scratch.0.join("tenant.env");
    let server = Server::builder()
        .seed(Seed::Empty)
        .env_file(&env_file)
        .start()
        .await
        .unwrap();
    let env = sourced(&env_file);
    let client = crate::support::http();
    let address = format!(
        "{}/{}/oauth2/v2.0/authorize",
        server.uri(),
        env["AZURE_TENANT_ID"]
    );
    for (redirect, accepted) in [
        ("http://localhost:45678/auth/callback", true),
        ("http://localhost:45679/auth/callback", true),
        ("http://localhost:45678/", true),
        ("http://localhost:45678/manager/auth/callback", true),
        ("http://localhost:45678/user/auth/callback", true),
        ("http://localhost:45678/auth/callback/other", false),
    ] {
        let url = reqwest::Url::parse_with_params(
            &address,
            [
                ("client_id", env["AZURE_CLIENT_ID"].as_str()),
                ("response_type", "code"),
                ("redirect_uri", redirect),
                ("scope", "openid GroupMember.Read.All"),
                ("login_hint", &env["ENTRA_USER_UPN"]),
            ],
        )
        .unwrap();
        let page = fetch(client.get(url.clone())).await;
        assert_eq!(page.text.contains("id=\"passwd\""), accepted, "{redirect}");
        if !accepted {
            continue;
        }
        // No user sees a consent page for permissions that need an administrator.
        let fields = [
            ("login", env["ENTRA_USER_UPN"].as_str()),
            ("passwd", &env["ENTRA_USER_PASSWORD"]),
            ("step", "password"),
        ];
        let back = fetch(client.post(url).form(&fields)).await;
        assert!(back.header("location").unwrap().starts_with(redirect));
    }

    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &env["AZURE_CLIENT_ID"]),
        ("client_secret", &env["AZURE_CLIENT_SECRET"]),
        ("scope", GRAPH_SCOPE),
    ];
    let token = format!(
        "{}/{}/oauth2/v2.0/token",
        server.uri(),
        env["AZURE_TENANT_ID"]
    );
    let token = fetch(client.post(token).form(&form)).await;
    let members = format!(
        "{}/groups/{}/members",
        env["ENTRA_GRAPH_URL"], env["ENTRA_GROUP_ID"]
    );
    let token = token.body["access_token"].as_str().unwrap();
    let members = fetch(client.get(members).bearer_auth(token)).await;
    assert_eq!(
        members.body["value"][0]["userPrincipalName"],
        env["ENTRA_USER_UPN"].as_str()
    );
    server.stop().await;
}

#[tokio::test]
async fn a_stopped_server_accepts_no_more_requests() {
    let server = Server::builder().seed(Seed::Empty).start().await.unwrap();
    let url = format!("{}/common/discovery/keys", server.uri());
    let client = crate::support::http();
    assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
    // An idle connection of a client does not delay the shutdown.
    tokio::time::timeout(std::time::Duration::from_secs(4), server.stop())
        .await
        .expect("a prompt end");
    client.get(&url).send().await.unwrap_err();
}

#[tokio::test]
async fn errors_name_a_port_in_use_and_an_unwritable_file() {
    let first = Server::builder().seed(Seed::Empty).start().await.unwrap();
    let port = first
        .uri()
        .rsplit(':')
        .next()
        .unwrap()
        .parse::<u16>()
        .unwrap();
    let taken = Server::builder()
        .seed(Seed::Empty)
        .port(port)
        .start()
        .await
        .unwrap_err();
    assert!(
        matches!(taken, ServerError::Port { .. }) && taken.to_string().contains(&port.to_string()),
        "{taken}"
    );
    let nowhere = Server::builder()
        .seed(Seed::Empty)
        .env_file("/no/such/directory/tenant.env")
        .start()
        .await
        .unwrap_err();
    assert!(
        nowhere
            .to_string()
            .contains("/no/such/directory/tenant.env"),
        "{nowhere}"
    );
}

#[cfg(unix)]
#[test]
fn the_program_prints_ready_and_stops_on_a_signal() {
    use std::io::{BufRead, BufReader, Read};

    let mut child = Command::new(env!("CARGO_BIN_EXE_entra-mock"))
        .args([
            "serve",
            "--port",
            "0",
            "--seed",
            "contoso",
            "--users",
            "25",
            "--random-seed",
            "7",
        ])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("ready http://localhost:"), "{line}");
    assert!(
        Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert!(child.wait().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    for part in [
        "  Client secret  ",
        "  Password       ",
        "\nexport AZURE_AUTHORITY_HOST='http://localhost:",
        "\nMicrosoft's libraries need HTTPS: entra-mock serve --tls --env-file tenant.env\n",
    ] {
        assert!(rest.contains(part), "{part} in {rest}");
    }
}

/// The program with these arguments: its first line, and the rest of its output until it is stopped.
#[cfg(unix)]
fn output_of(arguments: &[&str], beside: impl FnOnce(&str, &mut dyn FnMut() -> String)) {
    use std::io::{BufRead, BufReader};

    let mut child = Command::new(env!("CARGO_BIN_EXE_entra-mock"))
        .args(arguments)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let uri = line.trim().strip_prefix("ready ").unwrap().to_owned();
    beside(&uri, &mut || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        line
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_printed_shell_lines_are_enough_to_get_a_token() {
    output_of(&["serve", "--port", "0"], |uri, next_line| {
        let mut script = String::new();
        while script.matches("export ").count() < 3 {
            let line = next_line();
            if line.starts_with("export ") {
                script.push_str(&line);
            }
        }
        let shell = Command::new("sh")
            .args(["-c", &format!("{script}\nprintf '%s\\n' \"$AZURE_AUTHORITY_HOST\" \"$AZURE_TENANT_ID\" \"$AZURE_CLIENT_ID\" \"$AZURE_CLIENT_SECRET\" \"$ENTRA_GRAPH_URL\" \"$ENTRA_USER_UPN\"")])
            .output()
            .unwrap();
        let text = String::from_utf8(shell.stdout).unwrap();
        let values: Vec<&str> = text.lines().collect();
        assert_eq!(values[0], uri);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", values[2]),
            ("client_secret", values[3]),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let token_url = format!("{uri}/{}/oauth2/v2.0/token", values[1]);
        let user_url = format!("{}/users/{}", values[4], values[5]);
        tokio::task::block_in_place(|| {
            tokio::runtime::Handle::current().block_on(async {
                let token = fetch(http().post(token_url).form(&form)).await;
                let token = token.body["access_token"].as_str().unwrap();
                let user = fetch(http().get(user_url).bearer_auth(token)).await;
                assert_eq!(user.status, 200, "{}", user.text);
            });
        });
    });
}

#[cfg(unix)]
#[test]
fn with_an_environment_file_the_program_prints_no_secret() {
    use std::io::{BufReader, Read};

    let scratch = Scratch::new("prints-no-secret");
    let file = scratch.0.join("tenant.env");
    let mut child = Command::new(env!("CARGO_BIN_EXE_entra-mock"))
        .args(["serve", "--port", "0", "--env-file"])
        .arg(&file)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut first = [0; 6];
    output.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"ready ");
    child.kill().unwrap();
    child.wait().unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest.lines().count(), 1, "{rest}");
}

#[test]
fn help_has_examples_and_the_variables() {
    let help = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_entra-mock"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(help(&["--help"]).contains("Examples:\n  entra-mock serve\n"));
    let serve = help(&["serve", "--help"]);
    let all = help(&["--help"]);
    assert!(serve.contains("Examples:\n"), "{serve}");
    // Every variable that the source exports is explained.
    let source = include_str!("../../src/standalone/env_file.rs");
    let names: Vec<&str> = source
        .split("export(\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        for help in [&serve, &all] {
            assert!(help.contains(&format!("\n  {name} ")), "{name}");
        }
    }
}

#[test]
fn invalid_arguments_are_explained() {
    for arguments in [
        &["serve", "--seed", "fabrikam"][..],
        &["serve", "--ca-file", "x"],
        &["serve", "--port", "99999"],
        &["server"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_entra-mock"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_does_not_grow_with_its_requests() {
    use std::io::{BufRead, BufReader};

    let mut child = Command::new(env!("CARGO_BIN_EXE_entra-mock"))
        .args(["serve", "--port", "0"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let base = line.trim().strip_prefix("ready ").unwrap().to_owned();
    let client = crate::support::http();
    let request = async |number: u32| {
        // Different paths each time, like ids in paths.
        let url = format!("{base}/v1.0/users/{number}?$select=id");
        drop(
            client
                .get(url)
                .bearer_auth("x".repeat(1_500))
                .send()
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap(),
        );
    };
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    for number in 0..2_000 {
        request(number).await;
    }
    let before = resident();
    for number in 2_000..10_000 {
        request(number).await;
    }
    let grown = resident().saturating_sub(before);
    child.kill().unwrap();
    child.wait().unwrap();
    // Only a counter for each path is added, and these are limited too.
    assert!(grown < 6_000, "{grown} kB more");
}

#[tokio::test]
async fn the_users_of_the_environment_file_can_change_what_their_roles_allow() {
    let scratch = Scratch::new("writes");
    for seed in [Seed::Contoso, Seed::Empty] {
        let env_file = scratch.0.join("tenant.env");
        let server = Server::builder()
            .seed(seed)
            .env_file(&env_file)
            .start()
            .await
            .unwrap();
        let env = sourced(&env_file);
        let http = crate::support::http();
        let tenant = format!("{}/{}", server.uri(), env["AZURE_TENANT_ID"]);
        let token = async |user: &str| {
            let password = &env[&format!("ENTRA_{user}_PASSWORD")];
            let form = [
                ("grant_type", "password"),
                ("client_id", &env["AZURE_CLIENT_ID"]),
                ("client_secret", &env["AZURE_CLIENT_SECRET"]),
                ("username", &env[&format!("ENTRA_{user}_UPN")]),
                ("password", password),
                ("scope", GRAPH_SCOPE),
            ];
            let url = format!("{tenant}/oauth2/v2.0/token");
            let issued = fetch(http.post(url).form(&form)).await;
            assert_eq!(issued.status, 200, "{}", issued.text);
            issued.body["access_token"].as_str().unwrap().to_owned()
        };
        let graph = &env["ENTRA_GRAPH_URL"];
        let (user, admin) = (token("USER").await, token("ADMIN").await);
        let change = serde_json::json!({ "mobilePhone": "+49 89 1234" });
        let own = http.patch(format!("{graph}/me")).bearer_auth(&user);
        let own = fetch(own.json(&change)).await;
        assert_eq!(own.status, 204, "{}", own.text);
        let sessions = http.post(format!("{graph}/me/revokeSignInSessions"));
        let sessions = fetch(sessions.bearer_auth(&user)).await;
        assert_eq!(sessions.status, 200, "{}", sessions.text);

        let group = format!("{graph}/groups/{}", env["ENTRA_GROUP_ID"]);
        let change = serde_json::json!({ "description": "Changed" });
        let written = http.patch(group).bearer_auth(&admin).json(&change);
        let written = fetch(written).await;
        assert_eq!(written.status, 204, "{}", written.text);
        let roles = http.get(format!(
            "{graph}/me/memberOf/microsoft.graph.directoryRole?$count=true"
        ));
        let roles = roles
            .header("consistencylevel", "eventual")
            .bearer_auth(&admin);
        let roles = fetch(roles).await;
        assert_eq!(
            roles.body["value"][0]["displayName"],
            "Global Administrator"
        );
        server.stop().await;
    }
}
