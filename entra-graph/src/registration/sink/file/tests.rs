use std::fs;

use super::*;

/// A file that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let name = format!("entra-graph-sink-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn with(name: &str, content: &[u8]) -> Self {
        let file = Self::new(name);
        fs::write(&file.0, content).unwrap();
        file
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn ids() -> ConnectionIds {
    ConnectionIds {
        registration: "orders".to_owned(),
        tenant_id: Some("contoso.com".to_owned()),
        client_id: "535fb089-9ff3-47b6-9bfb-4f1264799865".to_owned(),
    }
}

fn slot() -> SecretSlot {
    SecretSlot {
        registration: "orders".to_owned(),
        description: "production".to_owned(),
    }
}

/// The text as tools of Windows write it.
fn encodings(text: &str) -> [Vec<u8>; 4] {
    let marked = format!("\u{feff}{text}");
    [
        marked.clone().into_bytes(),
        marked.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        marked.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
    ]
}

#[tokio::test]
async fn an_environment_file_of_a_windows_tool_keeps_its_lines_and_has_each_variable_once() {
    let before = "AZURE_TENANT_ID=organizations\r\nGREETING=Gr\u{fc}\u{df}e\r\n";
    for (number, content) in encodings(before).iter().enumerate() {
        let file = Scratch::with(&format!("{number}.env"), content);
        let mut sink = EnvFile::new(&file.0);
        sink.store_ids(&ids()).await.unwrap();
        assert_eq!(
            file.text(),
            "AZURE_TENANT_ID=contoso.com\nGREETING=Gr\u{fc}\u{df}e\n# entra-registration-ids {\"variable\":\"AZURE_CLIENT_ID\",\"registration\":\"orders\",\"tenant_id\":\"contoso.com\",\"client_id\":\"535fb089-9ff3-47b6-9bfb-4f1264799865\"}\nAZURE_CLIENT_ID=535fb089-9ff3-47b6-9bfb-4f1264799865\n"
        );
        assert_eq!(sink.lookup(&slot()).await.unwrap(), SinkEntry::Missing);
    }
}

#[tokio::test]
async fn a_secret_file_of_a_windows_tool_keeps_its_values() {
    for (number, content) in encodings("{\"region\": \"west\"}").iter().enumerate() {
        let file = Scratch::with(&format!("{number}.json"), content);
        let mut sink = SecretFile::new(&file.0);
        sink.store_ids(&ids()).await.unwrap();
        let written: Value = serde_json::from_str(&file.text()).unwrap();
        assert_eq!(written["region"], "west");
        assert_eq!(written["tenant_id"], "contoso.com");
    }
}

#[tokio::test]
async fn a_file_that_is_not_text_is_named_and_stays_as_it_is() {
    let content = b"A=1\nB=\xff\xfe\xfd\n";
    let file = Scratch::with("binary", content);
    for error in [
        EnvFile::new(&file.0).store_ids(&ids()).await.unwrap_err(),
        SecretFile::new(&file.0)
            .store_ids(&ids())
            .await
            .unwrap_err(),
    ] {
        let error = error.to_string();
        assert!(error.contains("save it as UTF-8"), "{error}");
        assert!(error.contains(file.0.to_str().unwrap()), "{error}");
    }
    assert_eq!(fs::read(&file.0).unwrap(), content);
}

#[tokio::test]
async fn errors_of_a_secret_file_repeat_none_of_its_values() {
    for content in [
        "\"canary-value\"",
        "{\"secrets\": [\"canary-value\"]}",
        "{\"secrets\": [{\"registration\": [\"canary-value\"]}]}",
        "canary-value",
    ] {
        let file = Scratch::with("canary.json", content.as_bytes());
        let error = SecretFile::new(&file.0).lookup(&slot()).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("is not a file of secrets"), "{shown}");
        assert!(!shown.contains("canary-value"), "{shown}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_named_pipe_is_an_error_at_once_and_is_not_replaced() {
    use std::os::unix::fs::FileTypeExt as _;
    let pipe = Scratch::new("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe.0).status();
    assert!(made.unwrap().success());
    for error in [
        EnvFile::new(&pipe.0).store_ids(&ids()).await.unwrap_err(),
        SecretFile::new(&pipe.0)
            .store_ids(&ids())
            .await
            .unwrap_err(),
    ] {
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
    assert!(fs::metadata(&pipe.0).unwrap().file_type().is_fifo());
}

const OTHER_ID: &str = "11112222-bbbb-3333-cccc-4444dddd5555";

#[tokio::test]
async fn a_secret_that_the_registration_did_not_write_is_an_error() {
    for line in [
        "AZURE_CLIENT_SECRET=value of a tool",
        "export AZURE_CLIENT_SECRET='value of a tool'",
    ] {
        let file = Scratch::with("foreign-secret.env", line.as_bytes());
        let error = EnvFile::new(&file.0).lookup(&slot()).await.unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("AZURE_CLIENT_SECRET") && error.contains("prefix"),
            "{error}"
        );
        assert!(!error.contains("value of a tool"), "{error}");
        assert_eq!(file.text(), line);
        let mut prefixed = EnvFile::new(&file.0).prefix("ORDERS_");
        assert_eq!(prefixed.lookup(&slot()).await.unwrap(), SinkEntry::Missing);
    }
    for line in [
        "AZURE_CLIENT_SECRET=",
        "AZURE_CLIENT_SECRET=\"\"",
        "#AZURE_CLIENT_SECRET=x",
    ] {
        let file = Scratch::with("no-secret.env", line.as_bytes());
        let entry = EnvFile::new(&file.0).lookup(&slot()).await.unwrap();
        assert_eq!(entry, SinkEntry::Missing, "{line}");
    }
}

#[tokio::test]
async fn ids_of_another_registration_are_an_error_before_a_write() {
    let id = ids().client_id;
    let file = Scratch::with(
        "ids.env",
        format!("AZURE_CLIENT_ID={OTHER_ID} # of a tool\n").as_bytes(),
    );
    let mut sink = EnvFile::new(&file.0);
    // An id that no registration wrote may be that of the program which registers others.
    let error = sink
        .check("orders", Some(&id), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("no registration wrote"), "{error}");
    sink.check("orders", Some(OTHER_ID), None).await.unwrap();
    let mut prefixed = EnvFile::new(&file.0).prefix("ORDERS_");
    prefixed.check("orders", None, None).await.unwrap();
    prefixed.store_ids(&ids()).await.unwrap();
    let other = prefixed.check("invoices", None, None).await.unwrap_err();
    assert!(
        other.to_string().contains("registration \"orders\""),
        "{other}"
    );
    prefixed.check("orders", None, None).await.unwrap();
    assert!(
        file.text()
            .contains(&format!("AZURE_CLIENT_ID={OTHER_ID} # of a tool\n"))
    );
    let before = file.text();
    prefixed.store_ids(&ids()).await.unwrap();
    assert_eq!(file.text(), before);

    let json = Scratch::new("ids.json");
    let mut sink = SecretFile::new(&json.0);
    sink.check("orders", None, None).await.unwrap();
    sink.store_ids(&ids()).await.unwrap();
    sink.check("orders", None, None).await.unwrap();
    sink.check("invoices", None, None).await.unwrap_err();
    let manual = Scratch::with(
        "manual.json",
        format!("{{\"client_id\": \"{OTHER_ID}\"}}").as_bytes(),
    );
    SecretFile::new(&manual.0)
        .check("orders", Some(&id), None)
        .await
        .unwrap_err();
    SecretFile::new(&manual.0)
        .check("orders", Some(OTHER_ID), None)
        .await
        .unwrap();
}

/// The same blueprint in another tenant has the same key.
#[tokio::test]
async fn ids_of_another_tenant_are_an_error_before_a_write() {
    const TENANT: &str = "3c2b0a5e-1d71-4883-8f98-567911bfdca6";
    let mut ids = ids();
    ids.tenant_id = Some(TENANT.to_owned());
    let (env, json) = (Scratch::new("tenant.env"), Scratch::new("tenant.json"));
    let mut sinks: [Box<dyn SecretSink>; 2] = [
        Box::new(EnvFile::new(&env.0)),
        Box::new(SecretFile::new(&json.0)),
    ];
    for sink in &mut sinks {
        sink.store_ids(&ids).await.unwrap();
        sink.check("orders", None, Some(TENANT)).await.unwrap();
        sink.check("orders", None, None).await.unwrap();
        let error = sink.check("orders", None, Some(OTHER_ID)).await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(TENANT), "{error}");
    }
    // As an older version wrote it.
    let old = format!(
        "{IDS_MARK}{{\"variable\":\"AZURE_CLIENT_ID\",\"registration\":\"orders\"}}\nAZURE_TENANT_ID={TENANT}\n"
    );
    let file = Scratch::with("tenant-old.env", old.as_bytes());
    let mut sink = EnvFile::new(&file.0);
    sink.check("orders", None, Some(TENANT)).await.unwrap();
    sink.check("orders", None, Some(OTHER_ID))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn an_id_that_was_replaced_by_hand_is_an_error_before_a_write() {
    let file = Scratch::new("by-hand.env");
    let mut sink = EnvFile::new(&file.0);
    sink.store_ids(&ids()).await.unwrap();
    let text = file.text().replace(
        &format!("AZURE_CLIENT_ID={}", ids().client_id),
        &format!("AZURE_CLIENT_ID={OTHER_ID} # of a tool"),
    );
    fs::write(&file.0, &text).unwrap();
    let error = sink.check("orders", None, None).await.unwrap_err();
    assert!(
        error.to_string().contains("no registration wrote"),
        "{error}"
    );
    assert_eq!(file.text(), text);
}

#[tokio::test]
async fn an_exported_variable_stays_exported() {
    let before = "export AZURE_CLIENT_ID=your-client-id # from the portal\nAZURE_TENANT_ID=\n";
    let file = Scratch::with("export.env", before.as_bytes());
    let mut sink = EnvFile::new(&file.0);
    sink.check("orders", None, None).await.unwrap();
    sink.store_ids(&ids()).await.unwrap();
    let text = file.text();
    let start = "export AZURE_CLIENT_ID=535fb089-9ff3-47b6-9bfb-4f1264799865\nAZURE_TENANT_ID=contoso.com\n";
    assert!(text.starts_with(start), "{text}");
}

#[tokio::test]
async fn each_secret_has_a_variable_of_its_own() {
    let file = Scratch::new("variables.env");
    let mut sink = EnvFile::new(&file.0);
    let mut names = Vec::new();
    for (registration, description) in [
        ("orders", "production"),
        ("orders", "CI one"),
        ("orders", "CI-one"),
        ("invoices", "ci one"),
    ] {
        let slot = SecretSlot {
            registration: registration.to_owned(),
            description: description.to_owned(),
        };
        sink.reserve(&slot, "1f".parse().unwrap()).await.unwrap();
        let record = sink.record(&slot).unwrap().unwrap();
        names.push(record.variable.unwrap());
    }
    assert_eq!(
        names,
        [
            "AZURE_CLIENT_SECRET",
            "AZURE_CLIENT_SECRET_CI_ONE",
            "AZURE_CLIENT_SECRET_CI_ONE_2",
            "AZURE_CLIENT_SECRET_CI_ONE_3",
        ]
    );
}

#[tokio::test]
async fn a_value_that_was_taken_out_of_its_file_is_missing() {
    let mut record = Record::new(&slot());
    record.secret_id = Some(OTHER_ID.to_owned());
    record.at = Some(written(Timestamp::UNIX_EPOCH));
    record.variable = Some("AZURE_CLIENT_SECRET".to_owned());
    let comment = format!("{MARK}{}\n", serde_json::to_string(&record).unwrap());
    for (line, is_there) in [
        ("AZURE_CLIENT_SECRET=v\n", true),
        ("AZURE_CLIENT_SECRET=\n", false),
        ("", false),
    ] {
        let file = Scratch::with("taken.env", format!("{line}{comment}").as_bytes());
        let entry = EnvFile::new(&file.0).lookup(&slot()).await.unwrap();
        assert_eq!(
            matches!(entry, SinkEntry::Stored { .. }),
            is_there,
            "{line}"
        );
        assert_eq!(entry == SinkEntry::Missing, !is_there, "{line}");
    }
    for (value, is_there) in [(json!("v"), true), (json!(""), false), (Value::Null, false)] {
        let mut entry = serde_json::to_value(&record).unwrap();
        entry["value"] = value;
        let file = Scratch::with(
            "taken.json",
            json!({ "secrets": [entry] }).to_string().as_bytes(),
        );
        let entry = SecretFile::new(&file.0).lookup(&slot()).await.unwrap();
        assert_eq!(matches!(entry, SinkEntry::Stored { .. }), is_there);
    }
}
