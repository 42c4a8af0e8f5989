//! What can be wrong with an optimizer.

use std::fmt;
use std::marker::PhantomData;

use mlp_registry::OpenError;
use mlp_tensor::Element;

/// Why an optimizer cannot be used.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptimError {
    /// A setting outside of its range.
    #[error("{optimizer}: {setting} is {}, but must be {expected}", shown(*value))]
    Setting {
        /// The optimizer.
        optimizer: String,
        /// The name of the setting.
        setting: &'static str,
        /// The value that it was given.
        value: f64,
        /// The values that it may have.
        expected: String,
    },
    /// A user's optimizer of which a file gives only the name, or that cannot be made from its settings.
    #[error(transparent)]
    Missing(#[from] OpenError),
}

impl fmt::Debug for OptimError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A number as people write it: 1e-50 and not fifty digits.
fn shown(value: f64) -> String {
    let plain = value == 0.0 || !value.is_finite() || (1e-6..1e16).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// Checks the settings of one optimizer, one after the other, in the number type in which they are used.
pub(crate) struct Check<'a, E> {
    optimizer: &'a str,
    number: PhantomData<E>,
}

impl<'a, E: Element> Check<'a, E> {
    pub(crate) fn new(optimizer: &'a str) -> Self {
        Self { optimizer, number: PhantomData }
    }

    /// More than 0 and finite.
    pub(crate) fn positive(&self, setting: &'static str, value: f64) -> Result<(), OptimError> {
        let holds = |value: f64| value > 0.0 && value.is_finite();
        self.that(holds, setting, value, "finite and above 0")
    }

    /// From 0 up to, but not including, 1.
    pub(crate) fn fraction(&self, setting: &'static str, value: f64) -> Result<(), OptimError> {
        self.that(|value| (0.0..1.0).contains(&value), setting, value, "at least 0 and below 1")
    }

    /// Whatever must hold, of the value itself and of the value as the weights' type has it.
    pub(crate) fn that(
        &self,
        holds: impl Fn(f64) -> bool,
        setting: &'static str,
        value: f64,
        expected: &str,
    ) -> Result<(), OptimError> {
        let rounded = E::from_f64(value).as_f64();
        let expected = match (holds(value), holds(rounded)) {
            (true, true) => return Ok(()),
            (false, _) => expected.to_owned(),
            (true, false) => format!("{expected} also as {}, which makes it {}", E::NAME, shown(rounded)),
        };
        Err(OptimError::Setting { optimizer: self.optimizer.to_owned(), setting, value, expected })
    }
}
