//! Penalties on large weights and large outputs.

use std::fmt;
use std::sync::Arc;

use mlp_autograd::{Tape, Var};
use mlp_registry::{Both, Opening, Registry, Settings};
use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::error::{Problem, not_negative};

/// A penalty on a weight, a bias or a layer's output, added to the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Regularizer {
    /// l1 · Σ|w| + l2 · Σw², with gradient l1 · sign(w) + 2 · l2 · w (Keras' convention, without the half that some
    /// texts put before l2).
    #[serde(rename = "l1_l2")]
    L1L2 {
        /// The factor of Σ|w|, 0 or more.
        l1: f64,
        /// The factor of Σw², 0 or more.
        l2: f64,
    },
    /// A penalty of your own: see [`CustomRegularizer`].
    Custom(Custom),
}

impl Regularizer {
    /// l1 · Σ|w|, which drives weights to 0.
    pub fn l1(l1: f64) -> Self {
        Self::L1L2 { l1, l2: 0.0 }
    }

    /// l2 · Σw², which keeps weights small.
    pub fn l2(l2: f64) -> Self {
        Self::L1L2 { l1: 0.0, l2 }
    }

    /// Both.
    pub fn l1_l2(l1: f64, l2: f64) -> Self {
        Self::L1L2 { l1, l2 }
    }

    /// The penalty of `weight`, summed in double precision.
    ///
    /// # Panics
    /// If this is a user's regularizer that a file only named, or one whose penalty is not one number.
    #[track_caller]
    pub fn penalty<E: Element>(&self, weight: &Tensor<E>) -> f64 {
        match self {
            Self::L1L2 { l1, l2 } => {
                let (absolute, square) = sums(weight.as_slice());
                l1 * absolute + l2 * square
            }
            Self::Custom(custom) => {
                let tape = Tape::no_record();
                penalty(custom, tape.constant(weight.clone())).value().item().as_f64()
            }
        }
    }

    /// The penalty's gradient with respect to `weight`.
    ///
    /// # Panics
    /// As [`Regularizer::penalty`].
    #[track_caller]
    pub fn gradient<E: Element>(&self, weight: &Tensor<E>) -> Tensor<E> {
        match self {
            Self::L1L2 { .. } => {
                let mut gradient = Tensor::zeros(weight.shape());
                self.add_by_value(weight.as_slice(), gradient.as_mut_slice());
                gradient
            }
            Self::Custom(custom) => {
                let tape = Tape::new();
                let weight = tape.variable(weight.clone());
                let penalty = penalty(custom, weight);
                if !penalty.requires_grad() {
                    return Tensor::zeros(weight.shape());
                }
                penalty.backward().wrt(weight)
            }
        }
    }

    /// Whether the penalty's gradient at a value depends on that value alone.
    pub fn is_by_value(&self) -> bool {
        matches!(self, Self::L1L2 { .. })
    }

    /// Adds the penalty's gradient at some of a weight's values to that of these values, if it is one that looks at
    /// every value by itself; `false`, and nothing done, if it needs the whole weight.
    pub fn add_by_value<E: Element>(&self, weights: &[E], gradient: &mut [E]) -> bool {
        let Self::L1L2 { l1, l2 } = *self else { return false };
        let (l1, two_l2, zero) = (E::from_f64(l1), E::from_f64(2.0 * l2), E::zero());
        let pairs = gradient.iter_mut().zip(weights);
        vectorize(
            #[inline(always)]
            || {
                pairs.for_each(|(g, &w)| {
                    let sign = if w > zero {
                        l1
                    } else if w < zero {
                        -l1
                    } else {
                        zero
                    };
                    *g += sign + two_l2 * w;
                });
            },
        );
        true
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
        let rows = shape[0].max(1) as f64;
        match self {
            Self::L1L2 { l1, l2 } => {
                let [l1, l2] = [l1, l2].map(|factor| E::from_f64(factor / rows));
                (y.abs() * l1 + y.square() * l2).sum()
            }
            Self::Custom(custom) => penalty(custom, y) * E::from_f64(rows.recip()),
        }
    }

    /// The setting that lies outside of its range, if there is one.
    pub(crate) fn problem(&self) -> Option<Problem> {
        match *self {
            Self::L1L2 { l1, l2 } => not_negative("l1", l1).or(not_negative("l2", l2)),
            Self::Custom(_) => None,
        }
    }

    fn custom(&self) -> Option<&Custom> {
        match self {
            Self::Custom(custom) => Some(custom),
            _ => None,
        }
    }

    /// Makes a user's regularizer that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), Opening> {
        mlp_registry::open(self, Self::custom, "Regularizer", registry)
    }

    /// Why the penalty cannot be computed, if a file only named it.
    pub(crate) fn missing(&self) -> Option<Opening> {
        self.custom()?.get("Regularizer").err()
    }
}

/// Σ|w| and Σw², each in sixteen sums that are added up at the end: the same bits on every machine.
fn sums<E: Element>(weights: &[E]) -> (f64, f64) {
    let (mut absolute, mut squares) = ([0.0_f64; 16], [0.0_f64; 16]);
    vectorize(
        #[inline(always)]
        || {
            for chunk in weights.chunks(16) {
                for ((absolute, square), w) in absolute.iter_mut().zip(&mut squares).zip(chunk) {
                    let w = w.as_f64();
                    *absolute += w.abs();
                    *square += w * w;
                }
            }
        },
    );
    (absolute.iter().sum(), squares.iter().sum())
}

/// A penalty of your own. It goes wherever a [`Regularizer`] goes.
///
/// ```
/// use mlp_autograd::Var;
/// use mlp_nn::{CustomRegularizer, Regularizer};
/// use mlp_tensor::{Element, Tensor};
///
/// /// Σ (1 - w²)², which drives weights to 1 and -1.
/// #[derive(Debug)]
/// struct ToSigns;
///
/// impl CustomRegularizer for ToSigns {
///     fn name(&self) -> &str {
///         "to_signs"
///     }
///     fn penalty<'t, E: Element>(&self, w: Var<'t, E>) -> Var<'t, E> {
///         (-w.square() + E::one()).square().sum()
///     }
/// }
///
/// let weight: Tensor = Tensor::from([[0.0, 2.0]]);
/// assert_eq!(Regularizer::from(ToSigns).penalty(&weight), 1.0 + 9.0);
/// assert_eq!(Regularizer::from(ToSigns).gradient(&weight), Tensor::from([[0.0, 24.0]])); // -4 w (1 - w²)
/// ```
pub trait CustomRegularizer: fmt::Debug + Send + Sync + 'static {
    /// The name in files and messages: no other regularizer's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the regularizer again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// The penalty of a weight, or of a layer's output, of which the library takes the mean over the rows: one number.
    fn penalty<'t, E: Element>(&self, w: Var<'t, E>) -> Var<'t, E>;
}

/// A user's regularizer among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Both<dyn Erased<f32>, dyn Erased<f64>>>;

/// [`CustomRegularizer`] for one number type.
pub trait Erased<E: Element>: Send + Sync {
    /// [`CustomRegularizer::penalty`].
    fn penalty<'t>(&self, w: Var<'t, E>) -> Var<'t, E>;
}

impl<E: Element, R: CustomRegularizer> Erased<E> for R {
    fn penalty<'t>(&self, w: Var<'t, E>) -> Var<'t, E> {
        CustomRegularizer::penalty(self, w)
    }
}

#[track_caller]
fn penalty<'t, E: Element>(custom: &Custom, w: Var<'t, E>) -> Var<'t, E> {
    let part = custom.expect("Regularizer");
    let penalty = part.get::<dyn Erased<E>>().penalty(w);
    let shape = penalty.shape();
    assert!(shape.iter().product::<usize>() == 1, "{custom}: a penalty is one number, but has shape {shape:?}; sum it");
    penalty.reshape([0_usize; 0])
}

impl<R: CustomRegularizer> From<R> for Regularizer {
    fn from(regularizer: R) -> Self {
        let (name, settings) = (regularizer.name().to_owned(), regularizer.settings());
        let regularizer = Arc::new(regularizer);
        Self::Custom(Custom::new(name, settings, Both::new(regularizer.clone(), regularizer)))
    }
}
