//! Features and targets that have been checked, and the batches taken from them.

use mlp_data::{check_finite, check_same_rows};
use mlp_nn::{Loss, Network, TargetKind};
use mlp_tensor::{Element, Tensor, all_finite};
use rayon::prelude::*;

use crate::{Targets, TrainError};

/// Features and targets of the same rows, checked against a network and a loss.
pub(crate) struct Table<'a, E: Element> {
    x: Tensor<E>,
    y: CheckedTargets<'a, E>,
}

enum CheckedTargets<'a, E: Element> {
    Values(Tensor<E>),
    Classes { classes: &'a [usize], of: usize },
}

impl<'a, E: Element> Table<'a, E> {
    /// Checks shapes, classes and numbers; `purpose` is what the rows are for.
    pub(crate) fn new(
        network: &Network<E>,
        loss: Loss,
        x: Tensor<E>,
        y: Targets<'a, E>,
        purpose: &'static str,
    ) -> Result<Self, TrainError> {
        network.check_input(&x)?;
        if x.rows() == 0 {
            return Err(TrainError::NoRows { purpose });
        }
        check_features(&x)?;
        let outputs = network.output_shape();
        let y = match y {
            Targets::Values(values) => CheckedTargets::Values(check_values(values, x.rows(), outputs, loss)?),
            Targets::Classes(classes) => {
                let of = outputs[outputs.len() - 1];
                check_classes(classes, x.rows(), of, loss)?;
                CheckedTargets::Classes { classes, of }
            }
        };
        Ok(Self { x, y })
    }

    pub(crate) fn rows(&self) -> usize {
        self.x.rows()
    }

    /// The class of every row.
    pub(crate) fn classes(&self) -> Vec<usize> {
        match &self.y {
            CheckedTargets::Values(values) => values.argmax(1),
            CheckedTargets::Classes { classes, .. } => classes.to_vec(),
        }
    }

    /// The features and the targets of `rows`: `[rows.len(), features]` and `[rows.len(), outputs]`.
    pub(crate) fn batch(&self, rows: &[usize]) -> (Tensor<E>, Tensor<E>) {
        let y = match &self.y {
            CheckedTargets::Values(values) => values.gather_rows(rows),
            CheckedTargets::Classes { classes, of } => {
                let mut y = Tensor::zeros([rows.len(), *of]);
                for (target, &row) in y.as_mut_slice().chunks_mut(*of).zip(rows) {
                    target[classes[row]] = E::one();
                }
                y
            }
        };
        (self.x.gather_rows(rows), y)
    }
}

/// No feature may be NaN or infinite.
pub(crate) fn check_features<E: Element>(x: &Tensor<E>) -> Result<(), TrainError> {
    // A large table is looked through on all threads; only one with a bad number is looked through again for its place.
    const PART: usize = 1 << 16;
    let finite = if x.len() < 4 * PART { x.all_finite() } else { x.as_slice().par_chunks(PART).all(all_finite) };
    if finite { Ok(()) } else { Ok(check_finite("features", x)?) }
}

fn check_values<E: Element>(
    values: &Tensor<E>,
    rows: usize,
    outputs: &[usize],
    loss: Loss,
) -> Result<Tensor<E>, TrainError> {
    let mut expected = [&[rows], outputs].concat();
    let last = expected.len() - 1;
    expected[last] = loss.target_len(expected[last]).unwrap_or(expected[last]);
    // One number a row may come without its axis of length 1.
    let values =
        if expected == [rows, 1] && values.rank() == 1 { values.reshape([values.len(), 1]) } else { values.clone() };
    if values.rank() > 0 {
        check_same_rows("features", rows, "targets", values.rows())?;
    }
    if values.shape() != expected {
        return Err(TrainError::TargetShape { expected, found: values.shape().to_vec() });
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
    Ok(values)
}

fn check_probabilities<E: Element>(values: &Tensor<E>, loss: Loss) -> Result<(), TrainError> {
    for (row, target) in values.as_slice().chunks(values.row_len()).enumerate() {
        let total: f64 = target.iter().map(|v| v.as_f64()).sum();
        if (total - 1.0).abs() > 1e-3 || target.iter().any(|&v| v < E::zero()) {
            let values = target.iter().take(8).map(|v| v.as_f64()).collect();
            return Err(TrainError::NotProbabilities { row, values, loss });
        }
    }
    Ok(())
}

fn check_each<E: Element>(
    values: &Tensor<E>,
    loss: Loss,
    expected: &'static str,
    fits: impl Fn(f64) -> bool,
) -> Result<(), TrainError> {
    let numbers = values.as_slice().iter().map(|v| v.as_f64());
    match numbers.enumerate().find(|&(_, v)| !fits(v)) {
        None => Ok(()),
        Some((index, value)) => {
            let (row, column) = (index / values.row_len(), index % values.row_len());
            Err(TrainError::TargetValue { row, column, value, loss, expected })
        }
    }
}

fn check_classes(classes: &[usize], rows: usize, outputs: usize, loss: Loss) -> Result<(), TrainError> {
    if !loss.is_classification() {
        return Err(TrainError::ClassesNeedCrossEntropy { loss });
    }
    check_same_rows("features", rows, "targets", classes.len())?;
    match classes.iter().position(|&class| class >= outputs) {
        None => Ok(()),
        Some(row) => Err(TrainError::ClassOutOfRange { row, class: classes[row], classes: outputs }),
    }
}
