//! What losses want for targets.

use mlp_autograd::Var;
use mlp_tensor::{Element, Tensor};

use super::Loss;

/// What the targets of a loss may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TargetKind {
    /// Any numbers.
    Numbers,
    /// Numbers of 0 and above.
    Counts,
    /// Numbers from 0, for no, to 1, for yes.
    Binary,
    /// -1 for no and 1 for yes; or 0 and 1.
    Signs,
    /// Rows that are the probabilities of classes, usually one-hot; or class numbers, counted from 0.
    Classes,
}

impl TargetKind {
    /// Whether each target value says no or yes.
    pub fn is_yes_or_no(self) -> bool {
        matches!(self, Self::Binary | Self::Signs)
    }

    /// What a target that says yes is above: 0 for signs, so that 0 and -1 both are no, and one half otherwise.
    pub fn yes_above(self) -> f64 {
        if self == Self::Signs { 0.0 } else { 0.5 }
    }
}

/// The one-hot rows of class numbers.
#[track_caller]
pub(super) fn rows_of_classes<'t, E: Element>(loss: &Loss, classes: Var<'t, E>, count: usize) -> Var<'t, E> {
    let classes_of_rows = classes.value();
    let mut rows = Tensor::zeros([classes_of_rows.len(), count]);
    for (row, &class) in rows.as_mut_slice().chunks_mut(count).zip(classes_of_rows.as_slice()) {
        match class.to_usize().filter(|&index| index < count && class == class.trunc()) {
            Some(index) => row[index] = E::one(),
            None => panic!("{loss}: {class} is not a class number from 0 to {}", count - 1),
        }
    }
    classes.tape().constant(rows)
}
