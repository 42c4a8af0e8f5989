//! How a training step runs.
//!
//! A step has two phases, and each is handed to the threads at once:
//!
//! 1. Shards: the rows of the batch are cut into shards. Each gathers its rows, runs forward and backward on a tape of its
//!    own, and keeps the gradients as the tape leaves them: those of weight matrices as products that were not multiplied
//!    out.
//! 2. Blocks: the parameters are cut into blocks of rows. Each multiplies out its part of the gradient, of all shards in one
//!    product, adds the penalty's gradient, and takes the optimizer's step while the numbers are still in the cache.
//!
//! So a step has two forks however many layers there are, and no weight gradient is ever written out more than once. Shards of
//! a network with batch normalization meet in between (`meeting.rs`).
//! The cuts depend on the batch and on the network alone, never on the number of threads: the bits do not either.

mod block;
mod gradients;
mod meeting;
mod shard;

use mlp_autograd::Anomaly;
use mlp_nn::{Network, Parameter, ParameterMut};
use mlp_optim::{Optimizer, OptimizerState};
use mlp_tensor::Element;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{Objective, Rows, Totals};
use block::{Block, blocks};
use meeting::Meeting;
use shard::Shard;

pub use gradients::StepGradients;

/// A batch is cut into shards of about this many rows: with fewer, a matrix product spends its time on preparing the
/// weights.
const SHARD_ROWS: usize = 64;
/// A batch that is cut at all has at least two shards and at most this many.
const SHARDS: usize = 16;
/// A batch of fewer rows is not cut.
const ROWS_TO_CUT: usize = 16;
/// Below this many multiplications a phase is over before a second thread has woken up.
pub(crate) const WORTH_A_FORK: usize = 1 << 20;

/// Training steps of one network, and the memory that they need, kept from one to the next.
///
/// The shards of a network with batch normalization have a thread each, at most 16, which are kept for the steps to come until
/// this is dropped. Where they cannot be started (on WebAssembly) such batches are not cut, and dropout draws other numbers.
///
/// A step is what [`Model::fit`](crate::Model::fit) makes of a batch, on all threads of rayon's pool, and comes in parts:
///
/// 1. [`Step::shards`]: forward and backward, the loss and the metrics;
/// 2. [`Step::reduce`], for those who need it: the whole gradient, to be looked at or changed;
/// 3. [`Step::apply`]: the optimizer's update. Without a call of `reduce` it adds the gradients up itself, block by block,
///    to the same bits in less time.
///
/// ```
/// use mlp_nn::{Dense, Loss, Network, Sequential};
/// use mlp_optim::{Optimizer, OptimizerState, Sgd};
/// use mlp_tensor::Tensor;
/// use mlp_train::{Objective, Rows, Seeds, Step};
///
/// let mut network: Network = Sequential::new(1).add(Dense::new(1)).init(7)?;
/// let objective = Objective::new(Loss::MeanSquaredError, &network)?;
/// let (x, y) = (Tensor::from([[0.0], [1.0], [2.0]]), Tensor::from([1.0, 3.0, 5.0]));
/// let rows = Rows::new(&x, &y, &objective, &network)?;
///
/// let (optimizer, seeds) = (Optimizer::from(Sgd::new(0.1)), Seeds::new(7));
/// let mut state = OptimizerState::new(&optimizer, network.parameters());
/// let mut step = Step::new(&network);
/// for number in 1..=500 {
///     step.shards(&network, &objective, &rows, &[0, 1, 2], seeds.step(number));
///     step.reduce(&network).clip_global_norm(1.0);
///     step.apply(&mut network, &optimizer, &mut state);
/// }
/// assert!((network.predict(&Tensor::from([[10.0]]))?.item() - 21.0).abs() < 1e-3);
/// # Ok::<(), mlp_train::TrainError>(())
/// ```
#[derive(Debug)]
pub struct Step<E: Element = f32> {
    shards: Vec<Shard<E>>,
    /// The threads of shards that wait for one another, one for each.
    workers: Option<ThreadPool>,
    /// How many of the shards the batch at hand has.
    used: usize,
    /// The number of rows of the batch at hand.
    rows: usize,
    /// The whole gradient of every parameter, as far as it was added up.
    gradients: Vec<Vec<E>>,
    /// Whether the gradients are those of the batch at hand.
    reduced: bool,
    /// Whether shards look for the first NaN or infinity.
    detect_anomalies: bool,
}

impl<E: Element> Step<E> {
    /// Steps of `network`, and of networks with parameters of the same shapes.
    pub fn new(network: &Network<E>) -> Self {
        let gradients = network.parameters().iter().map(|p| vec![E::zero(); p.value().len()]).collect();
        Self { shards: Vec::new(), workers: None, used: 0, rows: 0, gradients, reduced: false, detect_anomalies: false }
    }

    /// Whether a batch of `rows` is worth more than one thread.
    pub(crate) fn is_cut(network: &Network<E>, rows: usize) -> bool {
        rows >= ROWS_TO_CUT && work(network, rows) >= WORTH_A_FORK
    }

    /// Turns anomaly mode on or off: every shard then looks at every number for the first NaN or infinity, which
    /// [`Step::anomaly`] has. It costs a pass over all numbers.
    pub fn set_detect_anomalies(&mut self, on: bool) {
        self.detect_anomalies = on;
        self.shards.iter_mut().for_each(|shard| shard.set_detect_anomalies(on));
    }

    /// In anomaly mode, the operation and the layer that first made NaN or infinity of finite numbers in the batch at
    /// hand.
    pub fn anomaly(&self) -> Option<&Anomaly> {
        // What a sound part hears from its peers is not the first cause, though its normalization is the first to show it.
        self.used().iter().filter_map(Shard::anomaly).min_by_key(|anomaly| anomaly.op == "standardize_axes")
    }

    /// Forward and backward of the rows numbered `batch`: the gradient of the sum of their losses, each times its weight,
    /// divided by the number of rows. What dropout and noise draw depends on `seed`. The network stays as it is.
    ///
    /// The gradient takes the place of the one that an earlier call left: gradients do not add up over calls, as they do in
    /// PyTorch. [`StepGradients::iter_mut`] is where to add them up.
    ///
    /// Returns the sums of the losses, the penalties and the metrics, in training mode.
    ///
    /// # Panics
    /// If the batch has no rows or one that there is not, or these are steps of another network.
    #[track_caller]
    pub fn shards(
        &mut self,
        network: &Network<E>,
        objective: &Objective,
        rows: &Rows<E>,
        batch: &[usize],
        seed: u64,
    ) -> Totals {
        assert!(!batch.is_empty(), "shards: a batch without rows");
        self.check(network);
        let parts = batch.len().div_ceil(SHARD_ROWS).clamp(2, SHARDS);
        let cut = Self::is_cut(network, batch.len())
            && !network.needs_whole_batches()
            && (!network.couples_rows() || keep_workers(&mut self.workers, parts));
        let per_shard = if cut { batch.len().div_ceil(parts) } else { batch.len() };
        let used = batch.len().div_ceil(per_shard);
        let detect_anomalies = self.detect_anomalies;
        self.shards.resize_with(used.max(self.shards.len()), || Shard::new(detect_anomalies));
        (self.used, self.rows, self.reduced) = (used, batch.len(), false);
        let job = |(index, (shard, part)): (usize, (&mut Shard<E>, &[usize])), peers| {
            shard.run(network, objective, (rows, part), batch.len(), (seed, index, used), peers);
        };
        let shards = self.shards[..used].iter_mut().zip(batch.chunks(per_shard)).enumerate();
        if let (Some(workers), true) = (&self.workers, used > 1 && network.couples_rows()) {
            let job = |shard, peers| job(shard, Some(peers));
            Meeting::new(used, rayon::current_num_threads()).run(workers, shards, job);
        } else {
            for_each(shards, used > 1 && has_threads(), |shard| job(shard, None));
        }
        // The first shard's sums are handed on as they are: most often there is no other.
        let mut totals = self.shards[0].take_totals();
        self.shards[1..used].iter().for_each(|shard| objective.add(&mut totals, shard.totals()));
        // Each penalty was found by one shard; they are added up in the order of the parameters.
        for parameter in 0..network.parameters().len() {
            totals.penalty += self.shards[parameter % used].penalty(parameter) * batch.len() as f64;
        }
        totals
    }

    /// Adds up the gradients of the shards, and those of the penalties on weights: the whole gradient, as
    /// [`Step::apply`] will take it.
    ///
    /// # Panics
    /// If no batch went before, or these are steps of another network.
    #[track_caller]
    pub fn reduce<'a>(&'a mut self, network: &'a Network<E>) -> StepGradients<'a, E> {
        self.check(network);
        assert!(self.used > 0, "reduce: call Step::shards first");
        if !self.reduced {
            let forked = self.is_forked(network);
            let jobs = block::sums(network.parameters(), &mut self.gradients);
            let shards = &self.shards[..self.used];
            let job = |sum: block::Sum<'_, E>| sum.run(shards);
            for_each(jobs, forked, job);
            self.reduced = true;
        }
        StepGradients::new(network.parameters(), &mut self.gradients)
    }

    /// The step of `optimizer`, with the gradients of the batch that went before: weights, running statistics, and what
    /// the optimizer remembers. Constraints on weights are enforced.
    ///
    /// # Panics
    /// If no batch went before, or network, state and optimizer do not belong together.
    #[track_caller]
    pub fn apply(&mut self, network: &mut Network<E>, optimizer: &Optimizer, state: &mut OptimizerState<E>) {
        self.check(network);
        assert!(self.used > 0, "apply: call Step::shards first");
        assert!(
            state.slots().len() == network.parameters().len(),
            "apply: state of {} parameters for a network of {}",
            state.slots().len(),
            network.parameters().len()
        );
        if !network.buffers().is_empty() {
            self.shards[..self.used].iter().for_each(|shard| network.apply_updates(shard.updates()));
        }
        state.advance(optimizer, network.parameters());
        let forked = self.is_forked(network);
        let (shards, reduced) = (&self.shards[..self.used], self.reduced);
        let blocks = blocks(network, &mut self.gradients, state);
        let job = |block: Block<'_, E>| block.update((!reduced).then_some(shards), optimizer);
        for_each(blocks, forked, job);
        constrain(network, forked);
        self.used = 0;
    }

    /// Gives back the memory of the steps so far.
    pub(crate) fn release(&mut self) {
        (self.shards, self.workers, self.used) = (Vec::new(), None, 0);
    }

    fn used(&self) -> &[Shard<E>] {
        &self.shards[..self.used]
    }

    /// Whether adding up the gradients and the update are handed to several threads. They go over all values, also those
    /// of tables of which a pass reads a few rows.
    fn is_forked(&self, network: &Network<E>) -> bool {
        let values = network.parameters().iter().map(|p| p.value().len()).sum();
        work(network, self.rows).max(values) >= WORTH_A_FORK && has_threads()
    }

    #[track_caller]
    fn check(&self, network: &Network<E>) {
        let fits = |(p, gradient): (&Parameter<E>, &Vec<E>)| p.value().len() == gradient.len();
        let parameters = network.parameters();
        assert!(
            parameters.len() == self.gradients.len() && parameters.iter().zip(&self.gradients).all(fits),
            "Step: these are steps of a network with other parameters; make new ones with Step::new"
        );
    }
}

/// Whether there is more than one thread: to hand work to a pool of one, and to wait for it, costs time and gains none.
pub(crate) fn has_threads() -> bool {
    rayon::current_num_threads() > 1
}

/// Sees to it that at least so many threads are kept for the steps to come; false if they cannot be started.
fn keep_workers(kept: &mut Option<ThreadPool>, threads: usize) -> bool {
    if kept.as_ref().is_none_or(|workers| workers.current_num_threads() < threads) {
        let builder = ThreadPoolBuilder::new().num_threads(threads).thread_name(|index| format!("mlp-shard-{index}"));
        *kept = builder.build().ok();
    }
    kept.is_some()
}

/// Brings weights back within their limits, as [`Network::constrain`] does.
fn constrain<E: Element>(network: &mut Network<E>, forked: bool) {
    let limited = |p: &ParameterMut<'_, E>| p.is_trainable() && p.constraint().is_some();
    for_each(network.parameters_mut().filter(limited), forked, ParameterMut::constrain);
}

/// Does `job` to all of `items`, handed to the threads one by one if `forked` and there are several.
fn for_each<T: Send>(items: impl Iterator<Item = T>, forked: bool, job: impl Fn(T) + Send + Sync) {
    if !forked {
        return items.for_each(job);
    }
    let items: Vec<T> = items.collect();
    if items.len() > 1 {
        items.into_par_iter().with_max_len(1).for_each(job);
    } else {
        items.into_iter().for_each(job);
    }
}

/// The number of multiplications in one forward pass.
pub(crate) fn work<E: Element>(network: &Network<E>, rows: usize) -> usize {
    rows.saturating_mul(network.multiplications_per_row())
}

#[cfg(test)]
mod tests {
    use mlp_nn::{Dense, Loss, Sequential};
    use mlp_tensor::Tensor;

    use crate::{Fit, Model};

    #[test]
    fn the_memory_of_the_steps_is_gone_with_the_fit() {
        let network = Sequential::new(1).add(Dense::new(1));
        let mut model = Model::builder(network).loss(Loss::MeanSquaredError).build().unwrap();
        let (x, y) = (Tensor::ones([8, 1]), Tensor::ones([8, 1]));
        let mut run = model.run(&x, &y, &Fit::new().epochs(2)).unwrap();
        run.next_epoch().unwrap();
        assert_eq!(run.model().step.shards.len(), 1);
        while run.next_epoch().unwrap().is_some() {}
        assert!(run.model().step.shards.is_empty());
    }
}
