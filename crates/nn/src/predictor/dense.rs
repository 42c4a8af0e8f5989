//! A dense layer for reading: weights in the order in which they are read, bias and activation in the same pass.

use std::sync::Arc;

use mlp_tensor::simd::fuses;
use mlp_tensor::{Compact, CompactPanels, Element, Panels, Tensor, linear};

use super::InPlace;
use super::chain::Step;
use crate::NnError;

/// activation(x · W + b) of rows. Every output is added up in the order of all products, whichever rows it is computed with and
/// however the weights lie, so that its bits do not depend on either.
#[derive(Clone, Debug)]
pub(crate) struct FrozenDense<E: Element> {
    /// The name of the weight.
    name: String,
    inputs: usize,
    units: usize,
    /// The number of values of an output row, which has `units` along its last axis.
    width: usize,
    weights: Weights<E>,
    bias: Vec<E>,
    activation: Option<InPlace<E>>,
}

#[derive(Clone, Debug)]
enum Weights<E: Element> {
    /// The rows of W one after the other, as the network has them: nothing was copied, for one prediction of few rows.
    Shared(Tensor<E>),
    /// Laid out for products.
    Full(Panels<E>),
    /// The same, in fewer bits.
    Compact(CompactPanels<E>),
}

impl<E: Element> FrozenDense<E> {
    /// The layer with this weight `[inputs, units]`, which errors call `name`, and bias `[units]`, for output rows of
    /// `width` values. `packed` says whether the weights are laid out in panels.
    pub(crate) fn new(name: &str, weight: &Tensor<E>, bias: Option<&Tensor<E>>, width: usize, packed: bool) -> Self {
        let (inputs, units) = (weight.rows(), weight.row_len());
        // Without a bias, what is added to the sums is negative zero, which leaves also a negative zero as it is.
        let bias = bias.map_or_else(|| vec![E::neg_zero(); units], |bias| bias.as_slice().to_vec());
        let weights = if packed { Weights::Full(Panels::new(weight.view2())) } else { Weights::Shared(weight.clone()) };
        Self { name: name.to_owned(), inputs, units, width, weights, bias, activation: None }
    }

    /// Writes x · W + b for the rows of `x` to `out`.
    fn linear(&self, x: &[E], out: &mut [E]) {
        let bias = &self.bias[..];
        match &self.weights {
            Weights::Shared(weight) if !fuses() => linear(x, weight.view2(), bias, out),
            Weights::Shared(weight) => {
                for (x, out) in x.chunks_exact(self.inputs).zip(out.chunks_exact_mut(self.units)) {
                    linear(x, weight.view2(), bias, out);
                }
            }
            Weights::Full(panels) => linear(x, panels, bias, out),
            Weights::Compact(panels) => panels.linear(x, bias, out),
        }
    }
}

impl<E: Element> Step<E> for FrozenDense<E> {
    fn width(&self) -> usize {
        self.width
    }

    fn run(&self, _: usize, x: &[E], out: &mut [E], _: &mut [E]) {
        self.linear(x, out);
        if let Some(activation) = self.activation {
            out.chunks_exact_mut(self.units).for_each(activation);
        }
    }

    fn activate(&mut self, activation: InPlace<E>, last: usize) -> bool {
        // Where rows were flattened in between, a softmax goes over more than the units.
        let fits = self.activation.is_none() && last == self.units;
        if fits {
            self.activation = Some(activation);
        }
        fits
    }

    fn compact(&self, format: Compact) -> Result<Option<Arc<dyn Step<E>>>, NnError> {
        let compact = |weight: &Tensor<E>| {
            CompactPanels::new(weight.view2(), format)
                .map_err(|problem| NnError::Compact { name: self.name.clone(), problem })
        };
        let weights = match &self.weights {
            Weights::Shared(weight) => compact(weight)?,
            Weights::Full(panels) => compact(&panels.to_tensor())?,
            Weights::Compact(panels) if panels.format() == format => return Ok(None),
            Weights::Compact(panels) => compact(&panels.to_tensor())?,
        };
        let (name, weights, bias) = (self.name.clone(), Weights::Compact(weights), self.bias.clone());
        Ok(Some(Arc::new(Self { name, weights, bias, activation: self.activation, ..*self })))
    }
}
