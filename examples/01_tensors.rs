//! Tensors and gradients by hand: what the rest of the library is made of.
//!
//! Three steps: arithmetic on tensors; a gradient from the tape beside the same gradient on paper; and a line fitted by
//! gradient descent.
//!
//! Run with `cargo run --release --example tensors`.

use std::error::Error;

use mlp::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    arithmetic()?;
    gradient()?;
    line()
}

/// What does not hold is the end of the program.
fn holds(what: &str, does: bool) -> Result<(), Box<dyn Error>> {
    if does { Ok(()) } else { Err(format!("it does not hold that {what}").into()) }
}

/// A tensor is a block of numbers with a shape: f32 where it says `Tensor`, f64 where it says `Tensor<f64>`.
fn arithmetic() -> Result<(), Box<dyn Error>> {
    println!("1. Arithmetic\n");
    let a: Tensor = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    println!("a, of shape {:?}:\n{a}\n", a.shape());

    // Shapes that differ are broadcast as in NumPy: a row is added to every row, a column to every column.
    let (row, column) = (Tensor::from([10.0, 20.0, 30.0]), Tensor::from([[100.0], [200.0]]));
    println!("a + row {row}:\n{}\n", &a + &row);
    println!("a + a column:\n{}\n", &a + &column);

    let product = a.matmul(&a.t());
    println!("the product a · aᵀ, [2, 3] times [3, 2]:\n{product}\n");
    println!(
        "sum {}, sums of the columns {}, means of the rows {}\n",
        a.sum(),
        a.sum_axes(&[0], false),
        a.mean_axes(&[1], false)
    );
    holds("the product is that on paper", product == Tensor::from([[14.0, 32.0], [32.0, 77.0]]))
}

/// The mean squared error of a linear model, f(w) = mean((X · w - t)²), has the gradient 2/n · Xᵀ · (X · w - t).
fn gradient() -> Result<(), Box<dyn Error>> {
    println!("2. A gradient\n");
    let x: Tensor = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let t = Tensor::from([[1.0], [0.0], [2.0]]);
    let w = Tensor::from([[0.5], [-0.5]]);
    let on_paper = x.t().matmul(&(x.matmul(&w) - &t)) * (2.0 / 3.0);

    // What is computed from a variable is written down on its tape; backward() walks the tape from the end.
    let tape = Tape::new();
    let variable = tape.variable(w);
    let f = (tape.constant(x).matmul(variable) - tape.constant(t)).square().mean();
    let by_tape = f.backward().wrt(variable);
    println!("f(w) = {:.4}", f.value());
    println!("gradient on paper, transposed:     {:.4}", on_paper.t());
    println!("gradient by the tape, transposed:  {:.4}\n", by_tape.t());
    holds("both gradients agree", (by_tape - on_paper).abs().max() < 1e-5)
}

/// y = 2x + 1 with noise, found again by gradient descent.
fn line() -> Result<(), Box<dyn Error>> {
    println!("3. A line through noisy points of y = 2x + 1\n");
    let mut rng = Rng::new(42);
    let x: Tensor = Tensor::uniform([200, 1], -1.0, 1.0, &mut rng);
    let y = &x * 2.0 + 1.0 + Tensor::normal([200, 1], 0.0, 0.1, &mut rng);

    let (mut slope, mut intercept) = (Tensor::zeros([1]), Tensor::zeros([1]));
    for step in 0..=60 {
        // A new tape for every step: it holds one computation, from the parameters to the loss.
        let tape = Tape::new();
        let (a, b) = (tape.variable(slope.clone()), tape.variable(intercept.clone()));
        let predicted = tape.constant(x.clone()) * a + b;
        let loss = (predicted - tape.constant(y.clone())).square().mean();
        if step % 10 == 0 {
            println!("step {step:2}: loss {:.4}, y = {:.3} x + {:.3}", loss.value(), slope.item(), intercept.item());
        }
        let gradients = loss.backward();
        slope -= gradients.wrt(a) * 0.2;
        intercept -= gradients.wrt(b) * 0.2;
    }
    println!("(the loss that is left is the noise's variance, about 0.1² = 0.01)");
    let off = [slope.item() - 2.0, intercept.item() - 1.0];
    holds("the line was found again", off.iter().all(|off| off.abs() < 0.05))
}
