//! A dense layer for reading: weights in the order in which they are read, bias and activation in the same pass.

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, math};

use super::half;
use crate::{Activation, NnError, Parameter};

/// The outputs of one panel of weights. Their sums stay in registers while the panel is read from end to end.
const PANEL: usize = 16;
/// The panels that one row goes through together: enough sums to hide the latency of an addition.
const PANELS: usize = 4;
/// Fewer rows than this go through the layer one after the other, and more of them panel by panel.
const FEW: usize = 4;
/// From this many rows on, 16-bit weights are decoded before they are multiplied.
const MANY: usize = 16;

/// activation(x · W + b) of single rows. Every output is b + x₀w₀ + x₁w₁ + .. in this order, whichever rows it is
/// computed with, so that its bits do not depend on them.
#[derive(Clone, Debug)]
pub(super) struct FrozenDense<E: Element> {
    /// The name of the weight.
    name: String,
    pub(super) inputs: usize,
    pub(super) units: usize,
    weights: Weights<E>,
    /// One array per panel, as of the weights. What is beyond the last unit is 0.
    bias: Vec<[E; PANEL]>,
    activation: Option<InPlace<E>>,
}

/// The panels one after the other, and of each the rows of W: one array per input.
#[derive(Clone)]
enum Weights<E> {
    Full(Vec<[E; PANEL]>),
    Half(Vec<[u16; PANEL]>),
}

/// An activation that writes over the row.
pub(super) type InPlace<E> = fn(&mut [E]);

impl<E: Element> FrozenDense<E> {
    /// The layer with this weight `[inputs, units]` and bias `[units]`.
    pub(super) fn new(weight: &Parameter<E>, bias: Option<&Parameter<E>>) -> Self {
        let (inputs, units) = (weight.value.rows(), weight.value.row_len());
        let starts = (0..units).step_by(PANEL);
        let panels = starts.clone().flat_map(|start| (0..inputs).map(move |k| panel(weight.value.row(k), start)));
        let bias = starts.clone().map(|start| bias.map_or([E::zero(); PANEL], |b| panel(b.value.as_slice(), start)));
        Self {
            name: weight.name.clone(),
            inputs,
            units,
            weights: Weights::Full(panels.collect()),
            bias: bias.collect(),
            activation: None,
        }
    }

    /// Makes `activation` part of the layer. `false` if the layer ends in one already, or this one has no such form.
    pub(super) fn activate(&mut self, activation: &Activation) -> bool {
        if *activation == Activation::Identity {
            return true;
        }
        if self.activation.is_none() {
            self.activation = in_place(activation);
            return self.activation.is_some();
        }
        false
    }

    /// Rounds the weights to 16-bit numbers.
    ///
    /// # Errors
    /// If there is none near a weight.
    pub(super) fn halve(&mut self) -> Result<(), NnError> {
        let Weights::Full(panels) = &self.weights else { return Ok(()) };
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

    /// Writes the outputs for the rows of `x` to `out`.
    pub(super) fn run(&self, x: &[E], out: &mut [E]) {
        match &self.weights {
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
        if let Some(activation) = self.activation {
            out.chunks_exact_mut(self.units).for_each(activation);
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

impl<E> std::fmt::Debug for Weights<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "full",
            Self::Half(_) => "half",
        })
    }
}

/// The values from `start` on, and zeros where they end.
fn panel<E: Element>(values: &[E], start: usize) -> [E; PANEL] {
    let mut panel = [E::zero(); PANEL];
    let values = &values[start..values.len().min(start + PANEL)];
    panel[..values.len()].copy_from_slice(values);
    panel
}

/// The form of `activation` that writes over a row; `None` if it has none.
fn in_place<E: Element>(activation: &Activation) -> Option<InPlace<E>> {
    let known: [(Activation, InPlace<E>); 4] = [
        (Activation::Relu, |row| each(row, |v| if v < E::zero() { E::zero() } else { v })),
        (Activation::Sigmoid, |row| each(row, math::sigmoid)),
        (Activation::Tanh, |row| each(row, math::tanh)),
        (Activation::Softmax, |row| {
            let largest = row.iter().copied().fold(E::neg_infinity(), |a, b| if b > a || b.is_nan() { b } else { a });
            each(row, |v| math::exp(v - largest));
            let sum: E = row.iter().copied().sum();
            each(row, |v| v / sum);
        }),
    ];
    known.into_iter().find(|(name, _)| name == activation).map(|(_, function)| function)
}

fn each<E: Element>(row: &mut [E], f: impl Fn(E) -> E) {
    vectorize(
        #[inline(always)]
        || row.iter_mut().for_each(|v| *v = f(*v)),
    );
}
