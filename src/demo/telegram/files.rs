//! Files that bots sent.

use super::request::Upload;
use super::world::StoredFile;

/// An upload as it is kept, with the pixels of a picture.
pub fn store(upload: Upload) -> StoredFile {
    let size = picture_size(&upload.bytes);
    let guessed = if size.is_some() { "image/png" } else { "application/octet-stream" };
    let sent = upload.content_type.filter(|mime| mime != "application/octet-stream");
    StoredFile {
        name: upload.file_name.filter(|name| !name.is_empty()).unwrap_or_else(|| "file".into()),
        mime: sent.unwrap_or_else(|| guessed.into()),
        bytes: upload.bytes,
        size,
    }
}

/// Width and height of a PNG, read from its header; the only pictures that the bots of this house draw.
fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header =
        bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?.strip_prefix(&[0, 0, 0, 13])?.strip_prefix(b"IHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let (width, height) = (number(0)?, number(4)?);
    (width > 0 && height > 0 && width + height <= 10_000).then_some((width, height))
}
