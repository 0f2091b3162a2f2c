//! From SVG to dots.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use super::PlotError;

/// The family of the font in the program.
const FAMILY: &str = "DejaVu Sans";

/// Dots for each unit of length.
const SCALE: f32 = 2.0;

/// Dots of the longer side, beyond which a picture of very many classes gets fewer for each unit: one
/// of so many by so many takes half a gigabyte while it is drawn.
const MOST: f32 = 12_000.0;

/// An SVG as PNG.
pub(super) fn png(svg: &str) -> Result<Vec<u8>, PlotError> {
    let mut options = Options { font_family: FAMILY.to_owned(), ..Options::default() };
    let fonts = options.fontdb_mut();
    fonts.load_font_data(dejavu::sans::regular().to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let tree = Tree::from_str(svg, &options).map_err(PlotError::draw)?;
    let size = tree.size();
    let scale = SCALE.min(MOST / size.width().max(size.height()));
    let dots = |length: f32| (length * scale).ceil() as u32;
    let mut pixmap = Pixmap::new(dots(size.width()), dots(size.height()))
        .ok_or_else(|| PlotError::draw("it has no size"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixmap.as_mut());
    pixmap.encode_png().map_err(PlotError::draw)
}
