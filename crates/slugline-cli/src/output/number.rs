//! Numbers as people read them.

use slugline::classifier::CorpusRecord;

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(n: impl TryInto<u64>) -> String {
    let digits = n.try_into().unwrap_or(u64::MAX).to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A loss or a share with four decimals.
pub(crate) fn score(value: f64) -> String {
    format!("{value:.4}")
}

/// A number to three digits, the others 0: `41234.5` as `41,200`.
pub(crate) fn rough(value: f64) -> String {
    let unit = 10_u64.pow((value as u64).max(1).ilog10().saturating_sub(2));
    grouped((value / unit as f64).round() as u64 * unit)
}

/// A number to four digits at most, as few as it needs: `0.0010000000474` as `0.001`.
pub(crate) fn significant(value: f64) -> String {
    format!("{value:.3e}").parse().map_or_else(|_| value.to_string(), |n: f64| n.to_string())
}

/// A size in bytes, kB or MB.
pub(crate) fn bytes(n: u64) -> String {
    match n {
        0..1_000 => format!("{n} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", n as f64 / 1e3),
        _ => format!("{:.1} MB", n as f64 / 1e6),
    }
}

/// How many documents a model was trained and validated on, in words.
pub(crate) fn samples(corpus: &CorpusRecord) -> String {
    let [train, validation] = [corpus.train_samples, corpus.validation_samples].map(grouped);
    format!("{train} to train, {validation} to validate")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_go_in_threes() {
        for (n, want) in [(0_u64, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(n), want);
        }
        assert_eq!(grouped(1000_usize), "1,000");
    }

    #[test]
    fn digits_that_say_nothing_are_left_out() {
        for (n, want) in [(0.3, "0"), (7.6, "8"), (999.4, "999"), (41_249.0, "41,200")] {
            assert_eq!(rough(n), want);
        }
        for (n, want) in
            [(0.001_000_000_047, "0.001"), (0.000_952_38, "0.0009524"), (1.0, "1"), (0.0, "0")]
        {
            assert_eq!(significant(n), want);
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        assert_eq!(bytes(999), "999 bytes");
        assert_eq!(bytes(1500), "1.5 kB");
        assert_eq!(bytes(8_137_289), "8.1 MB");
    }
}
