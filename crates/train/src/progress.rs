//! The progress bar of a long fit.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::Epoch;

/// A fit that is over sooner shows nothing.
const LONG: Duration = Duration::from_secs(1);

/// A bar of epochs with the time left and the losses, on standard error; silent where that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    start: Instant,
    hidden: bool,
}

impl Progress {
    /// A bar for `epochs` epochs, or one that never shows.
    pub(crate) fn new(epochs: usize, wanted: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(epochs as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("epoch {pos}/{len} [{bar:30}] {eta} left  {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        Self { bar, start: Instant::now(), hidden: !wanted }
    }

    /// One more epoch is over.
    pub(crate) fn epoch(&self, epoch: &Epoch) {
        if self.hidden {
            return;
        }
        if self.bar.is_hidden() && self.start.elapsed() > LONG {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let validation = epoch.validation.as_ref().map_or(String::new(), |v| format!("  validation {v}"));
        self.bar.set_message(format!("{}{validation}", epoch.training));
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
