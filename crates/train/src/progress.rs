//! The progress bar of a long fit.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Epoch;

/// A fit that is over sooner shows nothing.
const LONG: Duration = Duration::from_secs(1);

/// A redraw is worth it after this long.
const REDRAW: Duration = Duration::from_millis(50);

/// A bar of epochs with the time left and the losses, on standard error; nothing at all where that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress(Option<Shown>);

#[derive(Debug)]
struct Shown {
    bar: ProgressBar,
    epochs: u64,
    /// When the bar is to be drawn next.
    due: Instant,
}

impl Progress {
    /// A bar for `epochs` epochs, or one that never shows.
    pub(crate) fn new(epochs: usize, wanted: bool) -> Self {
        if !wanted || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(Some(epochs as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("epoch {pos}/{len} [{bar:30}] {eta} left  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(Some(Shown { bar, epochs: 0, due: Instant::now() + LONG }))
    }

    /// So many epochs were over before.
    pub(crate) fn skip(&mut self, epochs: usize) {
        if let Some(shown) = &mut self.0 {
            shown.epochs = epochs as u64;
            // The time left is estimated from the epochs to come.
            shown.bar.set_position(shown.epochs);
            shown.bar.reset_eta();
        }
    }

    /// One more epoch is over.
    pub(crate) fn epoch(&mut self, epoch: &Epoch) {
        let Some(shown) = &mut self.0 else { return };
        shown.epochs += 1;
        let now = Instant::now();
        if now < shown.due {
            return;
        }
        shown.due = now + REDRAW;
        if shown.bar.is_hidden() {
            shown.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let validation = epoch.validation.as_ref().map_or(String::new(), |v| format!("  validation {v}"));
        shown.bar.set_message(format!("{}{validation}", epoch.training));
        shown.bar.set_position(shown.epochs);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(shown) = &self.0 {
            shown.bar.finish_and_clear();
        }
    }
}
