//! Features and targets that have been checked, and the batches taken from them.

use std::sync::Arc;

use mlp_data::{StandardScaler, check_finite, check_same_rows};
use mlp_nn::{Loss, Network, TargetKind, Task};
use mlp_tensor::{Element, Tensor, all_finite};
use rayon::prelude::*;

use crate::objective::Part;
use crate::targets::Values;
use crate::{Objective, Targets, TrainError};

/// Rows to train on or to measure: features, targets and weights of the same rows, checked once against a network and an
/// objective. Clones share the numbers.
#[derive(Clone, Debug)]
pub struct Rows<E: Element = f32> {
    x: Tensor<E>,
    y: Checked<E>,
    /// One for each row, or none at all.
    weights: Arc<[f64]>,
    /// What standardizes features on their way into a batch.
    scaler: Option<StandardScaler>,
}

#[derive(Clone, Debug)]
enum Checked<E: Element> {
    Values(Tensor<E>),
    /// The class of every row. `outputs` is the shape of a row of targets, of one value for a network that says yes or
    /// no.
    Classes {
        classes: Arc<[usize]>,
        outputs: Arc<[usize]>,
    },
}

impl<E: Element> Rows<E> {
    /// Features `x` `[n, ..]` with their targets.
    ///
    /// # Errors
    /// If features or targets have another shape than the network needs, hold NaN or infinity, or there are none; if
    /// targets are not what the loss takes, or weights are not one for each row, finite and 0 or more, or all of them 0.
    pub fn new(
        x: &Tensor<E>,
        targets: impl Into<Targets<E>>,
        objective: &Objective,
        network: &Network<E>,
    ) -> Result<Self, TrainError> {
        Self::for_purpose("train on", x, targets.into(), objective, network, None)
    }

    /// The same for rows that are for `purpose`, with features that are standardized.
    pub(crate) fn for_purpose(
        purpose: &'static str,
        x: &Tensor<E>,
        targets: Targets<E>,
        objective: &Objective,
        network: &Network<E>,
        scaler: Option<&StandardScaler>,
    ) -> Result<Self, TrainError> {
        network.check_input(x)?;
        if x.rows() == 0 {
            return Err(TrainError::NoRows { purpose });
        }
        check_features(x, scaler)?;
        let outputs = network.output_shape();
        let y = match targets.values {
            Values::Tensor(values) => Checked::Values(check_values(&values, x.rows(), outputs, objective)?),
            Values::Classes(classes) => {
                check_classes(&classes, x.rows(), outputs[outputs.len() - 1], objective)?;
                Checked::Classes { classes, outputs: outputs.into() }
            }
        };
        let weights = targets.weights.map(|weights| check_weights(&weights, x.rows())).transpose()?;
        Ok(Self { x: x.clone(), y, weights: weights.unwrap_or_default().into(), scaler: scaler.cloned() })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.x.rows()
    }

    /// Whether there are none, which [`Rows::new`] refuses.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether they have weights.
    pub(crate) fn are_weighted(&self) -> bool {
        !self.weights.is_empty()
    }

    /// Checks that some of the rows numbered `chosen` count.
    ///
    /// # Errors
    /// If all of them have the weight 0.
    pub(crate) fn check_weights_of(&self, chosen: &[usize]) -> Result<(), TrainError> {
        let none_counts = self.are_weighted() && chosen.iter().all(|&row| self.weights[row] == 0.0);
        if none_counts { Err(TrainError::NoWeight) } else { Ok(()) }
    }

    /// The class of every row, for `setting`.
    ///
    /// # Errors
    /// If the task has no classes, or several labels a row; then `alternative` is what to do.
    pub(crate) fn classes(
        &self,
        objective: &Objective,
        setting: &'static str,
        alternative: &'static str,
    ) -> Result<Vec<usize>, TrainError> {
        let task = objective.output().task();
        if !matches!(task, Task::Binary | Task::Multiclass) {
            return Err(TrainError::NoClasses { setting, task, alternative });
        }
        Ok(match &self.y {
            Checked::Values(values) => objective.classes_of(values).unwrap_or_default(),
            Checked::Classes { classes, .. } => classes.to_vec(),
        })
    }

    /// The features and the targets of `rows`: `[rows.len(), ..]`.
    pub(crate) fn batch(&self, rows: &[usize]) -> Part<E> {
        let y = match &self.y {
            Checked::Values(values) => values.select_rows(rows),
            Checked::Classes { classes, outputs } => {
                let columns = outputs[outputs.len() - 1];
                let mut y = Tensor::zeros([rows.len(), columns]);
                for (target, &row) in y.as_mut_slice().chunks_mut(columns).zip(rows) {
                    match columns {
                        1 => target[0] = if classes[row] == 1 { E::one() } else { E::zero() },
                        _ => target[classes[row]] = E::one(),
                    }
                }
                // One value may stand in a row of several axes.
                if outputs.len() == 1 { y } else { y.reshape([&[rows.len()], &outputs[..]].concat()) }
            }
        };
        let mut weights = Tensor::zeros([if self.are_weighted() { rows.len() } else { 0 }]);
        weights.as_mut_slice().iter_mut().zip(rows).for_each(|(weight, &row)| *weight = self.weights[row]);
        Part { x: self.features(rows), y, weights }
    }

    fn features(&self, rows: &[usize]) -> Tensor<E> {
        let Some(scaler) = &self.scaler else { return self.x.select_rows(rows) };
        let mut x = self.x.select_rows(rows);
        standardize(x.as_mut_slice(), scaler.mean(), scaler.scale());
        x
    }
}

/// Standardizes rows in their place, by a mean and a scale for each column.
fn standardize<E: Element>(rows: &mut [E], means: &[f64], scales: &[f64]) {
    for row in rows.chunks_mut(means.len()) {
        for ((value, mean), scale) in row.iter_mut().zip(means).zip(scales) {
            *value = standardized(*value, *mean, *scale);
        }
    }
}

fn standardized<E: Element>(value: E, mean: f64, scale: f64) -> E {
    E::from_f64((value.as_f64() - mean) / scale)
}

/// No feature may be NaN or infinite, as it is given and as it is standardized.
fn check_features<E: Element>(x: &Tensor<E>, scaler: Option<&StandardScaler>) -> Result<(), TrainError> {
    // A large table is looked through on all threads; only one with a bad number is looked through again for its place.
    const PART: usize = 1 << 16;
    let width = x.row_len();
    let finite = |part: &[E]| match scaler {
        None => all_finite(part),
        Some(scaler) => part.chunks(width).all(|row| {
            let columns = row.iter().zip(scaler.mean()).zip(scaler.scale());
            columns.fold(true, |all, ((&v, &mean), &scale)| all & standardized(v, mean, scale).is_finite())
        }),
    };
    let part = PART.next_multiple_of(width.max(1));
    let finite = if x.len() < 4 * PART { finite(x.as_slice()) } else { x.as_slice().par_chunks(part).all(finite) };
    if finite {
        return Ok(());
    }
    check_finite("features", x)?;
    let Some(scaler) = scaler else { return Ok(()) };
    let bad = x.as_slice().iter().enumerate().find(|&(index, &v)| {
        let column = index % width;
        !standardized(v, scaler.mean()[column], scaler.scale()[column]).is_finite()
    });
    bad.map_or(Ok(()), |(index, v)| {
        Err(TrainError::ScaledFeature { row: index / width, column: index % width, value: v.as_f64(), number: E::NAME })
    })
}

fn check_values<E: Element>(
    values: &Tensor<E>,
    rows: usize,
    outputs: &[usize],
    objective: &Objective,
) -> Result<Tensor<E>, TrainError> {
    let loss = objective.loss();
    let mut expected = [&[rows], outputs].concat();
    let last = expected.len() - 1;
    expected[last] = loss.target_len(expected[last]).unwrap_or(expected[last]);
    // One number a row may come without its axis of length 1.
    let values =
        if expected == [rows, 1] && values.ndim() == 1 { values.reshape([values.len(), 1]) } else { values.clone() };
    if values.ndim() > 0 {
        check_same_rows("features", rows, "targets", values.rows())?;
    }
    if values.shape() != expected {
        let task = objective.output().task();
        let whole = |&v: &E| v >= E::zero() && v.fract() == E::zero();
        let one_a_row = values.len() == rows && values.as_slice().iter().all(whole);
        return Err(if task == Task::Multiclass && one_a_row {
            TrainError::ClassesAsTensor { found: values.shape().to_vec(), expected }
        } else {
            TrainError::TargetShape { loss: loss.clone(), expected, found: values.shape().to_vec() }
        });
    }
    if !values.all_finite() {
        check_finite("targets", &values)?;
    }
    match loss.targets() {
        TargetKind::Classes => check_probabilities(&values, loss)?,
        TargetKind::Binary => {
            check_each(&values, loss, "numbers from 0, for no, to 1, for yes", |v| (0.0..=1.0).contains(&v))?;
        }
        TargetKind::Counts => check_each(&values, loss, "numbers of 0 and above", |v| v >= 0.0)?,
        TargetKind::Signs => {
            // Where there is a -1, 0 is not the other way to write it.
            let no = if values.as_slice().iter().any(|&v| v < E::zero()) { -1.0 } else { 0.0 };
            check_each(&values, loss, "-1 for no and 1 for yes, or 0 and 1", |v| v == 1.0 || v == no)?;
        }
        _ => {}
    }
    let Some((mean, scale)) = objective.output().target_scale() else { return Ok(values) };
    let mut standard = values.clone();
    standardize(standard.as_mut_slice(), mean, scale);
    check_finite("standardized targets", &standard)?;
    Ok(standard)
}

fn check_probabilities<E: Element>(values: &Tensor<E>, loss: &Loss) -> Result<(), TrainError> {
    for (row, target) in values.as_slice().chunks(values.row_len()).enumerate() {
        let total: f64 = target.iter().map(|v| v.as_f64()).sum();
        if (total - 1.0).abs() > 1e-3 || target.iter().any(|&v| v < E::zero()) {
            let values = target.iter().take(8).map(|v| v.as_f64()).collect();
            return Err(TrainError::NotProbabilities { row, values, loss: loss.clone() });
        }
    }
    Ok(())
}

fn check_each<E: Element>(
    values: &Tensor<E>,
    loss: &Loss,
    expected: &'static str,
    fits: impl Fn(f64) -> bool,
) -> Result<(), TrainError> {
    let numbers = values.as_slice().iter().map(|v| v.as_f64());
    match numbers.enumerate().find(|&(_, v)| !fits(v)) {
        None => Ok(()),
        Some((index, value)) => {
            let (row, column) = (index / values.row_len(), index % values.row_len());
            Err(TrainError::TargetValue { row, column, value, loss: loss.clone(), expected })
        }
    }
}

fn check_classes(classes: &[usize], rows: usize, outputs: usize, objective: &Objective) -> Result<(), TrainError> {
    let count = match objective.output().task() {
        Task::Multiclass => outputs,
        Task::Binary => 2,
        task => return Err(TrainError::ClassesAsTargets { task, loss: objective.loss().clone() }),
    };
    check_same_rows("features", rows, "targets", classes.len())?;
    match classes.iter().position(|&class| class >= count) {
        None => Ok(()),
        Some(row) => Err(TrainError::ClassOutOfRange { row, class: classes[row], classes: count }),
    }
}

fn check_weights<E: Element>(weights: &Tensor<E>, rows: usize) -> Result<Vec<f64>, TrainError> {
    if weights.shape() != [rows] {
        return Err(TrainError::WeightsShape { rows, found: weights.shape().to_vec() });
    }
    let weights: Vec<f64> = weights.as_slice().iter().map(|w| w.as_f64()).collect();
    match weights.iter().position(|&w| !(w.is_finite() && w >= 0.0)) {
        None if weights.iter().all(|&w| w == 0.0) => Err(TrainError::NoWeight),
        None => Ok(weights),
        Some(row) => Err(TrainError::WeightValue { row, value: weights[row] }),
    }
}
