//! An explanation for the terminal.

use std::fmt::{self, Write as _};

use anstyle::{Ansi256Color, Color, Style};
use slugline::explain::{Explanation, Sum};
use slugline::nearest::Neighbour;

use crate::output::{
    Align, BEST, HEADING, QUIET, STRONG, Table, grouped, one_line, printable, wrapped,
};

/// Lines of a text that are shown.
const TEXT_LINES: usize = 40;
/// Lines of a neighbour that are shown.
const NEIGHBOUR_LINES: usize = 3;
/// Letters of the longest bar.
const LONGEST: f64 = 24.0;

/// Grounds for words that speak for a class, and against it, the weakest first, under black letters.
const FOR: [u8; 3] = [153, 75, 33];
const AGAINST: [u8; 3] = [223, 215, 208];

pub(super) struct Shown<'a> {
    pub(super) text: &'a str,
    pub(super) why: &'a Explanation,
    pub(super) nearest: &'a [Neighbour],
    pub(super) top_k: usize,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, why, nearest, .. } = self;
        write!(f, "{BEST}{}{BEST:#}", why.label)?;
        if let Some(against) = &why.against {
            write!(f, " rather than {STRONG}{against}{STRONG:#}")?;
        }
        write!(f, "   probability {:.4}", why.probability)?;
        let answer = why.answer.as_deref().unwrap_or("no label");
        if answer != why.label {
            write!(f, "   {QUIET}the answer is{QUIET:#} {answer}")?;
        }
        writeln!(f)?;
        let logit = if why.against.is_some() { "difference of logits" } else { "logit" };
        let rise = why.logit - why.baseline;
        write!(f, "{QUIET}{logit}{QUIET:#} {:.3}", why.logit)?;
        write!(f, " {QUIET}={QUIET:#} {:.3} {QUIET}for the empty text{QUIET:#}", why.baseline)?;
        let words = if why.words == 1 { "word" } else { "words" };
        write!(f, " {rise:+.3} {QUIET}from {} {words}{QUIET:#}", grouped(why.words))?;
        if why.unknown_words > 0 {
            write!(f, "{QUIET}, {} of them unknown{QUIET:#}", grouped(why.unknown_words))?;
        }
        writeln!(f)?;
        let all = why.by_text();
        if all.is_empty() {
            writeln!(f, "  nothing of the text is known to the model")?;
        } else {
            writeln!(f, "\n{}\n", wrapped(&self.marked(text), TEXT_LINES))?;
            self.list(f, &all)?;
        }
        if !nearest.is_empty() {
            writeln!(f, "\n{HEADING}Nearest training documents{HEADING:#}")?;
        }
        for Neighbour { labels, similarity, text, .. } in *nearest {
            let labels = if labels.is_empty() { "no label".into() } else { labels.join(", ") };
            writeln!(f, "  {STRONG}{labels}{STRONG:#}   similarity {similarity:.3}")?;
            writeln!(f, "{}", wrapped(&printable(text), NEIGHBOUR_LINES))?;
        }
        Ok(())
    }
}

impl Shown<'_> {
    /// The strongest stretches with bars.
    fn list(&self, f: &mut fmt::Formatter<'_>, all: &[Sum]) -> fmt::Result {
        let most = all.iter().map(|sum| sum.contribution.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let mut table = Table::new([
            ("", Align::Left),
            ("times", Align::Right),
            ("contribution", Align::Right),
            ("", Align::Left),
        ]);
        for sum in all.iter().take(self.top_k) {
            let style = Style::new().fg_color(Some(colour(sum.contribution, FOR.len() - 1)));
            let length = (LONGEST * sum.contribution.abs() / most).round().max(1.0) as usize;
            table.row([
                &one_line(&sum.text),
                &sum.times,
                &format_args!("{:+.3}", sum.contribution),
                &format_args!("{style}{}{style:#}", "█".repeat(length)),
            ]);
        }
        write!(f, "{table}")?;
        if let Some(rest) = all.get(self.top_k..).filter(|rest| !rest.is_empty()) {
            let sum: f64 = rest.iter().map(|sum| sum.contribution).sum();
            writeln!(f, "  {QUIET}and {} more, {sum:+.3} together{QUIET:#}", rest.len())?;
        }
        Ok(())
    }

    /// The text with the ground of its words coloured.
    fn marked(&self, text: &str) -> String {
        let sizes = self.why.tokens.iter().map(|token| token.contribution.abs());
        let most = sizes.fold(f64::MIN_POSITIVE, f64::max);
        let mut marked = String::with_capacity(2 * text.len());
        for (piece, contribution) in self.why.pieces(text) {
            let piece = printable(piece);
            let share = contribution.unwrap_or_default() / most;
            // Weak words are left alone, so that the strong ones are seen.
            let level = (share.abs() * 4.0).floor().min(3.0) as usize;
            // Writing to a string cannot fail.
            let _ = match level.checked_sub(1) {
                None => write!(marked, "{piece}"),
                Some(level) => {
                    let black = Some(Color::Ansi256(Ansi256Color(16)));
                    let style = Style::new().fg_color(black).bg_color(Some(colour(share, level)));
                    write!(marked, "{style}{piece}{style:#}")
                }
            };
        }
        marked
    }
}

/// The colour of a contribution of a level of strength.
fn colour(contribution: f64, level: usize) -> Color {
    let colours = if contribution < 0.0 { AGAINST } else { FOR };
    Color::Ansi256(Ansi256Color(colours[level]))
}
