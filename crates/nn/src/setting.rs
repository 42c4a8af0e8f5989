//! How a setting is checked: in the number type in which it is used. Optimizers check theirs in the same way.

use mlp_tensor::Element;

use crate::NnError;

/// A setting outside of its range.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Problem {
    /// The name of the setting.
    pub setting: &'static str,
    /// The value that it was given.
    pub value: f64,
    /// The values that it may have.
    pub expected: String,
}

impl Problem {
    pub(crate) fn new(setting: &'static str, value: f64, expected: impl Into<String>) -> Self {
        Self { setting, value, expected: expected.into() }
    }

    /// The error that says whose setting it is.
    pub(crate) fn of(self, layer: impl Into<String>) -> NnError {
        let Self { setting, value, expected } = self;
        NnError::Setting { layer: layer.into(), setting, value, expected }
    }
}

/// The number type of a network, as far as settings are concerned.
///
/// A description has no number type, and is checked as it is written, which is in f64. A network has one, and a value
/// that is in range as it is written need not be as the network computes with it: 1e-50 is above 0, and 0 in f32.
#[derive(Clone, Copy, Debug)]
pub struct NumberType {
    name: &'static str,
    round: fn(f64) -> f64,
}

impl NumberType {
    /// The number type `E`.
    pub fn of<E: Element>() -> Self {
        Self { name: E::NAME, round: |value| E::from_f64(value).as_f64() }
    }

    pub(crate) fn finite(self, setting: &'static str, value: f64) -> Result<(), Problem> {
        self.check(setting, value, "finite", |as_used| as_used(value).is_finite())
    }

    /// More than 0 and finite.
    ///
    /// # Errors
    /// If it is not.
    pub fn above_zero(self, setting: &'static str, value: f64) -> Result<(), Problem> {
        let holds = |value: f64| value.is_finite() && value > 0.0;
        self.check(setting, value, "finite and above 0", |as_used| holds(as_used(value)))
    }

    pub(crate) fn not_negative(self, setting: &'static str, value: f64) -> Result<(), Problem> {
        let holds = |value: f64| value.is_finite() && value >= 0.0;
        self.check(setting, value, "finite and 0 or more", |as_used| holds(as_used(value)))
    }

    /// From 0 to 1, with the two.
    pub(crate) fn share(self, setting: &'static str, value: f64) -> Result<(), Problem> {
        self.check(setting, value, "from 0 to 1", |as_used| (0.0..=1.0).contains(&as_used(value)))
    }

    /// A lower bound that must be below an upper one, both of them finite.
    pub(crate) fn bounds(self, low: f64, high: f64) -> Result<(), Problem> {
        self.finite("low", low)?;
        self.finite("high", high)?;
        self.check("low", low, "below high", |as_used| as_used(low) < as_used(high))
    }

    /// Whatever must hold, of the values as they are written and as the number type has them: `holds` gets the function
    /// that makes the one of the other.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(
        self,
        setting: &'static str,
        value: f64,
        expected: &str,
        holds: impl Fn(fn(f64) -> f64) -> bool,
    ) -> Result<(), Problem> {
        let expected = match (holds(|value| value), holds(self.round)) {
            (true, true) => return Ok(()),
            (false, _) => expected.to_owned(),
            (true, false) => {
                format!("{expected} also as {}, which makes it {}", self.name, shown((self.round)(value)))
            }
        };
        Err(Problem::new(setting, value, expected))
    }
}

/// A number as people write it: 1e-50 and not fifty digits.
pub fn shown(value: f64) -> String {
    let plain = value == 0.0 || !value.is_finite() || (1e-6..1e16).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}
