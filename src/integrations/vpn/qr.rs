//! QR codes as PNG pictures.

use png::{BitDepth, ColorType, Encoder};
use qrcode::{Color, EcLevel, QrCode};

/// White modules around the code; the standard asks for four (ISO/IEC 18004, 9.1).
const QUIET_ZONE: usize = 4;
/// The picture is as large as whole pixels per module allow below this.
const MAX_SIDE: usize = 760;
/// Up to here there is room for error correction M; longer texts take L, so that phones still see the modules.
const MEDIUM_UP_TO: usize = 300;

#[derive(Debug, thiserror::Error)]
pub enum QrError {
    /// 2,953 bytes are the most that a code can hold.
    #[error("the text is too long for a QR code")]
    TooLong(#[from] qrcode::types::QrError),
    #[error("the picture could not be written")]
    Png(#[from] png::EncodingError),
}

/// The text as a black and white PNG, square, mostly 600 to 760 pixels a side.
pub fn png(text: &str) -> Result<Vec<u8>, QrError> {
    let level = if text.len() <= MEDIUM_UP_TO { EcLevel::M } else { EcLevel::L };
    let code = QrCode::with_error_correction_level(text, level)?;
    let modules = code.width() + 2 * QUIET_ZONE;
    let scale = MAX_SIDE / modules;
    let side = modules * scale;

    let mut pixels = Vec::with_capacity(side * side.div_ceil(8));
    let colors = code.to_colors();
    for y in 0..modules {
        let mut row = vec![0xff_u8; side.div_ceil(8)];
        for x in (0..side).filter(|x| is_dark(&colors, code.width(), x / scale, y)) {
            row[x / 8] &= !(0x80 >> (x % 8));
        }
        (0..scale).for_each(|_| pixels.extend_from_slice(&row));
    }

    let mut file = Vec::new();
    let side = u32::try_from(side).expect("at most MAX_SIDE");
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(file)
}

/// Whether the module at `x`, `y` (counted from the picture's corner, quiet zone included) is dark.
fn is_dark(colors: &[Color], width: usize, x: usize, y: usize) -> bool {
    let inside = |at: usize| at.checked_sub(QUIET_ZONE).filter(|at| *at < width);
    match (inside(x), inside(y)) {
        (Some(x), Some(y)) => colors[y * width + x] == Color::Dark,
        _ => false,
    }
}
