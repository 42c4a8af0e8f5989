//! Branches side by side.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::{Columns, Kind, Stack};
use crate::{NnError, Pass, Plan, Weights};

/// A joined row has at most this many values. Branches without weights cost a file next to nothing, however often they
/// double a row; what a file describes must not grow beyond what it holds.
const LONGEST: usize = 1 << 24;

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
        let joined = joined.unwrap_or_default();
        let values = joined.iter().try_fold(1usize, |product, &length| product.checked_mul(length));
        if values.is_none_or(|values| values > LONGEST) {
            let reason =
                format!("its branches together give rows of shape {joined:?}, and at most {LONGEST} values fit");
            return Err(plan.refuse(input, reason));
        }
        Ok(joined)
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
        let last = outputs[0].value().rank() - 1;
        Var::concatenate(&outputs, last)
    }

    fn check_columns<'a, E: Element>(
        &self,
        columns: &Columns<'a, E>,
        path: &str,
    ) -> Result<Option<Columns<'a, E>>, NnError> {
        for (index, branch) in self.branches.iter().enumerate() {
            branch.check_columns(columns, &format!("{path}.branches.{index}."))?;
        }
        Ok(None)
    }

    fn stacks(&self) -> &[Stack] {
        &self.branches
    }

    fn stacks_mut(&mut self) -> &mut [Stack] {
        &mut self.branches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dense, Sequential};

    #[test]
    fn doubling_without_end_is_refused() {
        let double = |network: Sequential| network.add(Concat::new([Stack::new(), Stack::new()]));
        let doubled = |times| (0..times).fold(Sequential::new(4), |network, _| double(network));
        assert_eq!(doubled(22).output_shape().unwrap(), [1 << 24]);
        let error = doubled(60).add(Dense::new(1)).check().unwrap_err().to_string();
        assert!(error.starts_with("layers.22 (Concat) cannot take rows of shape [16777216]: its branches"), "{error}");
    }
}
