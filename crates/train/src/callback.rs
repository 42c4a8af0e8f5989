//! What looks at a run as it goes on, and acts on it.

use std::collections::BTreeMap;
use std::fmt;

use mlp_io::SavedModel;
use mlp_nn::Network;
use mlp_optim::Optimizer;
use mlp_registry::Settings;
use mlp_tensor::{Element, Tensor};

use crate::{Epoch, History, Model, TrainError};

/// Something that is told of a run's start, of every step and epoch, and of its end. It can stop the run, set the learning
/// rate, replace the weights and save the model, all through the [`RunContext`].
///
/// A run that is saved holds the callback's name, settings and state; resumed, the callback is made from its settings by
/// the registry that opened the file, and goes on from its state.
///
/// ```
/// use mlp_train::{Callback, RunContext, TrainError};
/// use mlp_tensor::Element;
///
/// /// Halves the learning rate after every epoch.
/// #[derive(Clone, Debug)]
/// struct Halve;
///
/// impl<E: Element> Callback<E> for Halve {
///     fn name(&self) -> &str {
///         "halve"
///     }
///     fn on_epoch_end(&mut self, context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
///         context.set_learning_rate(context.learning_rate() / 2.0)
///     }
/// }
///
/// let fit: mlp_train::Fit = mlp_train::Fit::new().epochs(10).callback(Halve);
/// ```
pub trait Callback<E: Element = f32>: fmt::Debug + Send {
    /// The name in files and messages: no other callback's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`](mlp_registry::Registry) makes the callback again: it is registered as a
    /// `Box<dyn Callback<E>>`.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// The run begins: no step has been made yet. A run that is resumed has begun before, and does not begin again.
    ///
    /// # Errors
    /// What must end the run. Then the model stays as the steps so far have left it, and no callback is told anything more.
    fn on_start(&mut self, _context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        Ok(())
    }

    /// A step is over.
    ///
    /// # Errors
    /// As [`Callback::on_start`].
    fn on_step_end(&mut self, _context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        Ok(())
    }

    /// An epoch is over: it is the last one of the history.
    ///
    /// # Errors
    /// As [`Callback::on_start`].
    fn on_epoch_end(&mut self, _context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        Ok(())
    }

    /// The run is over: all epochs are done, or it was stopped.
    ///
    /// # Errors
    /// As [`Callback::on_start`].
    fn on_end(&mut self, _context: &mut RunContext<'_, E>) -> Result<(), TrainError> {
        Ok(())
    }

    /// What must be saved so that the callback can go on after the run was resumed; nothing, unless said otherwise.
    fn state(&self) -> CallbackState<E> {
        CallbackState::default()
    }

    /// Goes on from what [`Callback::state`] gave.
    ///
    /// # Errors
    /// If the state is not one of this callback's: a file may come from anyone.
    fn restore(&mut self, _state: CallbackState<E>) -> Result<(), TrainError> {
        Ok(())
    }
}

/// What a callback remembers: settings for small things, tensors for weights.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CallbackState<E: Element = f32> {
    /// Numbers, truth values, strings and lists by name.
    pub values: Settings,
    /// Tensors by name.
    pub tensors: BTreeMap<String, Tensor<E>>,
}

impl<E: Element> CallbackState<E> {
    /// A state of these values and no tensors.
    pub fn new(values: Settings) -> Self {
        Self { values, tensors: BTreeMap::new() }
    }

    /// With these tensors.
    #[must_use]
    pub fn with_tensors(self, tensors: BTreeMap<String, Tensor<E>>) -> Self {
        Self { tensors, ..self }
    }
}

/// A run as a callback sees it, and what a callback can do about it.
#[derive(Debug)]
pub struct RunContext<'a, E: Element = f32> {
    pub(crate) model: &'a mut Model<E>,
    pub(crate) history: &'a History,
    /// The number of the epoch at hand.
    pub(crate) epoch: usize,
    pub(crate) epochs: usize,
    pub(crate) loss: f64,
    pub(crate) stop: &'a mut bool,
}

impl<E: Element> RunContext<'_, E> {
    /// The number of the epoch at hand in this run, counted from 1; at the start of the run, the first.
    pub fn epoch(&self) -> usize {
        self.epoch
    }

    /// The number of epochs that the run is to have.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The number of steps taken so far, in all fits of the model.
    pub fn steps(&self) -> u64 {
        self.model.state.steps()
    }

    /// The mean loss of the last step's batch, before the step, penalties included; NaN at the start of the run.
    pub fn step_loss(&self) -> f64 {
        self.loss
    }

    /// The epochs of the run that are over.
    pub fn history(&self) -> &History {
        self.history
    }

    /// The last epoch that is over, if there is one.
    pub fn last_epoch(&self) -> Option<&Epoch> {
        self.history.epochs.last()
    }

    /// The optimizer's step size.
    pub fn learning_rate(&self) -> f64 {
        self.model.optimizer.learning_rate()
    }

    /// Sets the optimizer's step size, for the steps to come.
    ///
    /// # Errors
    /// If it is not finite and above 0 in the network's number type.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<(), TrainError> {
        self.model.set_learning_rate(learning_rate)
    }

    /// The network.
    pub fn network(&self) -> &Network<E> {
        &self.model.network
    }

    /// The whole model as it is now, as a file holds it, without the run: what a callback that keeps checkpoints saves.
    ///
    /// ```
    /// use mlp_train::{Callback, RunContext, TrainError};
    ///
    /// /// Saves the model whenever the validation loss is the lowest so far.
    /// #[derive(Clone, Debug)]
    /// struct Best {
    ///     path: std::path::PathBuf,
    ///     loss: f64,
    /// }
    ///
    /// impl Callback for Best {
    ///     fn name(&self) -> &str {
    ///         "best"
    ///     }
    ///     fn on_epoch_end(&mut self, context: &mut RunContext<'_>) -> Result<(), TrainError> {
    ///         let loss = context.last_epoch().and_then(|epoch| epoch.validation.as_ref()).map(|v| v.loss);
    ///         if let Some(loss) = loss.filter(|&loss| loss < self.loss) {
    ///             self.loss = loss;
    ///             context.to_saved().save(&self.path)?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    pub fn to_saved(&self) -> SavedModel<E> {
        self.model.to_saved()
    }

    /// Replaces all weights and buffers.
    ///
    /// # Errors
    /// If one is missing, one too many, of another shape, or holds NaN or infinity.
    pub fn load_state(&mut self, state: BTreeMap<String, Tensor<E>>) -> Result<(), TrainError> {
        self.model.load_state(state)
    }

    /// Ends the run for good, once all callbacks were told of what this one is told of: from [`Callback::on_step_end`] within the
    /// epoch, from [`Callback::on_start`] before the first step.
    pub fn stop(&mut self) {
        *self.stop = true;
    }
}

/// Sets the step size, if it is one.
pub(crate) fn set_learning_rate<E: Element>(optimizer: &mut Optimizer, learning_rate: f64) -> Result<(), TrainError> {
    let before = optimizer.learning_rate();
    optimizer.set_learning_rate(learning_rate);
    let checked = optimizer.check::<E>();
    if checked.is_err() {
        optimizer.set_learning_rate(before);
    }
    Ok(checked?)
}

/// The name of what has none: a file cannot hold a closure.
pub(crate) const CLOSURE: &str = "";

/// A callback as the settings of a fit hold it: every fit begins with a new one.
pub(crate) trait Prototype<E: Element>: fmt::Debug + Send + Sync {
    fn start(&self) -> Box<dyn Callback<E>>;
}

impl<E: Element, C: Callback<E> + Clone + Sync + 'static> Prototype<E> for C {
    fn start(&self) -> Box<dyn Callback<E>> {
        Box::new(self.clone())
    }
}
