//! One type for all optimizers: a closed set, so that it can be saved with a model, and those that users bring.

use std::fmt;

use mlp_nn::Network;
use mlp_registry::shown;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::rule::Rule;
use crate::{OptimError, OptimizerState, custom};

/// Makes the closed set of optimizers from a list of files with the optimizer in each: the enum, the conversions into it,
/// and the one match.
macro_rules! optimizers {
    ($($(#[$doc:meta])* $file:ident::$rule:ident,)+) => {
        /// An optimizer and its settings.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum Optimizer {
            $($(#[$doc])* $rule(crate::$file::$rule),)+
            /// An optimizer of your own: see [`CustomOptimizer`](crate::CustomOptimizer).
            Custom(custom::Custom),
        }

        $(impl From<crate::$file::$rule> for Optimizer {
            fn from(rule: crate::$file::$rule) -> Self {
                Self::$rule(rule)
            }
        })+

        /// `work` with `rule` standing for the settings of `optimizer`, whichever it is.
        macro_rules! with_rule {
            ($optimizer:expr, $name:ident => $work:expr) => {
                match $optimizer {
                    $(Optimizer::$rule($name) => $work,)+
                    Optimizer::Custom($name) => $work,
                }
            };
        }
    };
}

optimizers! {
    /// Gradient descent, plain or with momentum.
    sgd::Sgd,
    /// Adam.
    adam::Adam,
    /// RMSprop.
    rms_prop::RmsProp,
}

impl Optimizer {
    /// The optimizer's name in messages.
    pub fn name(&self) -> &str {
        with_rule!(self, rule => Rule::name(rule))
    }

    /// The names of what the optimizer remembers for every parameter, each of the parameter's shape.
    pub fn slots(&self) -> &[&str] {
        with_rule!(self, rule => Rule::slots(rule))
    }

    /// Checks the settings for weights of type `E`: an epsilon of 1e-50 is 0 in single precision.
    ///
    /// # Errors
    /// If one lies outside of its range, or this is a user's optimizer that a file only named.
    pub fn check<E: Element>(&self) -> Result<(), OptimError> {
        with_rule!(self, rule => Rule::check::<E>(rule))
    }

    /// The step size.
    pub fn learning_rate(&self) -> f64 {
        with_rule!(self, rule => Rule::learning_rate(rule))
    }

    /// Sets the step size, for the steps to come.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        *with_rule!(self, rule => Rule::learning_rate_mut(rule)) = learning_rate;
    }

    /// Step number `step` (counted from 1, over the steps of this parameter) of some weights, given their gradient: any
    /// part of a parameter, as long as `weights`, `gradient` and every one of the `slots` are the same part.
    ///
    /// # Panics
    /// If `weights`, `gradient` and slots differ in length, there are not as many slots as [`Optimizer::slots`] names, or
    /// this is a user's optimizer that a file only named.
    #[track_caller]
    pub fn update<E: Element>(&self, step: u64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        assert!(
            gradient.len() == weights.len() && slots.iter().all(|slot| slot.len() == weights.len()),
            "update: {} weights, {} values of their gradient and slots of {:?} values do not belong together",
            weights.len(),
            gradient.len(),
            slots.iter().map(|slot| slot.len()).collect::<Vec<_>>()
        );
        with_rule!(self, rule => Rule::update(rule, step, weights, gradient, slots));
    }

    /// One step of all weights of `network`, given their gradients in the order of [`Network::parameters`]. Frozen weights
    /// stay as they are; [`Network::constrain`] brings weights back within their limits afterwards.
    ///
    /// # Panics
    /// If gradients, network and state do not belong together.
    #[track_caller]
    pub fn step<E: Element>(&self, state: &mut OptimizerState<E>, network: &mut Network<E>, gradients: &[Tensor<E>]) {
        let count = network.parameters().len();
        assert!(
            count == gradients.len() && count == state.slots().len(),
            "step: {count} parameters, {} gradients and state for {} do not belong together",
            gradients.len(),
            state.slots().len()
        );
        state.advance(self, network.parameters());
        for ((mut parameter, gradient), slots) in network.parameters_mut().zip(gradients).zip(state.slots_mut()) {
            assert!(
                parameter.value().shape() == gradient.shape(),
                "step: {} has shape {:?}, its gradient {:?}",
                parameter.name(),
                parameter.value().shape(),
                gradient.shape()
            );
            if !parameter.is_trainable() {
                continue;
            }
            let mut values: Vec<&mut [E]> = slots.values.iter_mut().map(Tensor::as_mut_slice).collect();
            self.update(slots.steps, parameter.values_mut(), gradient.as_slice(), &mut values);
        }
    }
}

impl fmt::Display for Optimizer {
    /// The name and every setting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", shown(self.name(), 100))?;
        with_rule!(self, rule => Rule::settings(rule, f))
    }
}
