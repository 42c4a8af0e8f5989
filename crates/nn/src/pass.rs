//! One forward pass: what it draws from, and what it leaves behind.

use std::sync::Arc;

use mlp_autograd::{Peers, Var};
use mlp_tensor::{Element, Rng, Tensor};

use crate::Buffer;
use crate::plan::Extent;

/// One forward pass through a network: whether it trains, the generator that dropout draws from, and what the layers
/// leave behind beside their output.
///
/// A pass is used once. In training it collects the new values of buffers (running statistics), which
/// [`Network::apply_updates`](crate::Network::apply_updates) writes after the step, and, in training and at inference, the
/// penalties of activity regularizers, which belong in the loss.
///
/// ```
/// use mlp_autograd::Tape;
/// use mlp_nn::{Dense, Dropout, Pass, Sequential};
/// use mlp_tensor::{Rng, Tensor};
///
/// let network = Sequential::new(2).add(Dense::new(8)).add(Dropout::new(0.5)).init::<f32>(1)?;
/// let tape = Tape::new();
/// let parameters = network.variables(&tape);
/// let x = tape.constant(Tensor::ones([3, 2]));
/// let trained = network.forward(&parameters, x, &mut Pass::training(Rng::new(7)));
/// let used = network.forward(&parameters, x, &mut Pass::inference());
/// assert_ne!(trained.value(), used.value());
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pass<'t, E: Element = f32> {
    rng: Option<Rng>,
    updates: Updates<E>,
    penalty: Option<Var<'t, E>>,
    peers: Option<Arc<dyn Peers<E>>>,
}

/// New values of buffers, which a pass in training has left.
#[derive(Clone, Debug)]
pub struct Updates<E: Element = f32>(pub(crate) Vec<(usize, Tensor<E>)>);

impl<E: Element> Default for Updates<E> {
    /// None.
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'t, E: Element> Pass<'t, E> {
    /// A pass that trains: dropout drops what `rng` says, and batch normalization uses the batch's statistics.
    pub fn training(rng: Rng) -> Self {
        Self { rng: Some(rng), updates: Updates::default(), penalty: None, peers: None }
    }

    /// A pass in which every layer computes what it does at inference.
    pub fn inference() -> Self {
        Self { rng: None, updates: Updates::default(), penalty: None, peers: None }
    }

    /// The pass over one part of a batch, of which `peers` have the others, each on a tape and a thread of its own: batch
    /// normalization then uses the statistics of all parts. The one with the first part leaves the running averages.
    #[must_use]
    pub fn among(self, peers: Arc<dyn Peers<E>>) -> Self {
        Self { peers: Some(peers), ..self }
    }

    /// Those who have the other parts of the batch, where it was cut.
    pub fn peers(&self) -> Option<&Arc<dyn Peers<E>>> {
        self.peers.as_ref()
    }

    /// The pass with the memory of an earlier one's updates, which are forgotten.
    #[must_use]
    pub fn reusing(self, mut updates: Updates<E>) -> Self {
        updates.0.clear();
        Self { updates, ..self }
    }

    /// Whether the pass trains.
    pub fn is_training(&self) -> bool {
        self.rng.is_some()
    }

    /// The generator of a pass that trains.
    pub fn rng(&mut self) -> Option<&mut Rng> {
        self.rng.as_mut()
    }

    /// Leaves a new value for a buffer. A buffer that is frozen stays as it is.
    ///
    /// # Panics
    /// If `value` has another shape than the buffer.
    #[track_caller]
    pub fn update(&mut self, buffer: BufferRef<'_, E>, value: Tensor<E>) {
        let (name, expected) = (buffer.buffer.name(), buffer.value().shape());
        assert!(
            value.shape() == expected,
            "update: a value of shape {:?} for {name}, which has shape {expected:?}",
            value.shape()
        );
        if !buffer.is_frozen() {
            self.updates.0.push((buffer.index, value));
        }
    }

    /// Adds a penalty, of shape `[]`, to the loss of this pass.
    ///
    /// # Panics
    /// If `penalty` has another shape.
    #[track_caller]
    pub fn penalize(&mut self, penalty: Var<'t, E>) {
        let value = penalty.value();
        assert!(value.ndim() == 0, "penalize: a penalty has shape [], but this one has {:?}; sum it up", value.shape());
        self.penalty = Some(self.penalty.map_or(penalty, |sum| sum + penalty));
    }

    /// The sum of the penalties that layers have left; `None` if there are none.
    pub fn penalty(&self) -> Option<Var<'t, E>> {
        self.penalty
    }

    /// The new values of buffers, for [`Network::apply_updates`](crate::Network::apply_updates).
    pub fn into_updates(self) -> Updates<E> {
        self.updates
    }
}

/// The weights and buffers of a layer, handed out in the order in which its plan declared them. A layer gets its own and
/// no others.
#[derive(Debug)]
pub struct Weights<'a, 't, E: Element = f32> {
    parameters: &'a [Var<'t, E>],
    buffers: &'a [Buffer<E>],
    /// How many of them were handed out, to the layer or to those inside of it.
    taken: [usize; 2],
    /// The place of the first buffer among the network's.
    first_buffer: usize,
    /// What the layers inside of it have, in the order in which they are planned.
    layers: &'a [Extent],
    /// The shape of an output row, by the plan.
    output: &'a [usize],
}

/// A buffer as a layer's forward sees it.
#[derive(Clone, Copy, Debug)]
pub struct BufferRef<'a, E: Element = f32> {
    index: usize,
    buffer: &'a Buffer<E>,
}

impl<'a, 't, E: Element> Weights<'a, 't, E> {
    /// Those of the network that `layers` are the plan of.
    pub(crate) fn new(parameters: &'a [Var<'t, E>], buffers: &'a [Buffer<E>], layers: &'a [Extent]) -> Self {
        Self { parameters, buffers, taken: [0; 2], first_buffer: 0, layers, output: &[] }
    }

    /// Those of one layer, without layers inside of it, by itself.
    pub(crate) fn of_layer(parameters: &'a [Var<'t, E>], buffers: &'a [Buffer<E>], output: &'a [usize]) -> Self {
        Self { output, ..Self::new(parameters, buffers, &[]) }
    }

    /// Those of the next layer inside.
    pub(crate) fn next_layer(&mut self) -> Self {
        let Some((Extent { parameters, buffers, layers, output }, rest)) = self.layers.split_first() else {
            unreachable!("every layer was planned");
        };
        let inner;
        (inner, self.layers) = rest.split_at(*layers);
        let own = Self {
            parameters: &self.parameters[self.taken[0]..][..*parameters],
            buffers: &self.buffers[self.taken[1]..][..*buffers],
            taken: [0; 2],
            first_buffer: self.first_buffer + self.taken[1],
            layers: inner,
            output,
        };
        self.taken = [self.taken[0] + parameters, self.taken[1] + buffers];
        own
    }

    /// The next weight.
    ///
    /// # Panics
    /// If the layer has declared no more.
    #[track_caller]
    pub fn parameter(&mut self) -> Var<'t, E> {
        match self.parameters.get(self.taken[0]) {
            Some(&variable) => {
                self.taken[0] += 1;
                variable
            }
            None => panic!("Weights: the layer takes more than the {} weights that its plan declared", self.taken[0]),
        }
    }

    /// The next buffer.
    ///
    /// # Panics
    /// If the layer has declared no more.
    #[track_caller]
    pub fn buffer(&mut self) -> BufferRef<'a, E> {
        match self.buffers.get(self.taken[1]) {
            Some(buffer) => {
                self.taken[1] += 1;
                BufferRef { index: self.first_buffer + self.taken[1] - 1, buffer }
            }
            None => panic!("Weights: the layer takes more than the {} buffers that its plan declared", self.taken[1]),
        }
    }

    /// Checks that the layer has taken all.
    #[track_caller]
    pub(crate) fn check_used_up(&self) {
        for (what, taken, all) in
            [("weights", self.taken[0], self.parameters.len()), ("buffers", self.taken[1], self.buffers.len())]
        {
            let left = all - taken;
            assert!(left == 0, "Weights: the layer has left {left} of the {all} {what} that its plan declared");
        }
    }

    /// Checks that `y`, the layer's output for `x`, has the shape that the plan says.
    #[track_caller]
    pub(crate) fn check_output(&self, x: Var<'t, E>, y: Var<'t, E>) {
        let (rows, y) = (x.value().rows(), y.value());
        if y.shape().split_first() != Some((&rows, self.output)) {
            let expected = [&[rows], self.output].concat();
            panic!("forward: the layer's output has shape {:?}, but its plan says {expected:?}", y.shape());
        }
    }
}

impl<'a, E: Element> BufferRef<'a, E> {
    /// The value.
    pub fn value(self) -> &'a Tensor<E> {
        &self.buffer.value
    }

    /// Whether the value is not to be updated.
    pub fn is_frozen(self) -> bool {
        !self.buffer.trainable
    }
}
