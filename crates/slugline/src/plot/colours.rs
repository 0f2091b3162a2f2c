//! The colours of pictures.

use plotters::style::RGBColor;

use super::Theme;

/// Okabe and Ito's colours: black, or white on black, is left to the axes. The blue of the light theme
/// is the deep one, that of the dark theme the sky's.
const LIGHT: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
const DARK: [RGBColor; 6] = [
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(240, 228, 66),
    RGBColor(213, 94, 0),
];

/// From little to much on white: `ColorBrewer`'s `YlGnBu` without its palest colour.
const LIGHT_RAMP: [RGBColor; 8] = [
    RGBColor(237, 248, 177),
    RGBColor(199, 233, 180),
    RGBColor(127, 205, 187),
    RGBColor(65, 182, 196),
    RGBColor(29, 145, 192),
    RGBColor(34, 94, 168),
    RGBColor(37, 52, 148),
    RGBColor(8, 29, 88),
];
/// From little to much on black: viridis.
const DARK_RAMP: [RGBColor; 8] = [
    RGBColor(68, 1, 84),
    RGBColor(70, 50, 127),
    RGBColor(54, 92, 141),
    RGBColor(39, 127, 142),
    RGBColor(31, 161, 135),
    RGBColor(74, 194, 109),
    RGBColor(159, 218, 58),
    RGBColor(253, 231, 37),
];

pub(super) struct Colours {
    pub(super) ground: RGBColor,
    pub(super) text: RGBColor,
    /// Text that may be passed over.
    pub(super) quiet: RGBColor,
    pub(super) grid: RGBColor,
    /// What stands out a little from the ground.
    pub(super) panel: RGBColor,
    /// Colours that are told apart.
    pub(super) series: [RGBColor; 6],
    ramp: [RGBColor; 8],
}

impl Colours {
    pub(super) fn of(theme: Theme) -> Self {
        match theme {
            Theme::Light => Self {
                ground: RGBColor(255, 255, 255),
                text: RGBColor(34, 34, 34),
                quiet: RGBColor(105, 105, 105),
                grid: RGBColor(225, 225, 225),
                panel: RGBColor(244, 246, 248),
                series: LIGHT,
                ramp: LIGHT_RAMP,
            },
            Theme::Dark => Self {
                ground: RGBColor(24, 26, 27),
                text: RGBColor(226, 226, 226),
                quiet: RGBColor(160, 163, 165),
                grid: RGBColor(62, 66, 68),
                panel: RGBColor(35, 38, 40),
                series: DARK,
                ramp: DARK_RAMP,
            },
        }
    }

    /// The colour of a share from 0 to 1.
    pub(super) fn ramp(&self, share: f64) -> RGBColor {
        let place = share.clamp(0.0, 1.0) * (self.ramp.len() - 1) as f64;
        let below = (place as usize).min(self.ramp.len() - 2);
        let (a, b, t) = (self.ramp[below], self.ramp[below + 1], place - below as f64);
        let between = |a: u8, b: u8| (f64::from(a) + t * (f64::from(b) - f64::from(a))) as u8;
        RGBColor(between(a.0, b.0), between(a.1, b.1), between(a.2, b.2))
    }
}

/// Relative luminance, from 0 for black to 1 for white, by WCAG 2.
fn luminance(colour: RGBColor) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
    };
    0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
}

/// Black or white, whichever reads better on a colour.
pub(super) fn on(colour: RGBColor) -> RGBColor {
    // Where the contrasts with both are equal.
    if luminance(colour) > 0.179 { RGBColor(0, 0, 0) } else { RGBColor(255, 255, 255) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ramps_go_away_from_the_ground_all_the_way() {
        for theme in Theme::ALL {
            let colours = Colours::of(theme);
            let ground = luminance(colours.ground);
            let distance = |i: u32| (luminance(colours.ramp(f64::from(i) / 50.0)) - ground).abs();
            // Shares are rounded to whole steps of a colour.
            let farther = (1..=50).all(|i| distance(i) > distance(i - 1) - 1e-3);
            assert!(farther && distance(50) > distance(0) + 0.5, "{theme:?}");
            assert_ne!(colours.ramp(0.0), colours.ground);
            assert_eq!(colours.ramp(-1.0), colours.ramp(0.0));
        }
    }

    #[test]
    fn text_can_be_read_on_every_colour_of_a_ramp() {
        for theme in Theme::ALL {
            for i in 0..=50 {
                let colour = Colours::of(theme).ramp(f64::from(i) / 50.0);
                let (a, b) = (luminance(colour), luminance(on(colour)));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 4.5, "{theme:?} {i}: {contrast}");
            }
        }
    }
}
