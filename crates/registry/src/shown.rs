//! How words that a program did not write itself reach a message.

use std::fmt::{self, Write};

/// What `value` displays, as a message may show it: control characters and others that cannot be seen are escaped, and
/// after `longest` characters it is cut, with `..` behind.
///
/// Names and settings may come from a file, and a file from anyone; a message ends up on a terminal or in a log. All
/// crates of this library show such words through this function. What is already escaped is not escaped once more, and
/// of what is cut off nothing is made.
///
/// ```
/// use mlp_registry::shown;
///
/// assert_eq!(shown("größe", 80), "größe");
/// assert_eq!(shown("\x1b[2J", 80), "\\u{1b}[2J");
/// assert_eq!(shown("abcdef", 4), "abcd..");
/// ```
pub fn shown(value: impl fmt::Display, longest: usize) -> String {
    let mut shown = Shown { text: String::new(), left: longest };
    // It fails where the text is cut, and with a `Display` that fails by itself, of which what it wrote is shown.
    let _ = write!(shown, "{value}");
    shown.text
}

struct Shown {
    text: String,
    left: usize,
}

impl Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            let Some(left) = self.left.checked_sub(1) else {
                self.text.push_str("..");
                // Whatever is asked to write more is stopped.
                return Err(fmt::Error);
            };
            self.left = left;
            // Escaped is also what turns the direction of writing, and what cannot be seen.
            match c {
                '"' | '\'' | '\\' => self.text.push(c),
                _ => self.text.extend(c.escape_debug()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_what_is_long_is_cut() {
        assert_eq!(shown("größe \"m\\\"", 80), "größe \"m\\\"");
        assert_eq!(shown("\x1b[2J\n\u{202e}x\u{200b}", 80), "\\u{1b}[2J\\n\\u{202e}x\\u{200b}");
        assert_eq!(shown("x".repeat(80), 80), "x".repeat(80));
        assert_eq!(shown("x".repeat(81), 80), format!("{}..", "x".repeat(80)));
        assert_eq!(shown("\n".repeat(1 << 20), 500).len(), 1002);
        assert_eq!(shown(shown("\x1b", 80), 80), "\\u{1b}");
    }

    /// Writes its name for ever.
    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str("Endless ")?;
            }
        }
    }

    #[test]
    fn nothing_is_made_of_what_is_cut_off() {
        assert_eq!(shown(Endless, 10), "Endless En..");
    }
}
