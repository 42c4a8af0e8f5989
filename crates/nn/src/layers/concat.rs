//! Branches side by side.

use std::sync::Arc;

use mlp_autograd::Var;
use mlp_tensor::{Compact, Element};
use serde::{Deserialize, Serialize};

use super::{Kind, Source, Stack};
use crate::predictor::{Chain, Freezer, Frozen, Step};
use crate::{NnError, Pass, Plan, Weights};

/// Several stacks of layers that all see the input, their outputs joined along the last axis: y = [f₀(x), f₁(x), ..].
///
/// A stack without layers hands on the input itself. [`SelectColumns`](super::SelectColumns) shows how to give each
/// branch its own columns.
///
/// # Shapes
/// `[n, .., dᵢ]` from each branch becomes `[n, .., Σ dᵢ]`. The weights of branch i stand under `branches.i.layers.0`
/// and so on within this layer's path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Concat {
    /// The branches, at least one.
    pub branches: Vec<Stack>,
}

impl Concat {
    /// The branches, in the order in which their outputs are joined.
    pub fn new(branches: impl Into<Vec<Stack>>) -> Self {
        Self { branches: branches.into() }
    }
}

impl Kind for Concat {
    fn name(&self) -> &str {
        "Concat"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.branches(self.branches.len())?;
        let mut joined: Option<Vec<usize>> = None;
        for (index, branch) in self.branches.iter().enumerate() {
            let output = plan.branch(&format!("branches.{index}."), branch, input)?;
            match &mut joined {
                None => joined = Some(output),
                Some(joined) => {
                    let last = joined.len() - 1;
                    let fits = output.len() == joined.len() && output[..last] == joined[..last];
                    match joined[last].checked_add(output[output.len() - 1]).filter(|_| fits) {
                        Some(length) => joined[last] = length,
                        None => {
                            let reason = format!("branch {index} gives rows of shape {output:?}, and those before it");
                            return Err(plan.refuse(input, format!("{reason} {joined:?}: they cannot be joined")));
                        }
                    }
                }
            }
        }
        plan.require(joined.is_some(), "the number of branches", 0.0, "at least 1")?;
        Ok(joined.unwrap_or_default())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        pass: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let branches = self.branches.iter().enumerate();
        let output = |(index, branch): (usize, &Stack)| {
            x.tape().scope(format_args!("branches.{index}"), || branch.forward(weights, x, pass))
        };
        let outputs: Vec<Var<'t, E>> = branches.map(output).collect();
        let last = outputs[0].value().ndim() - 1;
        Var::concatenate(&outputs, last)
    }

    fn source(&self) -> Source {
        Source::Stacks
    }

    fn freeze<E: Element>(&self, own: &mut Freezer<'_, E>) -> Frozen<E> {
        let branches = self.branches.iter().enumerate();
        let branches: Vec<_> =
            branches.map(|(index, branch)| own.stack(&format!("branches.{index}."), branch)).collect();
        let joined = own.output[own.output.len() - 1];
        Frozen::step(Joined { branches, width: own.output.iter().product(), joined })
    }

    fn stacks(&self) -> &[Stack] {
        &self.branches
    }

    fn stacks_mut(&mut self) -> &mut [Stack] {
        &mut self.branches
    }
}

/// Branches at inference: one after the other, each with its output beside the joined one until it is copied there.
#[derive(Debug)]
struct Joined<E: Element> {
    branches: Vec<Chain<E>>,
    /// The number of values of an output row.
    width: usize,
    /// The length of its last axis.
    joined: usize,
}

impl<E: Element> Step<E> for Joined<E> {
    fn width(&self) -> usize {
        self.width
    }

    fn room(&self) -> usize {
        self.branches.iter().map(|branch| branch.width() + branch.room()).max().unwrap_or(0)
    }

    fn run(&self, rows: usize, x: &[E], out: &mut [E], room: &mut [E]) {
        let (places, mut start) = (self.width / self.joined, 0);
        for branch in &self.branches {
            let (y, room) = room.split_at_mut(rows * branch.width());
            branch.run(rows, x, y, room);
            let length = branch.width() / places;
            for (y, out) in y.chunks_exact(length).zip(out.chunks_exact_mut(self.joined)) {
                out[start..][..length].copy_from_slice(y);
            }
            start += length;
        }
    }

    fn compact(&self, format: Compact) -> Result<Option<Arc<dyn Step<E>>>, NnError> {
        let branches = self.branches.iter().map(|branch| branch.compact(format)).collect::<Result<_, NnError>>()?;
        Ok(Some(Arc::new(Self { branches, ..*self })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Sequential};

    #[test]
    fn doubling_without_end_is_refused() {
        let double = |network: Sequential| network.add(Concat::new([Stack::new(), Stack::new()]));
        let doubled = |times| (0..times).fold(Sequential::new(4), |network, _| double(network));
        assert_eq!(doubled(40).output_shape().unwrap(), [1 << 42]);
        let error = doubled(70).check().unwrap_err();
        assert_eq!(error, NnError::TooLarge { layer: "layers.57 (Concat)".to_owned(), shape: vec![1 << 60] });
        // 4 + 8 + .. + 2^23 is 2^24 - 4.
        assert_eq!(doubled(21).check_within(&Limits::default()), Ok(()));
        let error = doubled(22).check_within(&Limits::default()).unwrap_err().to_string();
        let expected = "layers.21 (Concat): 33554428 values in the rows of all layers up to it, and at most 16777216";
        assert!(error.starts_with(expected), "{error}");
    }
}
