//! Networks of unusual sizes (batches of one row, rows of one feature, layers of one unit and of ten thousand) against
//! their formulas, worked out in double precision by plain loops.

use mlp_autograd::Tape;
use mlp_nn::{Activation, Dense, Loss, Network, Pass, Sequential};
use mlp_optim::Sgd;
use mlp_tensor::{Element, Rng, Tensor};
use mlp_train::{Fit, ModelBuilder, Objective, Rows, Step};

/// Rows, features, hidden units and outputs. The last two batches are cut into shards.
const SIZES: [[usize; 4]; 11] = [
    [1, 1, 1, 1],
    [1, 5, 7, 3],
    [9, 1, 4, 1],
    [6, 3, 1, 2],
    [1, 1, 10_000, 1],
    [3, 2, 10_000, 2],
    [1, 10_000, 3, 1],
    [2, 3, 2, 10_000],
    [300, 1, 1, 1],
    [40, 33, 1001, 3],
    [18, 5, 10_000, 1],
];

/// H = tanh(X · W + b), Y = H · V + c, and the loss Σ (Y - T)² / (rows · outputs). The weights are W, b, V and c.
struct Formula {
    weights: [Vec<f64>; 4],
    sizes: [usize; 3],
}

/// A · B of matrices `[m, k]` and `[k, n]`, each in the layout that these functions of row and column say.
fn product([m, k, n]: [usize; 3], a: impl Fn(usize, usize) -> f64, b: impl Fn(usize, usize) -> f64) -> Vec<f64> {
    let mut out = vec![0.0; m * n];
    for i in 0..m {
        for p in 0..k {
            let a = a(i, p);
            for j in 0..n {
                out[i * n + j] += a * b(p, j);
            }
        }
    }
    out
}

/// Σ over the rows.
fn sum_of_rows(values: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).map(|column| values.iter().skip(column).step_by(columns).sum()).collect()
}

impl Formula {
    fn of<E: Element>(network: &Network<E>, sizes: [usize; 3]) -> Self {
        let values = |index: usize| network.parameters()[index].value().iter().map(|v| v.as_f64()).collect();
        Self { weights: [0, 1, 2, 3].map(values), sizes }
    }

    /// The loss, and the gradients of the weights: G = 2 (Y - T) / (rows · outputs) for c summed up over the rows,
    /// dV = Hᵀ · G, D = (G · Vᵀ) (1 - H²) for b summed up over the rows, and dW = Xᵀ · D.
    ///
    /// `magnitudes` is the same with the absolute value of every term, and of the slope 1 - H² what it is off by where
    /// H is off: 1 + 2 H.
    fn gradients(&self, x: &[f64], t: &[f64], magnitudes: bool) -> (f64, [Vec<f64>; 4]) {
        let [i, h, o] = self.sizes;
        let n = t.len() / o;
        let size = |v: f64| if magnitudes { v.abs() } else { v };
        let [w, b, v, c] = self.weights.each_ref().map(|values| values.iter().map(|&v| size(v)).collect::<Vec<_>>());
        let x: Vec<f64> = x.iter().map(|&v| size(v)).collect();
        let mut hidden = product([n, i, h], |r, p| x[r * i + p], |p, j| w[p * h + j]);
        for (at, value) in hidden.iter_mut().enumerate() {
            *value += b[at % h];
            if !magnitudes {
                *value = value.tanh();
            }
        }
        let mut off = product([n, h, o], |r, p| hidden[r * h + p], |p, j| v[p * o + j]);
        for (at, (value, &t)) in off.iter_mut().zip(t).enumerate() {
            *value += c[at % o] - if magnitudes { -t.abs() } else { t };
        }
        let loss = off.iter().map(|d| d * d).sum::<f64>() / t.len() as f64;
        let g: Vec<f64> = off.iter().map(|d| 2.0 * d / t.len() as f64).collect();
        let mut d = product([n, o, h], |r, p| g[r * o + p], |p, j| v[j * o + p]);
        for (d, &h) in d.iter_mut().zip(&hidden) {
            *d *= if magnitudes { 1.0 + 2.0 * h } else { 1.0 - h * h };
        }
        let to_w = product([i, n, h], |p, r| x[r * i + p], |r, j| d[r * h + j]);
        let to_v = product([h, n, o], |p, r| hidden[r * h + p], |r, j| g[r * o + j]);
        (loss, [to_w, sum_of_rows(&d, h), to_v, sum_of_rows(&g, o)])
    }
}

/// The most roundings that a term of a sum goes through: blocks of 256, up to 16 of them, halves of longer sums.
fn roundings(terms: usize) -> f64 {
    (terms.min(256) + terms.div_ceil(256).min(16) + 2) as f64 + (terms.div_ceil(4096) as f64).log2().ceil()
}

fn network<E: Element>([features, units, outputs]: [usize; 3]) -> Network<E> {
    let hidden = Dense::new(units).activation(Activation::Tanh);
    Sequential::new(features).add(hidden).add(Dense::new(outputs)).init(5).unwrap()
}

fn draw<E: Element>(rows: usize, columns: usize, seed: u64) -> (Tensor<E>, Vec<f64>) {
    let values = Tensor::<E>::normal([rows, columns], 0.0, 1.0, &mut Rng::new(seed));
    let double = values.iter().map(|v| v.as_f64()).collect();
    (values, double)
}

/// Every gradient within the bound of Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1: a
/// value that comes of d roundings is within γ = d u / (1 - d u) of the sum of the absolute values of its terms. Four sums
/// stand one behind the other, and some twenty operations of single values (tanh is off by a few roundings).
fn check_gradients<E: Element>([rows, features, units, outputs]: [usize; 4]) {
    let network = network::<E>([features, units, outputs]);
    let ((x, x_double), (y, y_double)) = (draw::<E>(rows, features, 1), draw::<E>(rows, outputs, 2));
    let formula = Formula::of(&network, [features, units, outputs]);
    let (loss, expected) = formula.gradients(&x_double, &y_double, false);
    let (largest_loss, sizes) = formula.gradients(&x_double, &y_double, true);
    let depth = [rows, features, units, outputs].map(roundings).iter().sum::<f64>() + 20.0;
    let unit = depth * E::epsilon().as_f64() / 2.0;
    // The loops of the formula round one term after the other.
    let unit = unit / (1.0 - unit) + 2.0 * (rows + features + units + outputs + 20) as f64 * f64::EPSILON / 2.0;

    let objective = Objective::new(Loss::MeanSquaredError, &network).unwrap();
    let data = Rows::new(&x, &y, &objective, &network).unwrap();
    let mut step = Step::new(&network);
    let totals = step.shards(&network, &objective, &data, &(0..rows).collect::<Vec<_>>(), 0);
    let off = (totals.loss / rows as f64 - loss).abs();
    assert!(off <= 3.0 * unit * largest_loss, "loss {} for {loss}", totals.loss / rows as f64);
    let by_step: Vec<Vec<E>> = step.reduce(&network).iter().map(|(_, values)| values.to_vec()).collect();

    let tape = Tape::new();
    let variables = network.variables(&tape);
    let outputs = network.forward(&variables, tape.constant(x), &mut Pass::inference());
    let gradients = Loss::MeanSquaredError.forward(outputs, tape.constant(y)).backward();
    let by_tape: Vec<Vec<E>> = variables.iter().map(|&v| gradients.wrt(v).as_slice().to_vec()).collect();

    for (found, name) in [(by_step, "step"), (by_tape, "tape")] {
        assert_eq!(found.len(), 4);
        for (parameter, (found, (expected, sizes))) in found.iter().zip(expected.iter().zip(&sizes)).enumerate() {
            assert_eq!(found.len(), expected.len());
            for (index, (found, (&expected, size))) in found.iter().zip(expected.iter().zip(sizes)).enumerate() {
                let off = (found.as_f64() - expected).abs();
                assert!(
                    off <= unit * size,
                    "{rows} rows, {:?}, {}, by {name}, parameter {parameter} at {index}: {found} for {expected}, off \
                     by {off:e}, which is above {:e}",
                    formula.sizes,
                    E::NAME,
                    unit * size
                );
            }
        }
    }
}

#[test]
fn gradients_of_networks_of_any_size_are_those_of_the_formula() {
    for sizes in SIZES {
        check_gradients::<f32>(sizes);
        check_gradients::<f64>(sizes);
    }
}

/// Two epochs by gradient descent in batches of `batch` rows, against the same steps of the formula. What one step is off
/// goes on through the next ones, so the bound is wider than that of a gradient: it is relative to the largest weight.
fn check_fit<E: Element>([rows, features, units, outputs]: [usize; 4], batch: usize, tolerance: f64) {
    let rate = 0.1 / units as f64 / features as f64;
    let network = network::<E>([features, units, outputs]);
    let mut formula = Formula::of(&network, [features, units, outputs]);
    let ((x, x_double), (y, y_double)) = (draw::<E>(rows, features, 3), draw::<E>(rows, outputs, 4));
    let mut model = ModelBuilder::new(network).optimizer(Sgd::new(rate)).loss(Loss::MeanSquaredError).build().unwrap();
    let history = model.fit(&x, &y, &Fit::new().epochs(2).batch_size(batch).shuffle(false)).unwrap();

    let case = format!("{rows} rows in batches of {batch}, {:?}, {}", formula.sizes, E::NAME);
    for epoch in &history.epochs {
        let mut total = 0.0;
        for (x, t) in x_double.chunks(batch * features).zip(y_double.chunks(batch * outputs)) {
            let (loss, gradients) = formula.gradients(x, t, false);
            total += loss * (t.len() / outputs) as f64;
            for (weights, gradient) in formula.weights.iter_mut().zip(gradients) {
                weights.iter_mut().zip(gradient).for_each(|(w, g)| *w -= rate * g);
            }
        }
        let (found, expected) = (epoch.training.loss, total / rows as f64);
        assert!((found - expected).abs() <= tolerance * expected, "{case}: loss {found} for {expected}");
    }
    for (parameter, expected) in model.network().parameters().iter().zip(&formula.weights) {
        let largest = expected.iter().fold(0.0_f64, |largest, w| largest.max(w.abs()));
        for (found, expected) in parameter.value().iter().zip(expected) {
            let off = (found.as_f64() - expected).abs();
            assert!(off <= tolerance * largest, "{case}: {found} for {expected} in {}", parameter.name());
        }
    }
}

#[test]
fn fits_of_networks_of_any_size_follow_the_formula() {
    for (sizes, batch) in [
        ([6, 3, 5, 2], 1),
        ([7, 1, 3, 1], 3),
        ([5, 4, 1, 1], 2),
        ([4, 1, 1, 1], 1),
        ([3, 1, 10_000, 1], 1),
        ([2, 10_000, 2, 1], 1),
        ([3, 2, 1, 10_000], 2),
        ([21, 5, 10_000, 1], 18),
    ] {
        check_fit::<f32>(sizes, batch, 1e-5);
        check_fit::<f64>(sizes, batch, 1e-12);
    }
}
