//! From SVG to dots.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::PlotError;

/// The family of the font in the program.
const FAMILY: &str = "DejaVu Sans";

/// An SVG as PNG, so many dots for each unit of length.
pub(super) fn png(svg: &str, scale: f32) -> Result<Vec<u8>, PlotError> {
    let mut options = Options { font_family: FAMILY.to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let tree = Tree::from_str(svg, &options).map_err(PlotError::draw)?;
    let size = tree.size().to_int_size();
    let dots = |length: u32| (length as f32 * scale).ceil() as u32;
    let mut pixmap = Pixmap::new(dots(size.width()), dots(size.height()))
        .ok_or_else(|| PlotError::draw("it has no size"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(PlotError::draw)
}
