//! What an optimizer remembers between steps.

use std::fmt;

use mlp_nn::Parameter;
use mlp_tensor::{Element, Tensor};

use crate::Optimizer;

/// What an optimizer remembers between steps: their number and, for every parameter, its slots and its own steps.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState<E: Element = f32> {
    steps: u64,
    slots: Vec<Slots<E>>,
}

/// What an optimizer remembers of one parameter.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Slots<E: Element = f32> {
    /// The parameter's name, such as `layers.0.weight`.
    pub parameter: String,
    /// The number of steps that the parameter has taken: those during which it was not frozen.
    pub steps: u64,
    /// One tensor of the parameter's shape for each of [`Optimizer::slots`], in that order; none for a parameter that was
    /// never trained.
    pub values: Vec<Tensor<E>>,
}

impl<E: Element> Slots<E> {
    /// What an optimizer remembers of the parameter of that name after so many steps of its own.
    pub fn new(parameter: impl Into<String>, steps: u64, values: Vec<Tensor<E>>) -> Self {
        Self { parameter: parameter.into(), steps, values }
    }
}

/// A slot that does not fit the optimizer and the parameters that it is to serve.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the optimizer's state for {parameter} does not fit: expected {expected}, found {found}")]
#[non_exhaustive]
pub struct SlotError {
    /// The parameter.
    pub parameter: String,
    /// What it needs.
    pub expected: String,
    /// What was given.
    pub found: String,
}

impl fmt::Debug for SlotError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<E: Element> OptimizerState<E> {
    /// The state before the first step: every slot 0. Parameters that are frozen have none.
    pub fn new(optimizer: &Optimizer, parameters: &[Parameter<E>]) -> Self {
        let slots = parameters.iter().map(|p| Slots::new(p.name(), 0, Vec::new()));
        let mut state = Self { steps: 0, slots: slots.collect() };
        state.add_missing_slots(optimizer, parameters);
        state
    }

    /// Makes slots of zeros for parameters that are trained now and were not before.
    ///
    /// # Panics
    /// If these are not the parameters that the state was made for.
    #[track_caller]
    pub fn add_missing_slots(&mut self, optimizer: &Optimizer, parameters: &[Parameter<E>]) {
        let (names, count) = (optimizer.slots(), self.slots.len());
        assert!(count == parameters.len(), "add_missing_slots: slots of {count} parameters for {}", parameters.len());
        for (slots, parameter) in self.slots.iter_mut().zip(parameters) {
            let name = parameter.name();
            assert!(slots.parameter == name, "add_missing_slots: slots of {} for {name}", slots.parameter);
            if parameter.is_trainable() && slots.values.len() != names.len() {
                // Zeros are what a parameter has before its first step.
                slots.steps = 0;
                slots.values = names.iter().map(|_| Tensor::zeros(parameter.value().shape())).collect();
            }
        }
    }

    /// A state read from elsewhere, after `steps` steps.
    ///
    /// # Errors
    /// If the slots are not those of `optimizer` for `parameters`, in their order and with their shapes, or a parameter has
    /// taken more than `steps` steps. Frozen parameters may have none.
    pub fn from_parts(
        optimizer: &Optimizer,
        parameters: &[Parameter<E>],
        steps: u64,
        slots: Vec<Slots<E>>,
    ) -> Result<Self, SlotError> {
        if parameters.len() != slots.len() {
            return Err(SlotError {
                parameter: "all parameters".to_owned(),
                expected: format!("slots of {} parameters", parameters.len()),
                found: format!("slots of {}", slots.len()),
            });
        }
        for (parameter, slots) in parameters.iter().zip(&slots) {
            let shape = parameter.value().shape();
            let untrained = slots.values.is_empty() && !parameter.is_trainable();
            let fits = parameter.name() == slots.parameter
                && (slots.values.len() == optimizer.slots().len() || untrained)
                && slots.values.iter().all(|value| value.shape() == shape);
            if !fits {
                let shapes: Vec<_> = slots.values.iter().map(Tensor::shape).collect();
                return Err(SlotError {
                    parameter: parameter.name().to_owned(),
                    expected: format!("{:?} of shape {shape:?}", optimizer.slots()),
                    found: format!("slots of {} with shapes {shapes:?}", slots.parameter),
                });
            }
            if slots.steps > steps {
                return Err(SlotError {
                    parameter: parameter.name().to_owned(),
                    expected: format!("at most the {steps} steps that were taken in all"),
                    found: format!("{} steps", slots.steps),
                });
            }
        }
        Ok(Self { steps, slots })
    }

    /// The number of steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The slots, in the order of the parameters.
    pub fn slots(&self) -> &[Slots<E>] {
        &self.slots
    }

    /// Sets everything to what `other` has, of the same parameters, in the memory that is there.
    ///
    /// # Panics
    /// If it is the state of other parameters.
    #[track_caller]
    pub fn copy_from(&mut self, other: &Self) {
        assert!(self.slots.len() == other.slots.len(), "copy_from: the state of other parameters");
        self.steps = other.steps;
        for (to, from) in self.slots.iter_mut().zip(&other.slots) {
            to.steps = from.steps;
            if to.values.len() == from.values.len() {
                for (to, from) in to.values.iter_mut().zip(&from.values) {
                    to.as_mut_slice().copy_from_slice(from.as_slice());
                }
            } else {
                to.values.clone_from(&from.values);
            }
        }
    }

    /// The slots, to be changed by [`Optimizer::update`].
    pub fn slots_mut(&mut self) -> &mut [Slots<E>] {
        &mut self.slots
    }

    /// Goes on to the next step of `optimizer`: counts it, one in all and one of every parameter that is not frozen, which
    /// then has its slots ([`OptimizerState::add_missing_slots`]).
    ///
    /// # Panics
    /// If these are not the parameters that the state was made for.
    #[track_caller]
    pub fn advance(&mut self, optimizer: &Optimizer, parameters: &[Parameter<E>]) {
        self.add_missing_slots(optimizer, parameters);
        self.steps = self.steps.saturating_add(1);
        for (slots, _) in self.slots.iter_mut().zip(parameters).filter(|(_, p)| p.is_trainable()) {
            slots.steps = slots.steps.saturating_add(1);
        }
    }
}
