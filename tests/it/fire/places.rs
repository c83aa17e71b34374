//! The list of fault points is what the code has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use usipipo::fault;

/// Text between the quotes that follow `opening`, everywhere in `source`.
fn quoted_after<'a>(source: &'a str, opening: &str) -> impl Iterator<Item = &'a str> {
    source.split(opening).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
fn every_commit_of_the_server_is_a_fault_point() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut named = BTreeSet::new();
    for folder in ["queue", "jobs", "handlers", "services"] {
        for path in sources(&root.join(folder)) {
            let source = fs::read_to_string(&path).unwrap();
            for call in [".run(", ".finish(", ".commit(", ".transaction(", ".insist(", ".statement("] {
                named.extend(quoted_after(&source, call).map(str::to_owned));
            }
        }
    }
    named.extend(
        quoted_after(&fs::read_to_string(root.join("app.rs")).unwrap(), ".statement(").map(str::to_owned),
    );
    let listed: BTreeSet<String> = fault::COMMITS.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(named, listed);
}
