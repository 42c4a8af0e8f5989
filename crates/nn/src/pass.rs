//! One forward pass: what it draws from, and what it leaves behind.

use mlp_autograd::Var;
use mlp_tensor::{Element, Rng, Tensor};

use crate::Buffer;

/// One forward pass through a network: whether it trains, the generator that dropout draws from, and what the layers
/// leave behind beside their output.
///
/// A pass is used once. In training it collects the new values of buffers (running statistics), which
/// [`Network::apply_updates`](crate::Network::apply_updates) writes after the step, and, in training and in use, the
/// penalties of activity regularisers, which belong into the loss.
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
    /// A pass that trains: dropout drops what `rng` says, and batch normalisation uses the batch's statistics.
    pub fn training(rng: Rng) -> Self {
        Self { rng: Some(rng), updates: Updates::default(), penalty: None }
    }

    /// A pass in which every layer computes what it does in use.
    pub fn inference() -> Self {
        Self { rng: None, updates: Updates::default(), penalty: None }
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
    pub fn update(&mut self, buffer: Held<'_, E>, value: Tensor<E>) {
        if !buffer.is_frozen() {
            self.updates.0.push((buffer.index, value));
        }
    }

    /// Adds a penalty, of shape `[]`, to the loss of this pass.
    pub fn penalize(&mut self, penalty: Var<'t, E>) {
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

/// The weights and buffers of a layer, handed out in the order in which its plan declared them.
#[derive(Debug)]
pub struct Weights<'a, 't, E: Element = f32> {
    parameters: std::slice::Iter<'a, Var<'t, E>>,
    buffers: std::iter::Enumerate<std::slice::Iter<'a, Buffer<E>>>,
}

/// A buffer as a layer's forward sees it.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a, E: Element = f32> {
    index: usize,
    buffer: &'a Buffer<E>,
}

impl<'a, 't, E: Element> Weights<'a, 't, E> {
    pub(crate) fn new(parameters: &'a [Var<'t, E>], buffers: &'a [Buffer<E>]) -> Self {
        Self { parameters: parameters.iter(), buffers: buffers.iter().enumerate() }
    }

    /// The next weight.
    ///
    /// # Panics
    /// If the layer has declared no more.
    #[track_caller]
    pub fn parameter(&mut self) -> Var<'t, E> {
        match self.parameters.next() {
            Some(&variable) => variable,
            None => panic!("Weights: the layer takes more weights than its plan declared"),
        }
    }

    /// The next buffer.
    ///
    /// # Panics
    /// If the layer has declared no more.
    #[track_caller]
    pub fn buffer(&mut self) -> Held<'a, E> {
        match self.buffers.next() {
            Some((index, buffer)) => Held { index, buffer },
            None => panic!("Weights: the layer takes more buffers than its plan declared"),
        }
    }

    pub(crate) fn is_used_up(&self) -> bool {
        self.parameters.len() == 0 && self.buffers.len() == 0
    }
}

impl<'a, E: Element> Held<'a, E> {
    /// The value.
    pub fn value(self) -> &'a Tensor<E> {
        &self.buffer.value
    }

    /// Whether the value is not to be updated.
    pub fn is_frozen(self) -> bool {
        !self.buffer.trainable
    }
}
