//! An SVG, element by element.

use std::fmt::{self, Write as _};

use plotters::style::RGBColor;

use super::Theme;
use super::colours::Colours;
use super::text::{FAMILY, shortened};

/// Size of the text of a title, of names and of what may be small.
pub(super) const TITLE: f64 = 16.0;
pub(super) const TEXT: f64 = 12.0;
pub(super) const SMALL: f64 = 10.5;

/// What is left free at the edges.
pub(super) const EDGE: f64 = 16.0;
/// Where what stands below a title begins.
pub(super) const BELOW_TITLE: f64 = 46.0;

/// Where a text stands from its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) size: f64,
    pub(super) colour: RGBColor,
    pub(super) anchor: Anchor,
    /// Whether it reads from below.
    pub(super) turned: bool,
}

/// Where lines end, from the left and from above.
pub(super) type Place = (f64, f64);

/// A picture that is drawn.
pub(super) struct Canvas {
    svg: String,
    pub(super) colours: Colours,
}

impl Canvas {
    /// A picture with a title, which is cut to its width.
    pub(super) fn new(width: f64, height: f64, title: &str, theme: Theme) -> Self {
        let (width, height) = (width.ceil(), height.ceil());
        let colours = Colours::of(theme);
        let mut svg = format!(
            "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
             xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" font-family=\"{FAMILY}\">\n"
        );
        let _ = writeln!(svg, "<title>{}</title>", Escaped(title));
        let mut canvas = Self { svg, colours };
        canvas.rect((0.0, 0.0), (width, height), canvas.colours.ground);
        let look = Look { size: TITLE, ..canvas.look(Anchor::Start) };
        let shown = shortened(title, TITLE, width - 2.0 * EDGE);
        canvas.text((EDGE, 25.0), &shown, look);
        canvas
    }

    /// How names look.
    pub(super) fn look(&self, anchor: Anchor) -> Look {
        Look { size: TEXT, colour: self.colours.text, anchor, turned: false }
    }

    /// How figures look that explain.
    pub(super) fn quiet(&self, anchor: Anchor) -> Look {
        Look { size: SMALL, colour: self.colours.quiet, anchor, turned: false }
    }

    pub(super) fn rect(&mut self, (x, y): Place, (width, height): Place, fill: RGBColor) {
        let (x, y, width, height) = (Number(x), Number(y), Number(width), Number(height));
        let _ = writeln!(
            self.svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>",
            Hex(fill)
        );
    }

    /// A box with round corners and a frame.
    pub(super) fn frame(
        &mut self,
        (x, y): Place,
        (width, height): Place,
        fill: RGBColor,
        frame: RGBColor,
    ) {
        let (x, y, width, height) = (Number(x), Number(y), Number(width), Number(height));
        let _ = writeln!(
            self.svg,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\" fill=\"{}\" \
             stroke=\"{}\" stroke-width=\"1.2\"/>",
            Hex(fill),
            Hex(frame)
        );
    }

    pub(super) fn line(&mut self, from: Place, to: Place, colour: RGBColor, width: f64) {
        self.stroke(from, to, colour, width, "");
    }

    pub(super) fn dashes(&mut self, from: Place, to: Place, colour: RGBColor, width: f64) {
        self.stroke(from, to, colour, width, " stroke-dasharray=\"5 4\"");
    }

    fn stroke(&mut self, from: Place, to: Place, colour: RGBColor, width: f64, more: &str) {
        let _ = writeln!(
            self.svg,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" \
             stroke-width=\"{width}\"{more}/>",
            Number(from.0),
            Number(from.1),
            Number(to.0),
            Number(to.1),
            Hex(colour)
        );
    }

    /// A filled shape, seen through a little where `opacity` is below 1.
    pub(super) fn polygon(
        &mut self,
        corners: impl Iterator<Item = Place>,
        fill: RGBColor,
        opacity: f64,
    ) {
        self.svg.push_str("<polygon points=\"");
        for (i, (x, y)) in corners.enumerate() {
            let space = if i > 0 { " " } else { "" };
            let _ = write!(self.svg, "{space}{},{}", Number(x), Number(y));
        }
        let _ = writeln!(self.svg, "\" fill=\"{}\" fill-opacity=\"{opacity}\"/>", Hex(fill));
    }

    pub(super) fn disc(&mut self, (x, y): Place, radius: f64, fill: RGBColor, opacity: f64) {
        let _ = writeln!(
            self.svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" fill-opacity=\"{opacity}\"/>",
            Number(x),
            Number(y),
            Number(radius),
            Hex(fill)
        );
    }

    /// A line of text; the place is half-way up its letters.
    pub(super) fn text(&mut self, (x, y): Place, text: &str, look: Look) {
        if text.is_empty() {
            return;
        }
        let anchor = match look.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        // From the middle of the letters to the line on which they stand.
        let down = 0.36 * look.size;
        let (mut at, mut turn) = ((x, y + down), String::new());
        if look.turned {
            at = (x + down, y);
            turn = format!(" transform=\"rotate(-90 {} {})\"", Number(at.0), Number(at.1));
        }
        let _ = writeln!(
            self.svg,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{anchor}\"{turn}>{}</text>",
            Number(at.0),
            Number(at.1),
            Number(look.size),
            Hex(look.colour),
            Escaped(text)
        );
    }

    pub(super) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

/// A length, to a hundredth of a unit.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding 0 turns −0 into 0.
        write!(f, "{}", (self.0 * 100.0).round() / 100.0 + 0.0)
    }
}

struct Hex(RGBColor);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RGBColor(r, g, b) = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// The character, or what stands in place of one that XML has no way to write.
pub(super) fn writable(c: char) -> char {
    match c {
        c if c.is_control() => ' ',
        '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
        c => c,
    }
}

/// Text as it stands in XML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(writable(c))?,
            }
        }
        Ok(())
    }
}

/// Round numbers from `from` to `to`, about `count` of them.
pub(super) fn ticks(from: f64, to: f64, count: usize) -> Vec<f64> {
    let rough = (to - from) / count.max(1) as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return vec![from];
    }
    let power = libm::pow(10.0, libm::floor(libm::log10(rough)));
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|s| s * power).find(|&s| s >= rough);
    let step = step.unwrap_or(rough);
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_say_is_said_otherwise() {
        let mut canvas = Canvas::new(100.0, 50.0, "a < b & \u{1}\n\"c\" \u{FFFE}", Theme::Light);
        canvas.text((-0.001, 3.149), "x", canvas.look(Anchor::End));
        canvas.text((1.0, 1.0), "", canvas.look(Anchor::End));
        let svg = canvas.finish();
        assert!(svg.contains("<title>a &lt; b &amp;   &quot;c&quot; \u{FFFD}</title>"), "{svg}");
        assert!(svg.contains("<text x=\"0\" y=\"7.47\""), "{svg}");
        resvg::usvg::Tree::from_str(&svg, &resvg::usvg::Options::default()).unwrap();
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 1.0, 4), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(1.0, 20.0, 5), [5.0, 10.0, 15.0, 20.0]);
        assert_eq!(ticks(0.0, 3.0, 4), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(ticks(0.0, 0.0, 4), [0.0]);
        assert_eq!(ticks(0.0, f64::NAN, 4), [0.0]);
    }
}
