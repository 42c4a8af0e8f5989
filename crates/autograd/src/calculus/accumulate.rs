//! Gradients of several parts of a batch, added up.

use mlp_tensor::{Element, Tensor};

use crate::{Gradients, Var};

/// The sum of the gradients of several losses: of the parts of a batch that is too large for one pass. Each part may
/// have a tape of its own.
///
/// ```
/// use mlp_autograd::{Accumulator, Tape};
/// use mlp_tensor::Tensor;
///
/// let weight = Tensor::from([[1.0], [2.0]]);
/// let mut sum = Accumulator::default();
/// for part in [Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0, 4.0], [5.0, 6.0]])] {
///     let tape = Tape::new();
///     let w = tape.variable(weight.clone());
///     let loss = tape.constant(part).matmul(w).sum();
///     sum.add(loss.backward(), &[w]);
/// }
/// assert_eq!(sum.values(), [Tensor::from([[9.0], [12.0]])]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Accumulator<E: Element = f32> {
    sums: Vec<Tensor<E>>,
}

impl<E: Element> Accumulator<E> {
    /// Adds the gradients with respect to `variables`, which must be the same parameters in the same order each time.
    ///
    /// # Panics
    /// If their number or shapes differ from those of the first time, or as [`Gradients::wrt`].
    #[track_caller]
    pub fn add(&mut self, gradients: Gradients<E>, variables: &[Var<'_, E>]) {
        let shapes: Vec<_> = variables.iter().map(|variable| variable.shape()).collect();
        if self.sums.is_empty() {
            self.sums = shapes.iter().map(Tensor::zeros).collect();
        }
        let before: Vec<_> = self.sums.iter().map(Tensor::shape).collect();
        assert!(shapes == before, "add: variables of shapes {shapes:?} where those before had {before:?}");
        for (sum, &variable) in self.sums.iter_mut().zip(variables) {
            if let Some(gradient) = gradients.get("add", variable).filter(|_| !sum.is_empty()) {
                gradient.write_block(0, true, sum.as_mut_slice());
            }
        }
    }

    /// The sums so far, in the order of the variables; none before the first are added.
    pub fn values(&self) -> &[Tensor<E>] {
        &self.sums
    }

    /// The sums, in the order of the variables.
    pub fn into_values(self) -> Vec<Tensor<E>> {
        self.sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tape;

    #[test]
    fn a_variable_may_be_given_twice() {
        let tape = Tape::<f32>::new();
        let x = tape.variable(Tensor::from([1.0, 2.0]));
        let mut sum = Accumulator::default();
        sum.add((x * x).sum().backward(), &[x, x]);
        assert_eq!(sum.values(), [Tensor::from([2.0, 4.0]), Tensor::from([2.0, 4.0])]);
    }

    #[test]
    #[should_panic(expected = "add: variables of shapes [[3]] where those before had [[2]]")]
    fn other_variables_are_refused() {
        let tape = Tape::<f32>::new();
        let mut sum = Accumulator::default();
        for x in [Tensor::ones([2]), Tensor::ones([3])] {
            let x = tape.variable(x);
            sum.add(x.sum().backward(), &[x]);
        }
    }
}
