//! How layers become steps. What a layer is at inference stands in its own file, as its `Kind::freeze`.

use std::fmt;
use std::sync::Arc;

use mlp_autograd::Tape;
use mlp_tensor::{Element, Tensor};

use super::InPlace;
use super::chain::{Chain, Step};
use super::dense::FrozenDense;
use crate::plan::{Extent, layer_name};
use crate::{Activation, Buffer, Layer, Network, Parameter, Pass, Stack, Weights};

/// What a layer is at inference, before the activation that ends it.
pub(crate) enum Frozen<E: Element> {
    /// Its forward, activation included, on a tape that does not record.
    Forward,
    /// Nothing: a row's values are handed on as they are.
    Nothing,
    /// A step of its own.
    Step(Arc<dyn Step<E>>),
}

/// What a layer is frozen from: its weights, its place, and the shapes of its rows.
#[derive(Debug)]
pub(crate) struct Freezer<'a, E: Element> {
    /// The layer's own, with those of the layers inside of it.
    pub(crate) parameters: &'a [Parameter<E>],
    pub(crate) buffers: &'a [Buffer<E>],
    /// Of the layers inside of it.
    extents: &'a [Extent],
    /// The layer's path, such as `layers.1`; empty for the network.
    pub(crate) path: &'a str,
    /// The shape of an input row.
    pub(crate) input: &'a [usize],
    /// The shape of an output row.
    pub(crate) output: &'a [usize],
    /// Whether weights are laid out anew, in the order in which they are read.
    pub(crate) packed: bool,
}

impl<E: Element> Frozen<E> {
    pub(crate) fn step(step: impl Step<E> + 'static) -> Self {
        Self::Step(Arc::new(step))
    }
}

impl<'a, E: Element> Freezer<'a, E> {
    /// All steps of `network`.
    pub(super) fn network(network: &'a Network<E>, packed: bool) -> Chain<E> {
        let (parameters, buffers) = (network.parameters(), network.buffers());
        let (input, output) = (network.architecture().input_shape(), network.output_shape());
        let mut all = Self { parameters, buffers, extents: network.extents(), path: "", input, output, packed };
        all.stack("", network.architecture().stack())
    }

    /// A product of the last axis with `weight`, which errors call `name`, and a bias.
    pub(crate) fn dense(&self, name: &str, weight: &Tensor<E>, bias: Option<&Parameter<E>>) -> Frozen<E> {
        let width = self.output.iter().product();
        Frozen::step(FrozenDense::new(name, weight, bias.map(Parameter::value), width, self.packed))
    }

    /// The steps of the layers of `stack`, at `prefix` within the layer. Stacks come in the order in which the layer planned
    /// them.
    pub(crate) fn stack(&mut self, prefix: &str, stack: &Stack) -> Chain<E> {
        let mut input = self.input;
        let mut chain = Chain::new(input.iter().product());
        for (index, layer) in stack.layers().iter().enumerate() {
            let place = layer.place(index);
            let path = match self.path {
                "" => place.to_string(),
                path => format!("{path}.{prefix}{place}"),
            };
            let Some((Extent { parameters, buffers, layers, output }, rest)) = self.extents.split_first() else {
                unreachable!("every layer was planned");
            };
            let (own, own_buffers, extents);
            (own, self.parameters) = self.parameters.split_at(*parameters);
            (own_buffers, self.buffers) = self.buffers.split_at(*buffers);
            (extents, self.extents) = rest.split_at(*layers);
            let (parameters, buffers, packed) = (own, own_buffers, self.packed);
            let mut own = Freezer { parameters, buffers, extents, path: &path, input, output, packed };
            let frozen = layer.freeze(&mut own);
            let forward = matches!(frozen, Frozen::Forward);
            match frozen {
                Frozen::Forward => chain.push(Forward::new(layer, &own)),
                Frozen::Nothing => {}
                Frozen::Step(step) => chain.push_shared(step),
            }
            if !forward {
                activate(&mut chain, layer.activation(), output);
            }
            input = output;
        }
        chain
    }
}

/// Adds an activation to the end of `chain`, over rows of shape `row`: to its last step if that can take it, or as a step
/// of its own.
fn activate<E: Element>(chain: &mut Chain<E>, activation: &Activation, row: &[usize]) {
    let (in_place, last) = (activation.in_place(), row[row.len() - 1]);
    if *activation != Activation::Identity && !in_place.is_some_and(|in_place| chain.activate(in_place, last)) {
        chain.push(Applied { activation: activation.clone(), in_place, width: chain.width(), row: row.into() });
    }
}

/// An activation as a step.
#[derive(Debug)]
struct Applied<E> {
    activation: Activation,
    in_place: Option<InPlace<E>>,
    width: usize,
    /// The shape of a row; the softmaxes go along its last axis.
    row: Box<[usize]>,
}

impl<E: Element> Step<E> for Applied<E> {
    fn width(&self) -> usize {
        self.width
    }

    fn run(&self, rows: usize, x: &[E], out: &mut [E], _: &mut [E]) {
        let Some(in_place) = self.in_place else {
            let tape = Tape::no_record();
            let x = tape.constant(Tensor::from_vec(x.to_vec(), [&[rows], &self.row[..]].concat()));
            return out.copy_from_slice(self.activation.forward(x).value().as_slice());
        };
        out.copy_from_slice(x);
        out.chunks_exact_mut(self.row[self.row.len() - 1]).for_each(in_place);
    }
}

/// A layer that has no step of its own: its forward, on a tape that does not record. It keeps what it computes until it
/// is done.
struct Forward<E: Element> {
    layer: Layer,
    path: String,
    parameters: Vec<Tensor<E>>,
    buffers: Vec<Buffer<E>>,
    input: Vec<usize>,
    output: Vec<usize>,
}

impl<E: Element> Forward<E> {
    fn new(layer: &Layer, own: &Freezer<'_, E>) -> Self {
        Self {
            layer: layer.clone(),
            path: own.path.to_owned(),
            parameters: own.parameters.iter().map(|parameter| parameter.value.clone()).collect(),
            buffers: own.buffers.to_vec(),
            input: own.input.to_vec(),
            output: own.output.to_vec(),
        }
    }
}

impl<E: Element> Step<E> for Forward<E> {
    fn width(&self) -> usize {
        self.output.iter().product()
    }

    fn run(&self, rows: usize, x: &[E], out: &mut [E], _: &mut [E]) {
        let tape = Tape::no_record();
        let parameters: Vec<_> = self.parameters.iter().map(|value| tape.constant(value.clone())).collect();
        let x = tape.constant(Tensor::from_vec(x.to_vec(), [&[rows], &self.input[..]].concat()));
        let y = tape.scope(format_args!("{}", layer_name(&self.path, &self.layer)), || {
            let mut weights = Weights::of_layer(&parameters, &self.buffers, &self.output);
            let y = self.layer.forward(&mut weights, x, &mut Pass::inference());
            weights.check_used_up();
            y
        });
        out.copy_from_slice(y.value().as_slice());
    }
}

impl<E: Element> fmt::Debug for Forward<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.layer)
    }
}
