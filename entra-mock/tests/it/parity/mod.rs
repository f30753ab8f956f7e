//! The page of what behaves as Entra and Graph do: made from the tables in this folder, each row of which names
//! the test that shows it.
//!
//! `ENTRA_WRITE_PARITY=1 cargo test -p entra-mock --test it parity` writes the page.

mod azure;
mod claims;
mod codes;
mod emulator;
mod notifications;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// One behaviour of Entra or Graph.
pub(super) struct Claim {
    pub(super) area: &'static str,
    pub(super) what: &'static str,
    /// Who says so: a page of Microsoft's documentation, a specification, or reports.
    pub(super) source: &'static str,
    pub(super) test: &'static str,
}

/// One row of the list of another emulator.
pub(super) struct Row {
    /// What its list has, in our words.
    pub(super) what: &'static str,
    /// What it says of itself.
    pub(super) theirs: &'static str,
    pub(super) ours: Ours,
}

/// What the fake tenant does for a row.
pub(super) enum Ours {
    /// It behaves so, and these tests show it.
    Tests(&'static [&'static str]),
    /// It does something else, or nothing.
    No(&'static str),
    /// It does a part.
    Part(&'static str, &'static [&'static str]),
}

fn own() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort_unstable();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The tests of this crate with their bodies, without those of this folder.
fn tests() -> BTreeMap<String, String> {
    let mut files = Vec::new();
    sources(&own().join("src"), &mut files);
    sources(&own().join("tests"), &mut files);
    let mut tests = BTreeMap::new();
    for file in files {
        if file.components().any(|part| part.as_os_str() == "parity") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let mut current: Option<String> = None;
        let mut marked = false;
        for line in text.lines() {
            let start = line.trim_start();
            if start.starts_with("#[test]") || start.starts_with("#[tokio::test") {
                marked = true;
                current = None;
            } else if let Some((_, rest)) = start.split_once("fn ").filter(|_| marked) {
                let end = rest.find('(').unwrap_or(rest.len());
                current = Some(rest[..end].to_owned());
                marked = false;
            }
            if let Some(name) = &current {
                let body: &mut String = tests.entry(name.clone()).or_default();
                body.push_str(line);
                body.push('\n');
            }
        }
    }
    tests
}

/// Whether a text has a number, also with underscores or behind letters.
fn mentions(text: &str, number: u32) -> bool {
    let plain = text.replace('_', "");
    let digits = number.to_string();
    plain.match_indices(&digits).any(|(at, _)| {
        let before = plain[..at].chars().next_back();
        let after = plain[at + digits.len()..].chars().next();
        !before.is_some_and(|one| one.is_ascii_digit())
            && !after.is_some_and(|one| one.is_ascii_digit())
    })
}

/// The numbers that the sign-in side raises: in Rust's spelling, or in a text behind `AADSTS`.
fn raised() -> BTreeSet<u32> {
    let mut files = Vec::new();
    sources(&own().join("src/login"), &mut files);
    let mut numbers = BTreeSet::new();
    for file in files {
        if file.ends_with("page/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code: String = code
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect::<Vec<_>>()
            .join("\n");
        for word in code.split(|one: char| !one.is_ascii_alphanumeric() && one != '_') {
            let spelled = word.contains('_') && !word.ends_with('_');
            let digits = word.replace('_', "");
            if let Ok(number) = digits.parse::<u32>()
                && spelled
                && number >= SMALLEST
            {
                numbers.insert(number);
            } else if let Some(number) = word.strip_prefix("AADSTS")
                && let Ok(number) = number.parse()
            {
                numbers.insert(number);
            }
        }
    }
    for other in NOT_CODES {
        assert!(numbers.remove(&other), "{other} is not in the source");
    }
    numbers
}

fn all_claims() -> impl Iterator<Item = &'static Claim> {
    let tables = [claims::CLAIMS, notifications::CLAIMS, azure::CLAIMS];
    tables.into_iter().flatten()
}

fn page() -> String {
    let mut page = String::from(HEAD);
    let mut area = "";
    for claim in all_claims() {
        if claim.area != area {
            area = claim.area;
            write!(
                page,
                "\n## {area}\n\n| behaviour | source | test |\n|---|---|---|\n"
            )
            .unwrap();
        }
        writeln!(
            page,
            "| {} | {} | `{}` |",
            claim.what, claim.source, claim.test
        )
        .unwrap();
    }
    let codes = codes::CODES;
    write!(page, "\n## AADSTS numbers\n\n{} numbers are raised, each by its cause.\n\n| number | test |\n|---|---|\n", codes.len()).unwrap();
    for (number, test) in codes {
        writeln!(page, "| {number} | `{test}` |").unwrap();
    }
    page.push_str(EMULATOR);
    for row in emulator::ROWS {
        let quoted = |tests: &[&str]| {
            let tests: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
            tests.join(", ")
        };
        let ours = match row.ours {
            Ours::Tests(tests) => format!("yes: {}", quoted(tests)),
            Ours::No(why) => format!("no: {why}"),
            Ours::Part(what, tests) => format!("in part: {what}: {}", quoted(tests)),
        };
        writeln!(page, "| {} | {} | {ours} |", row.what, row.theirs).unwrap();
    }
    page
}

#[test]
fn every_claimed_behaviour_names_a_test_that_exists() {
    let tests = tests();
    let (mut missing, mut elsewhere) = (Vec::new(), Vec::new());
    let mut check = |test: &str, of: &str| {
        if !tests.contains_key(test) {
            missing.push(format!("{test}: {of}"));
        }
    };
    for claim in all_claims() {
        check(claim.test, claim.what);
    }
    for row in emulator::ROWS {
        let (Ours::Tests(named) | Ours::Part(_, named)) = row.ours else {
            continue;
        };
        assert!(!named.is_empty(), "{}", row.what);
        named.iter().for_each(|test| check(test, row.what));
        let word = words::WORDS.iter().find(|(what, _)| *what == row.what);
        let (_, word) = word.unwrap_or_else(|| panic!("no word of {}", row.what));
        let has = |test: &&str| {
            let body = tests.get(*test).map_or("", String::as_str);
            test.contains(word) || body.contains(word)
        };
        if !named.iter().any(has) {
            elsewhere.push(format!("{}: no test has {word:?}", row.what));
        }
    }
    assert!(
        elsewhere.is_empty(),
        "tests of something else:\n{}",
        elsewhere.join("\n")
    );
    assert!(missing.is_empty(), "no such tests:\n{}", missing.join("\n"));
    let mut areas: Vec<&str> = all_claims().map(|claim| claim.area).collect();
    areas.dedup();
    let different: BTreeSet<&str> = areas.iter().copied().collect();
    assert_eq!(
        areas.len(),
        different.len(),
        "an area is one table: {areas:?}"
    );
}

#[test]
fn every_number_that_is_raised_names_a_test_that_has_it() {
    let tests = tests();
    let listed: BTreeSet<u32> = codes::CODES.iter().map(|(number, _)| *number).collect();
    assert_eq!(listed.len(), codes::CODES.len(), "a number is listed twice");
    assert_eq!(listed, raised());
    assert!(listed.len() >= 120, "{}", listed.len());
    let wrong: Vec<_> = codes::CODES
        .iter()
        .filter(|(number, test)| !tests.get(*test).is_some_and(|body| mentions(body, *number)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_page_is_that_of_the_tables() {
    let (path, page) = (own().join("PARITY.md"), page());
    if std::env::var_os("ENTRA_WRITE_PARITY").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "PARITY.md is not up to date: run this test with ENTRA_WRITE_PARITY=1"
    );
}

/// No error has a smaller number than 16000.
const SMALLEST: u32 = 16_000;
/// Numbers in the source that are not errors, and the one that no test can cause: no signing key.
const NOT_CODES: [u32; 1] = [90_033];

const HEAD: &str = "\
# Behaves as Entra and Graph do

Each row is a behaviour of the real services and the test of this crate that shows it. A test checks that all
tests exist, that those of the last table have a word of their row, and that this page is made from their tables
(`tests/it/parity`). No real tenant was asked: the sources are Microsoft's documentation, specifications, and what users
report of the services.
";

const EMULATOR: &str = "
## Beside entra-emulator

The list of features that the project entra-emulator (github.com/calvinchengx/entra-emulator, `docs/parity.md` of
version 0.2.2) has of itself, row by row, in our words. It returns 404 where it has nothing; the fake tenant
returns 501 for what Entra or Graph have and it does not.

| row of its list | entra-emulator says | fake tenant |
|---|---|---|
";
