//! The steps of a frozen network.

use std::fmt;

use mlp_autograd::Tape;
use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

use super::dense::FrozenDense;
use crate::{Buffer, Layer, Network, Parameter, Pass, Plan, Weights};

/// One step of a prediction, from rows to rows.
#[derive(Clone, Debug)]
pub(super) enum Step<E: Element> {
    /// (x - mean) / scale.
    Standardize { mean: Vec<f64>, scale: Vec<f64> },
    /// A dense layer with its activation.
    Dense(FrozenDense<E>),
    /// Any other layer.
    Layer(Box<FrozenLayer<E>>),
}

/// A layer that has no step of its own: its forward, on a tape that does not record.
#[derive(Clone)]
pub(super) struct FrozenLayer<E: Element> {
    layer: Layer,
    parameters: Vec<Parameter<E>>,
    buffers: Vec<Buffer<E>>,
    /// The shape of an input row.
    input: Vec<usize>,
    /// The number of values of an output row.
    output: usize,
}

/// The steps of `network`, and the number of values of the longest row on their way.
pub(super) fn freeze<E: Element>(network: &Network<E>) -> (Vec<Step<E>>, usize) {
    let layers = network.architecture().layers();
    let mut input = network.architecture().input_shape().to_vec();
    let mut widest: usize = input.iter().product();
    let (mut parameters, mut buffers) = (network.parameters(), network.buffers());
    let mut steps: Vec<Step<E>> = Vec::new();
    for (index, layer) in layers.iter().enumerate() {
        let (plan, output) = match Plan::of(&layers[index..=index], &input) {
            Ok(planned) => planned,
            Err(error) => unreachable!("a network's description was checked: {error}"),
        };
        let (own, own_buffers);
        (own, parameters) = parameters.split_at(plan.parameters.len());
        (own_buffers, buffers) = buffers.split_at(plan.buffers.len());
        let values = output.iter().product();
        let general = |layer: Layer, input: &[usize]| {
            let (parameters, buffers, input) = (own.to_vec(), own_buffers.to_vec(), input.to_vec());
            Step::Layer(Box::new(FrozenLayer { layer, parameters, buffers, input, output: values }))
        };
        match (layer, own) {
            (Layer::Dense(dense), [weight, bias @ ..]) => {
                let mut frozen = FrozenDense::new(weight, bias.first());
                let activated = frozen.activate(&dense.activation);
                steps.push(Step::Dense(frozen));
                if !activated {
                    steps.push(general(Layer::Activation(dense.activation.clone()), &output));
                }
            }
            // At inference these leave the values of a row as they are.
            (
                Layer::Dropout(_)
                | Layer::AlphaDropout(_)
                | Layer::GaussianDropout(_)
                | Layer::GaussianNoise(_)
                | Layer::Flatten(_),
                _,
            ) => {}
            (Layer::Activation(activation), _) => {
                let activated = match steps.last_mut() {
                    Some(Step::Dense(dense)) => dense.activate(activation),
                    _ => false,
                };
                if !activated {
                    steps.push(general(layer.clone(), &input));
                }
            }
            _ => steps.push(general(layer.clone(), &input)),
        }
        widest = widest.max(values);
        input = output;
    }
    (steps, widest)
}

impl<E: Element> Step<E> {
    /// The number of values of an output row, given that of an input row.
    pub(super) fn output(&self, input: usize) -> usize {
        match self {
            Self::Standardize { .. } => input,
            Self::Dense(dense) => input / dense.inputs * dense.units,
            Self::Layer(layer) => layer.output,
        }
    }

    /// Writes the output for the rows of `x` to `out`.
    pub(super) fn run(&self, rows: usize, x: &[E], out: &mut [E]) {
        match self {
            Self::Standardize { mean, scale } => {
                for (x, out) in x.chunks_exact(mean.len()).zip(out.chunks_exact_mut(mean.len())) {
                    standardize(x, mean, scale, out);
                }
            }
            Self::Dense(dense) => dense.run(x, out),
            Self::Layer(layer) => layer.run(rows, x, out),
        }
    }
}

fn standardize<E: Element>(x: &[E], mean: &[f64], scale: &[f64], out: &mut [E]) {
    vectorize(
        #[inline(always)]
        || {
            for (((x, mean), scale), out) in x.iter().zip(mean).zip(scale).zip(out) {
                *out = E::from_f64((x.as_f64() - mean) / scale);
            }
        },
    );
}

impl<E: Element> FrozenLayer<E> {
    fn run(&self, rows: usize, x: &[E], out: &mut [E]) {
        let tape = Tape::no_record();
        let parameters: Vec<_> = self.parameters.iter().map(|p| tape.constant(p.value.clone())).collect();
        let x = tape.constant(Tensor::from_vec(x.to_vec(), [&[rows], &self.input[..]].concat()));
        let mut weights = Weights::new(&parameters, &self.buffers);
        let y = self.layer.forward(&mut weights, x, &mut Pass::inference());
        out.copy_from_slice(y.value().as_slice());
    }
}

impl<E: Element> fmt::Debug for FrozenLayer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.layer)
    }
}
