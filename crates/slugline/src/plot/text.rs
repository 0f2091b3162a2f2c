//! How wide text is, and text that is cut to a width.

use std::sync::OnceLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use unicode_segmentation::UnicodeSegmentation;

use super::PlotError;

/// The family that an SVG names.
pub(super) const FAMILY: &str = "sans-serif";

/// Makes the font known by which text is measured.
pub(super) fn fonts() -> Result<(), PlotError> {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let known = KNOWN
        .get_or_init(|| register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular()).is_ok());
    known.then_some(()).ok_or_else(|| PlotError::draw("the font is broken"))
}

/// From its line to its em, as the font's size is meant by plotters and by an SVG.
const LINE: f64 = 1.164;

/// Widths are measured at this size, as they are rounded to whole units.
const MEASURED: f64 = 100.0;

/// Width of a line of text of this size. It is somewhat more than it takes in most fonts, as ours is a
/// wide one.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let font = FontDesc::new(FontFamily::Name(FAMILY), MEASURED * LINE, FontStyle::Normal);
    let units = match fonts().map(|()| font.box_size(text)) {
        Ok(Ok((units, _))) => f64::from(units),
        // Without a font: the width of most letters.
        _ => 60.0 * text.chars().count() as f64,
    };
    // Characters of wide scripts and pictures, which our font shows as narrow boxes.
    let wide = text.chars().filter(|&c| c >= '\u{2E80}').count() as f64;
    size * (units / MEASURED + 0.6 * wide)
}

/// The widest of some texts.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>, size: f64) -> f64 {
    texts.map(|text| width(text, size)).fold(0.0, f64::max)
}

/// The text, or as much of its beginning as fits with an ellipsis into this width.
pub(super) fn shortened(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let cut = |count: usize| format!("{}…", text[..ends[count]].trim_end());
    // The number of characters that fit: width grows with it.
    let (mut fits, mut beyond) = (0, ends.len());
    while fits + 1 < beyond {
        let middle = usize::midpoint(fits, beyond);
        match width(&cut(middle), size) <= most {
            true => fits = middle,
            false => beyond = middle,
        }
    }
    cut(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_its_width_between_characters() {
        assert_eq!(shortened("grain", 12.0, 100.0), "grain");
        let long = shortened("the ministry of agriculture", 12.0, 100.0);
        assert!(long.ends_with('…') && width(&long, 12.0) <= 100.0, "{long}");
        assert!(long.starts_with("the minis"), "{long}");
        assert_eq!(shortened("wide", 12.0, 3.0), "…");
        assert_eq!(shortened("", 12.0, 0.0), "");
        // A family of four is one character of several code points.
        let family = "👨‍👩‍👧‍👦";
        let cut = shortened(&family.repeat(9), 12.0, 200.0);
        assert!(cut.trim_end_matches('…').chars().count().is_multiple_of(7), "{cut}");
    }

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu's letters have these advances of 2,048 to the em.
        assert!((width("mm", 100.0) - 2.0 * 1995.0 / 20.48).abs() < 1.5);
        assert!(width("ii", 10.0) < width("mm", 10.0));
        assert!((width("earn", 20.0) - 2.0 * width("earn", 10.0)).abs() < 1e-9);
    }
}
