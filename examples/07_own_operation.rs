//! An operation of one's own: its value, its derivative, and how both are checked.
//!
//! The operation is ln cosh x, a loss that is x² / 2 near 0 and |x| far from it. Its derivative is tanh x. The program
//! checks first and second derivatives against differences, shows a mistake that the check finds, fits a line to points
//! with outliers, and finds out where a NaN came from.
//!
//! Run with `cargo run --release --example own_operation`.

use mlp::autograd::{GradcheckError, Op, OpContext, Tape, Var, gradcheck, gradgradcheck};
use mlp::prelude::*;
use mlp::tensor::Element;

/// ln cosh x. Whatever backward needs besides the inputs and the output would be a field.
#[derive(Debug)]
struct LnCosh;

impl<E: Element> Op<E> for LnCosh {
    fn name(&self) -> &'static str {
        "ln_cosh"
    }
    /// The gradient of the input, given that of the output. It is written in operations on variables, so it can be
    /// differentiated again without another word.
    fn backward<'t>(&self, ctx: &OpContext<'t, E>, grad: Var<'t, E>) -> Vec<Option<Var<'t, E>>> {
        vec![Some(grad * ctx.input(0).tanh())]
    }
}

/// Computes the value, and puts it on the tape together with the operation. Written as |x| + ln(1 + e^(-2|x|)) - ln 2,
/// it overflows for no x.
fn ln_cosh<E: Element>(x: Var<'_, E>) -> Var<'_, E> {
    let ln_2 = E::from_f64(std::f64::consts::LN_2);
    let size = x.value().abs();
    let value = (&size * E::from_f64(-2.0)).exp().ln_1p() + size - ln_2;
    x.tape().push(value, LnCosh, &[x])
}

fn main() -> Result<(), GradcheckError> {
    // 1. The derivatives against differences (f(x + h) - f(x - h)) / 2h, also where the operation is one of several.
    let inputs = [Tensor::from([[0.3, -1.2], [2.0, 30.0]]), Tensor::from([0.5, 1.5])];
    gradcheck(|_, v| ln_cosh(v[0] * v[1]) * v[0], &inputs)?;
    gradgradcheck(|_, v| ln_cosh(v[0] * v[1]) * v[0], &inputs)?;
    println!("ln cosh(xy) · x: first and second derivatives are right\n");

    // 2. A mistake that the check finds: a part of the function is off the tape, so no gradient flows through it.
    let found = gradcheck(|_, v| ln_cosh(v[0]) * v[0].detach(), &inputs[1..]);
    let error = found.expect_err("half of the derivative is missing");
    println!("ln cosh(x) · x with the second x detached: {error}\n");

    // 3. A line through points of y = 2x + 1, every tenth of which is far off.
    let x = Tensor::<f64>::uniform([200, 1], -1.0, 1.0, &mut Rng::new(42));
    let mut y = &x * 2.0 + 1.0;
    y.as_mut_slice().iter_mut().step_by(10).for_each(|y| *y += 20.0);
    for (name, loss) in [("mean square", square as fn(Var<'_, f64>) -> Var<'_, f64>), ("mean ln cosh", ln_cosh)] {
        let (slope, intercept) = fit(&x, &y, loss);
        println!("least {name:12} of the distances: y = {slope:.3} x + {intercept:.3}");
    }
    let (slope, intercept) = fit(&x, &y, ln_cosh);
    assert!((slope - 2.0).abs() < 0.2 && (intercept - 1.0).abs() < 0.2, "outliers have moved the line");

    // 4. In anomaly mode the tape says where the first number came from that is not finite.
    let tape = Tape::<f64>::new().detect_anomalies();
    let v = tape.variable(Tensor::from([1.0, 0.0]));
    let loss = tape.scope("my loss", || ln_cosh(v).sqrt()).sum();
    loss.backward();
    let anomaly = tape.anomaly().expect("the derivative of a root is infinite at 0");
    assert_eq!((anomaly.op, anomaly.scope.as_str()), ("sqrt", "my loss"));
    println!("\n{anomaly}");
    Ok(())
}

fn square(x: Var<'_, f64>) -> Var<'_, f64> {
    x.square()
}

/// Slope and intercept of the line for which the mean loss of the distances is least, by gradient descent.
fn fit(x: &Tensor<f64>, y: &Tensor<f64>, loss: fn(Var<'_, f64>) -> Var<'_, f64>) -> (f64, f64) {
    let mut line = [Tensor::zeros([1]), Tensor::zeros([1])];
    for _ in 0..500 {
        let tape = Tape::new();
        let [a, b] = [0, 1].map(|i| tape.variable(line[i].clone()));
        let distance = tape.constant(x.clone()) * a + b - tape.constant(y.clone());
        let gradients = loss(distance).mean().backward();
        for (value, variable) in line.iter_mut().zip([a, b]) {
            *value += &(gradients.wrt(variable) * -0.3);
        }
    }
    (line[0].item(), line[1].item())
}
