//! Gradients of chosen outputs with respect to chosen variables, as tensors or as variables.

use mlp_tensor::{Element, Tensor};

use crate::walk::{Flow, walk};
use crate::{Gradient, Tape, Var};

impl<E: Element> Tape<E> {
    /// The gradients of `output`, a single number, with respect to each of `inputs`: TensorFlow's `tape.gradient`,
    /// PyTorch's `torch.autograd.grad`.
    ///
    /// The inputs may be any variables on the tape, also results of operations, and only what lies between them and the
    /// output is computed. An input that the output does not depend on has a gradient of zeros.
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.variable(Tensor::scalar(3.0));
    /// let y = x * x;
    /// let z = y * y;
    /// assert_eq!(tape.gradient(z, [x, y]), [Tensor::scalar(108.0), Tensor::scalar(18.0)]); // 4x³ and 2y
    /// ```
    ///
    /// # Panics
    /// If the output is not a single number (then use [`Tape::gradient_from`]), an input is a constant, a variable is not
    /// on this tape, or the output was computed in the backward of an operation in a walk that is not recorded.
    #[track_caller]
    pub fn gradient<'t>(&self, output: Var<'t, E>, inputs: impl AsRef<[Var<'t, E>]>) -> Vec<Tensor<E>> {
        let one = self.one("gradient", output);
        self.numbers("gradient", &[output], &[one], inputs.as_ref())
    }

    /// The gradients of the sum of all `outputs` times `upstream`, elementwise, with respect to each of `inputs`; see
    /// [`Tape::gradient`].
    ///
    /// # Panics
    /// If there is no output, `upstream` does not have the shapes of `outputs`, or as [`Tape::gradient`].
    #[track_caller]
    pub fn gradient_from<'t>(
        &self,
        outputs: &[Var<'t, E>],
        upstream: &[Tensor<E>],
        inputs: impl AsRef<[Var<'t, E>]>,
    ) -> Vec<Tensor<E>> {
        check_shapes("gradient_from", outputs, upstream.iter().map(Tensor::shape));
        self.numbers("gradient_from", outputs, upstream, inputs.as_ref())
    }

    /// The same as [`Tape::gradient`], as variables: the walk back is recorded, so that what it returns can be computed
    /// with and differentiated again, as often as one likes. PyTorch's `create_graph=True`.
    ///
    /// ```
    /// use mlp_autograd::Tape;
    /// use mlp_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.variable(Tensor::scalar(2.0));
    /// let y = x * x * x;
    /// let slope = tape.gradient_recorded(y, [x])[0]; // 3x²
    /// let curvature = tape.gradient_recorded(slope, [x])[0]; // 6x
    /// assert_eq!(curvature.value(), Tensor::scalar(12.0));
    /// assert_eq!(tape.gradient(curvature, [x]), [Tensor::scalar(6.0)]);
    /// ```
    ///
    /// # Panics
    /// As [`Tape::gradient`].
    #[track_caller]
    pub fn gradient_recorded<'t>(&'t self, output: Var<'t, E>, inputs: impl AsRef<[Var<'t, E>]>) -> Vec<Var<'t, E>> {
        let one = self.one("gradient_recorded", output);
        self.variables("gradient_recorded", &[output], &[self.constant(one)], inputs.as_ref())
    }

    /// The same as [`Tape::gradient_from`], as variables; see [`Tape::gradient_recorded`]. The result also depends on
    /// `upstream`, and can be differentiated with respect to it.
    ///
    /// # Panics
    /// As [`Tape::gradient_from`].
    #[track_caller]
    pub fn gradient_recorded_from<'t>(
        &'t self,
        outputs: &[Var<'t, E>],
        upstream: &[Var<'t, E>],
        inputs: impl AsRef<[Var<'t, E>]>,
    ) -> Vec<Var<'t, E>> {
        let shapes: Vec<_> = upstream.iter().map(|upstream| upstream.shape()).collect();
        check_shapes("gradient_recorded_from", outputs, shapes.iter().map(Vec::as_slice));
        self.variables("gradient_recorded_from", outputs, upstream, inputs.as_ref())
    }

    #[track_caller]
    fn numbers(
        &self,
        what: &str,
        outputs: &[Var<'_, E>],
        upstream: &[Tensor<E>],
        inputs: &[Var<'_, E>],
    ) -> Vec<Tensor<E>> {
        self.check_differentiable(what, outputs, inputs);
        let starts = upstream.iter().map(|upstream| Gradient::Value(upstream.clone()));
        let found = self.find(outputs, starts, inputs);
        let zeros = |input: &Var<'_, E>| Tensor::zeros(input.shape());
        let pairs = found.into_iter().zip(inputs);
        pairs.map(|(gradient, input)| gradient.map_or_else(|| zeros(input), Gradient::into_value)).collect()
    }

    #[track_caller]
    fn variables<'t>(
        &'t self,
        what: &str,
        outputs: &[Var<'t, E>],
        upstream: &[Var<'t, E>],
        inputs: &[Var<'t, E>],
    ) -> Vec<Var<'t, E>> {
        self.check_differentiable(what, outputs, inputs);
        self.check_same_tape(what, "upstream gradient", upstream);
        let found = self.find(outputs, upstream.iter().copied(), inputs);
        let zeros = |input: &Var<'t, E>| self.constant(Tensor::zeros(input.shape()));
        found.into_iter().zip(inputs).map(|(gradient, input)| gradient.unwrap_or_else(|| zeros(input))).collect()
    }

    #[track_caller]
    fn find<'t, G: Flow<'t, E>>(
        &'t self,
        outputs: &[Var<'_, E>],
        upstream: impl Iterator<Item = G>,
        inputs: &[Var<'_, E>],
    ) -> Vec<Option<G>> {
        let places: Vec<usize> = inputs.iter().map(|input| input.id()).collect();
        let starts: Vec<_> = outputs.iter().map(|output| output.id()).zip(upstream).collect();
        let found = walk(self, starts, Some(&places));
        places.into_iter().map(|place| found.at(place)).collect()
    }

    /// Checks that all are on this tape, and that gradients flow to the inputs.
    #[track_caller]
    fn check_differentiable(&self, what: &str, outputs: &[Var<'_, E>], inputs: &[Var<'_, E>]) {
        assert!(!outputs.is_empty(), "{what}: there is no output to differentiate");
        self.check_same_tape(what, "output", outputs);
        self.check_same_tape(what, "input", inputs);
        if self.records() && !self.is_recording() {
            self.check_recorded(what, outputs);
        }
        for (index, input) in inputs.iter().enumerate() {
            assert!(
                input.requires_grad(),
                "{what}: input {index} of shape {:?} is a constant; gradients are taken with respect to what was put on \
                 a recording tape with Tape::variable, or computed from that",
                input.shape()
            );
        }
    }

    /// Checks that the outputs were recorded, in a part of the computation that is not.
    #[cold]
    #[track_caller]
    fn check_recorded(&self, what: &str, outputs: &[Var<'_, E>]) {
        for (index, output) in outputs.iter().enumerate() {
            assert!(
                output.requires_grad(),
                "{what}: output {index} of shape {:?} was not recorded: it was computed in the backward of an operation, \
                 in a walk that is not recorded itself; compute it on a tape of its own",
                output.shape()
            );
        }
    }

    /// The gradient of a single number by itself.
    #[track_caller]
    fn one(&self, what: &str, output: Var<'_, E>) -> Tensor<E> {
        let shape = output.shape();
        assert!(
            shape.iter().product::<usize>() == 1,
            "{what}: the output has shape {shape:?}, not one value; sum it up or use {what}_from"
        );
        Tensor::ones(shape)
    }
}

#[track_caller]
fn check_shapes<'a, E: Element>(
    what: &str,
    outputs: &[Var<'_, E>],
    upstream: impl ExactSizeIterator<Item = &'a [usize]>,
) {
    let count = upstream.len();
    assert!(count == outputs.len(), "{what}: there are {} outputs, but {count} upstream gradients", outputs.len());
    for (index, (output, upstream)) in outputs.iter().zip(upstream).enumerate() {
        let shape = output.shape();
        assert!(shape == upstream, "{what}: output {index} has shape {shape:?}, its upstream gradient {upstream:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_of_derivative_of_a_polynomial_and_of_an_exponential() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::scalar(1.5));
        let mut y = x.powf(4.0) + x.exp();
        let mut expected = vec![1.5f64.powi(4)];
        expected.extend([4.0 * 1.5f64.powi(3), 12.0 * 1.5 * 1.5, 24.0 * 1.5, 24.0, 0.0, 0.0]);
        for (order, polynomial) in expected.into_iter().enumerate() {
            let difference = y.value().item() - polynomial - 1.5f64.exp();
            assert!(difference.abs() < 1e-12, "order {order}: {difference}");
            y = tape.gradient_recorded(y, [x])[0];
        }
    }

    #[test]
    fn results_of_operations_are_inputs_too_and_unused_ones_give_zeros() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([1.0, 2.0]));
        let y = x.exp();
        let unused = tape.variable(Tensor::from([[7.0]]));
        let z = (y * y).sum() + (x * 3.0).sum();
        let gradients = tape.gradient(z, [y, unused, x, y]);
        assert_eq!(gradients[0], y.value() * 2.0);
        assert_eq!(gradients[1], Tensor::zeros([1, 1]));
        assert_eq!(gradients[2], (y * y * 2.0 + 3.0).value());
        assert_eq!(gradients[3], gradients[0]);
        // An output is an input of itself, and one computed later than the output has no part in it.
        assert_eq!(tape.gradient(z, [z]), [Tensor::scalar(1.0)]);
        let late = x * 2.0;
        assert_eq!(tape.gradient(z, [late]), [Tensor::zeros([2])]);
    }

    #[test]
    fn upstream_gradients_weigh_the_outputs_and_are_differentiated_too() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([1.0, 2.0]));
        let (y, z) = (x * x, x.sum());
        let up = [Tensor::from([10.0, 100.0]), Tensor::scalar(1000.0)];
        assert_eq!(tape.gradient_from(&[y, z], &up, [x]), [Tensor::from([1020.0, 1400.0])]);
        let u = tape.variable(up[0].clone());
        let g = tape.gradient_recorded_from(&[y], &[u], [x])[0];
        assert_eq!(
            tape.gradient_from(&[g], &[Tensor::from([1.0, 1.0])], [u, x]),
            [Tensor::from([2.0, 4.0]), Tensor::from([20.0, 200.0])]
        );
    }

    #[test]
    fn nothing_is_recorded_for_gradients_that_nobody_asks_for() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::ones([2, 3]));
        let w = tape.variable(Tensor::ones([3, 4]));
        let y = x.matmul(w).tanh().sum();
        let length = tape.len();
        let _ = tape.gradient(y, [x]);
        assert_eq!(tape.len(), length);
        let _ = tape.gradient_recorded(y, [x]);
        let names = format!("{tape:?}");
        assert!(names.contains("matmul_nt") && !names.contains("matmul_tn"), "{names}");
    }

    /// x² with a backward that differentiates x² anew.
    #[derive(Debug)]
    struct Again;

    impl crate::Op<f64> for Again {
        fn name(&self) -> &'static str {
            "again"
        }
        fn backward<'t>(&self, ctx: &crate::OpContext<'t, f64>, grad: Var<'t, f64>) -> Vec<Option<Var<'t, f64>>> {
            let x = ctx.input(0);
            vec![Some(grad * ctx.tape().gradient_recorded(x * x, [x])[0])]
        }
    }

    #[test]
    fn a_backward_may_differentiate_where_it_is_recorded() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::scalar(3.0));
        let y = tape.push(x.value().square(), Again, &[x]);
        assert_eq!(tape.gradient_recorded(y, [x])[0].item(), 6.0);
    }

    #[test]
    #[should_panic(expected = "gradient_recorded: output 0 of shape [] was not recorded")]
    fn a_backward_that_is_not_recorded_has_nothing_to_differentiate() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::scalar(3.0));
        tape.push(x.value().square(), Again, &[x]).backward();
    }

    #[test]
    #[should_panic(expected = "gradient: input 1 of shape [2] is a constant")]
    fn constants_are_refused() {
        let tape = Tape::<f64>::new();
        let (x, c) = (tape.variable(Tensor::from([1.0, 2.0])), tape.constant(Tensor::from([1.0, 2.0])));
        tape.gradient((x * c).sum(), [x, c]);
    }

    #[test]
    #[should_panic(
        expected = "gradient_recorded: the output has shape [2], not one value; sum it up or use gradient_recorded_from"
    )]
    fn many_outputs_need_an_upstream_gradient() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([1.0, 2.0]));
        tape.gradient_recorded(x, [x]);
    }

    #[test]
    #[should_panic(expected = "gradient_from: output 0 has shape [2], its upstream gradient [3]")]
    fn an_upstream_gradient_of_another_shape_is_refused() {
        let tape = Tape::<f64>::new();
        let x = tape.variable(Tensor::from([1.0, 2.0]));
        tape.gradient_from(&[x], &[Tensor::zeros([3])], [x]);
    }

    #[test]
    #[should_panic(
        expected = "gradient: the inputs belong to different tapes: input 0 of shape [1] is not on the tape of the \
                               operation"
    )]
    fn tapes_do_not_mix() {
        let (one, other) = (Tape::<f64>::new(), Tape::new());
        one.gradient(one.variable(Tensor::scalar(1.0)), [other.variable(Tensor::from([1.0]))]);
    }
}
