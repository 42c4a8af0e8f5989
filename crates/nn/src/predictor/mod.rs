//! A network frozen for predictions.

mod dense;
mod half;
mod step;

use std::cell::RefCell;
use std::fmt;

use mlp_tensor::{Element, Pool, Tensor, all_finite};
use rayon::prelude::*;

use crate::layers::Columns;
use crate::{Network, NnError, Sequential};
use step::{Step, freeze};

/// Many rows are predicted in parts of this many.
const ROWS: usize = 32;
/// Below this many multiplications one thread is done before a second has woken up.
const WORTH_A_FORK: usize = 1 << 20;

thread_local! {
    /// What lies between two steps; kept from one prediction of the thread to its next.
    static SCRATCH: RefCell<Pool> = RefCell::default();
}

/// A network frozen for predictions: it computes what [`Network::predict`] computes, up to rounding, but the weights
/// lie in the order in which they are read, and single rows cost no allocation.
///
/// A predictor is a copy: training the network further does not change it. It has no state, so threads may share it by
/// reference, and none waits for another. Predictions have the same bits on any number of threads.
///
/// Dense layers have steps of their own here, together with a ReLU, sigmoid, tanh or softmax at their end. Dropout and
/// noise have none. In a network of these, a row has the same bits alone and among others. Other layers and activations
/// run as they do in [`Network::predict`], and allocate.
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
    steps: Vec<Step<E>>,
    /// The first layer, as messages name it.
    first_layer: String,
    input: Vec<usize>,
    output: Vec<usize>,
    /// The number of values of the longest row between two steps.
    widest: usize,
    /// The number of multiplications that one row takes.
    work: usize,
    /// The description of a network that looks categories up, to check them by.
    categories: Option<Sequential>,
}

impl<E: Element> Predictor<E> {
    /// Freezes `network` as it is now.
    pub fn new(network: &Network<E>) -> Self {
        let (steps, widest) = freeze(network);
        Self {
            steps,
            first_layer: network.architecture().first_layer(),
            input: network.architecture().input_shape().to_vec(),
            output: network.output_shape().to_vec(),
            widest,
            work: network.parameters().iter().map(|parameter| parameter.value.len()).sum(),
            categories: network.reads_categories().then(|| network.architecture().clone()),
        }
    }

    /// Puts (x - mean) / scale in front of the network, for each value of a row, computed in double precision.
    ///
    /// It is not multiplied into the first layer's weights: where a mean is large beside its scale, that would lose
    /// what the input tells.
    ///
    /// # Panics
    /// If there is not one mean and one scale for each value of a row.
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
        self.steps.insert(0, Step::Standardize { mean: mean.to_vec(), scale: scale.to_vec() });
        self.widest = self.widest.max(features);
        self
    }

    /// Keeps the weights of dense layers as 16-bit floating-point numbers, in half the memory of `f32`; sums, biases
    /// and all else stay as they are. Where reading the weights takes the time, a prediction takes less of it.
    ///
    /// A weight keeps 11 significant bits (a relative error of at most 2⁻¹¹, 0.05 %), and below 6.1e-5 an absolute error
    /// of at most 3e-8.
    ///
    /// # Errors
    /// If a weight is beyond 65504, the largest such number, or not finite.
    pub fn half(mut self) -> Result<Self, NnError> {
        self.steps.iter_mut().try_for_each(|step| match step {
            Step::Dense(dense) => dense.halve(),
            _ => Ok(()),
        })?;
        Ok(self)
    }

    /// The number of values of one input row.
    pub fn input_features(&self) -> usize {
        self.input.iter().product()
    }

    /// The number of values of one output row.
    pub fn output_features(&self) -> usize {
        self.output.iter().product()
    }

    /// Writes the output for one row to `out`, without allocating (from a thread's second call on, and see
    /// [`Predictor`]).
    ///
    /// # Errors
    /// If `row` or `out` has another length than the network's rows, or `row` holds NaN, infinity, or what is no
    /// category where the network looks one up. Then `out` is as it was.
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
    /// If the rows of `x` do not have the network's input shape, or hold NaN, infinity, or what is no category where the
    /// network looks one up.
    pub fn predict(&self, x: &Tensor<E>) -> Result<Tensor<E>, NnError> {
        match x.shape() {
            [_, row @ ..] if row == self.input => {}
            found => {
                let (layer, expected, found) = (self.first_layer.clone(), self.input.clone(), found.to_vec());
                return Err(NnError::InputShape { layer, expected, found });
            }
        }
        let mut output = vec![E::zero(); x.rows() * self.output_features()];
        let (part, part_out) = (ROWS * self.input_features(), ROWS * self.output_features());
        let run = |(index, (x, out)): (usize, (&[E], &mut [E]))| self.run(index * ROWS, x, out);
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
        let features = self.input_features();
        if !all_finite(x)
            && let Some(place) = x.iter().position(|v| !v.is_finite())
        {
            let (row, column) = (first + place / features, place % features);
            return Err(NnError::NotFinite { row, column, value: x[place].as_f64() });
        }
        let Some(categories) = &self.categories else { return Ok(()) };
        let x = Tensor::from_vec(x.to_vec(), [&[x.len() / features], &self.input[..]].concat());
        match categories.stack().check_columns(&Columns::all(&x), "") {
            Err(NnError::Category { layer, row, column, value, categories }) => {
                Err(NnError::Category { layer, row: first + row, column, value, categories })
            }
            checked => checked.map(drop),
        }
    }

    /// Writes the output for the rows of `x`, of which the first is row `first` of the caller's, to `out`.
    fn run(&self, first: usize, x: &[E], out: &mut [E]) -> Result<(), NnError> {
        let features = self.input_features();
        self.check(first, x)?;
        let rows = x.len() / features;
        let longest = rows * self.widest;
        let mut scratch = SCRATCH.with_borrow_mut(|pool| pool.take::<E>()).unwrap_or_default();
        if scratch.len() < 2 * longest {
            scratch.resize(2 * longest, E::zero());
        }
        let (mut from, mut to) = scratch.split_at_mut(longest);
        let mut checked = Ok(());
        let mut width = features;
        from[..x.len()].copy_from_slice(x);
        for step in &self.steps {
            let next = step.output(width);
            step.run(rows, &from[..rows * width], &mut to[..rows * next]);
            (from, to, width) = (to, from, next);
            if matches!(step, Step::Standardize { .. }) {
                // A finite number may be too large for E once it is scaled.
                checked = self.check(first, &from[..x.len()]);
                if checked.is_err() {
                    break;
                }
            }
        }
        if checked.is_ok() {
            out.copy_from_slice(&from[..rows * width]);
        }
        SCRATCH.with_borrow_mut(|pool| pool.put(scratch));
        checked
    }
}

impl<E: Element> fmt::Debug for Predictor<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Predictor").field("input", &self.input).field("steps", &self.steps).finish_non_exhaustive()
    }
}
