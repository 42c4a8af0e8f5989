//! A network fitted to a differential equation: the loss contains the network's own second derivative.
//!
//! The equation is y'' = -y on [0, π] with y(0) = 0 and y'(0) = 1, whose solution is sin x. No value of the solution is
//! given to the network: only how far it is from fulfilling the equation at 40 points, and the two conditions at 0.
//!
//! Run with `cargo run --release --example differential_equation`.

use std::f64::consts::PI;

use mlp::autograd::{Tape, Var};
use mlp::nn::{Network, Pass};
use mlp::optim::{Optimizer, OptimizerState};
use mlp::prelude::*;

const POINTS: usize = 40;
const STEPS: usize = 3000;

fn main() -> Result<(), mlp::Error> {
    // tanh, because the loss needs derivatives of every order: those of ReLU end after the first.
    let hidden = Dense::new(16).activation(Activation::Tanh);
    let mut network: Network<f64> = Sequential::new(1).add(hidden.clone()).add(hidden).add(Dense::new(1)).init(1)?;
    let x = Tensor::from_vec((0..POINTS).map(|i| PI * i as f64 / (POINTS - 1) as f64).collect(), [POINTS, 1]);

    let mut state = None;
    println!("{:>5}  {:>10}  {:>14}", "step", "loss", "largest error");
    for step in 0..=STEPS {
        let tape = Tape::new();
        let weights = network.variables(&tape);
        let loss = loss(&network, &weights, tape.variable(x.clone()));
        if step % 500 == 0 {
            println!("{step:5}  {:10.2e}  {:14.2e}", loss.item(), error(&network, &x)?);
        }
        let gradients = loss.backward();
        let gradients: Vec<_> = weights.iter().map(|&weight| gradients.wrt(weight)).collect();
        // Large steps at first, small ones at the end.
        let optimizer: Optimizer = Adam::new(0.03 * 0.01f64.powf(step as f64 / STEPS as f64)).into();
        let state = state.get_or_insert_with(|| OptimizerState::new(&optimizer, network.parameters()));
        optimizer.step(state, &mut network, &gradients);
    }

    println!("\n{:>6}  {:>8}  {:>8}", "x", "network", "sin x");
    let y = network.predict(&x)?;
    for point in (0..POINTS).step_by(POINTS / 8) {
        let (x, y) = (x[[point, 0]], y[[point, 0]]);
        println!("{x:6.3}  {y:8.5}  {:8.5}", x.sin());
    }
    let error = error(&network, &x)?;
    assert!(error < 1e-3, "the network is {error:e} away from the solution");
    Ok(())
}

/// The mean of (y'' + y)² over the points, and the squares of what is missing from y(0) = 0 and y'(0) = 1.
fn loss<'t>(network: &Network<f64>, weights: &[Var<'t, f64>], x: Var<'t, f64>) -> Var<'t, f64> {
    let y = network.forward(weights, x, &mut Pass::inference());
    // Each row of y depends on its own row of x alone, so the gradient of the sum holds the derivative of every row.
    let slope = x.tape().gradient_recorded(y.sum(), [x])[0];
    let curvature = x.tape().gradient_recorded(slope.sum(), [x])[0];
    let equation = (curvature + y).square().mean();
    let start = y.slice(0, 0..1).square() + (slope.slice(0, 0..1) - 1.0).square();
    equation + start.sum()
}

/// The largest distance from the solution.
fn error(network: &Network<f64>, x: &Tensor<f64>) -> Result<f64, mlp::Error> {
    Ok((network.predict(x)? - x.sin()).abs().max())
}
