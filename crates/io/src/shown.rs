//! The one place through which what a file says goes on its way into a message.

/// A message shows at most this many characters of one text of a file.
const LONGEST: usize = 80;

/// A file's text as a message may show it: control characters escaped, and cut where it gets long. A text may be from
/// anyone, and a message ends up on a terminal or in a log.
pub(crate) fn shown(text: &str) -> String {
    cut(text, LONGEST)
}

/// The same for a message that quotes a file.
pub(crate) fn message(text: &str) -> String {
    cut(text, 500)
}

fn cut(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for (index, c) in text.chars().enumerate() {
        if index == longest {
            shown.push_str("..");
            break;
        }
        // Also what turns the direction of writing, and what cannot be seen.
        match c {
            '"' | '\'' | '\\' => shown.push(c),
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped_and_what_is_long_is_cut() {
        assert_eq!(shown("größe \"m\\\""), "größe \"m\\\"");
        assert_eq!(shown("\x1b[2J\n\u{202e}x\u{200b}"), "\\u{1b}[2J\\n\\u{202e}x\\u{200b}");
        assert_eq!(shown(&"x".repeat(80)), "x".repeat(80));
        assert_eq!(shown(&"x".repeat(81)), format!("{}..", "x".repeat(80)));
        assert_eq!(message(&"\n".repeat(1 << 20)).len(), 1002);
    }
}
