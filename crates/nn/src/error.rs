//! What can be wrong with a network's description, its input or its weights.

use std::fmt;

use mlp_registry::OpenError;
use mlp_tensor::{Element, Tensor, TensorError};

use crate::setting::shown;
use crate::{Loss, Task};

/// Why a network cannot be built, fed or filled with weights.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
    /// A network without layers.
    #[error("the network has no layers; add at least one, such as Dense::new(10)")]
    NoLayers,
    /// A setting outside of its range.
    #[error("{layer}: {setting} is {}, but must be {expected}", shown(*value))]
    Setting {
        /// The layer's path and kind, such as `layers.1 (Dropout)`; `input` for the network's input.
        layer: String,
        /// The name of the setting.
        setting: &'static str,
        /// The value that it was given.
        value: f64,
        /// The values that it may have.
        expected: String,
    },
    /// A weight, a buffer or a layer with a name that it cannot have.
    #[error("{layer}: the name \"{}\" {reason}", mlp_registry::shown(name, LONGEST_NAME))]
    Name {
        /// The path and kind of the layer that it belongs to.
        layer: String,
        /// The name.
        name: String,
        /// What is wrong with it, and what to do.
        reason: &'static str,
    },
    /// Weights or rows of more values than a machine word counts.
    #[error("{layer}: a tensor of shape {shape:?} is larger than this machine can address")]
    TooLarge {
        /// The layer's path and kind.
        layer: String,
        /// The shape.
        shape: Vec<usize>,
    },
    /// A description that goes beyond what is let through; see [`Limits`](crate::Limits).
    #[error(
        "{layer}: {found} {what}, and at most {most} are let through; if you trust the description, raise Limits::{setting}"
    )]
    Limit {
        /// The path and kind of the layer at which it was found.
        layer: String,
        /// The name of the limit.
        setting: &'static str,
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// A layer that cannot take the rows which the layers before it give.
    #[error("{layer} cannot take rows of shape {input:?}: {reason}")]
    RowShape {
        /// The layer's path and kind.
        layer: String,
        /// The shape of one row.
        input: Vec<usize>,
        /// What does not fit.
        reason: String,
    },
    /// An activation that gives one number, whatever it is given: a softmax over one value.
    #[error(
        "{layer}: {activation} over a last axis of one value is always {value}; use sigmoid for one output, or give one \
         output for each class"
    )]
    ConstantActivation {
        /// The layer's path and kind.
        layer: String,
        /// The activation.
        activation: String,
        /// What it always is.
        value: f64,
    },
    /// An input with rows of another shape than the network was built for.
    #[error(
        "{layer} expects rows of {}, but the input has shape {found:?}{}",
        rows(expected),
        if found == expected { format!("; a single row would have shape {}", one(expected)) } else { String::new() }
    )]
    InputShape {
        /// The path and kind of the first layer.
        layer: String,
        /// The shape of the rows that it takes.
        expected: Vec<usize>,
        /// The shape of the input.
        found: Vec<usize>,
    },
    /// A slice for a row that has another length than the network's rows.
    #[error("{what} rows of this network have {expected} values, but the slice has {found}")]
    RowLength {
        /// `input` or `output`.
        what: &'static str,
        /// The length of the network's rows.
        expected: usize,
        /// The length of the slice.
        found: usize,
    },
    /// An input that is NaN or infinite.
    #[error(
        "the features hold {value} in row {row}, column {column} (counted from 0), but every value must be a finite \
         number; replace the value or leave the row out"
    )]
    NotFinite {
        /// The row of the first such value.
        row: usize,
        /// The place of the value in that row.
        column: usize,
        /// The value: NaN, infinity or minus infinity.
        value: f64,
    },
    /// A feature that is too large once it is standardized.
    #[error(
        "the feature in row {row}, column {column} (counted from 0) is {value}, which is beyond the largest {number} once \
         it is standardized; check the value, or standardize by the mean and the scale of rows like it"
    )]
    ScaledFeature {
        /// The row.
        row: usize,
        /// The place of the value in that row.
        column: usize,
        /// The value as it was given.
        value: f64,
        /// The number type.
        number: &'static str,
    },
    /// A weight that cannot be kept in fewer bits.
    #[error("{name}: {problem}")]
    Compact {
        /// The name of the parameter, or what else the weight is.
        name: String,
        /// The place of the value in it, the value, and what it was to be kept as.
        problem: TensorError,
    },
    /// An option that says nothing to a loss.
    #[error("{loss} takes no {option}; only {goes_with} do")]
    LossOption {
        /// The loss.
        loss: Loss,
        /// The option.
        option: &'static str,
        /// The losses that have it.
        goes_with: &'static str,
    },
    /// Weights of classes that are not one each.
    #[error("{found} class weights were given for {expected} classes; give one each")]
    ClassWeights {
        /// The number of classes.
        expected: usize,
        /// The number of weights.
        found: usize,
    },
    /// A number in the input that is not a category.
    #[error(
        "{layer}: row {row}, column {column} is {value}, but must be a whole number from 0 to {}",
        categories.saturating_sub(1)
    )]
    Category {
        /// The path and kind of the layer that looks it up.
        layer: String,
        /// The row, counted from 0.
        row: usize,
        /// The column, counted from 0 along all values of a row.
        column: usize,
        /// The number.
        value: f64,
        /// The number of categories.
        categories: usize,
    },
    /// A part of a user's of which a file gives only the name, or that cannot be made from its settings.
    #[error(transparent)]
    Missing(#[from] OpenError),
    /// A part of a user's that a layer needs and of which a file gives only the name.
    #[error("{layer}: {missing}")]
    MissingIn {
        /// The layer's path and kind.
        layer: String,
        /// What is missing.
        missing: Box<OpenError>,
    },
    /// Outputs that do not do for a task, or a question that they have no answer to.
    #[error("the task is {task}: {reason}")]
    Output {
        /// The task.
        task: Task,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// Weights that do not fit the network, all of them at once.
    #[error("the weights do not fit the network: {0}")]
    State(StateMismatch),
    /// A name or a pattern that stands for nothing in the network.
    #[error("no weight is named {name:?}; there are {}{}", in_words(known), if *pattern { PATTERN } else { "" })]
    NoSuchName {
        /// The name or the pattern.
        name: String,
        /// The names that there are.
        known: Vec<String>,
        /// Whether it might have been a pattern.
        pattern: bool,
    },
}

impl fmt::Debug for NnError {
    /// The message, so that a `main` that returns the error tells people what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names for a message: some of them, and none of them at full length, since they may come from a file.
pub(crate) fn in_words(names: &[String]) -> String {
    list(names, ", ", |name| mlp_registry::shown(name, LONGEST_NAME))
}

/// The first items of a list, and how many more there are.
fn list<T>(items: &[T], separator: &str, shown: impl Fn(&T) -> String) -> String {
    let first: Vec<String> = items.iter().take(MOST_NAMES).map(shown).collect();
    let rest = items.len() - first.len();
    first.join(separator) + &if rest > 0 { format!(" and {rest} more") } else { String::new() }
}

fn rows(shape: &[usize]) -> String {
    match shape {
        [features] => format!("{features} features"),
        shape => format!("shape {shape:?}"),
    }
}

/// The shape of a batch of one row.
fn one(row: &[usize]) -> String {
    format!("{:?}", [&[1], row].concat())
}

/// What a pattern is.
const PATTERN: &str = ", and * stands for any part of a name, as in layers.0.*";
/// A message lists at most this many names.
const MOST_NAMES: usize = 16;
/// A message shows at most this many characters of a name.
const LONGEST_NAME: usize = 80;

/// What keeps weights from being loaded.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StateMismatch {
    /// Parameters and buffers of the network that were not given.
    pub missing: Vec<String>,
    /// Names that were given but that the network does not have.
    pub unexpected: Vec<String>,
    /// Name, shape in the network, shape given.
    pub misshaped: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// Name, place and value of the first number in a tensor that is NaN or infinite.
    pub not_finite: Vec<(String, Vec<usize>, f64)>,
}

impl StateMismatch {
    /// Whether everything fitted.
    pub fn is_empty(&self) -> bool {
        let Self { missing, unexpected, misshaped, not_finite } = self;
        missing.is_empty() && unexpected.is_empty() && misshaped.is_empty() && not_finite.is_empty()
    }

    /// Whether `value` has the shape of the weight or buffer `name`; if not, it is noted.
    pub(crate) fn fits<E: Element>(&mut self, name: &str, expected: &[usize], value: &Tensor<E>) -> bool {
        let fits = value.shape() == expected;
        if !fits {
            self.misshaped.push((name.to_owned(), expected.to_vec(), value.shape().to_vec()));
        }
        fits
    }

    /// Whether `value` has the shape of the weight or buffer `name` and is finite; what is wrong with it is noted.
    pub(crate) fn takes<E: Element>(&mut self, name: &str, expected: &[usize], value: &Tensor<E>) -> bool {
        if !self.fits(name, expected, value) {
            return false;
        }
        if value.all_finite() {
            return true;
        }
        let place = value.as_slice().iter().position(|v| !v.is_finite()).unwrap_or(0);
        self.not_finite.push((name.to_owned(), index(place, expected), value.as_slice()[place].as_f64()));
        false
    }

    /// What to do.
    fn advice(&self) -> String {
        let mut advice = Vec::new();
        if !self.missing.is_empty() || !self.unexpected.is_empty() {
            advice.push(
                "give every weight and buffer by its name, and no others, or take what fits by load_state_lenient",
            );
        }
        if !self.misshaped.is_empty() {
            advice.push("give tensors of the network's shapes");
        }
        if !self.not_finite.is_empty() {
            advice.push("give finite numbers, such as those from before a training that diverged");
        }
        advice.join("; ")
    }
}

impl fmt::Display for StateMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (what, names) in [("missing", &self.missing), ("unexpected", &self.unexpected)] {
            if !names.is_empty() {
                parts.push(format!("{what} {}", in_words(names)));
            }
        }
        if !self.misshaped.is_empty() {
            parts.push(list(&self.misshaped, "; ", |(name, expected, found)| {
                let name = mlp_registry::shown(name, LONGEST_NAME);
                format!("{name} has shape {found:?} where the network has {expected:?}")
            }));
        }
        if !self.not_finite.is_empty() {
            parts.push(list(&self.not_finite, "; ", |(name, index, value)| {
                format!("{} holds {value} at {index:?}", mlp_registry::shown(name, LONGEST_NAME))
            }));
        }
        if parts.is_empty() {
            return f.write_str("nothing is wrong");
        }
        write!(f, "{}; {}", parts.join("; "), self.advice())
    }
}

/// The index of the value at `place` of a tensor of shape `shape`.
fn index(mut place: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|&length| {
            let along = place % length.max(1);
            place /= length.max(1);
            along
        })
        .collect();
    index.reverse();
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, Network, Sequential};

    /// A `main` that returns the error prints it so.
    #[test]
    fn errors_are_their_messages_with_debug_as_well() {
        let mut network: Network = Sequential::new(4).add(Dense::new(3)).init(0).unwrap();
        let errors = [
            Sequential::new(4).check().unwrap_err(),
            Sequential::new(4).add(Dense::new(0)).check().unwrap_err(),
            network.predict(&Tensor::zeros([2, 5])).unwrap_err(),
            network.set_tensor("layers.0.bias", Tensor::zeros([4])).unwrap_err(),
            network.freeze("head.*").unwrap_err(),
        ];
        for error in errors {
            assert_eq!(format!("{error:?}"), error.to_string());
        }
    }

    #[test]
    fn a_place_is_shown_as_an_index_of_every_axis() {
        // 23 = (1 · 3 + 2) · 4 + 3
        assert_eq!(index(23, &[2, 3, 4]), [1, 2, 3]);
        assert_eq!(index(3, &[4]), [3]);
        assert_eq!(index(0, &[]), [0; 0]);
    }
}
