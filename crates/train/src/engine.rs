//! How a training step runs.
//!
//! A step has two phases, and each is handed to the threads at once:
//!
//! 1. The rows of the batch are cut into shards. Each shard gathers its rows, runs forward and backward on a tape of
//!    its own, and keeps the gradients as the tape leaves them: those of weight matrices as products that were not
//!    multiplied out.
//! 2. The parameters are cut into blocks of rows. Each block multiplies out its part of every shard's gradient, adds
//!    them up in the shards' order, adds the penalty's gradient, and takes the optimizer's step while the numbers are
//!    still in the cache.
//!
//! So a step has two forks however many layers there are, and no weight gradient is ever written out more than once.
//! The cuts depend on the batch and on the network alone, never on the number of threads: the bits do not either.

use std::sync::{Mutex, PoisonError};

use mlp_autograd::{Gradient, Tape, Var};
use mlp_nn::{Loss, Network, Parameter, Pass, Regularizer, Updates};
use mlp_optim::{Optimizer, OptimizerState};
use mlp_tensor::{Element, Pool, Rng, Tensor};
use rayon::prelude::*;

use crate::Metric;
use crate::table::Table;

/// A batch is cut into shards of about this many rows: with fewer, a matrix product spends its time on preparing the
/// weights.
const SHARD_ROWS: usize = 64;
/// A batch that is cut at all has at least two shards and at most this many.
const SHARDS: usize = 16;
/// A batch of fewer rows is not cut.
const ROWS_TO_CUT: usize = 16;
/// A block has at most about this many values.
const BLOCK: usize = 1 << 16;
/// Below this many multiplications a phase is over before a second thread has woken up.
const WORTH_A_FORK: usize = 1 << 20;

/// What a forward pass ends in: the loss and the metrics, and how to get there from the network's output.
#[derive(Clone, Debug)]
pub(crate) struct Objective {
    pub(crate) loss: Loss,
    pub(crate) metrics: Vec<Metric>,
}

/// Sums over rows, of which the means are reported.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) rows: usize,
    pub(crate) loss: f64,
    pub(crate) penalty: f64,
    pub(crate) metrics: Vec<f64>,
}

impl Totals {
    pub(crate) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.loss += other.loss;
        self.penalty += other.penalty;
        self.metrics.resize(other.metrics.len(), 0.0);
        self.metrics.iter_mut().zip(&other.metrics).for_each(|(sum, value)| *sum += value);
    }
}

impl Objective {
    /// The mean loss of a batch as a variable, activity penalties included, and the sums for the report.
    pub(crate) fn forward<'t, E: Element>(
        &self,
        network: &Network<E>,
        variables: &[Var<'t, E>],
        (x, y): (Tensor<E>, Tensor<E>),
        tape: &'t Tape<E>,
        pass: &mut Pass<'t, E>,
    ) -> (Var<'t, E>, Totals) {
        let (rows, x, targets) = (x.rows(), tape.constant(x), tape.constant(y));
        // Softmax and cross-entropy together, from the logits, are exact where one after the other overflows.
        let activation = network.architecture().output_activation();
        let (output, loss) = match self.loss.before(activation) {
            Some(before) => {
                let logits = network.forward_before_activation(variables, x, pass);
                // Which class is the largest shows in the logits as well.
                let measured = if self.metrics.is_empty() || self.loss.is_classification() {
                    logits
                } else {
                    activation.forward(logits)
                };
                (measured, before.forward(logits, targets))
            }
            None => {
                let output = network.forward(variables, x, pass);
                (output, self.loss.forward(output, targets))
            }
        };
        let measure = |metric: &Metric| metric.sum_over_rows(&output.value(), &targets.value());
        let metrics = self.metrics.iter().map(measure).collect();
        let sum = |mean: Var<'t, E>| mean.value().item().as_f64() * rows as f64;
        let penalty = pass.penalty();
        let totals = Totals { rows, loss: sum(loss), penalty: penalty.map_or(0.0, sum), metrics };
        (penalty.map_or(loss, |penalty| loss + penalty), totals)
    }
}

/// The memory of training steps, kept from one to the next.
#[derive(Debug)]
pub(crate) struct Engine<E: Element> {
    shards: Vec<Shard<E>>,
    gradients: Vec<Vec<E>>,
}

impl<E: Element> Engine<E> {
    pub(crate) fn new(network: &Network<E>) -> Self {
        let gradients = network.parameters().iter().map(|p| vec![E::zero(); p.value().len()]).collect();
        Self { shards: Vec::new(), gradients }
    }

    /// Whether a batch of `rows` is worth more than one thread.
    pub(crate) fn uses_threads(network: &Network<E>, rows: usize) -> bool {
        rows >= ROWS_TO_CUT && work(network, rows) >= WORTH_A_FORK
    }

    /// One step of `optimizer` on the mean loss of `rows`; what dropout draws depends on `seed` and the step's number.
    pub(crate) fn step(
        &mut self,
        network: &mut Network<E>,
        objective: &Objective,
        (optimizer, state): (&Optimizer, &mut OptimizerState<E>),
        (table, rows): (&Table<'_, E>, &[usize]),
        seed: u64,
    ) -> Totals {
        let step = state.advance();
        // What couples the rows of a batch needs all of them on one tape.
        let forked = Self::uses_threads(network, rows.len()) && !network.couples_rows();
        let per_shard =
            if forked { rows.len().div_ceil(rows.len().div_ceil(SHARD_ROWS).clamp(2, SHARDS)) } else { rows.len() };
        let shards = rows.len().div_ceil(per_shard);
        self.shards.resize_with(shards.max(self.shards.len()), Shard::default);
        let job = |(index, (shard, part)): (usize, (&mut Shard<E>, &[usize]))| {
            let rng = Rng::stream(seed, &[step, index as u64]);
            let mut pool = std::mem::take(&mut shard.pool);
            let share = part.len() as f64 / rows.len() as f64;
            pool.scope(|| shard.run(network, objective, (table, part), share, rng));
            shard.pool = pool;
        };
        if forked {
            self.shards[..shards].par_iter_mut().zip(rows.par_chunks(per_shard)).enumerate().for_each(job);
        } else {
            job((0, (&mut self.shards[0], rows)));
        }

        let mut totals = Totals::default();
        self.shards[..shards].iter().for_each(|shard| totals.add(&shard.totals));
        let penalized = network.parameters().iter().any(|p| p.regularizer().is_some());
        if penalized {
            totals.penalty += network.penalty() * rows.len() as f64;
        }
        self.shards[..shards].iter_mut().for_each(|shard| network.apply_updates(std::mem::take(&mut shard.updates)));

        let worth = network.parameters().iter().map(|p| p.value().len()).sum::<usize>() * rows.len() >= WORTH_A_FORK;
        let blocks = blocks(network.parameters_mut(), &mut self.gradients, state);
        let gradients: Vec<&[Option<Gradient<E>>]> = self.shards[..shards].iter().map(|s| &s.gradients[..]).collect();
        let job = |block: Block<'_, E>| block.update(step, &gradients, optimizer);
        if worth && blocks.len() > 1 {
            blocks.into_par_iter().with_max_len(1).for_each(job);
        } else {
            blocks.into_iter().for_each(job);
        }
        network.constrain();
        totals
    }
}

/// The number of multiplications in one forward pass.
pub(crate) fn work<E: Element>(network: &Network<E>, rows: usize) -> usize {
    rows.saturating_mul(network.parameters().iter().map(|p| p.value().len()).sum())
}

/// One part of the rows of a batch.
#[derive(Debug)]
struct Shard<E: Element> {
    /// The memory of one step's tensors, kept for the next.
    pool: Pool,
    /// A tape is one thread's at a time. The lock is never waited for: it lets a model be shared, to predict.
    tape: Mutex<Tape<E>>,
    /// In the order of the network's parameters; `None` where the loss does not depend on one.
    gradients: Vec<Option<Gradient<E>>>,
    totals: Totals,
    /// Of the network's buffers.
    updates: Updates<E>,
}

impl<E: Element> Default for Shard<E> {
    fn default() -> Self {
        let (pool, tape, updates) = (Pool::default(), Mutex::new(Tape::new()), Updates::default());
        Self { pool, tape, gradients: Vec::new(), totals: Totals::default(), updates }
    }
}

impl<E: Element> Shard<E> {
    /// Forward and backward; `share` is this shard's share of the batch's rows.
    fn run(
        &mut self,
        network: &Network<E>,
        objective: &Objective,
        (table, rows): (&Table<'_, E>, &[usize]),
        share: f64,
        rng: Rng,
    ) {
        // The last step's gradients make room before this step's activations take it.
        self.gradients.clear();
        let tape = self.tape.get_mut().unwrap_or_else(PoisonError::into_inner);
        let variables = network.variables(tape);
        let mut pass = Pass::training(rng);
        let (loss, totals) = objective.forward(network, &variables, table.batch(rows), tape, &mut pass);
        let mut gradients = loss.backward_from(&Tensor::scalar(E::from_f64(share)));
        self.gradients.extend(variables.iter().map(|&variable| gradients.take(variable)));
        (self.totals, self.updates) = (totals, pass.into_updates());
        tape.clear();
    }
}

/// Some rows of one parameter, with all that its update needs.
struct Block<'a, E: Element> {
    parameter: usize,
    /// The index of the first value.
    start: usize,
    regularizer: Option<Regularizer>,
    weights: &'a mut [E],
    gradient: &'a mut [E],
    slots: Vec<&'a mut [E]>,
}

/// Cuts all parameters, and what belongs to them, into blocks.
fn blocks<'a, E: Element>(
    parameters: &'a mut [Parameter<E>],
    gradients: &'a mut [Vec<E>],
    state: &'a mut OptimizerState<E>,
) -> Vec<Block<'a, E>> {
    let mut blocks = Vec::new();
    let all = parameters.iter_mut().zip(gradients).zip(state.slots_mut()).enumerate();
    for (parameter, ((weight, gradient), slots)) in all {
        if !weight.is_trainable() {
            continue;
        }
        let value = weight.value();
        let columns = value.shape().last().copied().unwrap_or(1);
        // Blocks of one size, so that threads that share them finish together.
        let (rows, blocks_of_it) = (value.len().div_ceil(columns.max(1)), value.len().div_ceil(BLOCK).max(1));
        let size = (rows.div_ceil(blocks_of_it).next_multiple_of(8) * columns).max(1);
        let mut slots: Vec<_> = slots.values.iter_mut().map(|slot| slot.as_mut_slice().chunks_mut(size)).collect();
        let (values, regularizer) = weight.values_mut_and_regularizer();
        let chunks = values.chunks_mut(size).zip(gradient.chunks_mut(size));
        for (index, (weights, gradient)) in chunks.enumerate() {
            let slots = slots.iter_mut().filter_map(Iterator::next).collect();
            let (start, regularizer) = (index * size, regularizer.copied());
            blocks.push(Block { parameter, start, regularizer, weights, gradient, slots });
        }
    }
    blocks
}

impl<E: Element> Block<'_, E> {
    fn update(mut self, step: u64, shards: &[&[Option<Gradient<E>>]], optimizer: &Optimizer) {
        let mut written = false;
        for gradient in shards.iter().filter_map(|gradients| gradients[self.parameter].as_ref()) {
            gradient.write_block(self.start, written, self.gradient);
            written = true;
        }
        if !written {
            self.gradient.fill(E::zero());
        }
        if let Some(regularizer) = self.regularizer {
            regularizer.add_gradient(self.weights, self.gradient);
        }
        optimizer.update(step, self.weights, self.gradient, &mut self.slots);
    }
}

#[cfg(test)]
mod tests {
    use mlp_nn::{Activation, Dense, Dropout, Sequential};
    use mlp_optim::Adam;

    use super::*;

    /// The bytes that a step of `rows` rows allocates once the steps before it have filled the pool.
    fn bytes_of_a_step(rows: usize) -> u64 {
        let architecture = Sequential::new(2)
            .add(Dense::new(2).activation(Activation::Relu).regularizer(Regularizer::l2(0.01)))
            .add(Dropout::new(0.2))
            .add(Dense::new(2).activation(Activation::Softmax));
        let mut network: Network<f32> = architecture.init(1).unwrap();
        let objective = Objective { loss: Loss::CategoricalCrossEntropy, metrics: vec![Metric::Accuracy] };
        let optimizer = Optimizer::from(Adam::new(0.01));
        let mut state = OptimizerState::new(&optimizer, network.parameters());
        let x = Tensor::uniform([rows, 2], -1.0, 1.0, &mut Rng::new(2));
        let classes: Vec<usize> = (0..rows).map(|row| row % 2).collect();
        let table = Table::new(&network, objective.loss, x, (&classes).into(), "train on").unwrap();
        let order: Vec<usize> = (0..rows).collect();
        let mut engine = Engine::new(&network);
        let mut step = || {
            engine.step(&mut network, &objective, (&optimizer, &mut state), (&table, &order), 3);
        };
        (0..3).for_each(|_| step());
        allocation_counter::measure(step).bytes_total
    }

    /// If any tensor of a step took new memory, the larger batch would take more of it. What is left is bookkeeping, and
    /// the copies that matrixmultiply makes of parts of its operands, of one size for both batches.
    #[test]
    fn a_steady_step_allocates_no_tensor() {
        assert_eq!(bytes_of_a_step(512), bytes_of_a_step(256));
    }
}
