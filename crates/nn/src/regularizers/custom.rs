//! Regularizers that users write.

use std::fmt;
use std::sync::Arc;

use mlp_autograd::{Tape, Var};
use mlp_registry::{Both, OpenError, Registry, Settings};
use mlp_tensor::{Element, Tensor};

use super::Regularizer;
use super::kind::Kind;

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

impl Regularizer {
    /// Makes a user's regularizer that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), OpenError> {
        mlp_registry::open(self, Self::custom, "Regularizer", registry)
    }

    /// Why the penalty cannot be computed, if a file only named it.
    pub(crate) fn missing(&self) -> Option<OpenError> {
        self.custom()?.get("Regularizer").err()
    }
}

impl Kind for Custom {
    fn penalty<E: Element>(&self, weight: &Tensor<E>) -> f64 {
        let tape = Tape::no_record();
        penalty(self, tape.constant(weight.clone())).value().item().as_f64()
    }

    fn gradient<E: Element>(&self, weight: &Tensor<E>) -> Tensor<E> {
        let tape = Tape::new();
        let weight = tape.variable(weight.clone());
        let penalty = penalty(self, weight);
        if !penalty.requires_grad() {
            return Tensor::zeros(weight.shape());
        }
        penalty.backward().wrt(weight)
    }

    fn of_output<'t, E: Element>(&self, y: Var<'t, E>, rows: f64) -> Var<'t, E> {
        penalty(self, y) * E::from_f64(rows.recip())
    }
}
