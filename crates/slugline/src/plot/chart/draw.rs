//! Charts drawn as SVG.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::{Chart, Panel, Point, Rule, Series, Tick};
use crate::plot::canvas::writable;
use crate::plot::colours::Colours;
use crate::plot::text::{FAMILY, fonts, widest, width};
use crate::plot::{PlotError, Theme};

/// Width of a panel, and height of a picture.
const WIDTH: u32 = 520;
const HEIGHT: u32 = 400;

/// Share of the span of the values that is left free beside them.
const MARGIN: f64 = 0.08;

const TITLE: i32 = 20;
const TEXT: i32 = 14;

/// Points beyond which a series gets no markers, which would hide the line.
const MOST_MARKED: usize = 40;

/// Room for the label of a rule above a panel.
const RULE: u32 = 18;

impl Colours {
    fn font(&self, size: i32) -> TextStyle<'static> {
        (FAMILY, size).into_font().color(&self.text)
    }
}

pub(super) fn svg(chart: &Chart, theme: Theme) -> Result<String, PlotError> {
    fonts()?;
    if chart.panels.is_empty() {
        return Err(PlotError::draw("there are no panels"));
    }
    let colours = Colours::of(theme);
    let mut svg = String::new();
    {
        let size = (WIDTH * chart.panels.len() as u32, HEIGHT);
        let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        root.fill(&colours.ground).map_err(PlotError::draw)?;
        let mut rest = root.clone();
        if !chart.title.is_empty() {
            rest = rest.titled(&chart.title, colours.font(TITLE)).map_err(PlotError::draw)?;
        }
        for (panel, area) in chart.panels.iter().zip(rest.split_evenly((1, chart.panels.len()))) {
            draw(panel, &area, &colours)?;
        }
        root.present().map_err(PlotError::draw)?;
    }
    // The library that draws leaves characters as they are that XML cannot have; its lines end by \n.
    Ok(svg.chars().map(|c| if c == '\n' { c } else { writable(c) }).collect())
}

/// The ends of an axis for these values.
fn range(values: impl Iterator<Item = f64>) -> Result<(f64, f64), PlotError> {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for value in values {
        if !value.is_finite() {
            return Err(PlotError::draw(format!("{value} is no place on an axis")));
        }
        (least, most) = (least.min(value), most.max(value));
    }
    if least > most {
        return Err(PlotError::draw("a panel has no points"));
    }
    let span = most - least;
    let margin = if span > 0.0 { span * MARGIN } else { least.abs().max(1.0) * MARGIN };
    Ok((least - margin, most + margin))
}

/// Decimals that tell the labels of an axis of this span apart.
fn decimals(span: f64) -> usize {
    (1.0 - libm::log10(span)).ceil().clamp(0.0, 6.0) as usize
}

/// An axis whose named places are its ticks.
struct Places<'a> {
    range: Range<f64>,
    ticks: &'a [Tick],
}

impl Ranged for Places<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, at: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (at - self.range.start) / (self.range.end - self.range.start);
        from + (share * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|tick| tick.at).collect()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Places<'_> {
    fn format_ext(&self, at: &f64) -> String {
        let tick = self.ticks.iter().find(|tick| tick.at == *at);
        tick.map(|tick| tick.label.clone()).unwrap_or_default()
    }
}

fn draw(
    panel: &Panel,
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    colours: &Colours,
) -> Result<(), PlotError> {
    let points = || panel.series.iter().flat_map(|series| &series.points);
    let (left, right) = range(
        points()
            .map(|p| p.x)
            .chain(panel.x.ticks.iter().map(|t| t.at).chain(panel.rule.iter().map(|r| r.at))),
    )?;
    points().next().ok_or_else(|| PlotError::draw("a panel has no points"))?;
    let (bottom, top) = range(points().flat_map(|p| [p.y - p.spread, p.y + p.spread]))?;
    let places = Places { range: left..right, ticks: &panel.x.ticks };
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .margin_top(14 + if panel.rule.is_some() { RULE } else { 0 })
        .x_label_area_size(52)
        .y_label_area_size(72)
        .build_cartesian_2d(places, bottom..top)
        .map_err(PlotError::draw)?;
    let decimals = decimals(top - bottom);
    chart
        .configure_mesh()
        .axis_style(colours.text)
        .bold_line_style(colours.grid)
        .light_line_style(TRANSPARENT)
        .x_labels(panel.x.ticks.len().max(1))
        .y_labels(6)
        .y_label_formatter(&|y| format!("{y:.decimals$}"))
        .label_style(colours.font(TEXT))
        .axis_desc_style(colours.font(TEXT))
        .x_desc(&panel.x.label)
        .y_desc(&panel.y_label)
        .draw()
        .map_err(PlotError::draw)?;
    if let Some(Rule { at, label }) = &panel.rule {
        let stroke = colours.quiet.stroke_width(1);
        let ends = [(*at, bottom), (*at, top)];
        chart.draw_series([PathElement::new(ends, stroke)]).map_err(PlotError::draw)?;
        // Above the panel no line and no legend is in its way.
        let (x, y) = chart.backend_coord(&(*at, top));
        let (across, down) = area.get_pixel_range();
        let half = (width(label, f64::from(TEXT) / 1.24) / 2.0) as i32 + 2;
        let x = x.min(across.end - half).max(across.start + half) - across.start;
        let style = colours.font(TEXT).pos(Pos::new(HPos::Center, VPos::Bottom));
        area.draw_text(label, &style, (x, y - down.start - 3)).map_err(PlotError::draw)?;
    }
    for (number, series) in panel.series.iter().enumerate() {
        let marked = marked(series);
        let colour = colours.series[number % colours.series.len()];
        let line =
            LineSeries::new(series.points.iter().map(|p| (p.x, p.y)), colour.stroke_width(2));
        let drawn = chart.draw_series(line).map_err(PlotError::draw)?;
        if !series.name.is_empty() {
            let scale = i32::from(marked);
            drawn.label(&series.name).legend(move |(x, y)| {
                EmptyElement::at((x + 9, y))
                    + PathElement::new([(-9, 0), (9, 0)], colour.stroke_width(2))
                    + marker(number, scale, colour)
            });
        }
        let bars = series.points.iter().filter(|p| p.spread > 0.0).map(|p| {
            ErrorBar::new_vertical(
                p.x,
                p.y - p.spread,
                p.y,
                p.y + p.spread,
                // The point itself is drawn as a marker.
                colour.stroke_width(1),
                9,
            )
        });
        chart.draw_series(bars).map_err(PlotError::draw)?;
        let markers = series
            .points
            .iter()
            .filter(|_| marked)
            .map(|p| EmptyElement::at((p.x, p.y)) + marker(number, 1, colour));
        chart.draw_series(markers).map_err(PlotError::draw)?;
    }
    if panel.series.iter().any(|series| !series.name.is_empty()) {
        chart
            .configure_series_labels()
            .position(free_corner(panel, (left, right), (bottom, top)))
            .margin(8)
            .legend_area_size(26)
            .label_font(colours.font(TEXT))
            .background_style(colours.ground.mix(0.85))
            .border_style(colours.grid)
            .draw()
            .map_err(PlotError::draw)?;
    }
    Ok(())
}

/// The corner for the legend: the one where it covers the fewest points, of equals the one with the
/// fewest in its quarter of the panel.
fn free_corner(panel: &Panel, x: (f64, f64), y: (f64, f64)) -> SeriesLabelPosition {
    let corners = [
        (SeriesLabelPosition::LowerRight, true, false),
        (SeriesLabelPosition::UpperRight, true, true),
        (SeriesLabelPosition::UpperLeft, false, true),
        (SeriesLabelPosition::LowerLeft, false, false),
    ];
    let names = panel.series.iter().map(|series| series.name.as_str());
    let wide = (widest(names, f64::from(TEXT)) + 60.0) / f64::from(WIDTH - 100);
    let high = (18.0 * panel.series.len() as f64 + 16.0) / f64::from(HEIGHT - 110);
    // How far a point is from a corner, as shares of the panel.
    let away = |value: f64, (from, to): (f64, f64), at_end: bool| {
        let share = (value - from) / (to - from);
        if at_end { 1.0 - share } else { share }
    };
    let within = |right: bool, upper: bool, wide: f64, high: f64| {
        let points = panel.series.iter().flat_map(|series| &series.points);
        let near = |p: &&Point| away(p.x, x, right) < wide && away(p.y, y, upper) < high;
        points.filter(near).count()
    };
    let free = corners.into_iter().min_by_key(|&(_, right, upper)| {
        (within(right, upper, wide, high), within(right, upper, 0.5, 0.5))
    });
    free.map_or(SeriesLabelPosition::LowerRight, |(corner, ..)| corner)
}

/// Whether the points of a series are marked.
fn marked(series: &Series) -> bool {
    series.points.len() <= MOST_MARKED
}

/// The marker of a series: a disc, a square, a triangle, a diamond, in turn; nothing for a scale of 0.
fn marker(number: usize, scale: i32, colour: RGBColor) -> Polygon<(i32, i32)> {
    const DISC: [(i32, i32); 12] = [
        (0, -5),
        (3, -4),
        (4, -3),
        (5, 0),
        (4, 3),
        (3, 4),
        (0, 5),
        (-3, 4),
        (-4, 3),
        (-5, 0),
        (-4, -3),
        (-3, -4),
    ];
    let corners: &[(i32, i32)] = match number % 4 {
        0 => &DISC,
        1 => &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
        2 => &[(0, -6), (6, 5), (-6, 5)],
        _ => &[(0, -6), (6, 0), (0, 6), (-6, 0)],
    };
    Polygon::new(
        corners.iter().map(|(dx, dy)| (scale * dx, scale * dy)).collect::<Vec<_>>(),
        colour.filled(),
    )
}
