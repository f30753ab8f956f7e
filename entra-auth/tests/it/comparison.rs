//! Whether the comparison with other libraries is right about this one.

use std::{fs, path::Path};

/// Every row's cell for this crate, with the links in it as path and name of a test.
fn cells() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    include_str!("../../COMPARISON.md")
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .filter_map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 7, "{line}");
            (cells[1] != "entra-auth").then_some((cells[1], links(cells[1])))
        })
        .collect()
}

/// The paths and titles of `[text](path "title")`.
fn links(cell: &str) -> Vec<(&str, &str)> {
    cell.split("](")
        .skip(1)
        .map(|rest| {
            let (path, rest) = rest.split_once(" \"").unwrap();
            (path, rest.split_once("\")").unwrap().0)
        })
        .collect()
}

#[test]
fn each_yes_of_the_comparison_names_a_test() {
    let cells = cells();
    assert!(cells.len() > 40, "{} rows", cells.len());
    for (cell, links) in cells {
        assert!(cell == "no" || !links.is_empty(), "{cell}");
        for (path, name) in links {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
            let source = fs::read_to_string(&file).unwrap();
            let at = source.find(&format!("fn {name}("));
            let before = &source[..at.unwrap_or_else(|| panic!("{path} has no {name}"))];
            let attributes = before.rsplit("\n\n").next().unwrap();
            assert!(
                attributes.contains("#[test]") || attributes.contains("#[tokio::test"),
                "{name} in {path} is not a test"
            );
        }
    }
}

#[test]
fn each_named_test_file_is_a_module_of_these_tests() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    for (path, _) in cells().into_iter().flat_map(|(_, links)| links) {
        let modules = path.strip_prefix("tests/it/").unwrap();
        let (mut parent, mut folder) = (tests.join("main.rs"), tests.clone());
        for module in modules.trim_end_matches(".rs").split('/') {
            let source = fs::read_to_string(&parent).unwrap();
            assert!(source.contains(&format!("mod {module};")), "{path}");
            parent = folder.join(format!("{module}.rs"));
            folder.push(module);
        }
    }
}
