//! What can be wrong with an optimizer's settings.

/// Why an optimizer cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// A setting outside of its range.
    #[error("{optimizer}: {setting} is {value}, but must be {expected}")]
    Setting {
        /// The optimizer.
        optimizer: &'static str,
        /// The name of the setting.
        setting: &'static str,
        /// The value that it was given.
        value: f64,
        /// The values that it may have.
        expected: &'static str,
    },
}

/// Checks the settings of one optimizer, one after the other.
pub(crate) struct Check {
    pub(crate) optimizer: &'static str,
}

impl Check {
    /// More than 0 and finite.
    pub(crate) fn positive(&self, setting: &'static str, value: f64) -> Result<(), OptimError> {
        self.that(value > 0.0 && value.is_finite(), setting, value, "finite and above 0")
    }

    /// From 0 up to, but not including, 1.
    pub(crate) fn fraction(&self, setting: &'static str, value: f64) -> Result<(), OptimError> {
        self.that((0.0..1.0).contains(&value), setting, value, "at least 0 and below 1")
    }

    pub(crate) fn that(
        &self,
        holds: bool,
        setting: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Result<(), OptimError> {
        if holds { Ok(()) } else { Err(OptimError::Setting { optimizer: self.optimizer, setting, value, expected }) }
    }
}
