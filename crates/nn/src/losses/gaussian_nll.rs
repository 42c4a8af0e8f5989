//! The negative logarithm of a normal distribution's likelihood.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};

/// (s + (m - t)² / eˢ) / 2, value by value, with the means m and then the logarithms s of the variances along the last
/// axis of x.
pub(super) struct GaussianNll;

impl Kind for GaussianNll {
    fn name(&self) -> String {
        "Gaussian negative log-likelihood".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn target_len(&self, outputs: usize) -> Option<usize> {
        outputs.is_multiple_of(2).then_some(outputs / 2)
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let last = x.shape().len() - 1;
        let k = x.shape()[last] / 2;
        let half = E::from_f64(0.5);
        // Farther out, eˢ times anything ordinary is infinite, and infinity times 0 is no number.
        let bound = E::max_value().ln() * half;
        let (mean, log_variance) = (x.slice(last, 0..k), x.slice(last, k..2 * k).clamp(-bound, bound));
        (log_variance + (mean - t).square() * (-log_variance).exp()) * half
    }
}
