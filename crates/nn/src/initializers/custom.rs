//! Initializers that users write.

use std::fmt;
use std::sync::Arc;

use mlp_registry::{OpenError, Registry, Settings};
use mlp_tensor::{Element, Rng, Tensor};

use super::Initializer;
use super::kind::Kind;

/// An initializer of your own. It goes wherever an [`Initializer`] goes.
///
/// ```
/// use mlp_nn::{CustomInitializer, Dense, Network, Sequential};
/// use mlp_tensor::{Rng, Tensor};
///
/// /// Weights of 1 and -1.
/// #[derive(Debug)]
/// struct Signs;
///
/// impl CustomInitializer for Signs {
///     fn name(&self) -> &str {
///         "signs"
///     }
///     fn draw(&self, shape: &[usize], rng: &mut Rng) -> Tensor<f64> {
///         Tensor::normal(shape, 0.0, 1.0, rng).map(f64::signum)
///     }
/// }
///
/// let network: Network = Sequential::new(2).add(Dense::new(3).initializer(Signs)).init(0)?;
/// assert_eq!(network.state()["layers.0.weight"].abs(), Tensor::ones([2, 3]));
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
pub trait CustomInitializer: fmt::Debug + Send + Sync + 'static {
    /// The name in files and messages: no other initializer's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the initializer again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// The first values of a weight of `shape`, which are rounded to the network's number type.
    fn draw(&self, shape: &[usize], rng: &mut Rng) -> Tensor<f64>;
}

/// A user's initializer among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Arc<dyn CustomInitializer>>;

impl<I: CustomInitializer> From<I> for Initializer {
    fn from(initializer: I) -> Self {
        Self::Custom(Custom::new(initializer.name().to_owned(), initializer.settings(), Arc::new(initializer)))
    }
}

impl Initializer {
    /// Makes a user's initializer that a file only named, if `registry` knows it.
    pub(crate) fn open(&mut self, registry: &Registry) -> Result<(), OpenError> {
        mlp_registry::open(self, Self::custom, "Initializer", registry)
    }

    /// Why the initializer cannot draw, if a file only named it.
    pub(crate) fn missing(&self) -> Option<OpenError> {
        self.custom()?.get("Initializer").err()
    }
}

impl Kind for Custom {
    fn draw<E: Element>(&self, shape: &[usize], rng: &mut Rng) -> Tensor<E> {
        let values = self.expect("Initializer").draw(shape, rng);
        assert!(
            values.shape() == shape,
            "{self}: an initializer drew a weight of shape {:?} where {shape:?} was asked for",
            values.shape()
        );
        values.cast()
    }
}
