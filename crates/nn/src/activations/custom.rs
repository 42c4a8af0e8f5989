//! Activations that users write.

use std::fmt;
use std::sync::Arc;

use mlp_autograd::Var;
use mlp_registry::{Both, OpenError, Registry, Settings};
use mlp_tensor::Element;

use super::Activation;
use super::kind::Kind;

/// An activation of your own. It goes wherever an [`Activation`] goes.
///
/// ```
/// use mlp_autograd::Var;
/// use mlp_nn::{CustomActivation, Dense, Network, Sequential};
/// use mlp_registry::Settings;
/// use mlp_tensor::{Element, Tensor};
///
/// /// sin(f · x), of Sitzmann et al., 2020.
/// #[derive(Debug)]
/// struct Sine {
///     frequency: f64,
/// }
///
/// impl CustomActivation for Sine {
///     fn name(&self) -> &str {
///         "sine"
///     }
///     fn settings(&self) -> Settings {
///         Settings::new().with("frequency", self.frequency)
///     }
///     fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
///         (x * E::from_f64(self.frequency)).sin()
///     }
/// }
///
/// let network: Network = Sequential::new(2).add(Dense::new(3).activation(Sine { frequency: 30.0 })).init(0)?;
/// assert!(network.predict(&Tensor::ones([1, 2]))?.as_slice().iter().all(|y| y.abs() <= 1.0));
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
pub trait CustomActivation: fmt::Debug + Send + Sync + 'static {
    /// The name in files, summaries and messages: no other activation's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the activation again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// The function of a batch `x` `[n, ..]`, of the same shape. A row's values must not depend on other rows.
    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E>;
}

/// A user's activation among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Both<dyn Erased<f32>, dyn Erased<f64>>>;

/// [`CustomActivation`] for one number type.
pub trait Erased<E: Element>: Send + Sync {
    /// [`CustomActivation::forward`].
    fn forward<'t>(&self, x: Var<'t, E>) -> Var<'t, E>;
}

impl<E: Element, A: CustomActivation> Erased<E> for A {
    fn forward<'t>(&self, x: Var<'t, E>) -> Var<'t, E> {
        CustomActivation::forward(self, x)
    }
}

impl<A: CustomActivation> From<A> for Activation {
    fn from(activation: A) -> Self {
        let (name, settings) = (activation.name().to_owned(), activation.settings());
        let activation = Arc::new(activation);
        Self::Custom(Custom::new(name, settings, Both::new(activation.clone(), activation)))
    }
}

impl Activation {
    /// Makes a user's activation that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), OpenError> {
        mlp_registry::open(self, Self::custom, "Activation", registry)
    }

    /// Why the activation cannot be computed, if a file only named it.
    pub(crate) fn missing(&self) -> Option<OpenError> {
        self.custom()?.get("Activation").err()
    }
}

impl Kind for Custom {
    fn name(&self) -> String {
        self.to_string()
    }

    fn forward<'t, E: Element>(&self, x: Var<'t, E>) -> Var<'t, E> {
        let y = self.expect("Activation").get::<dyn Erased<E>>().forward(x);
        let (expected, found) = (x.shape(), y.shape());
        assert!(found == expected, "{self}: an activation keeps the shape, but made {found:?} of {expected:?}");
        y
    }
}
