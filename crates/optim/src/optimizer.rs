//! One type for all optimizers: a closed set, so that it can be saved with a model.

use std::fmt;

use mlp_nn::Parameter;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use crate::{Adam, OptimError, OptimizerState, RmsProp, Sgd};

/// An optimizer and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Gradient descent, plain or with momentum.
    Sgd(Sgd),
    /// Adam.
    Adam(Adam),
    /// RMSprop.
    RmsProp(RmsProp),
}

impl Optimizer {
    /// The optimizer's name in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd(_) => "SGD",
            Self::Adam(_) => "Adam",
            Self::RmsProp(_) => "RMSprop",
        }
    }

    /// The names of what the optimizer remembers for every parameter, each of the parameter's shape.
    pub fn slots(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd(sgd) => sgd.slots(),
            Self::Adam(_) => Adam::SLOTS,
            Self::RmsProp(_) => RmsProp::SLOTS,
        }
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// If one lies outside of its range.
    pub fn check(&self) -> Result<(), OptimError> {
        match self {
            Self::Sgd(sgd) => sgd.check(),
            Self::Adam(adam) => adam.check(),
            Self::RmsProp(rms_prop) => rms_prop.check(),
        }
    }

    /// Step number `step` (counted from 1) of some weights, given their gradient: any part of a parameter, as long as
    /// `weights`, `gradient` and every one of the `slots` are the same part.
    ///
    /// # Panics
    /// If there are not as many slots as [`Optimizer::slots`] names.
    pub fn update<E: Element>(&self, step: u64, weights: &mut [E], gradient: &[E], slots: &mut [&mut [E]]) {
        match (self, slots) {
            (Self::Sgd(sgd), []) => sgd.update_plain(weights, gradient),
            (Self::Sgd(sgd), [velocity]) => sgd.update_with_momentum(weights, gradient, velocity),
            (Self::Adam(adam), [m, v]) => adam.update(step, weights, gradient, m, v),
            (Self::RmsProp(rms_prop), [v]) => rms_prop.update(weights, gradient, v),
            (_, slots) => panic!("{}: {} slots given where it has {:?}", self.name(), slots.len(), self.slots()),
        }
    }

    /// One step of all parameters, given their gradients in the same order. Parameters that are not trainable stay as
    /// they are.
    ///
    /// # Panics
    /// If gradients, parameters and state do not belong together.
    #[track_caller]
    pub fn step<E: Element>(
        &self,
        state: &mut OptimizerState<E>,
        parameters: &mut [Parameter<E>],
        gradients: &[Tensor<E>],
    ) {
        let step = state.advance();
        assert!(
            parameters.len() == gradients.len() && parameters.len() == state.slots().len(),
            "step: {} parameters, {} gradients and state for {} do not belong together",
            parameters.len(),
            gradients.len(),
            state.slots().len()
        );
        for ((parameter, gradient), slots) in parameters.iter_mut().zip(gradients).zip(state.slots_mut()) {
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
            let mut slots: Vec<&mut [E]> = slots.values.iter_mut().map(Tensor::as_mut_slice).collect();
            self.update(step, parameter.values_mut(), gradient.as_slice(), &mut slots);
        }
    }
}

impl fmt::Display for Optimizer {
    /// The name and every setting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.name())?;
        match self {
            Self::Sgd(Sgd { learning_rate, momentum, nesterov }) => {
                let variant = if *nesterov { "Nesterov " } else { "" };
                write!(f, "learning rate {learning_rate}, {variant}momentum {momentum}")
            }
            Self::Adam(Adam { learning_rate, beta1, beta2, epsilon }) => {
                write!(f, "learning rate {learning_rate}, beta1 {beta1}, beta2 {beta2}, epsilon {epsilon:e}")
            }
            Self::RmsProp(RmsProp { learning_rate, alpha, epsilon }) => {
                write!(f, "learning rate {learning_rate}, alpha {alpha}, epsilon {epsilon:e}")
            }
        }
    }
}

impl From<Sgd> for Optimizer {
    fn from(sgd: Sgd) -> Self {
        Self::Sgd(sgd)
    }
}

impl From<Adam> for Optimizer {
    fn from(adam: Adam) -> Self {
        Self::Adam(adam)
    }
}

impl From<RmsProp> for Optimizer {
    fn from(rms_prop: RmsProp) -> Self {
        Self::RmsProp(rms_prop)
    }
}
