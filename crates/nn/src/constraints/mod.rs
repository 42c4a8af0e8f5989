//! Limits that a weight is brought back to after each step.
//!
//! A constraint is a file here: its settings as a struct, and what it does as a [`Kind`]. The list below is the one
//! place that names them all.

mod columns;
mod custom;
mod kind;
mod max_norm;
mod min_max_norm;
mod non_negative;
mod unit_norm;

use mlp_tensor::{Element, Tensor};

use crate::NnError;
use crate::family::family;
use crate::setting::{NumberType, Problem};
use kind::Kind;

pub use custom::CustomConstraint;

family! {
    /// A limit on a weight, which [`Constraint::apply`] enforces after each step of training.
    ///
    /// Norms are Euclidean and taken over the first axis: of a weight `[inputs, units]`, one for the incoming
    /// weights of every unit; of a bias, one for all of it. A column of zeros has no direction and stays. The
    /// formulas are Keras', without the 1e-7 that it adds to every norm: what is within the limit stays as it is,
    /// bit for bit.
    ///
    /// Source: Srebro and Shraibman, 2005 (max-norm).
    pub enum Constraint, matched by with_constraint;
    /// A limit of your own: see [`CustomConstraint`].
    Custom;
    /// A column with a norm above `max` is scaled down to it.
    max_norm::MaxNorm {
        /// The largest norm, finite and 0 or more; Keras' default is 2.
        max: f64,
    },
    /// Negative weights become 0.
    non_negative::NonNegative,
    /// Every column is scaled to norm 1.
    unit_norm::UnitNorm,
    /// A column whose norm n lies outside of `min` to `max` is scaled so that its norm becomes
    /// `rate` · (the nearer bound) + (1 - `rate`) · n.
    min_max_norm::MinMaxNorm {
        /// The least norm, 0 or more; Keras' default is 0.
        min: f64,
        /// The largest norm, finite and at least `min`; Keras' default is 1.
        max: f64,
        /// How much of the way is gone at once, from 0 to 1; 1, all of it, is Keras' default.
        rate: f64,
    },
}

impl Constraint {
    /// Brings `weight` back within the limit.
    ///
    /// # Panics
    /// If a setting lies outside of its range (see [`Constraint::check`]), or this is a user's constraint that a file
    /// only named, or one that changes the shape.
    #[track_caller]
    pub fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        if let Err(error) = self.check::<E>("apply") {
            panic!("{error}");
        }
        with_constraint!(self, kind => Kind::apply(kind, weight));
    }

    /// Checks the settings as numbers of type `E`; `what` is whose constraint it is, as the error names it.
    ///
    /// # Errors
    /// If a setting lies outside of its range, or this is a user's constraint that a file only named.
    pub fn check<E: Element>(&self, what: &str) -> Result<(), NnError> {
        if let Some(missing) = self.missing() {
            return Err(missing.into());
        }
        self.check_in(NumberType::of::<E>()).map_err(|problem| problem.of(what))
    }

    pub(crate) fn check_in(&self, number: NumberType) -> Result<(), Problem> {
        with_constraint!(self, kind => kind.check(number))
    }
}
