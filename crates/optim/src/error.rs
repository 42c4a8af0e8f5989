//! What can be wrong with an optimizer.

use std::fmt;

use mlp_nn::setting::{NumberType, Problem, shown};
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

/// Checks the settings of one optimizer, one after the other, in the number type in which they are used.
pub(crate) struct Check<'a> {
    optimizer: &'a str,
    number: NumberType,
}

impl<'a> Check<'a> {
    pub(crate) fn new<E: Element>(optimizer: &'a str) -> Self {
        Self { optimizer, number: NumberType::of::<E>() }
    }

    /// More than 0 and finite.
    pub(crate) fn positive(&self, setting: &'static str, value: f64) -> Result<(), OptimError> {
        self.hand_on(self.number.above_zero(setting, value))
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
        self.hand_on(self.number.check(setting, value, expected, |as_used| holds(as_used(value))))
    }

    fn hand_on(&self, checked: Result<(), Problem>) -> Result<(), OptimError> {
        checked.map_err(|Problem { setting, value, expected, .. }| {
            let optimizer = self.optimizer.to_owned();
            OptimError::Setting { optimizer, setting, value, expected }
        })
    }
}

#[cfg(test)]
mod tests {
    use mlp_nn::{Dense, Sequential};

    use crate::{Adam, Optimizer, OptimizerState};

    /// A `main` that returns the error prints it so.
    #[test]
    fn errors_are_their_messages_with_debug_as_well() {
        let error = Optimizer::from(Adam::new(0.0)).check::<f32>().unwrap_err();
        assert_eq!(format!("{error:?}"), error.to_string());
        let network = Sequential::new(1).add(Dense::new(1)).init::<f32>(0).unwrap();
        let error =
            OptimizerState::from_parts(&Adam::default().into(), network.parameters(), 0, Vec::new()).unwrap_err();
        assert_eq!(format!("{error:?}"), error.to_string());
    }
}
