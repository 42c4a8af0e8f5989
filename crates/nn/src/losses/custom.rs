//! Losses that users write.

use std::fmt;
use std::sync::Arc;

use mlp_autograd::Var;
use mlp_registry::{Both, OpenError, Registry, Settings};
use mlp_tensor::Element;

use super::{Kind, Loss, TargetKind};
use crate::OutputFunction;

/// A loss of your own. It goes wherever a [`Loss`] goes.
///
/// ```
/// use mlp_autograd::{Tape, Var};
/// use mlp_nn::{CustomLoss, Loss};
/// use mlp_registry::Settings;
/// use mlp_tensor::{Element, Tensor};
///
/// /// (x - t)², with `factor` times as much where the prediction is too small.
/// #[derive(Debug)]
/// struct Asymmetric {
///     factor: f64,
/// }
///
/// impl CustomLoss for Asymmetric {
///     fn name(&self) -> &str {
///         "asymmetric"
///     }
///     fn settings(&self) -> Settings {
///         Settings::new().with("factor", self.factor)
///     }
///     fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
///         (x - t).relu().square() + (t - x).relu().square() * E::from_f64(self.factor)
///     }
/// }
///
/// let loss = Loss::from(Asymmetric { factor: 3.0 });
/// let tape = Tape::<f32>::new();
/// let (x, t) = (tape.variable(Tensor::from([[1.0], [2.0]])), tape.constant(Tensor::from([[2.0], [0.0]])));
/// assert_eq!(loss.forward(x, t).value().item(), (3.0 + 4.0) / 2.0);
/// ```
pub trait CustomLoss: fmt::Debug + Send + Sync + 'static {
    /// The name in files and messages: no other loss's.
    fn name(&self) -> &str;

    /// The settings, from which a [`Registry`] makes the loss again.
    fn settings(&self) -> Settings {
        Settings::new()
    }

    /// What targets may be; numbers, unless said otherwise. It also says what a model with this loss predicts: see
    /// [`Task`](crate::Task).
    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    /// What makes predictions of the values that the loss takes: nothing, unless said otherwise. A loss that says
    /// softmax or sigmoid takes logits, and a network for it ends in that function or without an activation.
    fn function(&self) -> OutputFunction {
        OutputFunction::Identity
    }

    /// The number of values of a target row where the network has `outputs` values a row, `None` if no row of so many
    /// fits: the same number, unless said otherwise.
    fn target_len(&self, outputs: usize) -> Option<usize> {
        Some(outputs)
    }

    /// The loss of the outputs `x` `[n, ..]` for the targets `t`: one number for each row, `[n]`, or for each value of a
    /// row, `[n, ..]`, of which the mean is taken. A row's numbers must not depend on other rows: a batch is cut into
    /// parts.
    fn forward<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E>;
}

/// A user's loss among those of the library.
pub(crate) type Custom = mlp_registry::Custom<Part>;

/// A user's loss for both number types.
pub(crate) type Part = Both<dyn Erased<f32>, dyn Erased<f64>>;

/// [`CustomLoss`] for one number type.
pub trait Erased<E: Element>: Send + Sync {
    /// [`CustomLoss::targets`].
    fn targets(&self) -> TargetKind;
    /// [`CustomLoss::function`].
    fn function(&self) -> OutputFunction;
    /// [`CustomLoss::target_len`].
    fn target_len(&self, outputs: usize) -> Option<usize>;
    /// [`CustomLoss::forward`].
    fn forward<'t>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E>;
}

impl<E: Element, L: CustomLoss> Erased<E> for L {
    fn targets(&self) -> TargetKind {
        CustomLoss::targets(self)
    }

    fn function(&self) -> OutputFunction {
        CustomLoss::function(self)
    }

    fn target_len(&self, outputs: usize) -> Option<usize> {
        CustomLoss::target_len(self, outputs)
    }

    fn forward<'t>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        CustomLoss::forward(self, x, t)
    }
}

impl<L: CustomLoss> From<L> for Loss {
    fn from(loss: L) -> Self {
        let (name, settings, loss) = (loss.name().to_owned(), loss.settings(), Arc::new(loss));
        Self::Custom(Custom::new(name, settings, Both::new(loss.clone(), loss)))
    }
}

impl Loss {
    /// The same loss, made by `registry` if it is a user's that a file only named. A name that is not registered is
    /// left: [`Loss::check`] refuses it.
    ///
    /// # Errors
    /// If the constructor refuses the settings.
    pub fn open(mut self, registry: &Registry) -> Result<Self, OpenError> {
        mlp_registry::open(&mut self, Self::custom, "Loss", registry)?;
        Ok(self)
    }

    /// Why the loss cannot be computed, if a file only named it.
    pub fn missing(&self) -> Option<OpenError> {
        self.custom()?.get("Loss").err()
    }
}

impl Kind for Custom {
    fn name(&self) -> String {
        self.to_string()
    }

    // Of a loss that is not there nobody asks for more than a guess: `Loss::check` refuses it before it is used.
    fn targets(&self) -> TargetKind {
        self.part().map_or(TargetKind::Numbers, |part| part.get::<dyn Erased<f64>>().targets())
    }

    fn function(&self) -> OutputFunction {
        self.part().map_or(OutputFunction::Identity, |part| part.get::<dyn Erased<f64>>().function())
    }

    fn target_len(&self, outputs: usize) -> Option<usize> {
        self.part().map_or(Some(outputs), |part| part.get::<dyn Erased<f64>>().target_len(outputs))
    }

    #[track_caller]
    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        let values = self.expect("Loss").get::<dyn Erased<E>>().forward(x, t);
        let (rows, found) = (x.shape()[0], values.shape());
        assert!(
            found.first() == Some(&rows),
            "{self}: the loss of {rows} rows has shape {found:?}, but must have one number, or as many as a row has \
             values, for each row; do not sum over the rows"
        );
        values
    }
}
