//! A text as a QR code in the terminal.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// Half-block characters, light on dark as well as dark on light: the code is drawn inverted, as
/// most terminals are dark, and cameras read both. `None` when the text is too long for a code.
pub(crate) fn code(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .quiet_zone(true)
        .build();
    Some(drawn)
}
