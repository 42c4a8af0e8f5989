//! The whole gradient of a step.

use mlp_nn::Parameter;
use mlp_tensor::Element;
use mlp_tensor::simd::vectorize;

/// The gradient of every parameter that is trained, between the two phases of a step: to be looked at, and to be changed.
#[derive(Debug)]
pub struct StepGradients<'a, E: Element = f32> {
    parameters: &'a [Parameter<E>],
    values: &'a mut [Vec<E>],
}

impl<'a, E: Element> StepGradients<'a, E> {
    pub(super) fn new(parameters: &'a [Parameter<E>], values: &'a mut [Vec<E>]) -> Self {
        Self { parameters, values }
    }

    /// The name and the gradient, in row-major order, of every parameter that is trained.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[E])> {
        let trained = self.parameters.iter().zip(self.values.iter()).filter(|(p, _)| p.is_trainable());
        trained.map(|(p, values)| (p.name(), values.as_slice()))
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut [E])> {
        let trained = self.parameters.iter().zip(self.values.iter_mut()).filter(|(p, _)| p.is_trainable());
        trained.map(|(p, values)| (p.name(), values.as_mut_slice()))
    }

    /// √Σ g² over all values of all gradients, summed in double precision.
    pub fn global_norm(&self) -> f64 {
        self.iter().map(|(_, values)| sum_of_squares(values)).sum::<f64>().sqrt()
    }

    /// Multiplies all gradients by one factor, so that their global norm is at most `max`; returns the norm before. A
    /// norm that is not finite is left: the loss and the weights will tell.
    ///
    /// Source: Pascanu, Mikolov and Bengio, 2013.
    ///
    /// # Panics
    /// If `max` is not above 0.
    #[track_caller]
    pub fn clip_global_norm(&mut self, max: f64) -> f64 {
        assert!(max > 0.0, "clip_global_norm: the largest norm is {max}, but must be above 0");
        let norm = self.global_norm();
        if norm > max && norm.is_finite() {
            let factor = E::from_f64(max / norm);
            self.iter_mut().for_each(|(_, values)| values.iter_mut().for_each(|g| *g *= factor));
        }
        norm
    }
}

/// In sixteen sums that are added up at the end: the same bits on every machine.
fn sum_of_squares<E: Element>(values: &[E]) -> f64 {
    let mut sums = [0.0_f64; 16];
    vectorize(
        #[inline(always)]
        || {
            for chunk in values.chunks(16) {
                for (sum, value) in sums.iter_mut().zip(chunk) {
                    let value = value.as_f64();
                    *sum += value * value;
                }
            }
        },
    );
    sums.iter().sum()
}
