//! How much of what a file says a message shows. What goes into one is escaped and cut by [`mlp_nn::registry::shown`].

use std::fmt;

/// A file's text as a message may show it.
pub(crate) fn shown(text: &str) -> String {
    mlp_nn::registry::shown(text, 80)
}

/// A file's text as a listing of the file may show it, however long it is.
pub(crate) fn whole(text: &str) -> String {
    mlp_nn::registry::shown(text, usize::MAX)
}

/// The same as [`shown`] for a message that quotes a file.
pub(crate) fn message(text: impl fmt::Display) -> String {
    mlp_nn::registry::shown(text, 500)
}

/// Names that have been through [`shown`], in quotes: `["m", "v"]`.
pub(crate) fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("[{}]", names.join(", "))
}
