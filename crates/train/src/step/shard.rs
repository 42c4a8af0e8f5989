//! The first phase: forward and backward of a part of the batch.

use std::sync::{Arc, Mutex, PoisonError};

use mlp_autograd::{Anomaly, Gradient, Peers, Tape};
use mlp_nn::{Network, Pass, Updates};
use mlp_tensor::{Element, Pool, Rng, Tensor};

use crate::{Objective, Rows, Totals};

/// One part of the rows of a batch.
#[derive(Debug)]
pub(super) struct Shard<E: Element> {
    /// The memory of one step's tensors, kept for the next.
    pool: Pool,
    /// A tape is one thread's at a time. The lock is never waited for: it lets a model be shared, to predict.
    tape: Mutex<Tape<E>>,
    /// In the order of the network's parameters; `None` where the loss does not depend on one.
    gradients: Vec<Option<Gradient<E>>>,
    /// Of the parameters that this shard looks after: their penalties, and the gradients of those that need the whole
    /// weight.
    penalties: Vec<Penalty<E>>,
    totals: Totals,
    /// Of the network's buffers.
    updates: Updates<E>,
    /// An empty list, of the size of the handles of the weights.
    variables: Vec<[usize; 2]>,
    detect_anomalies: bool,
    /// What anomaly mode found in this batch.
    anomaly: Option<Anomaly>,
}

/// An empty list in the memory of another, whose values have the same size: the standard library collects a vector in the place
/// of the one that it comes from. Where it does not, the memory is new.
fn recycled<A, B>(mut list: Vec<A>) -> Vec<B> {
    list.clear();
    list.into_iter().map(|_| unreachable!("the list is empty")).collect()
}

#[derive(Debug)]
struct Penalty<E: Element> {
    parameter: usize,
    value: f64,
    gradient: Option<Tensor<E>>,
}

impl<E: Element> Shard<E> {
    /// A shard that looks for the first NaN or infinity, or does not.
    pub(super) fn new(detect_anomalies: bool) -> Self {
        let (pool, tape, updates) = (Pool::default(), Mutex::new(Tape::new()), Updates::default());
        let (gradients, penalties, totals) = (Vec::new(), Vec::new(), Totals::default());
        let variables = Vec::new();
        Self { pool, tape, gradients, penalties, totals, updates, variables, detect_anomalies, anomaly: None }
    }

    /// Forward and backward of `part`, some of the rows of a batch of `batch_rows`, by shard `index` of `shards`. What couples
    /// rows needs the shards' `peers`.
    pub(super) fn run(
        &mut self,
        network: &Network<E>,
        objective: &Objective,
        (rows, part): (&Rows<E>, &[usize]),
        batch_rows: usize,
        (seed, index, shards): (u64, usize, usize),
        peers: Option<Arc<dyn Peers<E>>>,
    ) {
        let mut pool = std::mem::take(&mut self.pool);
        pool.scope(|| {
            self.penalize(network, index, shards);
            self.propagate(network, objective, (rows, part), batch_rows, (Rng::stream(seed, &[index as u64]), peers));
        });
        self.pool = pool;
    }

    /// The penalties on the parameters numbered `index`, `index + shards` and so on, as far as they are trained.
    fn penalize(&mut self, network: &Network<E>, index: usize, shards: usize) {
        self.penalties.clear();
        let own = network.parameters().iter().enumerate().skip(index).step_by(shards);
        for (parameter, p) in own {
            let Some(regularizer) = p.regularizer().filter(|_| p.is_trainable()) else { continue };
            let gradient = (!regularizer.is_by_value()).then(|| regularizer.gradient(p.value()));
            self.penalties.push(Penalty { parameter, value: regularizer.penalty(p.value()), gradient });
        }
    }

    fn propagate(
        &mut self,
        network: &Network<E>,
        objective: &Objective,
        (rows, part): (&Rows<E>, &[usize]),
        batch_rows: usize,
        (rng, peers): (Rng, Option<Arc<dyn Peers<E>>>),
    ) {
        // The last step's gradients make room before this step's activations take it.
        self.gradients.clear();
        let tape = self.tape.get_mut().unwrap_or_else(PoisonError::into_inner);
        if self.detect_anomalies {
            tape.set_detect_anomalies(true);
        }
        let mut variables = recycled(std::mem::take(&mut self.variables));
        network.add_variables(tape, &mut variables);
        let mut pass = Pass::training(rng).reusing(std::mem::take(&mut self.updates));
        if let Some(peers) = peers {
            pass = pass.among(peers);
        }
        let part = rows.batch(part);
        let size = E::from_f64(batch_rows as f64);
        let mut upstream = Tensor::full([part.x.rows()], E::one() / size);
        if !part.weights.is_empty() {
            let weighted = upstream.as_mut_slice().iter_mut().zip(part.weights.as_slice());
            weighted.for_each(|(factor, &weight)| *factor = E::from_f64(weight) / size);
        }
        let share = E::from_f64(part.x.rows() as f64 / batch_rows as f64);
        let (losses, penalty, totals) = objective.forward(network, &variables, part, tape, &mut pass);
        // The gradient of Σ w · loss / n, and of this part's share of the penalty on outputs.
        let (output, upstream) = match penalty {
            None => (losses, upstream),
            Some(penalty) => ((losses * tape.constant(upstream)).sum() + penalty * share, Tensor::scalar(E::one())),
        };
        if output.requires_grad() {
            let mut gradients = output.backward_from(&upstream);
            self.gradients.extend(variables.iter().map(|&variable| gradients.take(variable)));
        } else {
            self.gradients.resize_with(variables.len(), || None);
        }
        (self.totals, self.updates) = (totals, pass.into_updates());
        if self.detect_anomalies {
            self.anomaly = tape.anomaly();
        }
        self.variables = recycled(variables);
        tape.clear();
    }

    /// Turns anomaly mode on or off, for the batches to come.
    pub(super) fn set_detect_anomalies(&mut self, on: bool) {
        (self.detect_anomalies, self.anomaly) = (on, None);
        self.tape.get_mut().unwrap_or_else(PoisonError::into_inner).set_detect_anomalies(on);
    }

    pub(super) fn anomaly(&self) -> Option<&Anomaly> {
        self.anomaly.as_ref()
    }

    pub(super) fn totals(&self) -> &Totals {
        &self.totals
    }

    pub(super) fn take_totals(&mut self) -> Totals {
        std::mem::take(&mut self.totals)
    }

    /// The gradient of a parameter, as far as this shard's rows have a part in it.
    pub(super) fn gradient(&self, parameter: usize) -> Option<&Gradient<E>> {
        self.gradients[parameter].as_ref()
    }

    /// The penalty on a parameter, if this shard looks after it; 0 otherwise.
    pub(super) fn penalty(&self, parameter: usize) -> f64 {
        self.find(parameter).map_or(0.0, |penalty| penalty.value)
    }

    /// The gradient of the penalty on a parameter, where it needs the whole weight.
    pub(super) fn penalty_gradient(&self, parameter: usize) -> Option<&Tensor<E>> {
        self.find(parameter)?.gradient.as_ref()
    }

    fn find(&self, parameter: usize) -> Option<&Penalty<E>> {
        self.penalties.iter().find(|penalty| penalty.parameter == parameter)
    }

    pub(super) fn updates(&self) -> &Updates<E> {
        &self.updates
    }
}
