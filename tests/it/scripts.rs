//! The scripts that a newcomer and CI rely on, run for real.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of scripts/ in a folder of its own, so that its private server is its own, too.
struct Copy {
    folder: PathBuf,
    root: PathBuf,
}

impl Copy {
    fn under(name: &str) -> Copy {
        let folder = std::env::temp_dir().join(format!("scripts-{}", uuid::Uuid::now_v7()));
        let root = folder.join(name);
        fs::create_dir_all(root.join("scripts")).unwrap();
        for script in ["scripts/mariadb", "scripts/galera", "scripts/setup"] {
            fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(script), root.join(script)).unwrap();
        }
        Copy { folder, root }
    }

    fn run(&self, script: &str, arguments: &[&str], database_url: Option<&str>) -> Output {
        let mut command = Command::new(self.root.join("scripts").join(script));
        command.args(arguments).env_remove("DATABASE_URL").env_remove("GALERA_HOME");
        command.envs(database_url.map(|url| ("DATABASE_URL", url))).output().unwrap()
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.run("mariadb", &["reset"], None);
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn a_run_keeps_its_data_and_exit_code_and_leaves_nothing_running() {
    // Longer than a socket's path may be, and not plain ASCII.
    let copy = Copy::under(&"árbol & hoja %20 ".repeat(6));
    let sql = |statement: &str| {
        let client = format!(
            "socket=$(printf '%b' \"$(sed 's/.*socket=//; s/%/\\\\x/g' <<<\"$DATABASE_URL\")\")
             mariadb --no-defaults -uroot -S \"$socket\" -N usipipo -e '{statement}' && exit 7"
        );
        copy.run("mariadb", &["run", "bash", "-c", &client], None)
    };
    let wrote = sql("CREATE TABLE kept (a INT); INSERT INTO kept VALUES (41)");
    assert_eq!(wrote.status.code(), Some(7), "{}", text(&wrote));
    assert_eq!(copy.run("mariadb", &["status"], None).status.code(), Some(3));
    assert_eq!(text(&sql("SELECT a + 1 FROM kept")), "42\n");
}

#[test]
fn a_database_that_is_given_is_used_and_nothing_started() {
    let copy = Copy::under("copy");
    let given = Some("mysql://somewhere/else");
    let seen = copy.run("mariadb", &["run", "sh", "-c", "echo $DATABASE_URL"], given);
    assert_eq!(text(&seen), "mysql://somewhere/else\n");
    assert!(copy.run("mariadb", &["start"], given).status.success());
    assert!(!copy.root.join("var").exists());
}

/// What it does to a cluster that runs is shown in `fire::galera`.
#[test]
fn a_cluster_that_does_not_run_is_told_so_and_nothing_is_left() {
    let copy = Copy::under("árbol & hoja");
    let status = copy.run("galera", &["status"], None);
    assert_eq!((status.status.code(), text(&status).as_str()), (Some(3), "stopped\n"));
    for (arguments, complaint) in [
        (&["kill", "1"][..], "no cluster runs"),
        (&["kill"][..], "kill which node?"),
        (&["restart", "2"][..], "no cluster runs"),
        (&["recover"][..], "no cluster runs"),
        (&["run"][..], "run what?"),
    ] {
        let refused = copy.run("galera", arguments, None);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}: {}", text(&refused));
        assert!(text(&refused).contains(complaint), "{arguments:?}: {}", text(&refused));
    }
    assert!(copy.run("galera", &["stop"], None).status.success());
    assert!(text(&copy.run("galera", &["help"], None)).contains("scripts/galera start"));
}

#[test]
fn setup_is_silent_when_all_is_there_and_knows_its_needs() {
    let copy = Copy::under("copy");
    let ready = copy.run("setup", &["demo", "test"], None);
    assert!(ready.status.success() && text(&ready).is_empty(), "{}", text(&ready));
    assert_eq!(copy.run("setup", &["lunch"], None).status.code(), Some(2));
}

/// What setup says on a machine with cargo, `more` and a shell's own tools, without apt and sudo.
fn setup_on_a_bare_machine(need: &str, more: &[&str]) -> Output {
    let copy = Copy::under("copy");
    let tools = copy.folder.join("tools");
    fs::create_dir(&tools).unwrap();
    for tool in ["bash", "grep", "id", "cat"] {
        let program = text(&Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap());
        std::os::unix::fs::symlink(program.trim(), tools.join(tool)).unwrap();
    }
    for program in ["cargo"].iter().chain(more) {
        fs::write(tools.join(program), "").unwrap();
        fs::set_permissions(tools.join(program), PermissionsExt::from_mode(0o755)).unwrap();
    }
    // Its own folders for daemons are looked at, too: there, all is installed.
    let setup = copy.root.join("scripts/setup");
    let script = fs::read_to_string(&setup).unwrap();
    fs::write(&setup, script.replace(":/usr/local/sbin:/usr/sbin:/sbin", "")).unwrap();
    let mut command = Command::new(tools.join("bash"));
    command.arg(setup).arg(need).env("PATH", &tools).env_remove("DATABASE_URL").output().unwrap()
}

#[test]
fn setup_prints_the_line_to_run_where_it_may_not_install() {
    let output = setup_on_a_bare_machine("build", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("Missing: build-essential"), "{}", text(&output));
}

#[test]
fn setup_leaves_a_mysql_in_place_and_says_how_to_use_it() {
    let output = setup_on_a_bare_machine("database", &["mysqld"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("DATABASE_URL=mysql://"), "{}", text(&output));
}
