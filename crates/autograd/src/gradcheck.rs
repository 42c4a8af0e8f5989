//! Gradients, and gradients of gradients, checked against differences.

use std::fmt;

use mlp_tensor::{Rng, Tensor};

use crate::{Tape, Var};

/// The step of the central differences, and what may differ, absolutely and relative to the larger value. In double
/// precision the differences themselves are right to about nine digits.
const STEP: f64 = 1e-5;
const ABSOLUTE: f64 = 1e-8;
const RELATIVE: f64 = 1e-6;

/// The places at which a gradient disagrees with what it is compared with.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct GradcheckError {
    /// Every place that disagrees.
    pub mismatches: Vec<Mismatch>,
    /// What the gradients are, and what they are compared with.
    sides: [&'static str; 2],
}

impl fmt::Debug for GradcheckError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One place at which a gradient disagrees with what it is compared with.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Mismatch {
    /// Which of the inputs, counted from 0.
    pub input: usize,
    /// Which value of the input, in row-major order.
    pub index: usize,
    /// The derivative that backward gave.
    pub analytic: f64,
    /// The derivative by central differences; where [`gradgradcheck`] finds that a recorded gradient is not that of the
    /// walk which is not recorded, the latter.
    pub numeric: f64,
}

impl fmt::Display for GradcheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([gradient, reference], count) = (self.sides, self.mismatches.len());
        let derivatives = if count == 1 { "derivative differs" } else { "derivatives differ" };
        write!(f, "{count} {derivatives} between {gradient} and {reference}:")?;
        for Mismatch { input, index, analytic, numeric } in self.mismatches.iter().take(8) {
            write!(f, "\n  input {input}, value {index}: {gradient} gives {analytic:.6e}, {reference} {numeric:.6e}")?;
        }
        if self.mismatches.len() > 8 {
            write!(f, "\n  and {} more", self.mismatches.len() - 8)?;
        }
        Ok(())
    }
}

impl std::error::Error for GradcheckError {}

/// Compares the gradients of `function` at `inputs` with central differences, (f(x + h) - f(x - h)) / 2h in double
/// precision.
///
/// The function may return any shape; its values are weighed with fixed pseudo-random numbers and summed. Choose
/// inputs away from kinks (0 for ReLU): there the two rightly differ.
///
/// # Errors
/// If a derivative differs by more than 1e-8 + 1e-6 of the larger of the two, or is NaN.
pub fn gradcheck<F>(function: F, inputs: &[Tensor<f64>]) -> Result<(), GradcheckError>
where
    F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
{
    let tape = Tape::new();
    let variables: Vec<_> = inputs.iter().map(|input| tape.variable(input.clone())).collect();
    let output = function(&tape, &variables);
    let gradients = tape.gradient_from(&[output], &[weights(output.shape())], &variables);

    let evaluate = |inputs: &[Tensor<f64>]| {
        // One that records: the function may take gradients itself.
        let tape = Tape::new();
        let variables: Vec<_> = inputs.iter().map(|input| tape.variable(input.clone())).collect();
        let output = function(&tape, &variables).value();
        (&output * &weights(output.shape().to_vec())).sum()
    };

    let mut mismatches = Vec::new();
    let mut moved = inputs.to_vec();
    for (input, gradient) in gradients.iter().enumerate() {
        for (index, &analytic) in gradient.as_slice().iter().enumerate() {
            let at = inputs[input].as_slice()[index];
            moved[input].as_mut_slice()[index] = at + STEP;
            let above = evaluate(&moved);
            moved[input].as_mut_slice()[index] = at - STEP;
            let below = evaluate(&moved);
            moved[input].as_mut_slice()[index] = at;
            let numeric = (above - below) / (2.0 * STEP);
            mismatches.extend(Mismatch { input, index, analytic, numeric }.unless_close());
        }
    }
    none_of(mismatches, ["backward", "central differences"])
}

impl Mismatch {
    /// Nothing if both agree as far as they should.
    fn unless_close(self) -> Option<Self> {
        let allowed = ABSOLUTE + RELATIVE * self.analytic.abs().max(self.numeric.abs());
        let agrees = (self.analytic - self.numeric).abs() <= allowed;
        (!agrees).then_some(self)
    }
}

fn none_of(mismatches: Vec<Mismatch>, sides: [&'static str; 2]) -> Result<(), GradcheckError> {
    if mismatches.is_empty() { Ok(()) } else { Err(GradcheckError { mismatches, sides }) }
}

/// Compares the second derivatives of `function` at `inputs` with central differences of its gradients. Before that, the
/// gradients that are recorded ([`Op::backward`](crate::Op::backward)) are compared with those that are not
/// ([`Op::backward_kernel`](crate::Op::backward_kernel)), which [`gradcheck`] looks at.
///
/// What is checked is the gradient as a function of the inputs and of the upstream gradient, by [`gradcheck`]; in the
/// report the upstream gradient is the input after the last. Choose inputs away from kinks of the gradient.
///
/// # Errors
/// If a derivative differs by more than 1e-8 + 1e-6 of the larger of the two, or is NaN.
pub fn gradgradcheck<F>(function: F, inputs: &[Tensor<f64>]) -> Result<(), GradcheckError>
where
    F: for<'t> Fn(&'t Tape<f64>, &[Var<'t, f64>]) -> Var<'t, f64>,
{
    let tape = Tape::new();
    let variables: Vec<_> = inputs.iter().map(|input| tape.variable(input.clone())).collect();
    let output = function(&tape, &variables);
    let upstream = weights(output.shape());
    let recorded = tape.gradient_recorded_from(&[output], &[tape.constant(upstream.clone())], &variables);
    let numbers = tape.gradient_from(&[output], std::slice::from_ref(&upstream), &variables);
    let mut mismatches = Vec::new();
    for (input, (recorded, number)) in recorded.iter().zip(&numbers).enumerate() {
        let recorded = recorded.value();
        for (index, (&analytic, &numeric)) in recorded.as_slice().iter().zip(number.as_slice()).enumerate() {
            mismatches.extend(Mismatch { input, index, analytic, numeric }.unless_close());
        }
    }
    none_of(mismatches, ["the recorded backward", "the kernel"])?;

    let mut with_upstream = inputs.to_vec();
    with_upstream.push(upstream);
    gradcheck(|tape, variables| all_gradients(tape, &function, variables), &with_upstream)
}

/// The gradients with respect to all variables but the last, which is the upstream gradient, one after the other.
fn all_gradients<'t, F>(tape: &'t Tape<f64>, function: &F, variables: &[Var<'t, f64>]) -> Var<'t, f64>
where
    F: for<'a> Fn(&'a Tape<f64>, &[Var<'a, f64>]) -> Var<'a, f64>,
{
    let Some((&upstream, inputs)) = variables.split_last() else {
        unreachable!("the upstream gradient is always there")
    };
    let gradients = tape.gradient_recorded_from(&[function(tape, inputs)], &[upstream], inputs);
    let flat: Vec<_> = gradients.into_iter().map(Var::flatten).collect();
    Var::concatenate(&flat, 0)
}

/// Fixed pseudo-random factors, by which the values of an output are weighed.
fn weights(shape: Vec<usize>) -> Tensor<f64> {
    Tensor::uniform(shape, 0.5, 1.5, &mut Rng::new(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Gradient, Op, OpContext};

    /// An operation whose gradient is wrong on purpose.
    #[derive(Debug)]
    struct Wrong;

    impl Op<f64> for Wrong {
        fn name(&self) -> &'static str {
            "wrong"
        }
        fn backward<'t>(&self, ctx: &OpContext<'t, f64>, grad: Var<'t, f64>) -> Vec<Option<Var<'t, f64>>> {
            vec![Some(grad * ctx.input(0))]
        }
    }

    #[test]
    fn a_wrong_gradient_is_found_and_placed() {
        let square = |_: &Tape<f64>, x: &[Var<'_, f64>]| -> Tensor<f64> { x[0].value().square() };
        let error =
            gradcheck(|tape, x| tape.push(square(tape, x), Wrong, &[x[0]]), &[Tensor::from([0.0, 2.0])]).unwrap_err();
        // At 0 both are 0; at 2 the derivative is 4 and the wrong one 2, both times the weight of that output.
        assert_eq!(error.mismatches.len(), 1);
        let Mismatch { input, index, analytic, numeric } = error.mismatches[0];
        assert_eq!((input, index), (0, 1));
        assert!((numeric / analytic - 2.0).abs() < 1e-6);
        let message = error.to_string();
        assert!(message.starts_with("1 derivative differs between backward and central differences:\n"), "{message}");
        assert!(message.contains("input 0, value 1: backward gives"), "{message}");
    }

    /// 3x², with the right kernel and a backward that gives a third of it, or nothing.
    #[derive(Debug)]
    struct BesideAKernel {
        gives: bool,
    }

    impl Op<f64> for BesideAKernel {
        fn name(&self) -> &'static str {
            "beside_a_kernel"
        }
        fn backward<'t>(&self, ctx: &OpContext<'t, f64>, grad: Var<'t, f64>) -> Vec<Option<Var<'t, f64>>> {
            vec![self.gives.then(|| grad * ctx.input(0) * 2.0)]
        }
        fn backward_kernel(
            &self,
            ctx: &OpContext<'_, f64>,
            grad: Tensor<f64>,
            to_inputs: &mut Vec<Option<Gradient<f64>>>,
        ) {
            to_inputs.push(Some(Gradient::Value(grad * ctx.input(0).value() * 6.0)));
        }
    }

    #[test]
    fn a_wrong_backward_beside_a_right_kernel_is_found() {
        fn cube<'t, const GIVES: bool>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
            tape.push(x[0].value().square() * 3.0, BesideAKernel { gives: GIVES }, &[x[0]])
        }
        let inputs = [Tensor::from([0.0, 2.0])];
        gradcheck(cube::<true>, &inputs).unwrap();
        gradcheck(cube::<false>, &inputs).unwrap();
        // At 0 all are 0; at 2 the kernel gives 12 times the weight, and the others 4 and 0.
        for (error, share) in
            [(gradgradcheck(cube::<true>, &inputs), 1.0 / 3.0), (gradgradcheck(cube::<false>, &inputs), 0.0)]
        {
            let error = error.unwrap_err();
            assert_eq!(error.mismatches.len(), 1);
            let Mismatch { input, index, analytic, numeric } = error.mismatches[0];
            assert_eq!((input, index), (0, 1));
            assert!((analytic - share * numeric).abs() < 1e-12 && numeric > 6.0);
            assert!(error.to_string().contains("the recorded backward gives"), "{error}");
        }
    }

    #[test]
    fn a_function_that_is_cut_off_from_its_inputs_is_a_mismatch() {
        let error = gradcheck(|_, x| x[0].detach() * 2.0, &[Tensor::from([1.0])]).unwrap_err();
        assert_eq!(format!("{error:?}"), error.to_string());
        assert_eq!((error.mismatches.len(), error.mismatches[0].analytic), (1, 0.0));
    }

    #[test]
    fn nan_is_a_mismatch() {
        assert!(gradcheck(|_, x| x[0].ln(), &[Tensor::from([-1.0])]).is_err());
    }

    /// Right to the first order, and wrong on purpose to the second: the factor is kept as a constant.
    #[derive(Debug)]
    struct HalfRight;

    impl Op<f64> for HalfRight {
        fn name(&self) -> &'static str {
            "half_right"
        }
        fn backward<'t>(&self, ctx: &OpContext<'t, f64>, grad: Var<'t, f64>) -> Vec<Option<Var<'t, f64>>> {
            vec![Some(grad * ctx.input(0).detach() * 2.0)]
        }
    }

    #[test]
    fn a_wrong_second_derivative_is_found() {
        let inputs = [Tensor::from([3.0])];
        fn square<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
            tape.push(x[0].value().square(), HalfRight, &[x[0]])
        }
        gradcheck(square, &inputs).unwrap();
        let error = gradgradcheck(square, &inputs).unwrap_err();
        assert_eq!(error.mismatches.len(), 1);
        assert_eq!((error.mismatches[0].input, error.mismatches[0].analytic), (0, 0.0));
        gradgradcheck(|_, x| x[0] * x[0], &inputs).unwrap();
    }

    #[test]
    fn functions_that_take_gradients_themselves_are_checked_too() {
        fn norm_of_gradient<'t>(tape: &'t Tape<f64>, x: &[Var<'t, f64>]) -> Var<'t, f64> {
            tape.gradient_recorded((x[0].tanh() * x[1]).sum(), [x[0]])[0].norm_axes(2.0, &[0], false)
        }
        let inputs = [Tensor::from([0.3, -0.8]), Tensor::from([1.5, 2.0])];
        gradcheck(norm_of_gradient, &inputs).unwrap();
        gradgradcheck(norm_of_gradient, &inputs).unwrap();
    }
}
