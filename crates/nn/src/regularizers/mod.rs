//! Penalties on large weights and large outputs.
//!
//! A regularizer is a file here: its settings as a struct, and what it does as a [`Kind`]. The list below is the one
//! place that names them all.

mod custom;
mod kind;
mod l1_l2;

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};

use crate::NnError;
use crate::family::family;
use crate::setting::{NumberType, Problem};
use kind::Kind;

pub use custom::CustomRegularizer;

family! {
    /// A penalty on a weight, a bias or a layer's output, added to the loss.
    pub enum Regularizer, matched by with_regularizer;
    /// A penalty of your own: see [`CustomRegularizer`].
    Custom;
    /// l1 · Σ|w| + l2 · Σw², with gradient l1 · sign(w) + 2 · l2 · w (Keras' convention, without the half that some
    /// texts put before l2).
    #[serde(rename = "l1_l2")]
    l1_l2::L1L2 {
        /// The factor of Σ|w|, 0 or more.
        l1: f64,
        /// The factor of Σw², 0 or more.
        l2: f64,
    },
}

impl Regularizer {
    /// The penalty of `weight`, summed in double precision. Settings are taken as they are: [`Regularizer::check`] looks
    /// at them, as it does when a network is built.
    ///
    /// # Panics
    /// If this is a user's regularizer that a file only named, or one whose penalty is not one number.
    #[track_caller]
    pub fn penalty<E: Element>(&self, weight: &Tensor<E>) -> f64 {
        with_regularizer!(self, kind => Kind::penalty(kind, weight))
    }

    /// The penalty's gradient with respect to `weight`.
    ///
    /// # Panics
    /// As [`Regularizer::penalty`].
    #[track_caller]
    pub fn gradient<E: Element>(&self, weight: &Tensor<E>) -> Tensor<E> {
        with_regularizer!(self, kind => Kind::gradient(kind, weight))
    }

    /// Whether the penalty's gradient at a value depends on that value alone.
    pub fn is_by_value(&self) -> bool {
        with_regularizer!(self, kind => kind.is_by_value())
    }

    /// Adds the penalty's gradient at some of a weight's values to that of these values, if it is one that looks at
    /// every value by itself; `false`, and nothing done, if it needs the whole weight.
    pub fn add_by_value<E: Element>(&self, weights: &[E], gradient: &mut [E]) -> bool {
        with_regularizer!(self, kind => kind.add_by_value(weights, gradient))
    }

    /// The penalty of a layer's output `y` as a variable, divided by the number of rows, as in Keras. One number, 0 where
    /// there are no rows.
    ///
    /// # Panics
    /// If `y` is a single number, without an axis of rows, and as [`Regularizer::penalty`].
    #[track_caller]
    pub fn of_output<'t, E: Element>(&self, y: Var<'t, E>) -> Var<'t, E> {
        let shape = y.shape();
        assert!(!shape.is_empty(), "of_output: an output of shape [] has no rows");
        with_regularizer!(self, kind => kind.of_output(y, shape[0].max(1) as f64))
    }

    /// Checks the settings as numbers of type `E`; `what` is whose regularizer it is, as the error names it.
    ///
    /// # Errors
    /// If a setting lies outside of its range, or this is a user's regularizer that a file only named.
    pub fn check<E: Element>(&self, what: &str) -> Result<(), NnError> {
        if let Some(missing) = self.missing() {
            return Err(missing.into());
        }
        self.check_in(NumberType::of::<E>()).map_err(|problem| problem.of(what))
    }

    pub(crate) fn check_in(&self, number: NumberType) -> Result<(), Problem> {
        with_regularizer!(self, kind => kind.check(number))
    }
}
