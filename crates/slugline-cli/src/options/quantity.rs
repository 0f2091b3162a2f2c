//! Times and sizes with their units.

use std::time::{Duration, SystemTime};

use chrono::{Local, NaiveDate, NaiveTime};

/// A number of seconds, or numbers with the units ms, s, m and h: `300`, `500ms`, `1h30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a time above 0 such as 90s, 5m or 1h30m";
    let mut rest = text.trim();
    let mut seconds = 0.0;
    if let Ok(number) = rest.parse::<u32>() {
        seconds = f64::from(number);
        rest = "";
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or(EXPECTED)?;
        let number: f64 = rest[..end].parse().map_err(|_| EXPECTED)?;
        let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        let found = units.iter().find(|(unit, _)| rest[end..].starts_with(unit));
        let (unit, worth) = found.ok_or(EXPECTED)?;
        seconds += number * worth;
        rest = &rest[end + unit.len()..];
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(EXPECTED.into()),
    }
}

/// The beginning of a day (`2026-11-20`, by the local clock), or a number of days ago (`7d`).
pub(crate) fn since(text: &str) -> Result<SystemTime, String> {
    const EXPECTED: &str = "expected a day such as 2026-11-20, or days ago such as 7d";
    let text = text.trim();
    if let Some(days) = text.strip_suffix('d') {
        let days: u32 = days.parse().map_err(|_| EXPECTED)?;
        let ago = Duration::from_secs(u64::from(days) * 24 * 3600);
        return Ok(SystemTime::now().checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH));
    }
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| EXPECTED)?;
    // Where the clock was put on at midnight, the day has no such moment.
    let start = day.and_time(NaiveTime::MIN).and_local_timezone(Local).earliest();
    start.map(SystemTime::from).ok_or_else(|| EXPECTED.into())
}

/// A number of bytes, or one with the unit k, M, G or T, each 1,024 times the one before: `2G`, `512M`.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const EXPECTED: &str = "expected a size such as 2G, 512M or a number of bytes";
    let text = text.trim();
    let text = text.strip_suffix(['b', 'B']).unwrap_or(text);
    let text = text.strip_suffix('i').unwrap_or(text);
    let (number, unit) = match text.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&text[..at], Some(unit)),
        _ => (text, None),
    };
    let shift = match unit.map(|unit| unit.to_ascii_lowercase()) {
        None => 0,
        Some('k') => 10,
        Some('m') => 20,
        Some('g') => 30,
        Some('t') => 40,
        Some(_) => return Err(EXPECTED.into()),
    };
    let number: f64 = number.trim().parse().map_err(|_| EXPECTED)?;
    let bytes = number * f64::from(shift).exp2();
    if bytes >= 1.0 && bytes < u64::MAX as f64 { Ok(bytes as u64) } else { Err(EXPECTED.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_named_or_counted_back() {
        let day = Duration::from_secs(24 * 3600);
        assert!(since("2d").unwrap() <= SystemTime::now() - day);
        assert_eq!(since("2026-11-21").unwrap(), since("2026-11-20").unwrap() + day);
        for bad in ["", "d", "-1d", "1.5d", "2026-13-01", "yesterday"] {
            assert!(since(bad).unwrap_err().contains("such as 7d"), "{bad}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, seconds) in
            [("300", 300.0), ("90s", 90.0), ("5m", 300.0), ("1h30m", 5400.0), ("0.5s", 0.5)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for bad in ["", "0", "m", "5x", "5m3", "-1", "1e9", "5 m", "inf", "99999999999999999999h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [
            ("1000", 1000),
            ("2G", 2 << 30),
            ("512M", 512 << 20),
            ("1.5k", 1536),
            ("2GiB", 2 << 30),
            ("64kb", 64 << 10),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for bad in ["", "G", "-1", "0", "2X", "NaN", "inf", "1e30"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
