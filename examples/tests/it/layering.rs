//! The crates may depend on each other in one direction only. Cargo itself reads the manifests
//! here, so renamed, target-specific and inherited dependencies are seen as well.

use std::{env, fs, path::Path, process::Command};

use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// Absent for a normal one, else `dev` or `build`.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

fn read(manifest: &Path) -> Vec<Package> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
            "--manifest-path",
        ])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice::<Metadata>(&output.stdout)
        .unwrap()
        .packages
}

/// Describes each dependency among our crates that breaks the direction.
fn violations(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        let Some((_, normal, dev)) = ALLOWED.iter().find(|(name, ..)| *name == package.name) else {
            found.push(format!("{} has no place in the layers", package.name));
            continue;
        };
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| is_ours(&dependency.name))
        {
            let allowed = match dependency.kind.as_deref() {
                Some("dev") => {
                    normal.contains(&&*dependency.name) || dev.contains(&&*dependency.name)
                }
                _ => normal.contains(&&*dependency.name),
            };
            if !allowed {
                found.push(format!(
                    "{} must not depend on {} ({})",
                    package.name,
                    dependency.name,
                    dependency.kind.as_deref().unwrap_or("normal")
                ));
            }
        }
    }
    found
}

fn is_ours(name: &str) -> bool {
    ALLOWED.iter().any(|(ours, ..)| *ours == name)
}

/// A crate, its allowed dependencies, and further allowed dependencies of its tests. The tests of a crate may
/// depend on the crate itself, to enable features.
const ALLOWED: [(&str, &[&str], &[&str]); 6] = [
    ("entra-core", &[], &["entra-core"]),
    ("entra-auth", &["entra-core"], &["entra-mock"]),
    ("entra-graph", &["entra-core"], &["entra-mock"]),
    ("entra-mock", &["entra-core"], &[]),
    (
        "entra-examples",
        &["entra-core", "entra-auth", "entra-graph", "entra-mock"],
        &[],
    ),
    (
        "entra-leak-tests",
        &[],
        &["entra-core", "entra-auth", "entra-graph", "entra-mock"],
    ),
];

#[test]
fn dependencies_between_the_crates_have_one_direction() {
    let packages = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"));
    let mut names: Vec<&str> = packages.iter().map(|package| &*package.name).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "entra-auth",
            "entra-core",
            "entra-examples",
            "entra-graph",
            "entra-leak-tests",
            "entra-mock"
        ]
    );
    let edges = packages
        .iter()
        .flat_map(|package| &package.dependencies)
        .filter(|edge| is_ours(&edge.name))
        .count();
    assert!(
        edges >= 9,
        "only {edges} edges were seen, so this test looks at nothing"
    );
    assert_eq!(violations(&packages), Vec::<String>::new());
}

#[test]
fn the_examples_have_neither_library_nor_binary() {
    let packages = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    let package = packages
        .iter()
        .find(|package| package.name == "entra-examples")
        .unwrap();
    let kinds: Vec<&str> = package
        .targets
        .iter()
        .flat_map(|target| &target.kind)
        .map(String::as_str)
        .collect();
    assert!(kinds.contains(&"example"), "{kinds:?}");
    assert!(
        !kinds.iter().any(|kind| matches!(*kind, "lib" | "bin")),
        "{kinds:?}"
    );
}

#[test]
fn a_forbidden_edge_is_found_however_it_is_written() {
    let cases = [
        (
            "entra-core",
            "[dependencies]\nentra-auth = \"1\"",
            "entra-core must not depend on entra-auth (normal)",
        ),
        (
            "entra-core",
            "[dev-dependencies]\nentra-mock = \"1\"",
            "entra-core must not depend on entra-mock (dev)",
        ),
        (
            "entra-auth",
            "[dev-dependencies]\nentra-graph = \"1\"",
            "entra-auth must not depend on entra-graph (dev)",
        ),
        (
            "entra-auth",
            "[dependencies.entra-mock]\nversion = \"1\"\noptional = true",
            "entra-auth must not depend on entra-mock (normal)",
        ),
        (
            "entra-graph",
            "[dependencies]\nlogin = { package = \"entra-auth\", version = \"1\" }",
            "entra-graph must not depend on entra-auth (normal)",
        ),
        (
            "entra-graph",
            "[target.'cfg(unix)'.build-dependencies]\nentra-mock = \"1\"",
            "entra-graph must not depend on entra-mock (build)",
        ),
        (
            "entra-mock",
            "[dev-dependencies]\nentra-graph = \"1\"",
            "entra-mock must not depend on entra-graph (dev)",
        ),
        ("entra-new", "", "entra-new has no place in the layers"),
    ];
    for (at, (name, dependencies, expected)) in cases.into_iter().enumerate() {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("layering-{at}"));
        fs::create_dir_all(directory.join("src")).unwrap();
        fs::write(directory.join("src/lib.rs"), "").unwrap();
        let manifest = directory.join("Cargo.toml");
        fs::write(
            &manifest,
            format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n{dependencies}\n\n[workspace]\n"),
        )
        .unwrap();
        assert_eq!(violations(&read(&manifest)), [expected]);
    }
}

#[test]
fn an_allowed_edge_is_left_alone() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("layering-allowed");
    fs::create_dir_all(directory.join("src")).unwrap();
    fs::write(directory.join("src/lib.rs"), "").unwrap();
    let manifest = directory.join("Cargo.toml");
    fs::write(
        &manifest,
        "[package]\nname = \"entra-auth\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[dependencies]\nentra-core = \"1\"\n\n\
         [dev-dependencies]\nentra-mock = \"1\"\n\n[workspace]\n",
    )
    .unwrap();
    assert_eq!(violations(&read(&manifest)), Vec::<String>::new());
}
