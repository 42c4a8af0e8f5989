//! What can be added to every loss: weights, label smoothing, a reduction.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};

use super::{Loss, TargetKind};
use crate::NnError;
use crate::error::finite;

/// How the losses of the rows become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// Their mean.
    #[default]
    Mean,
    /// Their sum.
    Sum,
    /// They don't: the result has one number a row.
    None,
}

/// What can be added to every loss: weights, label smoothing, a reduction.
///
/// The weighted mean is Keras': Σ w · loss / n over the n rows, not PyTorch's Σ w · loss / Σ w. So what a row adds does
/// not depend on which other rows are in its batch, and a batch may be computed in parts. For PyTorch's, divide
/// [`Reduction::Sum`] by the sum of the weights, or choose weights whose mean is 1.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LossOptions<E: Element = f32> {
    /// How the losses of the rows become one number; their mean by default.
    pub reduction: Reduction,
    /// `[n]`: a factor of every row's loss.
    pub sample_weights: Option<Tensor<E>>,
    /// `[k]`: a factor of the part that every class has in a row's loss. Of one-hot targets that is the row's loss; of
    /// others, the terms with t are multiplied class by class, after label smoothing, as in PyTorch. Where targets are
    /// yes or no, `[2]`: the weights of no and of yes.
    pub class_weights: Option<Tensor<E>>,
    /// The share s of certainty taken from targets, from 0 to 1; 0 by default. Targets t become t (1 - s) + s/k where
    /// there are k classes, and t (1 - s) + s/2 where they are yes or no.
    ///
    /// Source: Szegedy et al., 2016.
    pub label_smoothing: f64,
}

impl<E: Element> Default for LossOptions<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Element> LossOptions<E> {
    /// The mean, without weights and without label smoothing: what [`Loss::forward`] computes.
    pub fn new() -> Self {
        Self { reduction: Reduction::Mean, sample_weights: None, class_weights: None, label_smoothing: 0.0 }
    }

    /// Makes one number of the rows' losses by `reduction`.
    #[must_use]
    pub fn reduction(self, reduction: Reduction) -> Self {
        Self { reduction, ..self }
    }

    /// Multiplies every row's loss by its weight.
    #[must_use]
    pub fn sample_weights(self, weights: Tensor<E>) -> Self {
        Self { sample_weights: Some(weights), ..self }
    }

    /// Multiplies every class's part of the loss by its weight.
    #[must_use]
    pub fn class_weights(self, weights: Tensor<E>) -> Self {
        Self { class_weights: Some(weights), ..self }
    }

    /// Takes a share of certainty from the targets.
    #[must_use]
    pub fn label_smoothing(self, share: f64) -> Self {
        Self { label_smoothing: share, ..self }
    }

    /// Checks the options for a loss and predictions of shape `predictions`.
    ///
    /// # Errors
    /// If the loss has no classes for class weights or label smoothing, weights are not one for each row or class, or
    /// one is negative, infinite or NaN, or label smoothing is not from 0 to 1.
    pub fn check(&self, loss: Loss, predictions: &[usize]) -> Result<(), NnError> {
        let of_two = of_two_classes(loss);
        let weighted = of_two || (loss.is_classification() && loss != Loss::KlDivergence);
        if self.class_weights.is_some() && !weighted {
            let goes_with = "cross-entropy, focal and hinge losses";
            return Err(NnError::LossOption { loss, option: "class weights", goes_with });
        }
        if self.label_smoothing != 0.0 && !(weighted && loss.targets() != TargetKind::Signs) {
            let goes_with = "cross-entropy and focal losses";
            return Err(NnError::LossOption { loss, option: "label smoothing", goes_with });
        }
        if !(0.0..=1.0).contains(&self.label_smoothing) {
            return Err(loss.setting(("label_smoothing", self.label_smoothing, "from 0 to 1")));
        }
        let classes = if of_two { 2 } else { predictions.get(1).copied().unwrap_or(0) };
        let rows = predictions.first().copied().unwrap_or(0);
        let weights = [("sample weights", &self.sample_weights, rows), ("class weights", &self.class_weights, classes)];
        for (what, weights, expected) in weights {
            let Some(weights) = weights else { continue };
            if weights.shape() != [expected] {
                return Err(NnError::LossWeights { what, expected: vec![expected], found: weights.shape().to_vec() });
            }
            if let Some(&bad) = weights.as_slice().iter().find(|w| !(w.is_finite() && **w >= E::zero())) {
                let problem = finite(what, bad.as_f64()).map_or("0 or more", |_| "finite");
                return Err(loss.setting((what, bad.as_f64(), problem)));
            }
        }
        Ok(())
    }

    /// The targets after label smoothing and the weights of classes that have a column each.
    pub(super) fn targets<'t>(&self, loss: Loss, targets: Var<'t, E>) -> Var<'t, E> {
        let mut t = targets;
        if self.label_smoothing > 0.0 {
            let classes = if of_two_classes(loss) { 2 } else { t.shape()[1] };
            let share = self.label_smoothing;
            t = t * E::from_f64(1.0 - share) + E::from_f64(share / classes as f64);
        }
        match &self.class_weights {
            Some(weights) if !of_two_classes(loss) => t * t.tape().constant(weights.clone()),
            _ => t,
        }
    }

    /// The weights of no and of yes.
    pub(super) fn weights_of_two_classes(&self, loss: Loss) -> [E; 2] {
        match &self.class_weights {
            Some(weights) if of_two_classes(loss) => [weights.as_slice()[0], weights.as_slice()[1]],
            _ => [E::one(); 2],
        }
    }
}

/// Whether targets are yes or no.
fn of_two_classes(loss: Loss) -> bool {
    matches!(loss.targets(), TargetKind::Binary | TargetKind::Signs)
}
