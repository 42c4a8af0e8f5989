//! Constraints that users write.

use std::fmt;
use std::sync::Arc;

use mlp_registry::{Both, OpenError, Registry, Settings};
use mlp_tensor::{Element, Tensor};

use super::Constraint;
use super::kind::Kind;

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

impl<C: CustomConstraint> From<C> for Constraint {
    fn from(constraint: C) -> Self {
        let (name, settings) = (constraint.name().to_owned(), constraint.settings());
        let constraint = Arc::new(constraint);
        Self::Custom(Custom::new(name, settings, Both::new(constraint.clone(), constraint)))
    }
}

impl Constraint {
    /// Makes a user's constraint that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), OpenError> {
        mlp_registry::open(self, Self::custom, "Constraint", registry)
    }

    /// Why the constraint cannot be applied, if a file only named it.
    pub(crate) fn missing(&self) -> Option<OpenError> {
        self.custom()?.get("Constraint").err()
    }
}

impl Kind for Custom {
    fn apply<E: Element>(&self, weight: &mut Tensor<E>) {
        let part = self.expect("Constraint");
        let expected = weight.shape().to_vec();
        part.get::<dyn Erased<E>>().apply(weight);
        assert!(
            weight.shape() == expected,
            "{self}: a constraint keeps the shape, but made {:?} of {expected:?}",
            weight.shape()
        );
    }
}
