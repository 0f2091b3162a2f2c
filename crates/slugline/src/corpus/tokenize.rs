//! The rule that cuts text into words, at the speed of memory.
//!
//! Text is lower-cased (by Unicode's rules, with the final sigma); spaces, tabs, newlines and ASCII
//! punctuation other than the apostrophe separate tokens, and everything else is kept, control
//! characters included, as in the data that this rule reproduces.

/// Bytes that are sorted into separators and others at a time, one bit each.
const CHUNK: usize = 64;

/// Bytes that can be read from the start of any token on.
const PADDING: usize = 8;

/// Cuts texts into tokens, reusing its buffers.
///
/// ```
/// # use slugline::corpus::tokenize::Tokenizer;
/// let mut tokenizer = Tokenizer::default();
/// let mut tokens = Vec::new();
/// tokenizer.for_each("The bank's  4-1/2 pct BOND", |token| tokens.push(token.as_str().to_owned()));
/// assert_eq!(tokens, ["the", "bank's", "4", "1", "2", "pct", "bond"]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tokenizer {
    /// The text in lower case, followed by spaces up to a whole number of chunks.
    lowered: String,
}

/// One token of a text.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    lowered: &'a str,
    start: usize,
    end: usize,
}

impl<'a> Token<'a> {
    /// The token, lower-cased.
    pub fn as_str(&self) -> &'a str {
        &self.lowered[self.start..self.end]
    }

    /// The same as bytes.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        &self.lowered.as_bytes()[self.start..self.end]
    }

    /// Where it begins in the lower-cased text, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Length in bytes, at least 1.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// [`prefix`] of the token, by one read instead of one for each byte.
    #[inline]
    pub(crate) fn prefix(&self) -> u64 {
        let bytes = self.lowered.as_bytes();
        match bytes.get(self.start..).and_then(<[u8]>::first_chunk::<PADDING>) {
            Some(first) => {
                let unused = 64 - 8 * self.len().min(PADDING) as u32;
                u64::from_le_bytes(*first) & (u64::MAX >> unused)
            }
            None => prefix(self.as_str().as_bytes()),
        }
    }
}

/// The first eight bytes of a word as a little-endian number, zeros where the word is shorter.
pub(crate) fn prefix(word: &[u8]) -> u64 {
    let mut first = [0; PADDING];
    let n = word.len().min(PADDING);
    first[..n].copy_from_slice(&word[..n]);
    u64::from_le_bytes(first)
}

/// Whether a byte separates tokens: space, tab, newline and the ASCII punctuation other than `'`.
/// Spelt out in comparisons that compile to vector instructions.
#[inline]
pub(crate) fn is_separator(byte: u8) -> bool {
    let within = |first: u8, last: u8| byte.wrapping_sub(first) <= last - first;
    within(b' ', b'&')
        | within(b'(', b'/')
        | within(b':', b'@')
        | within(b'[', b'`')
        | within(b'{', b'~')
        | within(b'\t', b'\n')
}

/// One bit for each byte of a chunk, the lowest for the first: 1 where the byte belongs to a token.
#[inline]
fn token_bits(chunk: &[u8; CHUNK]) -> u64 {
    let flags = chunk.map(|byte| u8::from(!is_separator(byte)));
    let (groups, _) = flags.as_chunks::<8>();
    groups.iter().enumerate().fold(0, |bits, (i, group)| {
        // The product gathers the lowest bits of eight bytes in its highest byte, in order.
        let gathered = u64::from_le_bytes(*group).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits | gathered << (8 * i)
    })
}

impl Tokenizer {
    /// Calls `f` with every token of `text` in order.
    pub fn for_each(&mut self, text: &str, mut f: impl FnMut(Token<'_>)) {
        let lowered = &mut self.lowered;
        lowered.clear();
        if text.is_ascii() {
            lowered.push_str(text);
            lowered.make_ascii_lowercase();
        } else {
            lowered.push_str(&text.to_lowercase());
        }
        let padded = (lowered.len() + PADDING).next_multiple_of(CHUNK);
        lowered.extend(std::iter::repeat_n(' ', padded - lowered.len()));

        let lowered = lowered.as_str();
        let (chunks, _) = lowered.as_bytes().as_chunks::<CHUNK>();
        let (mut start, mut inside, mut before) = (0, false, 0);
        for (i, chunk) in chunks.iter().enumerate() {
            let bits = token_bits(chunk);
            // A bit that differs from the one before it begins or ends a token.
            let mut edges = bits ^ (bits << 1 | before);
            before = bits >> 63;
            while edges != 0 {
                let at = i * CHUNK + edges.trailing_zeros() as usize;
                edges &= edges - 1;
                if inside {
                    // Separators are ASCII, so both ends are character boundaries.
                    f(Token { lowered, start, end: at });
                }
                (start, inside) = (at, !inside);
            }
        }
    }
}

/// Calls `f` with every token of `text` in order; [`Tokenizer`] does the same for many texts without
/// new buffers.
///
/// ```
/// # use slugline::corpus::tokenize::for_each_token;
/// let mut tokens = Vec::new();
/// for_each_token("Don't stop.", |t| tokens.push(t.to_owned()));
/// assert_eq!(tokens, ["don't", "stop"]);
/// ```
pub fn for_each_token(text: &str, mut f: impl FnMut(&str)) {
    Tokenizer::default().for_each(text, |token| f(token.as_str()));
}

/// The tokens of `text`.
pub fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for_each_token(text, |token| tokens.push(token.to_owned()));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The token rule word for word: lower, replace, split on spaces, leave out empty strings.
    fn naive_tokens(text: &str) -> Vec<String> {
        let separators = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n";
        let spaced: String = text
            .to_lowercase()
            .chars()
            .map(|c| if separators.contains(c) { ' ' } else { c })
            .collect();
        spaced.split(' ').filter(|t| !t.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn tokens_keep_apostrophes_and_control_characters() {
        assert_eq!(tokens("Don't--stop\r\n\x03 \u{a0}É"), ["don't", "stop\r", "\x03", "\u{a0}é"]);
        assert_eq!(tokens(" .,\t\n"), [""; 0]);
        assert_eq!(tokens("ΟΔΟΣ. ΣΑ"), ["οδος", "σα"]);
    }

    #[test]
    fn every_byte_is_sorted_as_the_rule_says() {
        for byte in 0..=255_u8 {
            let punctuation = byte.is_ascii_punctuation() && byte != b'\'';
            let want = matches!(byte, b' ' | b'\t' | b'\n') || punctuation;
            assert_eq!(is_separator(byte), want, "{byte}");
            for place in [0, 7, 8, 63] {
                let mut chunk = [b' '; CHUNK];
                chunk[place] = byte;
                assert_eq!(token_bits(&chunk), u64::from(!want) << place);
            }
        }
    }

    proptest! {
        #[test]
        fn tokens_equal_the_naive_rule(text in any::<String>()) {
            prop_assert_eq!(tokens(&text), naive_tokens(&text));
        }

        #[test]
        fn tokens_equal_the_naive_rule_on_ascii(text in "[ -~\t\r\n\x03]{0,80}") {
            prop_assert_eq!(tokens(&text), naive_tokens(&text));
        }

        #[test]
        fn one_tokenizer_serves_many_texts(texts in prop::collection::vec("[a-zé ']{0,200}", 0..5)) {
            let mut tokenizer = Tokenizer::default();
            for text in &texts {
                let mut got = Vec::new();
                tokenizer.for_each(text, |token| {
                    assert_eq!(token.prefix(), prefix(token.as_str().as_bytes()));
                    got.push(token.as_str().to_owned());
                });
                prop_assert_eq!(got, naive_tokens(text));
            }
        }
    }
}
