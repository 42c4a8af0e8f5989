//! A dense layer for reading: weights in the order in which they are read, bias and activation in the same pass.

use std::sync::Arc;

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor};

use super::chain::Step;
use super::{InPlace, half};
use crate::NnError;

/// The outputs of one panel of weights. Their sums stay in registers while the panel is read from end to end.
const PANEL: usize = 16;
/// The panels that one row goes through together: enough sums to hide the latency of an addition.
const PANELS: usize = 4;
/// Fewer rows than this go through the layer one after the other, and more of them panel by panel.
const FEW: usize = 4;
/// From this many rows on, 16-bit weights are decoded before they are multiplied.
const MANY: usize = 16;

/// activation(x · W + b) of single rows. Every output is b + x₀w₀ + x₁w₁ + .. in this order, whichever rows it is
/// computed with and however the weights lie, so that its bits do not depend on either.
#[derive(Clone, Debug)]
pub(crate) struct FrozenDense<E: Element> {
    /// The name of the weight.
    name: String,
    inputs: usize,
    units: usize,
    /// The number of values of an output row, which has `units` along its last axis.
    width: usize,
    weights: Weights<E>,
    /// One array per panel, as of the weights. What is beyond the last unit is 0.
    bias: Vec<[E; PANEL]>,
    activation: Option<InPlace<E>>,
}

#[derive(Clone)]
enum Weights<E: Element> {
    /// The rows of W one after the other, as the network has them: nothing was copied, for one prediction of few rows.
    Shared(Tensor<E>),
    /// The panels one after the other, and of each the rows of W: one array per input.
    Full(Vec<[E; PANEL]>),
    /// The same in 16 bits.
    Half(Vec<[u16; PANEL]>),
}

impl<E: Element> FrozenDense<E> {
    /// The layer with this weight `[inputs, units]`, which errors call `name`, and bias `[units]`, for output rows of
    /// `width` values. `packed` says whether the weights are laid out in panels.
    pub(crate) fn new(name: &str, weight: &Tensor<E>, bias: Option<&Tensor<E>>, width: usize, packed: bool) -> Self {
        let (inputs, units) = (weight.rows(), weight.row_len());
        let bias =
            (0..units).step_by(PANEL).map(|start| bias.map_or([E::zero(); PANEL], |b| panel(b.as_slice(), start)));
        let bias = bias.collect();
        let weights = if packed { Weights::Full(panels(weight)) } else { Weights::Shared(weight.clone()) };
        Self { name: name.to_owned(), inputs, units, width, weights, bias, activation: None }
    }

    /// Rounds the weights to 16-bit numbers.
    fn halve(&mut self) -> Result<(), NnError> {
        let panels = match &self.weights {
            Weights::Shared(weight) => &panels(weight),
            Weights::Full(panels) => panels,
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
        match &self.weights {
            Weights::Shared(weight) => {
                let bias = &self.bias.as_flattened()[..self.units];
                vectorize(
                    #[inline(always)]
                    || {
                        for (x, out) in x.chunks_exact(self.inputs).zip(out.chunks_exact_mut(self.units)) {
                            out.copy_from_slice(bias);
                            add_products(x, weight.as_slice(), out);
                        }
                    },
                );
            }
            Weights::Full(panels) => vectorize(
                #[inline(always)]
                || self.multiply(x, E::one(), panels, |w| w, out),
            ),
            Weights::Half(panels) if x.len() >= MANY * self.inputs => {
                // Decoded once for all rows.
                let mut weights = vec![[E::zero(); PANEL]; self.inputs];
                for (panel, halves) in panels.chunks_exact(self.inputs).enumerate() {
                    vectorize(
                        #[inline(always)]
                        || {
                            for (w, &half) in weights.as_flattened_mut().iter_mut().zip(halves.as_flattened()) {
                                *w = half::decode(half);
                            }
                            Tiles { layer: self, factor: E::one(), decode: |w| w }.rows(x, panel, &weights, out);
                        },
                    );
                }
            }
            Weights::Half(panels) => vectorize(
                #[inline(always)]
                || {
                    // A factor of all weights is cheaper on the inputs, which are fewer. It is a power of two, so that
                    // the products are the same, as long as it does not take an input beyond the largest number.
                    let limit = E::from_f64(32768.0);
                    if x.iter().fold(true, |small, v| small & (v.abs() < limit)) {
                        self.multiply(x, E::from_f64(half::FACTOR.into()), panels, half::decode_small, out);
                    } else {
                        self.multiply(x, E::one(), panels, half::decode, out);
                    }
                },
            ),
        }
    }

    /// The outputs of all rows from all panels, or where there are few rows, of one row after the other.
    #[inline(always)]
    fn multiply<W: Copy>(&self, x: &[E], factor: E, weights: &[[W; PANEL]], decode: impl Fn(W) -> E, out: &mut [E]) {
        let (inputs, tiles) = (self.inputs, Tiles { layer: self, factor, decode });
        if x.len() >= FEW * inputs {
            for (panel, weights) in weights.chunks_exact(inputs).enumerate() {
                tiles.rows(x, panel, weights, out);
            }
            return;
        }
        for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(self.units)) {
            for (group, weights) in weights.chunks(PANELS * inputs).enumerate() {
                if weights.len() == PANELS * inputs {
                    tiles.tile::<W, 1, PANELS>(x, group * PANELS, weights, out);
                } else {
                    for (panel, weights) in weights.chunks_exact(inputs).enumerate() {
                        tiles.tile::<W, 1, 1>(x, group * PANELS + panel, weights, out);
                    }
                }
            }
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

/// Adds every row of W, times its input, to `out`: four rows at a time, so that `out` is read and written a quarter as
/// often.
#[inline(always)]
fn add_products<E: Element>(x: &[E], w: &[E], out: &mut [E]) {
    let units = out.len();
    let (fours, rest) = x.as_chunks::<4>();
    let (w_fours, w_rest) = w.split_at(4 * fours.len() * units);
    for (&[x0, x1, x2, x3], w) in fours.iter().zip(w_fours.chunks_exact(4 * units)) {
        let (w0, w) = w.split_at(units);
        let (w1, w) = w.split_at(units);
        let (w2, w3) = w.split_at(units);
        for ((((o, &w0), &w1), &w2), &w3) in out.iter_mut().zip(w0).zip(w1).zip(w2).zip(w3) {
            *o = *o + x0 * w0 + x1 * w1 + x2 * w2 + x3 * w3;
        }
    }
    for (&x, w) in rest.iter().zip(w_rest.chunks_exact(units)) {
        out.iter_mut().zip(w).for_each(|(o, &w)| *o += x * w);
    }
}

/// How tiles of outputs are computed.
struct Tiles<'a, E: Element, D> {
    layer: &'a FrozenDense<E>,
    /// What every input is multiplied by.
    factor: E,
    /// What a weight is.
    decode: D,
}

impl<E: Element, D> Tiles<'_, E, D> {
    /// The outputs of all rows from one panel. Some rows go through it together, so that each weight is read once for
    /// all of them; twice the bytes in a sum leave room for half of the sums.
    #[inline(always)]
    fn rows<W: Copy>(&self, x: &[E], panel: usize, weights: &[[W; PANEL]], out: &mut [E])
    where
        D: Fn(W) -> E,
    {
        if E::BYTES == 4 {
            self.rows_by::<W, 4>(x, panel, weights, out);
        } else {
            self.rows_by::<W, 2>(x, panel, weights, out);
        }
    }

    #[inline(always)]
    fn rows_by<W: Copy, const R: usize>(&self, x: &[E], panel: usize, weights: &[[W; PANEL]], out: &mut [E])
    where
        D: Fn(W) -> E,
    {
        let (inputs, units) = (self.layer.inputs, self.layer.units);
        for (x, out) in x.chunks(R * inputs).zip(out.chunks_mut(R * units)) {
            if x.len() == R * inputs {
                self.tile::<W, R, 1>(x, panel, weights, out);
            } else {
                for (x, out) in x.chunks_exact(inputs).zip(out.chunks_exact_mut(units)) {
                    self.tile::<W, 1, 1>(x, panel, weights, out);
                }
            }
        }
    }

    /// The outputs of `R` rows and of `P` panels, of which `first` is the first. `weights` holds these panels alone.
    #[inline(always)]
    fn tile<W: Copy, const R: usize, const P: usize>(
        &self,
        x: &[E],
        first: usize,
        weights: &[[W; PANEL]],
        out: &mut [E],
    ) where
        D: Fn(W) -> E,
    {
        let (inputs, units) = (self.layer.inputs, self.layer.units);
        let mut rows: [&[E]; R] = [&[]; R];
        for (r, row) in rows.iter_mut().enumerate() {
            *row = &x[r * inputs..][..inputs];
        }
        let mut panels: [&[[W; PANEL]]; P] = [&[]; P];
        let mut bias = [[E::zero(); PANEL]; P];
        for p in 0..P {
            panels[p] = &weights[p * inputs..][..inputs];
            bias[p] = self.layer.bias[first + p];
        }
        let mut sums = [bias; R];
        for k in 0..inputs {
            for p in 0..P {
                let mut w = [E::zero(); PANEL];
                for j in 0..PANEL {
                    w[j] = (self.decode)(panels[p][k][j]);
                }
                for r in 0..R {
                    let x = rows[r][k] * self.factor;
                    for j in 0..PANEL {
                        sums[r][p][j] += x * w[j];
                    }
                }
            }
        }
        for (sums, out) in sums.iter().zip(out.chunks_exact_mut(units)) {
            for (sums, out) in sums.iter().zip(out[first * PANEL..].chunks_mut(PANEL)) {
                out.copy_from_slice(&sums[..out.len()]);
            }
        }
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
