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
            "AZURE_TENANT_ID=contoso.com\nGREETING=Gr\u{fc}\u{df}e\nAZURE_CLIENT_ID=535fb089-9ff3-47b6-9bfb-4f1264799865\n"
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
