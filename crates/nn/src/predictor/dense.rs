//! A dense layer for reading: weights in the order in which they are read, bias and activation in the same pass.

use std::sync::Arc;

use mlp_tensor::simd::{fuses, vectorize};
use mlp_tensor::{Element, Panels, Tensor, linear};

use super::chain::Step;
use super::{InPlace, half};
use crate::NnError;

/// The outputs of one panel of weights. Their sums stay in registers while the panel is read from end to end.
const PANEL: usize = 16;
/// The panels that one row goes through together: enough sums to hide the latency of an addition.
const PANELS: usize = 4;
/// The number of terms that products add up before they are added to the rest, and from which on they cut sums in halves.
const DEPTH: usize = 256;
const LONG: usize = 16 * DEPTH;
/// From this many rows on, 16-bit weights are decoded before they are multiplied.
const MANY: usize = 16;

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
    /// One array per panel, as of the weights.
    bias: Vec<[E; PANEL]>,
    activation: Option<InPlace<E>>,
}

#[derive(Clone)]
enum Weights<E: Element> {
    /// The rows of W one after the other, as the network has them: nothing was copied, for one prediction of few rows.
    Shared(Tensor<E>),
    /// Laid out for products.
    Full(Panels<E>),
    /// In 16 bits, the panels one after the other, and of each the rows of W: one array per input.
    Half(Vec<[u16; PANEL]>),
}

impl<E: Element> FrozenDense<E> {
    /// The layer with this weight `[inputs, units]`, which errors call `name`, and bias `[units]`, for output rows of
    /// `width` values. `packed` says whether the weights are laid out in panels.
    pub(crate) fn new(name: &str, weight: &Tensor<E>, bias: Option<&Tensor<E>>, width: usize, packed: bool) -> Self {
        let (inputs, units) = (weight.rows(), weight.row_len());
        // Without a bias, what is added to the sums is negative zero, which leaves also a negative zero as it is.
        let bias =
            (0..units).step_by(PANEL).map(|start| bias.map_or([E::neg_zero(); PANEL], |b| panel(b.as_slice(), start)));
        let bias = bias.collect();
        let weights = if packed { Weights::Full(Panels::new(weight.view2())) } else { Weights::Shared(weight.clone()) };
        Self { name: name.to_owned(), inputs, units, width, weights, bias, activation: None }
    }

    /// Rounds the weights to 16-bit numbers.
    fn halve(&mut self) -> Result<(), NnError> {
        let panels = match &self.weights {
            Weights::Shared(weight) => &panels(weight),
            Weights::Full(weight) => &panels(&weight.to_tensor()),
            Weights::Half(_) => return Ok(()),
        };
        let mut halves = vec![[0; PANEL]; panels.len()];
        for (index, (values, halves)) in panels.iter().zip(&mut halves).enumerate() {
            for (j, (value, half)) in values.iter().zip(halves).enumerate() {
                let value = value.as_f64();
                *half = half::encode(value).ok_or_else(|| NnError::HalfRange {
                    name: self.name.clone(),
                    index: [index % self.inputs, index / self.inputs * PANEL + j],
                    value,
                })?;
            }
        }
        self.weights = Weights::Half(halves);
        Ok(())
    }

    /// Writes x · W + b for the rows of `x` to `out`.
    fn linear(&self, x: &[E], out: &mut [E]) {
        let bias = &self.bias.as_flattened()[..self.units];
        match &self.weights {
            Weights::Shared(weight) if !fuses() => linear(x, weight.view2(), bias, out),
            Weights::Shared(weight) => {
                for (x, out) in x.chunks_exact(self.inputs).zip(out.chunks_exact_mut(self.units)) {
                    linear(x, weight.view2(), bias, out);
                }
            }
            Weights::Full(panels) => linear(x, panels, bias, out),
            // Decoded once for all rows.
            Weights::Half(halves) if x.len() >= MANY * self.inputs || self.inputs > LONG || !fuses() => {
                let panels = Panels::from_fn(self.inputs, self.units, |panel, rows| {
                    let halves = &halves[panel * self.inputs..][..self.inputs];
                    vectorize(
                        #[inline(always)]
                        move || {
                            let weights = rows.as_flattened_mut().iter_mut();
                            weights.zip(halves.as_flattened()).for_each(|(w, &half)| *w = half::decode(half));
                        },
                    );
                });
                linear(x, &panels, bias, out);
            }
            Weights::Half(halves) => vectorize(
                #[inline(always)]
                || {
                    for (x, out) in x.chunks_exact(self.inputs).zip(out.chunks_exact_mut(self.units)) {
                        // A factor of all weights is cheaper on the inputs, which are fewer. It is a power of two, so that
                        // the products are the same, as long as it does not take an input beyond the largest number.
                        let limit = E::from_f64(32768.0);
                        if x.iter().fold(true, |small, v| small & (v.abs() < limit)) {
                            self.half_row(x, E::from_f64(half::FACTOR.into()), halves, half::decode_small, out);
                        } else {
                            self.half_row(x, E::one(), halves, half::decode, out);
                        }
                    }
                },
            ),
        }
    }

    /// The outputs of one row, in the order in which products of other weights are added up.
    #[inline(always)]
    fn half_row(&self, x: &[E], factor: E, weights: &[[u16; PANEL]], decode: impl Fn(u16) -> E, out: &mut [E]) {
        for (group, weights) in weights.chunks(PANELS * self.inputs).enumerate() {
            if weights.len() == PANELS * self.inputs {
                self.half_panels::<PANELS>(x, factor, group * PANELS, weights, &decode, out);
            } else {
                for (panel, weights) in weights.chunks_exact(self.inputs).enumerate() {
                    self.half_panels::<1>(x, factor, group * PANELS + panel, weights, &decode, out);
                }
            }
        }
    }

    /// The outputs in `P` panels, of which `first` is the first. `weights` holds these panels alone.
    #[inline(always)]
    fn half_panels<const P: usize>(
        &self,
        x: &[E],
        factor: E,
        first: usize,
        weights: &[[u16; PANEL]],
        decode: &impl Fn(u16) -> E,
        out: &mut [E],
    ) {
        let mut values = [[E::zero(); PANEL]; P];
        values.copy_from_slice(&self.bias[first..first + P]);
        for block in (0..self.inputs).step_by(DEPTH) {
            let x = &x[block..self.inputs.min(block + DEPTH)];
            let mut panels: [&[[u16; PANEL]]; P] = [&[]; P];
            for p in 0..P {
                panels[p] = &weights[p * self.inputs + block..][..x.len()];
            }
            let mut sums = [[E::zero(); PANEL]; P];
            for k in 0..x.len() {
                let x = x[k] * factor;
                for p in 0..P {
                    for j in 0..PANEL {
                        sums[p][j] = x.mul_add(decode(panels[p][k][j]), sums[p][j]);
                    }
                }
            }
            for p in 0..P {
                for j in 0..PANEL {
                    values[p][j] += sums[p][j];
                }
            }
        }
        for (values, out) in values.iter().zip(out[first * PANEL..].chunks_mut(PANEL)) {
            out.copy_from_slice(&values[..out.len()]);
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

    fn half(&self) -> Result<Option<Arc<dyn Step<E>>>, NnError> {
        let mut half = self.clone();
        half.halve()?;
        Ok(Some(Arc::new(half)))
    }
}

impl<E: Element> std::fmt::Debug for Weights<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Shared(_) => "shared",
            Self::Full(_) => "full",
            Self::Half(_) => "half",
        })
    }
}

/// The panels of a weight.
fn panels<E: Element>(weight: &Tensor<E>) -> Vec<[E; PANEL]> {
    let mut panels = vec![[E::zero(); PANEL]; weight.row_len().div_ceil(PANEL) * weight.rows()];
    for (panels, start) in panels.chunks_mut(weight.rows().max(1)).zip((0..).step_by(PANEL)) {
        for (k, values) in panels.iter_mut().enumerate() {
            *values = panel(weight.row(k), start);
        }
    }
    panels
}

/// The values from `start` on, and zeros where they end.
fn panel<E: Element>(values: &[E], start: usize) -> [E; PANEL] {
    let mut panel = [E::zero(); PANEL];
    let values = &values[start..values.len().min(start + PANEL)];
    panel[..values.len()].copy_from_slice(values);
    panel
}
