//! A network frozen for predictions.

mod chain;
mod dense;
mod freeze;
mod scratch;

use std::fmt;
use std::sync::Arc;

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Compact, Element, Tensor, all_finite};
use rayon::prelude::*;

use crate::layers::Lookup;
use crate::network::check_rows;
use crate::{Network, NnError, Output};

pub(crate) use chain::{Chain, Step};
pub(crate) use freeze::{Freezer, Frozen};

/// An activation that writes over the row.
pub(crate) type InPlace<E> = fn(&mut [E]);

/// Many rows are predicted in parts of at most this many.
const ROWS: usize = 60;
/// A part has fewer rows where more of them would need room for more than this many values.
const VALUES: usize = 1 << 16;
/// Below this many multiplications one thread is done before a second has woken up.
const WORTH_A_FORK: usize = 1 << 20;
/// From this many rows on, laying the weights out anew for one prediction is quicker than reading them where they lie.
const WORTH_PACKING: usize = 8;

/// A network frozen for predictions: the weights lie in the order in which they are read, and single rows cost no
/// allocation.
///
/// A predictor is a copy: training the network further does not change it. It has no state, so threads may share it by
/// reference, and none waits for another.
///
/// It is the one way in which networks predict, [`Network::predict`] included, and a row has the same bits on every path:
/// alone, among any others, on any number of threads, by a predictor that was kept and by one that was made for the
/// call. That is so because every output of a dense layer is added up in one order, whether the
/// weights were laid out anew or are read where they lie in the network, and because no layer looks at another row at
/// inference; a layer of your own must keep to that. Values that are not finite are refused.
///
/// Dense layers, embeddings, shortcuts and branches have steps of their own here, together with a ReLU, sigmoid, tanh or
/// softmax at their end; dropout and noise have none. Other layers and activations run their forward on a tape that does
/// not record, and allocate. Between two steps lies one activation, so two are there at a time, however deep the network
/// is; a block inside keeps what it needs besides (a shortcut its input, branches their input and the joined output).
///
/// ```
/// use mlp_nn::{Activation, Dense, Predictor, Sequential};
/// use mlp_tensor::Tensor;
///
/// let network = Sequential::new(4)
///     .add(Dense::new(10).activation(Activation::Relu))
///     .add(Dense::new(3).activation(Activation::Softmax))
///     .init::<f32>(42)?;
/// let predictor = Predictor::new(&network);
///
/// let mut probabilities = [0.0; 3];
/// predictor.predict_row(&[5.1, 3.5, 1.4, 0.2], &mut probabilities)?;
///
/// let many = predictor.predict(&Tensor::from([[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3]]))?;
/// assert_eq!(many.row(0), probabilities);
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
#[derive(Clone)]
pub struct Predictor<E: Element = f32> {
    chain: Chain<E>,
    scaling: Option<Scaling>,
    /// What makes predictions of what the last layer gives.
    finish: Option<Output>,
    /// The first layer, as messages name it.
    first_layer: String,
    input: Vec<usize>,
    output: Vec<usize>,
    /// The number of values that a row needs room for, beside input and output.
    room: usize,
    /// The number of multiplications that one row takes.
    work: usize,
    /// The columns that hold categories.
    lookups: Arc<[Lookup]>,
}

/// (x - mean) / scale.
#[derive(Clone, Debug)]
struct Scaling {
    mean: Vec<f64>,
    scale: Vec<f64>,
}

impl<E: Element> Predictor<E> {
    /// Freezes `network` as it is now.
    pub fn new(network: &Network<E>) -> Self {
        Self::frozen(network, true)
    }

    /// Freezes `network` for a single prediction of so many rows: for a few, the weights are not laid out anew, which takes
    /// longer than the prediction does, but shared with the network. The bits are the same.
    pub fn for_rows(network: &Network<E>, rows: usize) -> Self {
        Self::frozen(network, rows >= WORTH_PACKING)
    }

    fn frozen(network: &Network<E>, packed: bool) -> Self {
        let chain = Freezer::network(network, packed);
        Self {
            room: chain.room(),
            chain,
            scaling: None,
            finish: None,
            first_layer: network.architecture().first_layer(),
            input: network.architecture().input_shape().to_vec(),
            output: network.output_shape().to_vec(),
            work: network.multiplications_per_row(),
            lookups: Arc::clone(network.lookups()),
        }
    }

    /// Puts (x - mean) / scale in front of the network, for each value of a row, computed in double precision.
    ///
    /// It is not multiplied into the first layer's weights: where a mean is large beside its scale, that would lose
    /// what the input tells.
    ///
    /// # Panics
    /// If there is not one mean and one scale for each value of a row, a mean is not finite, or a scale is not finite and
    /// above 0.
    #[must_use]
    #[track_caller]
    pub fn standardize(mut self, mean: &[f64], scale: &[f64]) -> Self {
        let features = self.input_features();
        assert!(
            mean.len() == features && scale.len() == features,
            "standardize: {} means and {} scales for rows of {features} values",
            mean.len(),
            scale.len()
        );
        for (column, (&mean, &scale)) in mean.iter().zip(scale).enumerate() {
            assert!(
                mean.is_finite() && scale.is_finite() && scale > 0.0,
                "standardize: column {column} has mean {mean} and scale {scale}; means must be finite, and scales finite and \
                 above 0"
            );
        }
        self.scaling = Some(Scaling { mean: mean.to_vec(), scale: scale.to_vec() });
        self
    }

    /// Makes predictions of what the last layer gives, as `output` says: probabilities of logits, numbers in the targets'
    /// units.
    ///
    /// # Errors
    /// As [`Output::check`], if the output does not fit the rows that the network gives.
    pub fn with_output(self, output: &Output) -> Result<Self, NnError> {
        output.check(&self.output)?;
        Ok(Self { finish: output.changes_values().then(|| output.clone()), ..self })
    }

    /// Keeps the weights of dense layers as bfloat16, in half the memory of `f32`: each is rounded to the nearest, of two that
    /// are equally near to the even one. Sums, biases and all else stay as they are, and a row has the bits that a network of
    /// the rounded weights gives it.
    ///
    /// A weight keeps 8 significant bits (a relative error of at most 2⁻⁸, 0.4 %) and the range of `f32`. For example, of a
    /// network 784-512-512-10 that was trained for an epoch (the wide work of the benches) no probability on 4,096 rows changes
    /// by more than 0.006.
    ///
    /// This is for single rows through wide layers, whose time goes into reading weights: 0.64 of the time of `f32` for one
    /// row through 784-512-512-10 on one core of a Zen 3, and through 4096-4096-4096-10, whose weights do not fit into a cache. A
    /// network of `f64` gains only where they do not fit. For several rows at once all bits are faster: weights are decoded
    /// for every row, or once for 16 and more that go through a layer together, which of very wide layers fewer do. Layers
    /// that are no products of their own, such as a layer norm or one that you wrote, keep their weights.
    ///
    /// Weights that are kept in fewer bits already, as [`int8`](Self::int8) does, are rounded once more.
    ///
    /// # Errors
    /// [`NnError::Compact`], if a weight is not finite, or beyond the range of `f32`.
    pub fn bfloat16(self) -> Result<Self, NnError> {
        Ok(Self { chain: self.chain.compact(Compact::Bfloat16)?, ..self })
    }

    /// Keeps the weights of dense layers as whole numbers of 8 bits, in a quarter of the memory of `f32`: symmetric
    /// quantization of the weights alone, with one scale for each unit.
    ///
    /// The weights w of a unit become q = round(w / s), from -127 to 127, of two that are equally near the even one, with
    /// s = max |w| / 127 (at least the smallest normal number, where they are all 0). The unit's output is s · Σ x · q + b:
    /// inputs, sums, scales and biases stay as they are. Nothing has to be calibrated.
    ///
    /// A weight is at most s / 2 off, 0.4 % of the unit's largest: one weight that is far larger than the others of its unit
    /// costs those their precision. For example, of a network 784-512-512-10 that was trained for an epoch (the wide work of the
    /// benches) no probability on 4,096 rows changes by more than 0.016.
    ///
    /// This is for memory, and for single rows through layers whose weights are too many for a cache: 0.43 of the time of `f32`
    /// for 4096-4096-4096-10 on one core of a Zen 3. Where they fit, [`bfloat16`](Self::bfloat16) is faster and more exact: this
    /// takes 0.76 of the time of `f32`, and that 0.64, for one row through 784-512-512-10. For several rows at once all bits are
    /// faster, as said there. Layers that are no products of their own, such as a layer norm or one that you wrote, keep their
    /// weights.
    ///
    /// Inputs of a layer that are beyond 1/127 of the largest number may overflow. Weights that are kept in fewer bits already,
    /// as [`bfloat16`](Self::bfloat16) does, are rounded once more.
    ///
    /// # Errors
    /// [`NnError::Compact`], if a weight is not finite.
    pub fn int8(self) -> Result<Self, NnError> {
        Ok(Self { chain: self.chain.compact(Compact::Int8)?, ..self })
    }

    /// The number of values of one input row.
    pub fn input_features(&self) -> usize {
        self.input.iter().product()
    }

    /// The number of values of one output row.
    pub fn output_features(&self) -> usize {
        self.output.iter().product()
    }

    /// Writes the output for one row to `out`, without allocating (from a thread's second call on, for rows that need less
    /// than a megabyte on their way, and see [`Predictor`]).
    ///
    /// # Errors
    /// If `row` or `out` has another length than the network's rows, or `row` holds NaN, infinity, a value that is not a
    /// category where the network looks one up, or one that is beyond the largest number once it is standardized. Then
    /// `out` is as it was.
    ///
    /// # Panics
    /// As [`Predictor::predict`].
    #[track_caller]
    pub fn predict_row(&self, row: &[E], out: &mut [E]) -> Result<(), NnError> {
        for (what, expected, found) in
            [("input", self.input_features(), row.len()), ("output", self.output_features(), out.len())]
        {
            if found != expected {
                return Err(NnError::RowLength { what, expected, found });
            }
        }
        self.run(0, row, out)
    }

    /// The output `[n, ..]` for the rows of `x`. Many rows are cut into parts, which go to all threads of rayon's pool.
    ///
    /// # Errors
    /// If the rows of `x` do not have the network's input shape, or hold NaN, infinity, a value that is not a category where
    /// the network looks one up, or one that is beyond the largest number once it is standardized.
    ///
    /// # Panics
    /// If a layer or an activation of a user's panics, or does not keep to its plan.
    #[track_caller]
    pub fn predict(&self, x: &Tensor<E>) -> Result<Tensor<E>, NnError> {
        check_rows(x.shape(), &self.input, || self.first_layer.clone())?;
        let mut output = vec![E::zero(); x.rows() * self.output_features()];
        let rows = (VALUES / (self.input_features() + self.room).max(1)).clamp(1, ROWS);
        let (part, part_out) = (rows * self.input_features(), rows * self.output_features());
        let run = |(index, (x, out)): (usize, (&[E], &mut [E]))| self.run(index * rows, x, out);
        if x.rows().saturating_mul(self.work) < WORTH_A_FORK {
            x.as_slice().chunks(part).zip(output.chunks_mut(part_out)).enumerate().try_for_each(run)?;
        } else {
            let parts = x.as_slice().par_chunks(part).zip(output.par_chunks_mut(part_out)).enumerate();
            // Collected in order, so that the error is that of the first bad row.
            parts.map(run).collect::<Vec<_>>().into_iter().collect::<Result<(), _>>()?;
        }
        Ok(Tensor::from_vec(output, [&[x.rows()], &self.output[..]].concat()))
    }

    /// Checks the values of the rows of `x`, of which the first is row `first` of the caller's.
    fn check(&self, first: usize, x: &[E]) -> Result<(), NnError> {
        self.check_finite(first, x, |row, column, place| NnError::NotFinite { row, column, value: x[place].as_f64() })?;
        self.check_categories(first, x)
    }

    /// Checks that rows are finite; `error` makes the error of a row, a column, and the place of the value in `x`.
    fn check_finite(
        &self,
        first: usize,
        x: &[E],
        error: impl FnOnce(usize, usize, usize) -> NnError,
    ) -> Result<(), NnError> {
        let features = self.input_features();
        match if all_finite(x) { None } else { x.iter().position(|v| !v.is_finite()) } {
            Some(place) => Err(error(first + place / features, place % features, place)),
            None => Ok(()),
        }
    }

    fn check_categories(&self, first: usize, x: &[E]) -> Result<(), NnError> {
        self.lookups.iter().try_for_each(|lookup| lookup.check(first, x, self.input_features()))
    }

    /// Writes the output for the rows of `x`, of which the first is row `first` of the caller's, to `out`.
    fn run(&self, first: usize, x: &[E], out: &mut [E]) -> Result<(), NnError> {
        self.check(first, x)?;
        let rows = x.len() / self.input_features();
        match &self.scaling {
            None => scratch::with(rows * self.room, |room| self.chain.run(rows, x, out, room)),
            Some(scaling) => scratch::with(x.len() + rows * self.room, |room| {
                let (scaled, room) = room.split_at_mut(x.len());
                scaling.run(x, scaled);
                // A finite number may be too large for E once it is scaled.
                self.check_finite(first, scaled, |row, column, place| NnError::ScaledFeature {
                    row,
                    column,
                    value: x[place].as_f64(),
                    number: E::NAME,
                })?;
                self.check_categories(first, scaled)?;
                self.chain.run(rows, scaled, out, room);
                Ok::<(), NnError>(())
            })?,
        }
        if let Some(output) = &self.finish {
            output.finish(out, self.output.last().copied().unwrap_or(1));
        }
        Ok(())
    }
}

impl Scaling {
    fn run<E: Element>(&self, x: &[E], out: &mut [E]) {
        let Self { mean, scale } = self;
        for (x, out) in x.chunks_exact(mean.len()).zip(out.chunks_exact_mut(mean.len())) {
            vectorize(
                #[inline(always)]
                || {
                    for (((x, mean), scale), out) in x.iter().zip(mean).zip(scale).zip(out) {
                        *out = E::from_f64((x.as_f64() - mean) / scale);
                    }
                },
            );
        }
    }
}

impl<E: Element> fmt::Debug for Predictor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predictor").field("input", &self.input).field("chain", &self.chain).finish_non_exhaustive()
    }
}
