//! Checks that the table of attacks names existing tests and files.

use std::{
    collections::HashMap,
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

/// The files of each test in the workspace, by its name: a function below a `#[test]` or
/// `#[tokio::test…]`, or a property test.
fn tests(root: &Path) -> HashMap<String, Vec<PathBuf>> {
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
    let mut tests: HashMap<String, Vec<PathBuf>> = HashMap::new();
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
                let found = tests.entry(rest[..end].to_owned()).or_default();
                found.push(file.clone());
                marked = false;
            }
        }
    }
    tests
}

/// Whether a test with this name is in the file or folder, and the module, that the table gives before it.
fn exists(tests: &HashMap<String, Vec<PathBuf>>, root: &Path, text: &str) -> bool {
    let (place, name) = text.rsplit_once(": ").unwrap_or(("", text));
    let mut segments = name.split("::").collect::<Vec<_>>();
    let Some(test) = segments.pop() else {
        return false;
    };
    // Tests of a file are in its module `tests`.
    segments.retain(|segment| *segment != "tests");
    let is_in_module = |file: &Path| {
        segments.iter().all(|segment| {
            let part = |part: std::path::Component<'_>| {
                Path::new(part.as_os_str()).file_stem() == Some(segment.as_ref())
            };
            file.components().any(part)
        })
    };
    let is_at_place = |file: &Path| {
        let places = [root.join("entra-auth").join(place), root.join(place)];
        place.is_empty() || places.iter().any(|place| file.starts_with(place))
    };
    tests.get(test).is_some_and(|files| {
        files
            .iter()
            .any(|file| is_in_module(file) && is_at_place(file))
    })
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
            if Path::new(text).extension().is_some_and(|end| end == "rs") {
                assert!(own.join(text).is_file(), "{text} is not a file: {line}");
                named += 1;
            } else if text.contains('_') && !text.ends_with("::tests") {
                assert!(exists(&tests, root, text), "{text} is not a test: {line}");
                named += 1;
            }
        }
        assert!(named > 0, "no test is named: {line}");
        rows += 1;
    }
    assert!(rows > 50, "{rows} rows");
}
