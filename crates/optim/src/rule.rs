//! What one optimizer is.

use std::fmt;

use mlp_tensor::Element;

use crate::OptimError;

/// One update rule with its settings; the type that implements it has a file of its own.
pub(crate) trait Rule {
    /// The name in messages.
    fn name(&self) -> &str;

    /// The names of what it remembers for every weight, each of the weight's shape.
    fn slots(&self) -> &[&str];

    /// Checks the settings as `E` has them: what is above 0 in double precision may be 0 in single precision.
    fn check<E: Element>(&self) -> Result<(), OptimError>;

    /// The step size.
    fn learning_rate(&self) -> f64;

    /// The step size, to be changed.
    fn learning_rate_mut(&mut self) -> &mut f64;

    /// Step number `step` (counted from 1, over the steps of this weight) of some of a weight's values.
    fn update<E: Element>(&self, step: u64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]);

    /// Every setting.
    fn settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// The panic of an update with a wrong number of slots.
#[cold]
#[track_caller]
pub(crate) fn wrong_slots(name: &str, expected: &[&str], found: usize) -> ! {
    panic!("{name}: {found} slots were given where it has {expected:?}")
}
