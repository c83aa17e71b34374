//! The files of deploy/, and what docs/ says of them.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::Parser;
use clap::error::ErrorKind;
use usipipo::cli::Cli;

use crate::support::skip::skip;

const SERVICE: &str = include_str!("../../deploy/usipipo.service");
const DOCKERFILE: &str = include_str!("../../deploy/Dockerfile");
const COMPOSE: &str = include_str!("../../deploy/docker-compose.yml");
const NGINX_ENTRY: &str = include_str!("../../deploy/nginx-entry");
const CARGO: &str = include_str!("../../Cargo.toml");
const WORKFLOW: &str = include_str!("../../.github/workflows/ci.yml");

/// Highest exposure, in tenths, that `systemd-analyze security` may find.
const EXPOSURE: &str = "25";

/// A file of the project.
fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder of the test's own, gone afterwards. Everybody may look into it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("usipipo-deploy-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o755)).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        path
    }

    /// A `PATH` that finds these programs first.
    fn path(&self) -> String {
        format!("{}:{}", self.0.display(), std::env::var("PATH").unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

fn is_installed(program: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap().status.success()
}

#[test]
fn systemd_takes_the_unit_and_finds_it_well_closed() {
    if !is_installed("systemd-analyze") {
        return skip("systemd-analyze is not installed");
    }
    // It checks that the programs exist.
    let existing = |text: &str| text.replace("/usr/local/bin/usipipo", "/bin/true");
    let folder = Folder::new();
    let unit = folder.write("usipipo.service", &existing(SERVICE));
    let copies = folder.write("usipipo@.service", &existing(SERVICE));
    folder.write("usipipo@.service.d/copy.conf", &existing(include_str!("../../deploy/copy.conf")));
    let analyze = |arguments: &[&str], unit: &Path| {
        let output = Command::new("systemd-analyze").args(arguments).arg(unit).output().unwrap();
        (output.status.success(), said(&output))
    };
    assert_eq!(analyze(&["verify"], &unit), (true, String::new()));
    assert_eq!(analyze(&["verify"], &copies.with_file_name("usipipo@8081.service")), (true, String::new()));
    let limits = ["security", "--offline=true", "--no-pager", &format!("--threshold={EXPOSURE}")];
    let secure = analyze(&limits, &unit);
    assert!(secure.0, "{}", secure.1);
}

/// What an operator runs beside the server sees the same folders and has the same rights, or it makes an interface that
/// the server cannot use.
#[test]
fn commands_run_with_all_that_the_unit_gives_the_server() {
    let folder = Folder::new();
    let unit = project("deploy/usipipo.service");
    folder.program("systemctl", &format!("#!/bin/sh\n[ \"$1\" = cat ] && exec cat {:?}\n", unit));
    folder.program("systemd-run", "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 7\n");
    folder.program("id", "#!/bin/sh\necho \"$USER_ID\"\n");
    let run = |user: &str| {
        let mut command = Command::new(project("deploy/usipipo-run"));
        command.args(["server", "add", "a b"]).env("PATH", folder.path()).env("USER_ID", user);
        command.output().unwrap()
    };
    let output = run("0");
    assert_eq!(output.status.code(), Some(7), "the command's own exit code");
    let arguments = said(&output);
    assert!(arguments.ends_with("\n/usr/local/bin/usipipo\nserver\nadd\na b\n"), "{arguments}");
    let given: Vec<&str> = arguments.lines().filter(|line| line.contains('=')).collect();
    let service = SERVICE.split("[Service]").nth(1).unwrap().split("[Install]").next().unwrap();
    let of_a_service = ["Type", "ExecStart", "Restart", "RestartSec", "KillSignal", "TimeoutStopSec"];
    let of_a_process = |line: &&str| {
        line.split_once('=').is_some_and(|(name, _)| !name.contains('#') && !of_a_service.contains(&name))
    };
    assert_eq!(given, service.lines().filter(of_a_process).collect::<Vec<_>>());
    assert!(given.contains(&"User=usipipo") && given.contains(&"AmbientCapabilities=CAP_NET_ADMIN"));
    let refused = run("1000");
    assert!(refused.status.code() == Some(1) && said(&refused).contains("as root"), "{refused:?}");
}

/// The image's entry, run as Docker runs it: an unprivileged user with nothing but a bound of rights.
#[test]
fn the_images_program_can_make_interfaces_where_the_container_may() {
    let folder = Folder::new();
    let root = is_root();
    if !root || !is_installed("setcap") || !is_installed("setpriv") {
        return skip("not root, or no setcap or setpriv");
    }
    let run = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().unwrap();
        assert!(output.status.success(), "{program} {args:?}: {}", said(&output));
        said(&output)
    };
    let place = |program: &str| {
        PathBuf::from(run("sh", &["-c", &format!("readlink -f $(command -v {program})")]).trim())
    };
    let setpriv = folder.0.join("setpriv-net");
    std::fs::copy(place("setpriv"), &setpriv).unwrap();
    run("setcap", &["cap_net_admin+ep", setpriv.to_str().unwrap()]);
    symlink(place("ip"), folder.0.join("usipipo")).unwrap();
    let entry = include_str!("../../deploy/docker-entry");
    let here = format!("here={}", folder.0.display());
    let entry = folder.program("entry", &entry.replace("here=/usr/local/lib/usipipo", &here));
    let netns = format!("usi{}d", std::process::id());
    if !Command::new("ip").args(["netns", "add", &netns]).status().unwrap().success() {
        return skip("no network namespaces");
    }
    let add_address = |bound: &str| {
        let user = ["--reuid=10001", "--regid=10001", "--clear-groups", "--inh-caps=-all", bound];
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &netns, "setpriv"]).args(user).arg(&entry);
        command.args(["address", "replace", "10.99.0.1/24", "dev", "lo"]).output().unwrap()
    };
    let (with, without) = (add_address("--bounding-set=-all,+net_admin"), add_address("--bounding-set=-all"));
    run("ip", &["netns", "del", &netns]);
    assert!(with.status.success(), "{}", said(&with));
    assert!(said(&without).contains("RTNETLINK answers"), "it starts all the same: {}", said(&without));
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

#[test]
fn nginx_in_its_container_finds_the_server_and_waits_for_its_certificate() {
    let folder = Folder::new();
    folder.program("nginx", "#!/bin/sh\necho started \"$@\"\n");
    let conf = folder.0.join("conf.d");
    std::fs::create_dir(&conf).unwrap();
    let start = || {
        let mut command = Command::new("sh");
        command.arg(project("deploy/nginx-entry")).env("PATH", folder.path());
        command.env("FILES", project("nginx")).env("CONF", &conf).env("CERTIFICATES", folder.0.join("live"));
        let output = command.env("PUBLIC_URL", "https://bot.example.org:443/x").output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    };
    let read = |name: &str| std::fs::read_to_string(conf.join(name)).unwrap();
    assert!(start().contains("only port 80 answers"));
    assert!(read("usipipo-http.conf").contains("server_name bot.example.org;"));
    assert!(!conf.join("usipipo.conf").exists());
    folder.write("live/bot.example.org/fullchain.pem", "");
    assert_eq!(start(), "started -g daemon off;\n");
    let text = read("usipipo.conf");
    assert!(!text.contains("vpn.example.com;") && !text.contains("/var/log/"), "{text}");
    let address = value(COMPOSE, "inside: { ipv4_address").trim_end_matches([' ', '}']);
    assert!(text.contains(&format!("server {address}:8080 max_fails")), "{address} in {text}");
}

#[test]
fn scripts_are_written_as_the_shell_reads_them() {
    let scripts = [
        "deploy/usipipo-run",
        "deploy/docker-entry",
        "deploy/nginx-entry",
        "scripts/mariadb",
        "scripts/galera",
        "scripts/fuzz",
        "scripts/run-tests",
        "scripts/sqlx",
        "scripts/setup",
    ]
    .map(project);
    for script in &scripts {
        let first = std::fs::read_to_string(script).unwrap().lines().next().unwrap().to_owned();
        let shell = if first.ends_with("bash") { "bash" } else { "sh" };
        let output = Command::new(shell).arg("-n").arg(script).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
    if !is_installed("shellcheck") {
        return skip("shellcheck is not installed");
    }
    let output = Command::new("shellcheck").args(&scripts).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
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

/// A migration that is not copied, or that rebuilds nothing because build.rs is missing, is not in the image.
#[test]
fn the_image_is_built_of_all_that_the_program_is_made_of() {
    let copied: Vec<&str> = DOCKERFILE
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--from"))
        .flat_map(|line| line.split(' ').rev().skip(1).filter(|word| !word.starts_with("--")))
        .collect();
    let ignored = include_str!("../../.dockerignore");
    for part in [
        "build.rs",
        "Cargo.toml",
        "Cargo.lock",
        "migrations",
        "locales",
        "src",
        ".sqlx",
        "deploy/docker-entry",
    ] {
        assert!(copied.contains(&part), "{part} is not copied");
        assert!(ignored.contains(&format!("!{part}\n")), "{part} does not reach the build");
    }
    assert!(copied.iter().all(|part| project(part).exists()));
}

#[test]
fn no_secret_is_written_into_the_files_of_deploy() {
    for text in [SERVICE, DOCKERFILE, COMPOSE, WORKFLOW, NGINX_ENTRY] {
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

/// What docs/ and README tell people to copy, to run and to read is there.
#[test]
fn the_documents_name_files_that_are_there() {
    for document in
        ["README.md", "docs/deploying.md", "docs/operating.md", "docs/galera.md", "docs/developing.md"]
    {
        let text = std::fs::read_to_string(project(document)).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "/._@-".contains(c)));
        let named = words.filter(|word| {
            ["deploy/", "nginx/", "scripts/", "docs/"]
                .iter()
                .any(|folder| word.starts_with(folder) && word != folder && !word.ends_with(".png"))
        });
        for name in named {
            assert!(project(name.trim_end_matches('.')).exists(), "{document} names {name}");
        }
    }
}

/// What an operator may type: words, with what stands in quotes as one.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for c in line.chars() {
        match quote {
            Some(end) if c == end => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The arguments of every `usipipo …` in a line of code, and of a command that is named without the program.
fn commands(code: &str) -> Vec<Vec<String>> {
    let words = words(code);
    let ends = |word: &String| word.starts_with(['#', '|', '&', ';', '>', '<', '…', '\\', ')']);
    let programs = ["usipipo", "usipipo-run"];
    let starts = words.iter().enumerate().filter(|(at, word)| {
        // `-u usipipo` is the unit.
        programs.contains(&word.as_str()) && (*at == 0 || words[at - 1] != "-u")
    });
    let mut found: Vec<Vec<String>> = starts
        .map(|(at, _)| words[at + 1..].iter().take_while(|word| !ends(word)).cloned().collect())
        .collect();
    let groups = ["server", "plan", "user", "events", "jobs", "keys", "webhook"];
    if let [group, action, ..] = &words[..]
        && groups.contains(&group.as_str())
        && action.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    {
        found.push(words);
    }
    found
}

/// What is code in a text: indented lines, and what stands between backticks.
fn code(text: &str) -> Vec<String> {
    let text = text.replace("<code>", "`").replace("</code>", "`");
    let (block, prose): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.starts_with("    ") && !line.contains('`'));
    let prose = prose.join(" ");
    let spans = prose.split('`').skip(1).step_by(2).map(str::to_owned);
    block.into_iter().map(str::to_owned).chain(spans).collect()
}

/// A command that the documents or an alert tell people to type is one that the program knows.
#[test]
fn the_documents_name_commands_that_are_there() {
    let mut files = vec![project("README.md")];
    for folder in ["docs", "locales/es", "locales/en", "locales/ru"] {
        files.extend(std::fs::read_dir(project(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    files.retain(|file| file.extension().is_some_and(|kind| kind == "md" || kind == "ftl"));
    let (mut wrong, mut known) = (Vec::new(), 0);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for arguments in code(&text).iter().flat_map(|code| commands(code)) {
            let typed = ["usipipo".to_owned()].into_iter().chain(arguments.clone());
            match Cli::try_parse_from(typed).map_err(|error| error.kind()) {
                Ok(_) | Err(ErrorKind::DisplayHelp | ErrorKind::MissingRequiredArgument) => known += 1,
                // The program or a group alone: a name, not a line to type.
                Err(ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) => {}
                Err(kind) => wrong.push(format!("{}: {} ({kind})", file.display(), arguments.join(" "))),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(known > 30, "only {known} commands were found");
}

/// Read as far as YAML is used there: blocks by two blanks, and lines that close what they open.
#[test]
fn the_compose_file_has_its_blocks_where_they_belong() {
    let mut open = vec![(0, String::new())];
    let mut paths = Vec::new();
    let mut may_nest = false;
    for line in COMPOSE.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#')) {
        let (indent, text) = (line.len() - line.trim_start().len(), line.trim());
        let deepest = open.last().unwrap().0;
        assert!(
            indent % 2 == 0
                && !line.contains('\t')
                && (indent <= deepest || (may_nest && indent == deepest + 2)),
            "{line}"
        );
        for (one, other) in [('[', ']'), ('{', '}')] {
            assert_eq!(text.matches(one).count(), text.matches(other).count(), "{line}");
        }
        assert_eq!(text.matches('"').count() % 2, 0, "{line}");
        if text.starts_with("- ") {
            open.retain(|(at, _)| *at < indent);
            open.push((indent, "-".to_owned()));
            may_nest = false;
            continue;
        }
        let (key, value) = text.split_once(':').unwrap_or_else(|| panic!("no key: {line}"));
        assert!(value.is_empty() || value.starts_with(' '), "{line}");
        open.retain(|(at, key)| *at < indent && !key.is_empty());
        open.push((indent, key.to_owned()));
        paths.push(open.iter().map(|(_, key)| key.as_str()).collect::<Vec<_>>().join("."));
        may_nest = value.is_empty() || value.starts_with(" &");
    }
    let mut unique = paths.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), paths.len(), "a key is there twice");
    for path in [
        "services.database.healthcheck.test",
        "services.nginx.healthcheck.test",
        "services.migrate.command",
        "services.server.depends_on.migrate",
        "networks.inside.ipam.config",
        "volumes.wireguard",
    ] {
        assert!(paths.iter().any(|found| found == path), "{path} is not in {paths:?}");
    }
}
