//! The files of deploy/.

use std::process::Command;

use crate::support::skip::skip;

const SERVICE: &str = include_str!("../../deploy/usipipo.service");
const DOCKERFILE: &str = include_str!("../../deploy/Dockerfile");
const COMPOSE: &str = include_str!("../../deploy/docker-compose.yml");
const CARGO: &str = include_str!("../../Cargo.toml");
const WORKFLOW: &str = include_str!("../../.github/workflows/ci.yml");

/// Highest exposure, in tenths, that `systemd-analyze security` may find.
const EXPOSURE: &str = "25";

#[test]
fn systemd_takes_the_unit_and_finds_it_well_closed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skip("systemd-analyze is not installed");
    }
    let folder = std::env::temp_dir().join(format!("usipipo-unit-{}", uuid::Uuid::now_v7()));
    std::fs::create_dir_all(&folder).unwrap();
    let unit = folder.join("usipipo.service");
    // It checks that the program exists.
    std::fs::write(&unit, SERVICE.replace("/usr/local/bin/usipipo", "/bin/true")).unwrap();
    let analyze = |arguments: &[&str]| {
        let output = Command::new("systemd-analyze").args(arguments).arg(&unit).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let verified = analyze(&["verify"]);
    let secure = analyze(&["security", "--offline=true", "--no-pager", &format!("--threshold={EXPOSURE}")]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(verified, (true, String::new()));
    assert!(secure.0, "{}", secure.1);
}

/// Value of `key = "…"` or `key: …` or `key=…`.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let line = text.lines().map(str::trim).find(|line| line.starts_with(key)).expect(key);
    line[key.len()..].trim_start_matches([' ', '=', ':']).trim_matches('"')
}

#[test]
fn stopping_waits_longer_than_the_server_takes() {
    let grace = value(include_str!("../../.env.example"), "#SHUTDOWN_GRACE_SECONDS").parse::<u64>().unwrap();
    let systemd = value(SERVICE, "TimeoutStopSec").parse::<u64>().unwrap();
    let compose = value(COMPOSE, "stop_grace_period").trim_end_matches('s').parse::<u64>().unwrap();
    assert!(systemd > grace && compose > grace);
}

#[test]
fn the_image_is_built_with_the_compiler_that_the_project_names() {
    let version = value(CARGO, "rust-version");
    assert!(DOCKERFILE.contains(&format!("FROM rust:{version}-")), "{version}");
    let user = value(DOCKERFILE, "USER");
    assert_eq!(user, "usipipo", "not root");
}

#[test]
fn no_secret_is_written_into_the_files_of_deploy() {
    for text in [SERVICE, DOCKERFILE, COMPOSE, WORKFLOW] {
        for name in ["_TOKEN=", "_SECRET=", "ENCRYPTION_KEYS=", "_TOKEN: ", "_SECRET: "] {
            assert!(!text.contains(name), "{name}");
        }
    }
    assert!(COMPOSE.contains("MARIADB_PASSWORD: ${DATABASE_PASSWORD:?"));
}

#[test]
fn ci_runs_what_a_person_runs() {
    assert!(WORKFLOW.contains("run: .ci/run"));
}
