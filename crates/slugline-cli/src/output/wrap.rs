//! Long text in short lines.

/// Width of a line of text, indentation included.
const WIDTH: usize = 78;

/// Characters that are seen: those of styles are not.
pub(super) fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).map(|piece| piece.chars().count()).sum()
}

/// A text without what a terminal would take for a command.
pub(crate) fn printable(text: &str) -> String {
    let printed = |c: char| if c.is_control() && !c.is_whitespace() { '\u{FFFD}' } else { c };
    text.chars().map(printed).collect()
}

/// The same on one line, each run of white space as one space.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` in indented lines of at most 78 characters (a longer word has a line of its own); after
/// `max_lines` of them it breaks off with `…`.
pub(crate) fn wrapped(text: &str, max_lines: usize) -> String {
    const INDENT: &str = "  ";
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut cut = false;
    for word in text.split_whitespace() {
        let needed = INDENT.len() + width(&line) + 1 + width(word);
        if !line.is_empty() && needed > WIDTH {
            lines.push(std::mem::take(&mut line));
            if lines.len() == max_lines {
                cut = true;
                break;
            }
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if let Some(last) = lines.last_mut().filter(|_| cut) {
        last.push_str(" …");
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("{INDENT}{line}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_words_whole() {
        let text = "seven77 ".repeat(30);
        let all = wrapped(&text, usize::MAX);
        assert!(all.lines().all(|line| line.chars().count() <= WIDTH), "{all}");
        assert_eq!(all.split_whitespace().count(), 30);
        let short = wrapped(&text, 2);
        assert_eq!(short.lines().count(), 2);
        assert!(short.ends_with("seven77 …"), "{short}");
        assert_eq!(wrapped("one", 1), "  one");
        assert_eq!(wrapped("", 1), "");
    }

    #[test]
    fn terminals_get_no_commands() {
        assert_eq!(printable("a\x1b[2J\tb\n\u{7}"), "a\u{FFFD}[2J\tb\n\u{FFFD}");
        assert_eq!(one_line(" a\x1b\n\t b "), "a\u{FFFD} b");
    }
}
