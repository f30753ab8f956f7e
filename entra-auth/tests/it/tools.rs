//! The command line tools: how they are run, and what their output and errors mean.

use std::{
    collections::VecDeque,
    fmt, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use entra_auth::{
    Environment, ErrorKind,
    developer_tools::{
        AzureCliCredential, AzureDeveloperCliCredential, ProcessCommand, ProcessOutput,
        ProcessRunner,
    },
};
use entra_core::{Clock, CredentialErrorKind, ManualClock, TokenCredential, TokenRequest};

use crate::support::{SCOPE, TENANT, detail, graph};

/// Tools with scripted output.
#[derive(Default)]
pub(crate) struct Tools {
    outputs: Mutex<VecDeque<io::Result<(bool, String, String)>>>,
    requested: Mutex<Vec<ProcessCommand>>,
}

impl Tools {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn then(self, output: io::Result<(bool, String, String)>) -> Self {
        self.outputs.lock().unwrap().push_back(output);
        self
    }

    pub(crate) fn print(self, stdout: &str) -> Self {
        self.then(Ok((true, stdout.to_owned(), String::new())))
    }

    pub(crate) fn complain(self, stderr: &str) -> Self {
        self.then(Ok((false, String::new(), stderr.to_owned())))
    }

    pub(crate) fn fail(self, kind: io::ErrorKind) -> Self {
        self.then(Err(kind.into()))
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        let requested = self.requested.lock().unwrap();
        requested
            .iter()
            .map(|command| format!("{} {}", command.program, command.arguments.join(" ")))
            .collect()
    }
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tools")
    }
}

#[async_trait]
impl ProcessRunner for Tools {
    async fn run(&self, command: &ProcessCommand) -> io::Result<ProcessOutput> {
        self.requested.lock().unwrap().push(command.clone());
        let output = self.outputs.lock().unwrap().pop_front();
        let (success, stdout, stderr) =
            output.unwrap_or_else(|| Err(io::ErrorKind::NotFound.into()))?;
        Ok(ProcessOutput {
            success,
            stdout: stdout.into(),
            stderr: stderr.into(),
        })
    }
}

pub(crate) fn az_token(clock: &ManualClock) -> String {
    let end = clock.now().unix_timestamp() + 3600;
    format!(
        r#"{{"accessToken":"canary-az","expiresOn":"2026-01-02 03:04:05.000000","expires_on":{end},"tokenType":"Bearer"}}"#
    )
}

const AZ: &str = if cfg!(windows) { "az.cmd" } else { "az" };

#[tokio::test]
async fn azure_cli_runs_once_for_each_token() {
    let clock = ManualClock::new();
    let tools = Arc::new(
        Tools::new()
            .print(&az_token(&clock))
            .print(&az_token(&clock)),
    );
    let credential = AzureCliCredential::builder(&Environment::default())
        .tenant(TENANT)
        .subscription("My subscription (1)")
        .time_limit(Duration::from_secs(3))
        .process_runner(Arc::clone(&tools))
        .clock(clock.clone())
        .build()
        .unwrap();
    let token = credential.token(&graph()).await.unwrap();
    assert_eq!(token.expose_secret(), "canary-az");
    assert_eq!((token.expires_on() - clock.now()).whole_seconds(), 3600);
    credential.token(&graph()).await.unwrap();
    let elsewhere = graph().with_tenant("contoso.com".parse().unwrap());
    credential.token(&elsewhere).await.unwrap();
    let common = format!("{AZ} account get-access-token --output json --scope {SCOPE}");
    assert_eq!(
        tools.commands(),
        [
            format!("{common} --tenant {TENANT} --subscription My subscription (1)"),
            format!("{common} --tenant contoso.com --subscription My subscription (1)"),
        ]
    );
    let command = tools.requested.lock().unwrap()[0].clone();
    assert_eq!(command.time_limit, Duration::from_secs(3));
    assert!(command.folder.is_absolute());
}

#[tokio::test]
async fn azure_developer_cli_gets_its_own_arguments() {
    let clock = ManualClock::at(entra_core::Timestamp::from_unix_timestamp(1_767_323_045).unwrap());
    let tools = Arc::new(
        Tools::new().print(r#"{"token":"canary-azd","expiresOn":"2026-01-02T04:04:05Z"}"#),
    );
    let credential = AzureDeveloperCliCredential::builder(&Environment::default())
        .tenant("contoso.com")
        .process_runner(Arc::clone(&tools))
        .clock(clock)
        .build()
        .unwrap();
    let two = TokenRequest::new(["https://b.example.com/x", "https://a.example.com/y"]);
    let token = credential.token(&two).await.unwrap();
    assert_eq!(token.expose_secret(), "canary-azd");
    assert_eq!(
        tools.commands(),
        [
            "azd auth token --output json --no-prompt --scope https://a.example.com/y --scope https://b.example.com/x --tenant-id contoso.com"
        ]
    );
}

#[tokio::test]
async fn each_error_message_of_a_tool_has_its_kind() {
    use CredentialErrorKind as Kind;
    let cases: [(Tools, Kind, &str); 12] = [
        (
            Tools::new().fail(io::ErrorKind::NotFound),
            Kind::Unavailable,
            "is not installed",
        ),
        (
            Tools::new().fail(io::ErrorKind::TimedOut),
            Kind::Unavailable,
            "did not respond within 10 s",
        ),
        (
            Tools::new().fail(io::ErrorKind::PermissionDenied),
            Kind::Unavailable,
            "could not be started",
        ),
        (
            Tools::new().complain("'az' is not recognized as an internal or external command"),
            Kind::Unavailable,
            "is not installed",
        ),
        (
            Tools::new().complain("/bin/sh: az: command not found"),
            Kind::Unavailable,
            "is not installed",
        ),
        (
            Tools::new().complain("WARNING: old\nERROR: Please run 'az login' to setup account."),
            Kind::Unavailable,
            "no user is signed in",
        ),
        (
            Tools::new().complain("ERROR: Please run 'az account set' to select a subscription"),
            Kind::Unavailable,
            "no user is signed in",
        ),
        (
            Tools::new().complain("ERROR: AADSTS50076: use a second factor. Please run `az login`"),
            Kind::InteractionRequired,
            "was denied a token",
        ),
        (
            Tools::new().complain("ERROR: AADSTS500011: no such resource"),
            Kind::Rejected,
            "was denied a token",
        ),
        (
            Tools::new().complain("ERROR: something eyJcanary else"),
            Kind::Rejected,
            "returned no token",
        ),
        (
            Tools::new().complain(""),
            Kind::Rejected,
            "returned no token",
        ),
        (Tools::new().print("{}"), Kind::Protocol, "cannot be used"),
    ];
    for (tools, kind, text) in cases {
        let credential = AzureCliCredential::builder(&Environment::default())
            .process_runner(tools)
            .build()
            .unwrap();
        let failed = credential.token(&graph()).await.unwrap_err();
        let error = detail(&failed);
        assert_eq!(failed.kind(), kind, "{failed:?}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(failed.fix().is_some(), "{error}");
        let all = format!(
            "{failed:?} {:?} {}",
            error.service_message(),
            error.report()
        );
        assert!(!all.contains("canary"), "{all}");
    }
}

#[tokio::test]
async fn a_token_is_read_among_warnings_marks_and_colour_codes() {
    let clock = ManualClock::new();
    let token = az_token(&clock);
    for printed in [
        format!("\u{feff}{token}"),
        format!("{token}\u{1b}[0m\n"),
        format!("\u{1b}[93mWARNING: there is an update {{az upgrade}}\u{1b}[0m\n{token}\n"),
    ] {
        let tools = Arc::new(Tools::new().print(&printed));
        let credential = AzureCliCredential::builder(&Environment::default())
            .process_runner(Arc::clone(&tools))
            .clock(clock.clone())
            .build()
            .unwrap();
        credential.token(&graph()).await.unwrap();
        let requested = tools.requested.lock().unwrap();
        let no_colour = ("AZURE_CORE_NO_COLOR".to_owned(), "true".to_owned());
        assert!(requested[0].variables.contains(&no_colour));
    }
}

#[tokio::test]
async fn every_generation_of_the_developer_cli_gives_its_reason() {
    let cases = [
        // Before 1.23.7.
        (
            r#"{"type":"consoleMessage","timestamp":"t","data":{"message":"\nERROR: fetching token: failed to authenticate:\n\nAADSTS70043: expired\n\nTo fix, run `azd auth login`"}}"#,
            ErrorKind::InteractionRequired,
            Some(70_043),
        ),
        // 1.23.7 to 1.23.15.
        (
            "{\"type\":\"consoleMessage\",\"timestamp\":\"t\",\"data\":{\"message\":\"\"}}\n{\"error\":\"not logged in, run `azd auth login` to login\",\"links\":[],\"message\":\"m\",\"suggestion\":\"s\"}",
            ErrorKind::Unavailable,
            None,
        ),
        // From 1.24.0 on; the suggestion is not the reason.
        (
            r#"{"error":"Post \"https://login.microsoftonline.com/t/oauth2/v2.0/token\": dial tcp: lookup login.microsoftonline.com: no such host","links":[],"message":"","suggestion":"Run `azd auth login` to sign in."}"#,
            ErrorKind::Transport,
            None,
        ),
        (
            r#"{"error":"context deadline exceeded","links":[],"message":"","suggestion":"Run `azd auth login` to sign in."}"#,
            ErrorKind::Transport,
            None,
        ),
        (
            r#"{"error":"fetching token: something else","links":[],"message":"","suggestion":"Run `azd auth login` to sign in."}"#,
            ErrorKind::Rejected,
            None,
        ),
        (
            r#"{"error":"failed to authenticate","links":[],"message":"AADSTS70043: expired","suggestion":"Run `azd auth login` to sign in."}"#,
            ErrorKind::InteractionRequired,
            Some(70_043),
        ),
    ];
    for (stderr, kind, code) in cases {
        let credential = AzureDeveloperCliCredential::builder(&Environment::default())
            .process_runner(Arc::new(Tools::new().complain(stderr)))
            .build()
            .unwrap();
        let error = credential.token(&graph()).await.unwrap_err();
        let error = detail(&error);
        assert_eq!(
            (error.kind(), error.aadsts_code()),
            (kind, code),
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn a_network_that_fails_while_a_tool_waits_is_transient() {
    for stderr in [
        "ERROR: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Read timed out. (read timeout=10)",
        "ERROR: ('Connection aborted.', TimeoutError(10060, 'A connection attempt failed because the connected party did not properly respond after a period of time'))",
        "ERROR: <urlopen error [WinError 10061] No connection could be made because the target machine actively refused it>",
        "ERROR: [Errno 110] Connection timed out",
        "ERROR: [Errno 113] No route to host",
        "ERROR: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate in certificate chain (_ssl.c:1007)'))",
        r#"{"error":"Post \"https://login.microsoftonline.com/t/oauth2/v2.0/token\": net/http: request canceled (Client.Timeout exceeded while awaiting headers)","links":[],"message":"","suggestion":"Run `azd auth login` to sign in."}"#,
        r#"{"error":"Post \"https://login.microsoftonline.com/t/oauth2/v2.0/token\": EOF","links":[],"message":"","suggestion":"Run `azd auth login` to sign in."}"#,
        r#"{"error":"Get \"https://login.microsoftonline.com/t/v2.0/.well-known/openid-configuration\": tls: failed to verify certificate: x509: certificate signed by unknown authority","links":[],"message":"","suggestion":"Run `azd auth login` to sign in."}"#,
    ] {
        for is_az in [true, false] {
            let (environment, tools) = (Environment::default(), Tools::new().complain(stderr));
            let failed = match is_az {
                true => {
                    let builder = AzureCliCredential::builder(&environment).process_runner(tools);
                    builder.build().unwrap().token(&graph()).await
                }
                false => {
                    let builder =
                        AzureDeveloperCliCredential::builder(&environment).process_runner(tools);
                    builder.build().unwrap().token(&graph()).await
                }
            };
            let failed = failed.unwrap_err();
            let error = detail(&failed);
            assert_eq!(error.kind(), ErrorKind::Transport, "{stderr}");
            assert!(
                error.is_transient() && error.aadsts_code().is_none(),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_session_of_a_tool_that_timed_out_is_no_fault_of_the_network() {
    for (stderr, kind) in [
        (
            "ERROR: The session has timed out. Please run 'az login'",
            ErrorKind::Unavailable,
        ),
        (
            "ERROR: unexpected EOF in the token cache: run az login",
            ErrorKind::Unavailable,
        ),
        ("ERROR: unexpected EOF", ErrorKind::Transport),
        (
            "ERROR: Connection to login.microsoftonline.com timed out. (connect timeout=10)",
            ErrorKind::Transport,
        ),
    ] {
        let (environment, tools) = (Environment::default(), Tools::new().complain(stderr));
        let builder = AzureCliCredential::builder(&environment).process_runner(tools);
        let failed = builder.build().unwrap().token(&graph()).await.unwrap_err();
        assert_eq!(detail(&failed).kind(), kind, "{stderr}");
    }
}

#[tokio::test]
async fn warnings_beside_the_error_of_a_tool_do_not_decide() {
    let cases = [
        (
            "sh: 1: foo: not found\n{\"error\":\"AADSTS50076: second factor\"}",
            ErrorKind::InteractionRequired,
            Some(50_076),
        ),
        (
            "WARNING: the update server: connection refused\n{\"error\":\"not logged in, run azd auth login\"}",
            ErrorKind::Unavailable,
            None,
        ),
        (
            "{\"type\":\"consoleMessage\",\"data\":{\"message\":\"WARNING: dial tcp: i/o timeout\"}}\n{\"error\":\"not logged in, run azd auth login\"}",
            ErrorKind::Unavailable,
            None,
        ),
        (
            "sh: 1: foo: not found\n{\"error\":\"dial tcp: no such host\"}",
            ErrorKind::Transport,
            None,
        ),
        // Without an object of the error, the text has it.
        (
            "WARNING: {\"message\": \"a new version\"}\nERROR: not logged in, run azd auth login",
            ErrorKind::Unavailable,
            None,
        ),
        // Then warnings do not decide either.
        (
            "WARNING: the update server: Max retries exceeded with url: /\nERROR: not logged in, run azd auth login",
            ErrorKind::Unavailable,
            None,
        ),
        (
            "sh: 1: lsb_release: not found\nERROR: not logged in, run azd auth login",
            ErrorKind::Unavailable,
            None,
        ),
        (
            "{\"type\":\"consoleMessage\",\"data\":{\"message\":\"WARNING: dial tcp: i/o timeout\"}}\n{\"type\":\"consoleMessage\",\"data\":{\"message\":\"\\nERROR: not logged in, run `azd auth login` to login\\n\"}}",
            ErrorKind::Unavailable,
            None,
        ),
        (
            "ERROR: fetching token: dial tcp: no such host\nWARNING: run azd auth login for new features",
            ErrorKind::Transport,
            None,
        ),
        // A text that is known is used if the error has none.
        (
            "please run az login\nERROR: exit status 1",
            ErrorKind::Unavailable,
            None,
        ),
    ];
    for (stderr, kind, code) in cases {
        let credential = AzureDeveloperCliCredential::builder(&Environment::default())
            .process_runner(Tools::new().complain(stderr))
            .build()
            .unwrap();
        let error = credential.token(&graph()).await.unwrap_err();
        let error = detail(&error);
        assert_eq!(
            (error.kind(), error.aadsts_code()),
            (kind, code),
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn warnings_of_python_before_the_error_hide_no_code() {
    let stderr = "/opt/az/lib/python3.11/site-packages/x.py:42: SyntaxWarning: invalid escape sequence\n  pattern = '\\d'\nERROR: AADSTS70043: The refresh token has expired\nTrace ID: 1\n";
    let credential = AzureCliCredential::builder(&Environment::default())
        .process_runner(Arc::new(Tools::new().complain(stderr)))
        .build()
        .unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    let error = detail(&error);
    assert_eq!(error.aadsts_code(), Some(70_043));
    assert!(error.service_message().unwrap().starts_with("AADSTS70043"));
}

#[tokio::test]
async fn an_object_that_a_warning_quotes_does_not_hide_the_error() {
    let stderr = "x.py:3: SyntaxWarning: invalid escape sequence\n  x = {\"error\": \"y\"}\nERROR: Please run 'az login' to setup account.\n";
    let credential = AzureCliCredential::builder(&Environment::default())
        .process_runner(Arc::new(Tools::new().complain(stderr)))
        .build()
        .unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    let error = detail(&error);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("no user is signed in"));
}

#[tokio::test]
async fn an_error_of_a_tool_that_reports_success_is_read_too() {
    let stderr = "ERROR: AADSTS70043: The refresh token has expired\n";
    let output = Ok((true, "\n".to_owned(), stderr.to_owned()));
    let credential = AzureCliCredential::builder(&Environment::default())
        .process_runner(Tools::new().then(output))
        .build()
        .unwrap();
    let error = credential.token(&graph()).await.unwrap_err();
    assert_eq!(detail(&error).aadsts_code(), Some(70_043));
}

#[tokio::test]
async fn error_of_azd_is_read_from_its_json() {
    let complaint = r#"{"type":"consoleMessage","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}"#;
    let credential = AzureDeveloperCliCredential::builder(&Environment::default())
        .process_runner(Tools::new().complain(complaint))
        .build()
        .unwrap();
    let failed = credential.token(&graph()).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::Unavailable);
    assert_eq!(failed.fix(), Some("run `azd auth login`"));
    assert_eq!(
        detail(&failed).service_message(),
        Some("not logged in, run `azd auth login` to login")
    );
}

#[tokio::test]
async fn tool_output_without_a_token_or_its_expiry_is_an_error() {
    for (printed, what) in [
        ("canary", "no JSON"),
        (
            r#"{"accessToken":"canary","expiresOn":"2026-01-02 03:04:05"}"#,
            "before version 2.54",
        ),
        (r#"{"accessToken":"","expires_on":99999999999}"#, "no token"),
        (
            r#"{"accessToken":"canary","expires_on":1}"#,
            "already expired",
        ),
    ] {
        let credential = AzureCliCredential::builder(&Environment::default())
            .process_runner(Tools::new().print(printed))
            .build()
            .unwrap();
        let failed = credential.token(&graph()).await.unwrap_err();
        assert_eq!(failed.kind(), CredentialErrorKind::Protocol, "{printed}");
        let text = format!("{failed:?}");
        assert!(text.contains(what) && !text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn nothing_that_could_be_taken_for_an_option_reaches_a_tool() {
    let tools = Arc::new(Tools::new());
    let credential = AzureCliCredential::builder(&Environment::default())
        .process_runner(Arc::clone(&tools))
        .build()
        .unwrap();
    for scope in [
        "--debug",
        "a;b",
        "$(id)",
        "https://a.example.com/x https://a.example.com/y",
    ] {
        let failed = credential
            .token(&TokenRequest::new([scope]))
            .await
            .unwrap_err();
        assert_eq!(failed.kind(), CredentialErrorKind::Configuration, "{scope}");
    }
    let challenge = graph().with_claims(r#"{"access_token":{}}"#);
    let failed = credential.token(&challenge).await.unwrap_err();
    assert_eq!(failed.kind(), CredentialErrorKind::InteractionRequired);
    assert_eq!(failed.claims(), Some(r#"{"access_token":{}}"#));
    assert!(tools.commands().is_empty());

    for subscription in ["", "--debug", "a\nb"] {
        let builder = AzureCliCredential::builder(&Environment::default());
        let error = builder.subscription(subscription).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
    for tenant in ["not a tenant", "organizations"] {
        let builder = AzureDeveloperCliCredential::builder(&Environment::default());
        let error = builder.tenant(tenant).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}

#[tokio::test]
async fn a_sign_in_is_advised_only_where_it_helps() {
    for (code, advises_sign_in) in [
        (70_043, true),
        (50_076, true),
        (500_011, false),
        (90_002, false),
        (53_003, false),
    ] {
        let stderr = format!("ERROR: AADSTS{code}: no");
        let credential = AzureCliCredential::builder(&Environment::default())
            .process_runner(Tools::new().complain(&stderr))
            .build()
            .unwrap();
        let failed = credential.token(&graph()).await.unwrap_err();
        let fix = failed.fix().unwrap();
        assert_eq!(fix.contains("az login"), advises_sign_in, "{code}: {fix}");
    }
}
