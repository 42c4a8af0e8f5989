//! What comes out of a network: what it means, and how raw outputs become answers.

use std::collections::HashSet;
use std::fmt;

use mlp_tensor::simd::vectorize;
use mlp_tensor::{Element, Tensor, argmax, math};
use serde::{Deserialize, Serialize};

use crate::error::in_words;
use crate::predictor::InPlace;
use crate::{Activation, Loss, NnError, TargetKind};

/// What a network predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Task {
    /// Numbers.
    Regression,
    /// One of two classes, by one output: class 1 (yes) or class 0 (no).
    Binary,
    /// One of many classes, by an output for each.
    Multiclass,
    /// Several of many labels, by an output for each: yes or no to every one.
    Multilabel,
}

/// The threshold where none was given; also that of tasks which have none.
const THRESHOLD: f64 = 0.5;

impl Task {
    /// Whether a prediction says yes or no, so that there is a threshold.
    fn has_threshold(self) -> bool {
        matches!(self, Self::Binary | Self::Multilabel)
    }
}

/// The function that makes predictions of what the last layer gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OutputFunction {
    /// Nothing: the last layer gives predictions.
    Identity,
    /// 1 / (1 + e⁻ˣ), a probability from a logit.
    Sigmoid,
    /// eˣ / Σ eˣ over the last axis, probabilities from logits.
    Softmax,
    /// eˣ, a rate from its logarithm.
    Exp,
}

/// What comes out of a network: the task, how raw outputs become predictions, and predictions answers.
///
/// It is part of what inference needs, and the one place that decides what accuracy means, which targets fit, how many
/// class names there are, and what the classes of predictions are.
///
/// ```
/// use mlp_nn::{Activation, Loss, Output, Task};
/// use mlp_tensor::Tensor;
///
/// // A network with one output that ends without an activation, trained with binary cross-entropy.
/// let output = Output::of(&Loss::BinaryCrossEntropy, &Activation::Identity, &[1])
///     .with_class_names(["ham", "spam"])
///     .with_threshold(0.8);
/// assert_eq!(output.task(), Task::Binary);
/// let probabilities = output.predictions(Tensor::from([[0.0], [2.0]]))?;
/// assert_eq!(output.classes(&probabilities)?, [0, 1]); // of 0.5 and 0.88
/// assert_eq!(output.labels(&probabilities)?, ["ham", "spam"]);
/// # Ok::<(), mlp_nn::NnError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    task: Task,
    function: OutputFunction,
    threshold: f64,
    class_names: Vec<String>,
    /// What targets were standardized by, one for each output; empty if they were not.
    target_mean: Vec<f64>,
    target_scale: Vec<f64>,
}

impl Output {
    /// An output for `task` whose raw outputs become predictions by `function`, with a threshold of 0.5.
    pub fn new(task: Task, function: OutputFunction) -> Self {
        let (class_names, target_mean, target_scale) = (Vec::new(), Vec::new(), Vec::new());
        Self { task, function, threshold: THRESHOLD, class_names, target_mean, target_scale }
    }

    /// The output of a network that ends in `activation`, gives rows of shape `row` and is trained with `loss`.
    ///
    /// Classes as targets make the task [`Task::Multiclass`], answers of yes or no [`Task::Binary`] where a row has one
    /// value and [`Task::Multilabel`] where it has more, numbers [`Task::Regression`]. Without an activation at the end,
    /// predictions are made by [`Loss::function`]. The threshold is 0.5 for probabilities, and 0 for losses whose targets
    /// are signs.
    pub fn of(loss: &Loss, activation: &Activation, row: &[usize]) -> Self {
        let targets = loss.targets();
        let task = match targets {
            TargetKind::Classes => Task::Multiclass,
            TargetKind::Binary | TargetKind::Signs if row.iter().product::<usize>() == 1 => Task::Binary,
            TargetKind::Binary | TargetKind::Signs => Task::Multilabel,
            TargetKind::Numbers | TargetKind::Counts => Task::Regression,
        };
        let function = if *activation == Activation::Identity { loss.function() } else { OutputFunction::Identity };
        Self { threshold: targets.yes_above(), ..Self::new(task, function) }
    }

    /// With another task. For one that has no threshold, the threshold goes back to 0.5.
    #[must_use]
    pub fn with_task(self, task: Task) -> Self {
        let threshold = if task.has_threshold() { self.threshold } else { THRESHOLD };
        Self { task, threshold, ..self }
    }

    /// Predicts yes where a prediction is above `threshold`; for the tasks that have one,
    /// [`Task::Binary`] and [`Task::Multilabel`]. Where predictions are probabilities, it lies between 0 and 1.
    #[must_use]
    pub fn with_threshold(self, threshold: f64) -> Self {
        Self { threshold, ..self }
    }

    /// Names the classes: two for [`Task::Binary`], no first; otherwise one for each output. No name comes twice.
    #[must_use]
    pub fn with_class_names<S: Into<String>>(self, names: impl IntoIterator<Item = S>) -> Self {
        Self { class_names: names.into_iter().map(Into::into).collect(), ..self }
    }

    /// Predictions in the units of the targets, where the network is trained on (target - mean) / scale: one mean and
    /// one scale for each output.
    #[must_use]
    pub fn with_target_scale(self, mean: impl Into<Vec<f64>>, scale: impl Into<Vec<f64>>) -> Self {
        Self { target_mean: mean.into(), target_scale: scale.into(), ..self }
    }

    /// What the network predicts.
    pub fn task(&self) -> Task {
        self.task
    }

    /// What makes predictions of raw outputs.
    pub fn function(&self) -> OutputFunction {
        self.function
    }

    /// What a prediction must be above to mean yes.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The names of the classes; empty if none were given.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The means and the scales that targets were standardized by, if they were.
    pub fn target_scale(&self) -> Option<(&[f64], &[f64])> {
        (!self.target_scale.is_empty()).then_some((&self.target_mean[..], &self.target_scale[..]))
    }

    /// The number of classes of a network that gives rows of shape `row`: 0 for [`Task::Regression`].
    pub fn class_count(&self, row: &[usize]) -> usize {
        match self.task {
            Task::Regression => 0,
            Task::Binary => 2,
            Task::Multiclass | Task::Multilabel => row.last().copied().unwrap_or(1),
        }
    }

    /// Checks the parts against each other and against a network that gives rows of shape `row`.
    ///
    /// # Errors
    /// If the task does not fit the shape, the threshold is not finite, not of use to the task, or beyond all probabilities
    /// that [`Output::function`] makes, there are class names without classes, another number of them or one that comes
    /// twice, or scales of targets that are not one for each output.
    pub fn check(&self, row: &[usize]) -> Result<(), NnError> {
        self.fits(row)?;
        self.check_names()
    }

    /// As [`Output::check`], for a network that was trained with `loss`: it tells probabilities from scores also where the
    /// network ends in the function that makes them.
    ///
    /// # Errors
    /// As [`Output::check`].
    pub fn check_for(&self, loss: &Loss, row: &[usize]) -> Result<(), NnError> {
        self.check_row(row, makes_probabilities(self.function) || makes_probabilities(loss.function()))?;
        self.check_names()
    }

    /// As [`Output::check`], without a look at every class name: for what happens with every prediction.
    fn fits(&self, row: &[usize]) -> Result<(), NnError> {
        self.check_row(row, makes_probabilities(self.function))
    }

    /// A label must say which class it is.
    fn check_names(&self) -> Result<(), NnError> {
        let mut seen = HashSet::new();
        match self.class_names.iter().find(|name| !seen.insert(name.as_str())) {
            None => Ok(()),
            Some(twice) => {
                let name = in_words(std::slice::from_ref(twice));
                self.refuse(&format!("the class name \"{name}\" comes twice; give each class its own"))
            }
        }
    }

    fn check_row(&self, row: &[usize], probabilities: bool) -> Result<(), NnError> {
        let Self { task, threshold, .. } = *self;
        let refuse = |reason: String| Err(NnError::Output { task, reason });
        let values: usize = row.iter().product();
        if task == Task::Binary && values != 1 {
            return refuse(format!("it needs one output, but the rows have shape {row:?}"));
        }
        if task == Task::Multiclass && (row.len() != 1 || values < 2) {
            return refuse(format!(
                "it needs one output for each class, at least two, but the rows have shape {row:?}; for two classes by one \
                 output use a loss for yes and no, such as BinaryCrossEntropy"
            ));
        }
        if task == Task::Multilabel && row.len() != 1 {
            return refuse(format!("it needs one output for each label, but the rows have shape {row:?}; add Flatten"));
        }
        if !threshold.is_finite() {
            return refuse(format!("its threshold is {threshold}, but must be finite"));
        }
        if !task.has_threshold() && threshold != THRESHOLD {
            return refuse(format!("it has no threshold, but {threshold} was given; leave it out"));
        }
        if task.has_threshold() && probabilities && !(0.0..=1.0).contains(&threshold) {
            return refuse(format!(
                "its threshold is {threshold}, but predictions are probabilities; choose one between 0 and 1"
            ));
        }
        let (expected, found) = (self.class_count(row), self.class_names.len());
        if found != 0 && expected == 0 {
            return refuse(format!("it has no classes, but {found} class names were given; leave them out"));
        }
        if found != 0 && found != expected {
            return refuse(format!("it has {expected} classes, but {found} class names were given; name each or none"));
        }
        let (means, scales) = (self.target_mean.len(), self.target_scale.len());
        if (means, scales) != (0, 0) {
            if task != Task::Regression {
                return refuse("only numbers have a scale, but one was given for the targets".to_owned());
            }
            if (means, scales) != (values, values) {
                return refuse(format!("{means} means and {scales} scales of targets were given for {values} outputs"));
            }
            let sound = |(mean, scale): (&f64, &f64)| mean.is_finite() && scale.is_finite() && *scale > 0.0;
            if !self.target_mean.iter().zip(&self.target_scale).all(sound) {
                return refuse("means of targets must be finite, and scales finite and above 0".to_owned());
            }
        }
        Ok(())
    }

    /// Predictions from what the last layer gives, `[n, ..]`: probabilities where the task is about classes, numbers in
    /// the targets' units.
    ///
    /// # Errors
    /// As [`Output::check`], if the rows of `raw` are not those of a network with this output.
    pub fn predictions<E: Element>(&self, mut raw: Tensor<E>) -> Result<Tensor<E>, NnError> {
        self.fits(row_of(&raw))?;
        if self.changes_values() {
            let last = raw.shape().last().copied().unwrap_or(1);
            self.finish(raw.as_mut_slice(), last);
        }
        Ok(raw)
    }

    /// Whether predictions are anything else than what the last layer gives.
    pub(crate) fn changes_values(&self) -> bool {
        self.function != OutputFunction::Identity || !self.target_scale.is_empty()
    }

    /// Makes predictions of what the last layer gives, in its place; `last` is the length of the last axis.
    pub(crate) fn finish<E: Element>(&self, values: &mut [E], last: usize) {
        let function = match self.function {
            OutputFunction::Identity => None,
            OutputFunction::Sigmoid => Activation::Sigmoid.in_place(),
            OutputFunction::Softmax => Activation::Softmax.in_place(),
            OutputFunction::Exp => Some(exp as InPlace<E>),
        };
        if let Some(function) = function {
            values.chunks_mut(last.max(1)).for_each(function);
        }
        self.to_target_units(values);
    }

    /// Brings rows of standardized numbers into the targets' units, v · scale + mean, in their place; nothing, where
    /// targets were not standardized.
    ///
    /// # Panics
    /// If there is not one mean and one scale for each value of a row.
    #[track_caller]
    pub fn to_target_units<E: Element>(&self, rows: &mut [E]) {
        let (means, scales) = (&self.target_mean, &self.target_scale);
        if means.is_empty() && scales.is_empty() {
            return;
        }
        assert!(
            means.len() == scales.len() && rows.len().is_multiple_of(means.len()),
            "to_target_units: {} means and {} scales do not fit rows of {} values in all",
            means.len(),
            scales.len(),
            rows.len()
        );
        for row in rows.chunks_mut(means.len()) {
            for ((value, mean), scale) in row.iter_mut().zip(means).zip(scales) {
                *value = E::from_f64(value.as_f64() * scale + mean);
            }
        }
    }

    /// The class of each row of `predictions`: the one with the largest prediction, or, of two classes by one output, 1
    /// where the prediction is above the threshold.
    ///
    /// # Errors
    /// If the task has no classes, or several a row: then see [`Output::indicators`]. As [`Output::check`], if the rows of
    /// `predictions` are not those of a network with this output.
    pub fn classes<E: Element>(&self, predictions: &Tensor<E>) -> Result<Vec<usize>, NnError> {
        match self.task {
            Task::Multilabel => self.refuse("a row has several labels, not one class; ask for indicators instead"),
            _ => self.answers(predictions),
        }
    }

    /// The class of each row of `predictions`, or for [`Task::Multilabel`] 0 or 1 for each label, row after row.
    ///
    /// # Errors
    /// If the task has no classes. As [`Output::check`], if the rows of `predictions` are not those of a network with this
    /// output.
    pub fn answers<E: Element>(&self, predictions: &Tensor<E>) -> Result<Vec<usize>, NnError> {
        self.fits(row_of(predictions))?;
        match self.task {
            Task::Multiclass => Ok((0..predictions.rows()).map(|row| argmax(predictions.row(row))).collect()),
            Task::Binary | Task::Multilabel => {
                Ok(predictions.as_slice().iter().map(|&p| usize::from(self.is_yes(p))).collect())
            }
            Task::Regression => self.refuse(NO_CLASSES),
        }
    }

    /// The name of the class of each row of `predictions`.
    ///
    /// # Errors
    /// As [`Output::classes`], and if the classes were not named.
    pub fn labels<E: Element>(&self, predictions: &Tensor<E>) -> Result<Vec<&str>, NnError> {
        let classes = self.classes(predictions)?;
        if self.class_names.is_empty() {
            return self.refuse("its classes have no names; give them to the model as class names");
        }
        Ok(classes.into_iter().map(|class| self.class_names[class].as_str()).collect())
    }

    /// 1 where a prediction means yes and 0 where it means no, in the shape of `predictions`; of one of many classes, 1
    /// for the class of the row.
    ///
    /// # Errors
    /// If the task has no classes. As [`Output::check`], if the rows of `predictions` are not those of a network with this
    /// output.
    pub fn indicators<E: Element>(&self, predictions: &Tensor<E>) -> Result<Tensor<E>, NnError> {
        self.fits(row_of(predictions))?;
        match self.task {
            Task::Regression => self.refuse(NO_CLASSES),
            Task::Multiclass => {
                let mut indicators = Tensor::zeros(predictions.shape());
                let width = predictions.row_len();
                for (row, class) in self.classes(predictions)?.into_iter().enumerate() {
                    indicators.as_mut_slice()[row * width + class] = E::one();
                }
                Ok(indicators)
            }
            Task::Binary | Task::Multilabel => {
                Ok(predictions.map(|p| if self.is_yes(p) { E::one() } else { E::zero() }))
            }
        }
    }

    /// Whether a prediction means yes: whether it is above the threshold as `E` has it. In single precision 0.8 is a
    /// little more than the threshold of 0.8, and still not above it.
    pub fn is_yes<E: Element>(&self, prediction: E) -> bool {
        prediction > E::from_f64(self.threshold)
    }

    fn refuse<T>(&self, reason: &str) -> Result<T, NnError> {
        Err(NnError::Output { task: self.task, reason: reason.to_owned() })
    }
}

/// What is said to a question about classes that are none.
const NO_CLASSES: &str = "numbers are not classes; use the predictions themselves";

/// Whether predictions that a function makes are probabilities.
fn makes_probabilities(function: OutputFunction) -> bool {
    matches!(function, OutputFunction::Sigmoid | OutputFunction::Softmax)
}

/// The shape of a row.
fn row_of<E: Element>(rows: &Tensor<E>) -> &[usize] {
    rows.shape().get(1..).unwrap_or_default()
}

fn exp<E: Element>(row: &mut [E]) {
    vectorize(
        #[inline(always)]
        || row.iter_mut().for_each(|v| *v = math::exp(*v)),
    );
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Regression => "regression",
            Self::Binary => "binary classification",
            Self::Multiclass => "multiclass classification",
            Self::Multilabel => "multilabel classification",
        })
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.task)?;
        if self.task.has_threshold() {
            write!(f, ", yes above {}", self.threshold)?;
        }
        match self.function {
            OutputFunction::Identity => {}
            OutputFunction::Sigmoid => f.write_str(", sigmoid of the outputs")?,
            OutputFunction::Softmax => f.write_str(", softmax of the outputs")?,
            OutputFunction::Exp => f.write_str(", exponential of the outputs")?,
        }
        if !self.class_names.is_empty() {
            write!(f, ", classes {}", in_words(&self.class_names))?;
        }
        if !self.target_scale.is_empty() {
            f.write_str(", targets standardized")?;
        }
        Ok(())
    }
}
