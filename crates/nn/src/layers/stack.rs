//! Layers inside of a layer.

use mlp_autograd::{Tape, Var};
use mlp_registry::OpenError;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::{Layer, Named, Source};
use crate::{Activation, Pass, Regularizer, Weights};

/// Layers one after the other, as the part of a [`Residual`](super::Residual) or a [`Concat`](super::Concat). A stack
/// without layers passes its input on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stack {
    layers: Vec<Layer>,
}

impl Stack {
    /// A stack without layers so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer at the end.
    #[expect(clippy::should_implement_trait, reason = "`add` is the field's name for this; nothing is summed")]
    #[must_use]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// Adds a layer at the end that is called `name`: see [`Sequential::add_named`](crate::Sequential::add_named).
    #[must_use]
    pub fn add_named(self, name: impl Into<String>, layer: impl Into<Layer>) -> Self {
        self.add(Named::new(name, layer))
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layer of this stack that was given this name: see [`Sequential::layer`](crate::Sequential::layer).
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Named(named) if named.name == name => Some(&*named.layer),
            _ => None,
        })
    }

    pub(crate) fn layers_mut(&mut self) -> &mut [Layer] {
        &mut self.layers
    }

    /// The first penalty on outputs, also of layers inside of others, of which a file gives only the name.
    pub(crate) fn missing_activity_regularizer(&self) -> Option<OpenError> {
        self.layers.iter().find_map(|layer| {
            let own = layer.activity_regularizer().and_then(Regularizer::missing);
            own.or_else(|| layer.stacks().iter().find_map(Self::missing_activity_regularizer))
        })
    }

    /// What the values come from that leave the stack at inference.
    pub(crate) fn ending(&self) -> Ending<'_> {
        for layer in self.layers.iter().rev() {
            if *layer.activation() != Activation::Identity {
                return Ending::Activation(layer.activation());
            }
            match layer.source() {
                Source::Computed => return Ending::Computed,
                Source::Input => {}
                Source::Stacks => {
                    let mut reaches_input = false;
                    for stack in layer.stacks() {
                        match stack.ending() {
                            Ending::Activation(activation) => return Ending::Activation(activation),
                            Ending::Input => reaches_input = true,
                            Ending::Computed => {}
                        }
                    }
                    if !reaches_input {
                        return Ending::Computed;
                    }
                }
            }
        }
        Ending::Input
    }

    /// The output of the last layer for a batch `x` of rows.
    #[track_caller]
    pub(crate) fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        self.up_to(self.layers.len(), weights, x, pass)
    }

    /// The same without the last layer's activation.
    #[track_caller]
    pub(crate) fn forward_before_activation<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let Some((last, layers)) = self.layers.split_last() else { return x };
        let x = self.up_to(layers.len(), weights, x, pass);
        run(layers.len(), last, weights, x, |own| last.forward_before_activation(own, x, pass))
    }

    /// Runs `work` in the scope of the last layer.
    #[track_caller]
    pub(crate) fn in_last_layer<E: Element, R>(&self, tape: &Tape<E>, work: impl FnOnce() -> R) -> R {
        match self.layers.split_last() {
            Some((last, layers)) => in_scope(tape, layers.len(), last, work),
            None => work(),
        }
    }

    #[track_caller]
    fn up_to<'t, E: Element>(
        &self,
        count: usize,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let layers = self.layers[..count].iter().enumerate();
        layers.fold(x, |x, (index, layer)| run(index, layer, weights, x, |own| layer.forward(own, x, pass)))
    }
}

/// What the values come from that leave a stack at inference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ending<'a> {
    /// Some of them, or all, from this activation, which is not identity.
    Activation(&'a Activation),
    /// A layer that has no activation.
    Computed,
    /// Some of them, or all, are values of the input.
    Input,
}

/// Runs a layer with the weights that are its own, all of which it must take, and under its name, so that what goes wrong
/// in it says where.
#[track_caller]
fn run<'a, 't, E: Element>(
    index: usize,
    layer: &Layer,
    weights: &mut Weights<'a, 't, E>,
    x: Var<'t, E>,
    work: impl FnOnce(&mut Weights<'a, 't, E>) -> Var<'t, E>,
) -> Var<'t, E> {
    in_scope(x.tape(), index, layer, || {
        let mut own = weights.next_layer();
        let y = work(&mut own);
        own.check_used_up();
        y
    })
}

/// Runs `work`, a part of what the layer at `index` computes on `tape`, under the layer's name.
#[track_caller]
fn in_scope<E: Element, R>(tape: &Tape<E>, index: usize, layer: &Layer, work: impl FnOnce() -> R) -> R {
    tape.scope(format_args!("{} ({})", layer.place(index), layer.kind()), work)
}
