//! What every picture has to be.

use resvg::usvg::{Options, Tree};

use super::{Picture, Theme};

/// Checks that a picture can be drawn in both themes, and gives the light one.
#[track_caller]
pub(super) fn check(picture: &impl Picture) -> String {
    let [light, dark] = Theme::ALL.map(|theme| picture.svg(theme).unwrap());
    assert_ne!(light, dark);
    for svg in [&light, &dark] {
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        Tree::from_str(svg, &Options::default()).unwrap();
    }
    light
}

/// Width and height of a PNG.
pub(super) fn size(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}
