//! The table of cases.

use entra_graph::connection::Finding;

/// One row of `cases.tsv`.
pub(super) struct Case {
    pub(super) number: &'static str,
    pub(super) state: &'static str,
    /// The right finding, as documented.
    pub(super) finding: &'static str,
    /// What the finding of the test must say, all of it.
    pub(super) says: Vec<&'static str>,
}

impl Case {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let rows = include_str!("cases.tsv").lines();
        rows.filter(|row| !row.starts_with('#')).map(|row| {
            let cells: Vec<&str> = row.split('\t').collect();
            let [number, state, finding, says] = cells[..] else {
                panic!("{row}");
            };
            Self {
                number,
                state,
                finding,
                says: says.split(" & ").collect(),
            }
        })
    }

    pub(super) fn is_said_by(&self, finding: &Finding) -> bool {
        let text = format!("{finding:#}").to_lowercase();
        self.says
            .iter()
            .all(|part| text.contains(&part.to_lowercase()))
    }
}

/// The expectations are those of the documented cases.
#[test]
fn the_table_has_the_documented_findings() {
    let Ok(folder) = std::env::var("ENTRA_FACTS") else {
        println!("skipped: ENTRA_FACTS is not set");
        return;
    };
    let path = std::path::Path::new(&folder).join("connection-test-cases.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut checked = 0;
    for line in text.lines() {
        let mut cells = line.split(" | ").map(str::trim);
        let number = cells.next().unwrap_or_default().trim_start_matches("| ");
        let Some(case) = Case::all().find(|case| case.number == number) else {
            continue;
        };
        let cells: Vec<&str> = cells.collect();
        let finding = if number.starts_with('B') {
            cells[2]
        } else {
            cells[3]
        };
        assert_eq!(case.finding, finding, "{number}");
        checked += 1;
    }
    assert_eq!(checked, 60);
}
