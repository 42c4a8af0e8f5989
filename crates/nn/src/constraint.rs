//! Limits that a weight is brought back to after each step.

use std::fmt;
use std::sync::Arc;

use mlp_registry::{Both, OpenError, Registry, Settings};
use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::NnError;
use crate::error::{Problem, finite, not_negative};

/// A limit on a weight, which [`Constraint::apply`] enforces after each step of training.
///
/// Norms are Euclidean and taken over the first axis: of a weight `[inputs, units]`, one for the incoming weights of
/// every unit; of a bias, one for all of it. A column of zeros has no direction and stays. The formulas are Keras',
/// without the 1e-7 that it adds to every norm: what is within the limit stays as it is, bit for bit.
///
/// Source: Srebro and Shraibman, 2005 (max-norm).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Constraint {
    /// A column with a norm above `max` is scaled down to it.
    MaxNorm {
        /// The largest norm, finite and 0 or more; Keras' default is 2.
        max: f64,
    },
    /// Negative weights become 0.
    NonNegative,
    /// Every column is scaled to norm 1.
    UnitNorm,
    /// A column whose norm n lies outside of `min` to `max` is scaled so that its norm becomes
    /// `rate` · (the nearer bound) + (1 - `rate`) · n.
    MinMaxNorm {
        /// The least norm, 0 or more; Keras' default is 0.
        min: f64,
        /// The largest norm, finite and at least `min`; Keras' default is 1.
        max: f64,
        /// How much of the way is gone at once, from 0 to 1; 1, all of it, is Keras' default.
        rate: f64,
    },
    /// A limit of your own: see [`CustomConstraint`].
    Custom(Custom),
}

impl Constraint {
    /// Brings `weight` back within the limit.
    ///
    /// # Panics
    /// If a setting lies outside of its range (see [`Constraint::check`]), or this is a user's constraint that a file
    /// only named, or one that changes the shape.
    #[track_caller]
    pub fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        if let Err(error) = self.check("apply") {
            panic!("{error}");
        }
        match *self {
            Self::NonNegative => weight.map_in_place(
                #[inline(always)]
                |w| if w < E::zero() { E::zero() } else { w },
            ),
            Self::MaxNorm { max } => scale_columns(weight, |norm| norm.min(max)),
            Self::UnitNorm => scale_columns(weight, |_| 1.0),
            Self::MinMaxNorm { min, max, rate } => {
                scale_columns(weight, |norm| rate * norm.clamp(min, max) + (1.0 - rate) * norm);
            }
            Self::Custom(ref custom) => apply(custom, weight),
        }
    }

    /// Checks the settings; `what` is what the constraint is on, as the error names it.
    ///
    /// # Errors
    /// If a setting lies outside of its range, or this is a user's constraint that a file only named.
    pub fn check(&self, what: &str) -> Result<(), NnError> {
        if let Some(missing) = self.missing() {
            return Err(missing.into());
        }
        let error = |(setting, value, expected)| NnError::Setting { layer: what.to_owned(), setting, value, expected };
        self.problem().map(error).map_or(Ok(()), Err)
    }

    /// The setting that lies outside of its range, if there is one.
    pub(crate) fn problem(&self) -> Option<Problem> {
        match *self {
            Self::NonNegative | Self::UnitNorm | Self::Custom(_) => None,
            Self::MaxNorm { max } => not_negative("max", max),
            Self::MinMaxNorm { min, max, rate } => not_negative("min", min)
                .or(finite("max", max))
                .or((max < min).then_some(("max", max, "at least min")))
                .or((!(0.0..=1.0).contains(&rate)).then_some(("rate", rate, "from 0 to 1"))),
        }
    }
}

/// A limit of your own. It goes wherever a [`Constraint`] goes.
///
/// ```
/// use mlp_nn::{Constraint, CustomConstraint};
/// use mlp_tensor::{Element, Tensor};
///
/// /// No weight beyond ±1.
/// #[derive(Debug)]
/// struct Box1;
///
/// impl CustomConstraint for Box1 {
///     fn name(&self) -> &str {
///         "box1"
///     }
///     fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
///         *weight = weight.clamp(-E::one(), E::one());
///     }
/// }
///
/// let mut weight = Tensor::from([[0.5], [-7.0]]);
/// Constraint::from(Box1).apply(&mut weight);
/// assert_eq!(weight, Tensor::from([[0.5], [-1.0]]));
/// ```
pub trait CustomConstraint: fmt::Debug + Send + Sync + 'static {
    /// The name in files and messages: no other constraint's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the constraint again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// Brings `weight` back within the limit; its shape must stay.
    fn apply<E: Element>(&self, weight: &mut Tensor<E>);
}

/// A user's constraint among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Both<dyn Erased<f32>, dyn Erased<f64>>>;

/// [`CustomConstraint`] for one number type.
pub trait Erased<E: Element>: Send + Sync {
    /// [`CustomConstraint::apply`].
    fn apply(&self, weight: &mut Tensor<E>);
}

impl<E: Element, C: CustomConstraint> Erased<E> for C {
    fn apply(&self, weight: &mut Tensor<E>) {
        CustomConstraint::apply(self, weight);
    }
}

#[track_caller]
fn apply<E: Element>(custom: &Custom, weight: &mut Tensor<E>) {
    let part = custom.expect("Constraint");
    let expected = weight.shape().to_vec();
    part.get::<dyn Erased<E>>().apply(weight);
    assert!(
        weight.shape() == expected,
        "{custom}: a constraint keeps the shape, but made {:?} of {expected:?}",
        weight.shape()
    );
}

impl<C: CustomConstraint> From<C> for Constraint {
    fn from(constraint: C) -> Self {
        let (name, settings) = (constraint.name().to_owned(), constraint.settings());
        let constraint = Arc::new(constraint);
        Self::Custom(Custom::new(name, settings, Both::new(constraint.clone(), constraint)))
    }
}

impl Constraint {
    fn custom(&self) -> Option<&Custom> {
        match self {
            Self::Custom(custom) => Some(custom),
            _ => None,
        }
    }

    /// Makes a user's constraint that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), OpenError> {
        mlp_registry::open(self, Self::custom, "Constraint", registry)
    }

    /// Why the constraint cannot be applied, if a file only named it.
    pub(crate) fn missing(&self) -> Option<OpenError> {
        self.custom()?.get("Constraint").err()
    }
}

/// Gives every column with the norm n the norm `wanted(n)`. Norms are summed in double precision.
fn scale_columns<E: Element>(weight: &mut Tensor<E>, wanted: impl Fn(f64) -> f64) {
    let columns = weight.row_len();
    if weight.is_empty() {
        return;
    }
    let mut squares = vec![0.0_f64; columns];
    for row in weight.as_slice().chunks(columns) {
        let pairs = squares.iter_mut().zip(row);
        vectorize(
            #[inline(always)]
            || {
                pairs.for_each(|(square, w)| {
                    let w = w.as_f64();
                    *square += w * w;
                });
            },
        );
    }
    let factor = |square: f64| {
        let norm = square.sqrt();
        if norm > 0.0 { wanted(norm) / norm } else { 1.0 }
    };
    let factors: Vec<E> = squares.into_iter().map(|square| E::from_f64(factor(square))).collect();
    if factors.iter().all(|&factor| factor == E::one()) {
        return;
    }
    for row in weight.as_mut_slice().chunks_mut(columns) {
        row.iter_mut().zip(&factors).for_each(|(w, &factor)| *w *= factor);
    }
}
