//! The server's file for the next boot: read, and replaced as a whole so that it is never half written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::peers::{Peer, parse_server_conf};
use super::render::HEADER;
use crate::fault;
use crate::ids::ConfigId;

/// Where a test ends the process.
const PLACE: &str = "wireguard:file";

/// The peers of the file; none when there is no file. A file that somebody else wrote is kept beside it as `.before`.
pub(super) fn read(path: &Path) -> io::Result<Vec<(ConfigId, Peer)>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text?,
    };
    if !text.starts_with(HEADER) {
        fs::rename(path, with_suffix(path, ".before"))?;
        return Ok(Vec::new());
    }
    Ok(parse_server_conf(&text))
}

/// Replaces the file atomically. It holds the private key: mode 0600 from its first byte.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let temporary = with_suffix(path, ".new");
    // A left-over of a crash might have another mode.
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fault::before(PLACE);
    fs::rename(&temporary, path)?;
    fault::after(PLACE);
    File::open(folder)?.sync_all()
}

/// Takes the file away; with `give_back` the one that was there before comes in its place. What somebody else wrote
/// since stays.
pub(super) fn remove(path: &Path, give_back: bool) -> io::Result<()> {
    let none = |error: io::Error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) };
    match fs::read_to_string(path) {
        Ok(text) if text.starts_with(HEADER) => {}
        Ok(_) => return Ok(()),
        Err(error) => return none(error),
    }
    fault::before(PLACE);
    fs::remove_file(path)?;
    fault::after(PLACE);
    if give_back {
        return fs::rename(with_suffix(path, ".before"), path).or_else(none);
    }
    Ok(())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
