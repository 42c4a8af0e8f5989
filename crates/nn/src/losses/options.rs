//! What can be added to a loss: label smoothing and weights of classes.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor, argmax};

use super::{Loss, TargetKind};
use crate::NnError;
use crate::setting::NumberType;

/// What can be added to a loss: label smoothing and weights of classes.
///
/// Weights of rows need no option: multiply the result of [`Loss::per_row`] by them. The mean of the products is Keras'
/// weighted mean, Σ w · loss / n over the n rows, not PyTorch's Σ w · loss / Σ w; so what a row adds does not depend on
/// which other rows are in its batch, and a batch may be computed in parts.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LossOptions {
    /// A factor of the loss of every row, by the row's class, as in Keras: the class with the largest target. Where
    /// targets are yes or no, two factors, of no and of yes, for each value of a row.
    pub class_weights: Option<Vec<f64>>,
    /// The share s of certainty taken from targets, from 0 to 1; 0 by default. Targets t become t (1 - s) + s/k where
    /// there are k classes, and t (1 - s) + s/2 where they are yes or no.
    ///
    /// Source: Szegedy et al., 2016.
    pub label_smoothing: f64,
}

impl LossOptions {
    /// Neither weights nor label smoothing: what [`Loss::forward`] computes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there are neither weights nor label smoothing.
    pub fn is_empty(&self) -> bool {
        self.class_weights.is_none() && self.label_smoothing == 0.0
    }

    /// Multiplies the loss of every row by the weight of its class.
    #[must_use]
    pub fn class_weights(self, weights: impl Into<Vec<f64>>) -> Self {
        Self { class_weights: Some(weights.into()), ..self }
    }

    /// Takes a share of certainty from the targets.
    #[must_use]
    pub fn label_smoothing(self, share: f64) -> Self {
        Self { label_smoothing: share, ..self }
    }

    /// Checks the options for a loss and rows of `outputs` values, as numbers of type `E`.
    ///
    /// # Errors
    /// If the loss has no classes for class weights or label smoothing, weights are not one for each class, one is
    /// negative, infinite or NaN, or all are 0, or label smoothing is not from 0 to 1.
    pub fn check<E: Element>(&self, loss: &Loss, outputs: usize) -> Result<(), NnError> {
        let number = NumberType::of::<E>();
        let targets = loss.targets();
        let weighted = targets.is_yes_or_no() || targets == TargetKind::Classes;
        if self.class_weights.is_some() && !weighted {
            let goes_with = "losses for classes";
            return Err(NnError::LossOption { loss: loss.clone(), option: "class weights", goes_with });
        }
        if self.label_smoothing != 0.0 && (!weighted || targets == TargetKind::Signs) {
            let goes_with = "losses of probabilities";
            return Err(NnError::LossOption { loss: loss.clone(), option: "label smoothing", goes_with });
        }
        number.share("label_smoothing", self.label_smoothing).map_err(|problem| loss.setting(problem))?;
        let Some(weights) = &self.class_weights else { return Ok(()) };
        let expected = if targets.is_yes_or_no() { 2 } else { outputs };
        if weights.len() != expected {
            return Err(NnError::ClassWeights { expected, found: weights.len() });
        }
        let check = |&weight| number.not_negative("a class weight", weight);
        weights.iter().try_for_each(check).map_err(|problem| loss.setting(problem))?;
        let largest = weights.iter().copied().fold(0.0, f64::max);
        number.above_zero("the largest class weight", largest).map_err(|problem| loss.setting(problem))
    }

    /// The targets after label smoothing.
    pub(super) fn smooth<'t, E: Element>(&self, loss: &Loss, t: Var<'t, E>) -> Var<'t, E> {
        if self.label_smoothing == 0.0 {
            return t;
        }
        let classes = if loss.targets().is_yes_or_no() { 2 } else { t.shape()[1] };
        let share = self.label_smoothing;
        t * E::from_f64(1.0 - share) + E::from_f64(share / classes as f64)
    }

    /// The weight of every row, or where targets are yes or no of every value, from targets before smoothing.
    pub(super) fn weights<E: Element>(&self, loss: &Loss, t: &Tensor<E>) -> Option<Tensor<E>> {
        let weights = self.class_weights.as_ref()?;
        let of = |class: usize| E::from_f64(weights[class]);
        let yes = E::from_f64(loss.targets().yes_above());
        Some(if loss.targets().is_yes_or_no() {
            let (no, of_yes) = (of(0), of(1));
            t.map(move |t| if t > yes { of_yes } else { no })
        } else {
            let mut of_rows = Tensor::zeros([t.rows()]);
            of_rows.as_mut_slice().iter_mut().enumerate().for_each(|(row, weight)| *weight = of(argmax(t.row(row))));
            of_rows
        })
    }
}
