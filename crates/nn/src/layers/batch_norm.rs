//! Normalization of every feature over the batch.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};
use serde::{Deserialize, Serialize};

use super::Kind;
use super::norm::{affine, check_epsilon, plan_affine};
use crate::{BufferRef, NnError, Pass, Plan, Weights};

/// Features with mean 0 and variance 1: y = (x - mean) / √(variance + epsilon) · weight + bias.
///
/// In training, mean and variance (divided by the number of values) are those of the batch, over all axes but the last,
/// and running averages of them are kept: running ← (1 - momentum) · running + momentum · batch, the variance there
/// divided by the number of values less one. At inference, mean and variance are the running averages. They are used in
/// training as well where they are frozen; see [`Network::freeze`](crate::Network::freeze).
///
/// A batch with a single value for each feature has no variance: it becomes the bias, and leaves the running averages
/// as they are. (PyTorch refuses such a batch.) Where a step cuts its batch into parts, the statistics are those of all parts.
///
/// Source: Ioffe and Szegedy, 2015. Defaults, and the meaning of momentum, are PyTorch's `BatchNorm1d`. Keras' momentum
/// is one minus ours (its default 0.99 is 0.01 here), its epsilon 1e-3, and its running variance is divided by the
/// number of values.
///
/// # Shapes
/// `[n, .., features]`; the output has the input's shape. `weight`, `bias`, and the buffers `running_mean` and
/// `running_var` `[features]`, which start at 1, 0, 0 and 1. The buffer `batches` `[2]` counts the batches: its values a and
/// b stand for a · 2²⁴ + b, so that the count is exact in either precision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BatchNorm {
    /// How much of a batch goes into the running averages, above 0 and at most 1; 0.1 by default. `None` stands for the
    /// mean over all batches, each with the same weight.
    pub momentum: Option<f64>,
    /// What is added to the variance, above 0; 1e-5 by default.
    pub epsilon: f64,
    /// Whether there are a weight and a bias; true by default.
    pub affine: bool,
}

impl BatchNorm {
    /// The layer with momentum 0.1, epsilon 1e-5, a weight and a bias.
    pub fn new() -> Self {
        Self { momentum: Some(0.1), epsilon: 1e-5, affine: true }
    }

    /// Takes so much of a batch into the running averages: PyTorch's momentum, one minus Keras'.
    #[must_use]
    pub fn momentum(self, momentum: f64) -> Self {
        Self { momentum: Some(momentum), ..self }
    }

    /// Keeps the means over all batches instead of running averages: PyTorch's `momentum=None`.
    #[must_use]
    pub fn cumulative(self) -> Self {
        Self { momentum: None, ..self }
    }

    /// Adds `epsilon` to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// Leaves weight and bias out.
    #[must_use]
    pub fn without_affine(self) -> Self {
        Self { affine: false, ..self }
    }
}

impl Default for BatchNorm {
    /// [`BatchNorm::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl Kind for BatchNorm {
    fn name(&self) -> &str {
        "BatchNorm"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        let momentum = self.momentum.unwrap_or(1.0);
        let holds = |momentum: f64| momentum > 0.0 && momentum <= 1.0;
        let checked =
            plan.number().check("momentum", momentum, "above 0 and at most 1", |as_used| holds(as_used(momentum)));
        plan.check(checked)?;
        check_epsilon(self.epsilon, plan)?;
        if self.affine {
            plan_affine(input, true, plan)?;
        }
        let features = input[input.len() - 1];
        plan.statistic("running_mean", [features], 0.0)?;
        plan.statistic("running_var", [features], 1.0)?;
        plan.statistic("batches", [2], 0.0)?;
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let running = [weights.buffer(), weights.buffer(), weights.buffer()];
        let [mean, variance, _] = running;
        let batch = x.value();
        // Rows have seldom more than one axis, and a step should allocate nothing.
        let many: Vec<usize>;
        let axes = match batch.ndim() - 1 {
            1 => &[0][..],
            2 => &[0, 1],
            count => {
                many = (0..count).collect();
                &many
            }
        };
        let frozen = mean.is_frozen() && variance.is_frozen();
        // Peers wait for those who have no rows, too.
        let counts = !batch.is_empty() || pass.peers().is_some();
        let y = if pass.is_training() && !frozen && counts {
            let epsilon = E::from_f64(self.epsilon);
            let (y, [mean, variance], values) = x.standardize_axes_among(axes, epsilon, pass.peers());
            if pass.peers().is_none_or(|peers| peers.is_first()) {
                self.keep(running, values, [&mean, &variance], pass);
            }
            y
        } else {
            let (mean, variance) = (x.tape().constant(mean.value().clone()), variance.value());
            let deviation = variance.map(|v| (v + E::from_f64(self.epsilon)).sqrt());
            (x - mean) / x.tape().constant(deviation)
        };
        affine(y, self.affine, weights)
    }
}

impl BatchNorm {
    /// Takes the statistics of a batch, of so many values for each feature, into the running averages.
    fn keep<E: Element>(
        &self,
        [mean, variance, batches]: [BufferRef<'_, E>; 3],
        values: usize,
        [batch_mean, batch_variance]: [&Tensor<E>; 2],
        pass: &mut Pass<'_, E>,
    ) {
        if values < 2 {
            return;
        }
        let (batches_now, count) = counted(batches.value());
        let share = E::from_f64(self.momentum.unwrap_or(1.0 / count));
        let average = |old: &Tensor<E>, new: &Tensor<E>| old * (E::one() - share) + new.reshape(old.shape()) * share;
        pass.update(mean, average(mean.value(), batch_mean));
        // Divided by one value less: an estimate for what the batch was drawn from.
        let unbiased = E::from_f64(values as f64 / (values - 1) as f64);
        pass.update(variance, average(variance.value(), &(batch_variance * unbiased)));
        pass.update(batches, batches_now);
    }
}

/// The digits of [`counted`]: the whole numbers below it, and their sums with 1, are all `f32`.
const BASE: f64 = 16_777_216.0;

/// One batch more than the two digits of `batches` say: the new digits, and what they stand for.
fn counted<E: Element>(batches: &Tensor<E>) -> (Tensor<E>, f64) {
    let [high, low] = [0, 1].map(|digit| batches.as_slice()[digit].as_f64());
    let (high, low) = if low + 1.0 < BASE { (high, low + 1.0) } else { (high + 1.0, 0.0) };
    let mut counted = batches.clone();
    counted.as_mut_slice().copy_from_slice(&[high, low].map(E::from_f64));
    (counted, high * BASE + low)
}

#[cfg(test)]
mod tests {
    use mlp_tensor::Rng;

    use super::*;
    use crate::{Network, Sequential};

    /// One pass in training over `batch`, its output, and the network's state after it.
    fn train(network: &mut Network<f64>, batch: &Tensor<f64>) -> Tensor<f64> {
        let tape = mlp_autograd::Tape::new();
        let mut pass = Pass::training(Rng::new(0));
        let y = network.forward(&network.variables(&tape), tape.constant(batch.clone()), &mut pass).value();
        network.apply_updates(&pass.into_updates());
        y
    }

    /// Batches [1, 3] and [5, 9] have means 2 and 7 and unbiased variances 2 and 8.
    #[test]
    fn running_averages_by_hand() {
        let mut network = Sequential::new(1).add(BatchNorm::new().momentum(0.5)).init(0).unwrap();
        let mut cumulative = Sequential::new(1).add(BatchNorm::new().cumulative()).init(0).unwrap();
        for batch in [Tensor::from([[1.0], [3.0]]), Tensor::from([[5.0], [9.0]])] {
            train(&mut network, &batch);
            train(&mut cumulative, &batch);
        }
        let state = |network: &Network<f64>, name: &str| network.state()[&format!("layers.0.{name}")].item();
        assert_eq!(state(&network, "running_mean"), 0.5 * (0.5 * 0.0 + 0.5 * 2.0) + 0.5 * 7.0);
        assert_eq!(state(&network, "running_var"), 0.5 * (0.5 * 1.0 + 0.5 * 2.0) + 0.5 * 8.0);
        assert_eq!(network.state()["layers.0.batches"], Tensor::from([0.0, 2.0]));
        assert_eq!((state(&cumulative, "running_mean"), state(&cumulative, "running_var")), (4.5, 5.0));
    }

    /// 2²⁴ + 1 is no number of single precision.
    #[test]
    fn batches_are_counted_beyond_what_single_precision_counts() {
        let mut count = (Tensor::<f32>::from([0.0, 16_777_213.0]), 0.0);
        for expected in 16_777_214_u32..16_777_220 {
            count = counted(&count.0);
            assert_eq!(count.1, f64::from(expected));
        }
        assert_eq!(count.0, Tensor::from([1.0, 3.0]));
    }

    #[test]
    fn one_row_becomes_the_bias_and_moves_no_average() {
        let mut network = Sequential::new(2).add(BatchNorm::new()).init(0).unwrap();
        network.parameters_mut().nth(1).unwrap().set_value(Tensor::from([0.5, -1.0]));
        let before = network.state();
        assert_eq!(train(&mut network, &Tensor::from([[3.0, 1e4]])), Tensor::from([[0.5, -1.0]]));
        assert_eq!(train(&mut network, &Tensor::zeros([0, 2])).shape(), [0, 2]);
        assert_eq!(network.state(), before);
    }

    #[test]
    fn frozen_averages_are_used_and_stay() {
        let mut network = Sequential::new(1).add(BatchNorm::new()).init(0).unwrap();
        let batch = Tensor::from([[1.0], [3.0]]);
        train(&mut network, &batch);
        network.freeze("layers.0.running_*").unwrap();
        let used = network.predict(&batch).unwrap();
        let before = network.state();
        assert_eq!(train(&mut network, &batch), used);
        assert_eq!(network.state(), before);
        network.unfreeze("*").unwrap();
        assert_ne!(train(&mut network, &batch), used);
        assert_ne!(network.state(), before);
    }
}
