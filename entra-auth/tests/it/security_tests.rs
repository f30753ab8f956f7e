//! Checks that the table of attacks names existing tests and files.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The names of all tests in the workspace: functions below a `#[test]` or `#[tokio::test…]`, and
/// those of property tests.
fn tests(root: &Path) -> HashSet<String> {
    let mut files = Vec::new();
    for member in [
        ".ci/leak_tests",
        "entra-core",
        "entra-auth",
        "entra-graph",
        "entra-mock",
        "examples",
    ] {
        sources(&root.join(member).join("src"), &mut files);
        sources(&root.join(member).join("tests"), &mut files);
    }
    let mut names = HashSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                marked = true;
            } else if let Some((_, rest)) = line.split_once("fn ")
                && marked
            {
                let end = rest.find('(').unwrap_or(rest.len());
                names.insert(rest[..end].to_owned());
                marked = false;
            }
        }
    }
    names
}

#[test]
fn every_row_of_the_table_names_a_test_or_file_that_exists() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Some(root) = own.parent().filter(|root| root.join("entra-core").is_dir()) else {
        println!("skipped: the other crates are not beside this one");
        return;
    };
    let tests = tests(root);
    let table = fs::read_to_string(own.join("SECURITY-TESTS.md")).unwrap();
    let mut rows = 0;
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        assert!(cells.len() >= 3, "three cells: {line}");
        if cells[0].ends_with("attack or fault") {
            continue;
        }
        let quoted = cells[1].split('`').skip(1).step_by(2);
        let mut named = 0;
        for text in quoted {
            let last = text.rsplit([':', ' ']).next().unwrap();
            if Path::new(last).extension().is_some_and(|end| end == "rs") {
                assert!(own.join(last).is_file(), "{last} is not a file: {line}");
                named += 1;
            } else if last.contains('_') {
                assert!(tests.contains(last), "{last} is not a test: {line}");
                named += 1;
            }
        }
        assert!(named > 0, "no test is named: {line}");
        rows += 1;
    }
    assert!(rows > 50, "{rows} rows");
}
