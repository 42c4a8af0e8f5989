//! A model's state at some moment, to go back to.

use mlp_optim::{Optimizer, OptimizerState};
use mlp_tensor::{Element, Tensor};

use crate::{Diverged, Model, TrainError};

/// All that training changes, as it was at some moment: weights, buffers, what the optimizer remembers, its step size, and
/// the number of epochs. Its memory serves from one moment to the next.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot<E: Element> {
    parameters: Vec<Tensor<E>>,
    buffers: Vec<Tensor<E>>,
    optimizer: Optimizer,
    state: OptimizerState<E>,
    epochs: u64,
}

impl<E: Element> Snapshot<E> {
    /// The moment at hand.
    pub(crate) fn new(model: &Model<E>) -> Self {
        let network = &model.network;
        let mut snapshot = Self {
            parameters: network.parameters().iter().map(|p| Tensor::zeros(p.value().shape())).collect(),
            buffers: network.buffers().iter().map(|b| Tensor::zeros(b.value().shape())).collect(),
            optimizer: model.optimizer.clone(),
            state: model.state.clone(),
            epochs: model.epochs,
        };
        snapshot.take(model);
        snapshot
    }

    /// The moment at hand in place of the one before.
    pub(crate) fn take(&mut self, model: &Model<E>) {
        for (kept, p) in self.parameters.iter_mut().zip(model.network.parameters()) {
            kept.as_mut_slice().copy_from_slice(p.value().as_slice());
        }
        for (kept, b) in self.buffers.iter_mut().zip(model.network.buffers()) {
            kept.as_mut_slice().copy_from_slice(b.value().as_slice());
        }
        self.optimizer.clone_from(&model.optimizer);
        self.state.copy_from(&model.state);
        self.epochs = model.epochs;
    }

    /// Puts everything back.
    pub(crate) fn restore(&self, model: &mut Model<E>) {
        for (mut p, kept) in model.network.parameters_mut().zip(&self.parameters) {
            p.values_mut().copy_from_slice(kept.as_slice());
        }
        model.network.restore_buffers(&self.buffers);
        model.optimizer.clone_from(&self.optimizer);
        model.state.copy_from(&self.state);
        model.epochs = self.epochs;
    }
}

/// What holds the first NaN or infinity among the weights, the running statistics and what the optimizer remembers of the
/// weights that are trained, with that value. A slot that is infinite stops its weight for good, and nothing else would tell.
pub(crate) fn not_finite<E: Element>(model: &Model<E>) -> Option<(String, f64)> {
    let network = &model.network;
    let parameters = network.parameters().iter().map(|p| (p.name(), p.value()));
    let mut all = parameters.chain(network.buffers().iter().map(|b| (b.name(), b.value())));
    if let Some((name, value)) = all.find(|(_, value)| !value.all_finite()) {
        return Some((name.to_owned(), first_not_finite(value)));
    }
    let trained = network.parameters().iter().zip(model.state.slots()).filter(|(p, _)| p.is_trainable());
    let mut slots =
        trained.flat_map(|(p, slots)| model.optimizer.slots().iter().zip(&slots.values).map(move |s| (p, s)));
    let (parameter, (slot, value)) = slots.find(|(_, (_, value))| !value.all_finite())?;
    Some((format!("the optimizer's {slot} of {}", parameter.name()), first_not_finite(value)))
}

/// The error of training that diverged, with `model` as it was before: where that was not finite already, it is to blame.
pub(crate) fn diverged<E: Element>(model: &Model<E>, diverged: Diverged) -> TrainError {
    match not_finite(model) {
        Some((what, value)) => TrainError::NotFinite { what, value },
        None => TrainError::Diverged(Box::new(diverged)),
    }
}

fn first_not_finite<E: Element>(value: &Tensor<E>) -> f64 {
    value.as_slice().iter().find(|v| !v.is_finite()).map_or(f64::NAN, |v| v.as_f64())
}
