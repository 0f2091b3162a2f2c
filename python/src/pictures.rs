//! Pictures by the names of their settings.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use slugline::plot::{Picture, PlotFormat, Theme};

use crate::errors::value_error;

/// The bytes of a file with a picture.
pub(crate) fn picture(what: &dyn Picture, format: &str, theme: &str) -> PyResult<Vec<u8>> {
    let unknown = |what, name: &str, known| {
        PyValueError::new_err(format!("unknown {what} {name:?}: expected {known}"))
    };
    let known = Theme::ALL.into_iter().find(|known| known.name() == theme);
    let theme = known.ok_or_else(|| unknown("theme", theme, "light or dark"))?;
    let format = match format {
        "svg" => PlotFormat::Svg,
        "png" => PlotFormat::Png,
        _ => return Err(unknown("format", format, "svg or png")),
    };
    what.file(format, theme).map_err(|e| value_error(&e))
}
