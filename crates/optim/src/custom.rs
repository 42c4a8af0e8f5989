//! Optimizers that users write.

use std::fmt;
use std::sync::Arc;

use mlp_registry::{Both, OpenError, Registry, Settings};
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use crate::error::Check;
use crate::rule::Rule;
use crate::{OptimError, Optimizer};

/// An optimizer of your own. It goes wherever an [`Optimizer`] goes.
///
/// ```
/// use mlp_optim::{CustomOptimizer, Optimizer};
/// use mlp_registry::Settings;
/// use mlp_tensor::Element;
///
/// /// w ← w - lr · sign(g), of Bernstein et al., 2018.
/// #[derive(Debug)]
/// struct SignSgd {
///     learning_rate: f64,
/// }
///
/// impl CustomOptimizer for SignSgd {
///     fn name(&self) -> &str {
///         "sign_sgd"
///     }
///     fn settings(&self) -> Settings {
///         Settings::new().with("learning_rate", self.learning_rate)
///     }
///     fn learning_rate(&self) -> f64 {
///         self.learning_rate
///     }
///     fn update<E: Element>(&self, _: u64, lr: f64, weights: &mut [E], gradient: &[E], _: &mut [&mut [E]]) {
///         let lr = E::from_f64(lr);
///         weights.iter_mut().zip(gradient).for_each(|(w, g)| *w -= lr * g.signum());
///     }
/// }
///
/// let optimizer = Optimizer::from(SignSgd { learning_rate: 0.5 });
/// let mut weights = [1.0_f32, 1.0];
/// optimizer.update(1, &mut weights, &[3.0, -0.1], &mut []);
/// assert_eq!(weights, [0.5, 1.5]);
/// ```
pub trait CustomOptimizer: fmt::Debug + Send + Sync + 'static {
    /// The name in files and messages: no other optimizer's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the optimizer again. The learning rate of the moment is saved beside
    /// them.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// The step size to begin with, above 0.
    fn learning_rate(&self) -> f64;

    /// The names of what the optimizer remembers for every weight: tensors of the weight's shape, which start as zeros and
    /// stay finite: training takes NaN and infinity in them for divergence.
    fn slots(&self) -> &[&str] {
        &[]
    }

    /// Step number `step` with a step size of `learning_rate`, of some of a weight's values: `weights`, their gradient and
    /// what was remembered of them, a slice for each of [`CustomOptimizer::slots`], all of one length. Steps are counted
    /// from 1 for every weight, and not while it is frozen. A weight comes in parts, on several threads, so every value
    /// must be updated by itself.
    fn update<E: Element>(
        &self,
        step: u64,
        learning_rate: f64,
        weights: &mut [E],
        gradient: &[E],
        slots: &mut [&mut [E]],
    );
}

/// A user's optimizer among those of the library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    part: Part,
    learning_rate: f64,
}

/// The optimizer itself, by name and settings.
type Part = mlp_registry::Custom<Both<dyn Erased<f32>, dyn Erased<f64>>>;

/// [`CustomOptimizer`] for one number type.
pub(crate) trait Erased<E: Element>: Send + Sync {
    /// [`CustomOptimizer::slots`].
    fn slots(&self) -> &[&str];
    /// [`CustomOptimizer::update`].
    fn update(&self, step: u64, learning_rate: f64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]);
}

impl<E: Element, O: CustomOptimizer> Erased<E> for O {
    fn slots(&self) -> &[&str] {
        CustomOptimizer::slots(self)
    }

    fn update(&self, step: u64, learning_rate: f64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        CustomOptimizer::update(self, step, learning_rate, weights, gradient, slots);
    }
}

impl<O: CustomOptimizer> From<O> for Optimizer {
    fn from(optimizer: O) -> Self {
        let (name, settings) = (optimizer.name().to_owned(), optimizer.settings());
        let (learning_rate, part) = (optimizer.learning_rate(), Arc::new(optimizer));
        let part = Part::new(name, settings, Both::new(part.clone(), part));
        Self::Custom(Custom { part, learning_rate })
    }
}

impl Optimizer {
    /// The same optimizer, made by `registry` if it is a user's that a file only named. A name that is not registered is
    /// left: [`Optimizer::check`] refuses it.
    ///
    /// # Errors
    /// If the constructor refuses the settings.
    pub fn open(mut self, registry: &Registry) -> Result<Self, OpenError> {
        // The constructor makes one with the rate to begin with; the file has that of the moment.
        let learning_rate = self.learning_rate();
        mlp_registry::open(&mut self, part, "Optimizer", registry)?;
        self.set_learning_rate(learning_rate);
        Ok(self)
    }

    /// Why the optimizer cannot be used, if a file only named it.
    pub fn missing(&self) -> Option<OpenError> {
        part(self)?.get("Optimizer").err()
    }
}

fn part(optimizer: &Optimizer) -> Option<&Part> {
    match optimizer {
        Optimizer::Custom(custom) => Some(&custom.part),
        _ => None,
    }
}

impl Rule for Custom {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn slots(&self) -> &[&str] {
        self.part.part().map_or(&[], |part| part.get::<dyn Erased<f64>>().slots())
    }

    fn check<E: Element>(&self) -> Result<(), OptimError> {
        self.part.get("Optimizer")?;
        Check::new::<E>(Rule::name(self)).positive("learning rate", self.learning_rate)
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn learning_rate_mut(&mut self) -> &mut f64 {
        &mut self.learning_rate
    }

    #[track_caller]
    fn update<E: Element>(&self, step: u64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        let part = self.part.expect("Optimizer").get::<dyn Erased<E>>();
        part.update(step, self.learning_rate, weights, gradient, slots);
    }

    fn settings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "learning rate {}, {}", self.learning_rate, self.part)
    }
}
