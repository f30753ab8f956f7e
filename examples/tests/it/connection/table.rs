//! The table of the documentation: what the test says of each case.

use std::{fs, path::Path};

use super::cases::Case;

#[tokio::test]
async fn the_documented_table_is_what_the_test_says() {
    let mut rows = String::new();
    for case in Case::all() {
        let report = super::report(&case).await;
        let broken = case.number.starts_with('B');
        let found = match broken {
            true => report.errors().find(|finding| case.is_said_by(finding)),
            false => report
                .findings
                .iter()
                .find(|finding| case.is_said_by(finding)),
        };
        let Some(found) = found else {
            panic!("{} is not found:\n{report}", case.number);
        };
        let code = found
            .code
            .map_or_else(String::new, |code| format!(" (AADSTS{code})"));
        let fix = found.fix.as_deref().unwrap_or("–");
        rows.push_str(&format!(
            "| {} | {} | {}{code} | {} |\n",
            case.number,
            case.state,
            without_ids(&found.what),
            without_ids(fix)
        ));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../entra-graph/CONNECTION-TEST.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(START).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let expected = format!("{head}{START}\n{HEADER}{rows}{END}{tail}");
    if std::env::var_os("UPDATE_CONNECTION_TABLE").is_some() {
        fs::write(&path, &expected).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap();
    for (line, expected) in written.lines().zip(expected.lines()) {
        assert_eq!(
            line, expected,
            "set UPDATE_CONNECTION_TABLE to write the table again"
        );
    }
    assert!(written == expected, "the table has another length");
}

/// Ids, thumbprints and hints are the fake tenant's own.
fn without_ids(text: &str) -> String {
    text.split(' ')
        .map(|word| {
            let plain: String = word.chars().filter(char::is_ascii_hexdigit).collect();
            let is_id = plain.len() >= 32 && plain.len() + 6 >= word.len();
            if is_id { "…" } else { word }
        })
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
        .split("(hint \"")
        .enumerate()
        .map(|(number, part)| match (number, part.split_once('"')) {
            (1.., Some((_, rest))) => format!("(hint \"…\"{rest}"),
            _ => part.to_owned(),
        })
        .collect()
}

const START: &str = "<!-- table -->";
const END: &str = "<!-- end of table -->";
const HEADER: &str = "| # | state | finding | fix |\n|---|---|---|---|\n";
