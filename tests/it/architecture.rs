//! Calls go one way (docs/ARCHITECTURE.md): reads the sources and fails on a path that points the wrong way.

use std::fs;
use std::path::{Path, PathBuf};

/// What each layer must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "models",
        &["crud", "db", "services", "handlers", "integrations", "queue", "jobs", "app", "work", "cli"],
    ),
    ("crud", &["services", "handlers", "integrations", "queue", "jobs", "app", "work", "cli"]),
    ("integrations", &["crud", "db", "services", "handlers", "queue", "jobs", "app", "work", "cli", "demo"]),
    ("queue", &["services", "handlers", "integrations", "jobs", "app", "cli"]),
    ("services", &["handlers", "queue", "jobs", "app", "cli", "i18n", "demo"]),
    ("jobs", &["handlers", "app", "cli", "demo"]),
    ("handlers", &["jobs", "cli", "demo"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn calls_go_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (layer, forbidden) in FORBIDDEN {
        for path in sources(&root.join(layer)) {
            let source = fs::read_to_string(&path).unwrap();
            for (number, line) in source.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                for other in *forbidden {
                    if code.contains(&format!("crate::{other}::"))
                        || code.contains(&format!("crate::{other};"))
                    {
                        wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these point the wrong way:\n{}", wrong.join("\n"));
}

#[test]
fn sql_stands_in_crud_and_the_database_module_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let elsewhere = sources(&root).into_iter().filter(|path| {
        let inside = path.strip_prefix(&root).unwrap();
        !inside.starts_with("crud") && !inside.starts_with("db") && !inside.starts_with("cli")
    });
    let mut wrong = Vec::new();
    for path in elsewhere {
        let source = fs::read_to_string(&path).unwrap();
        if source.contains("sqlx::query") || source.contains("QueryBuilder::") {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "SQL outside crud:\n{}", wrong.join("\n"));
}

#[test]
fn every_path_that_the_docs_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut gone = Vec::new();
    for doc in
        ["README.md", "docs/ARCHITECTURE.md", "docs/deploying.md", "docs/developing.md", "docs/operating.md"]
    {
        let text = fs::read_to_string(root.join(doc)).unwrap();
        for path in text.split('`').skip(1).step_by(2) {
            let ours =
                ["src/", "tests/", "locales/", "deploy/", "docs/", "nginx/", "scripts/", "migrations/"];
            let of_the_house = ours.iter().any(|folder| path.starts_with(folder)) && !path.contains(' ');
            if of_the_house && !root.join(path).exists() {
                gone.push(format!("{doc}: {path}"));
            }
        }
    }
    assert!(gone.is_empty(), "{gone:?}");
}
