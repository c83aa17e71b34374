//! The lists of fault points are what the code has: every commit, and every call to the outside.

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

/// A source without its own tests.
fn code(path: &Path) -> String {
    let source = fs::read_to_string(path).unwrap();
    source.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

fn integration(folder: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/integrations").join(folder);
    sources(&root).iter().map(|path| code(path)).collect()
}

/// What the list has of one kind, without its prefix.
fn listed(kind: &str) -> BTreeSet<String> {
    let of_kind = fault::CALLS.iter().filter_map(|call| call.strip_prefix(kind)?.strip_prefix(':'));
    of_kind.map(str::to_owned).collect()
}

/// The words that follow `opening`, letters only.
fn words_after(source: &str, opening: &str) -> BTreeSet<String> {
    let word =
        |rest: &str| rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default().to_owned();
    source.split(opening).skip(1).map(word).collect()
}

#[test]
fn every_method_of_telegram_is_a_fault_point() {
    // Each is a typed payload, imported by its name.
    let mut methods = BTreeSet::new();
    for imports in integration("telegram/api").split("teloxide_core::payloads::").skip(1) {
        for name in imports.split(';').next().unwrap().split(|c: char| !c.is_ascii_alphanumeric()) {
            if !name.is_empty() && !name.ends_with("Setters") {
                methods.insert(format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]));
            }
        }
    }
    // And what those payloads do not know: files, and what has more fields than they have.
    for named in ["self.upload(chat,", "const NAME: &'static str ="] {
        methods.extend(quoted_after(&integration("telegram/api"), named).map(str::to_owned));
    }
    // `usipipo webhook delete` alone calls it.
    assert!(methods.remove("deleteWebhook"));
    assert_eq!(methods, listed("telegram"));
}

#[test]
fn every_call_of_a_provider_is_a_fault_point() {
    let client = integration("payments/qvapay");
    let verbs = words_after(&client, "self.http.").into_iter().map(|verb| verb.to_ascii_uppercase());
    let verbs: BTreeSet<String> = verbs.filter(|verb| verb != "EXECUTE").collect();
    assert_eq!(verbs, listed("qvapay"));
}

#[test]
fn every_call_of_an_outline_server_is_a_fault_point() {
    let api = integration("vpn/outline");
    let calls = listed("outline");
    let part = |n: usize| -> BTreeSet<String> {
        calls.iter().map(|call| call.split(" /").nth(n).unwrap().to_owned()).collect()
    };
    assert_eq!(words_after(&api, "Method::"), part(0));
    let folders: BTreeSet<String> = quoted_after(&api, "&[").map(str::to_owned).collect();
    assert_eq!(folders, part(1));
}

#[test]
fn everything_that_wireguard_runs_or_writes_is_a_fault_point() {
    let driver = integration("vpn/wireguard");
    let mut run: BTreeSet<String> = quoted_after(&driver, "commands.run(").map(str::to_owned).collect();
    run.extend(quoted_after(&driver, "commands.command(").map(str::to_owned));
    // The configuration file for the next boot.
    run.insert("file".to_owned());
    assert_eq!(run, listed("wireguard"));
}

#[test]
fn nothing_leaves_the_server_but_through_a_fault_point() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let elsewhere = |path: &Path| ["cli", "demo"].iter().any(|folder| path.starts_with(root.join(folder)));
    let mut doors = Vec::new();
    for path in sources(&root).into_iter().filter(|path| !elsewhere(path)) {
        let source = code(&path);
        // A request, a program, and a file that is put in place or taken away.
        let leaving = [
            "request.send()",
            ".execute(request)",
            "command.spawn()",
            "fs::rename(&temporary",
            "fs::remove_file(path)",
        ];
        let out: usize = leaving.iter().map(|call| source.matches(call).count()).sum();
        let (before, after) =
            (source.matches("fault::before(").count(), source.matches("fault::after(").count());
        if out > 0 {
            assert_eq!((before, after), (out, out), "{}", path.display());
            doors.push(path.strip_prefix(&root).unwrap().display().to_string());
        }
        let bare = source.matches(".send().await").count() - source.matches("request.send().await").count();
        assert_eq!(bare, 0, "{}", path.display());
    }
    doors.sort();
    assert_eq!(
        doors,
        [
            "integrations/payments/qvapay/client.rs",
            "integrations/telegram/api/mod.rs",
            "integrations/vpn/outline/api.rs",
            "integrations/vpn/wireguard/command.rs",
            "integrations/vpn/wireguard/conf_file.rs",
            "integrations/vpn/wireguard/userspace.rs",
        ]
    );
}
