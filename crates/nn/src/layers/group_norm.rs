//! Normalization of groups of features.

use mlp_autograd::Var;
use mlp_tensor::Element;
use serde::{Deserialize, Serialize};

use super::Kind;
use super::norm::{affine, check_epsilon, normalize, plan_affine};
use crate::{NnError, Pass, Plan, Weights};

/// Groups of features with mean 0 and variance 1: the last axis is cut into `groups` equal parts, and each becomes
/// (x - mean) / √(variance + epsilon), with the mean and the variance over the group's features and over all axes
/// between the first and the last. Then every feature is multiplied by its `weight` and its `bias` is added.
///
/// Source: Wu and He, 2018. PyTorch's formula and epsilon (Keras' default is 1e-3); features on the last axis, as in
/// Keras. In a table, `[n, features]`, both are the same.
///
/// # Shapes
/// `[n, .., features]`; the output has the input's shape. `weight` and `bias` `[features]`, which start at 1 and 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GroupNorm {
    /// The number of groups, at least 1; it divides the number of features.
    pub groups: usize,
    /// What is added to the variance, above 0; 1e-5 by default.
    pub epsilon: f64,
    /// Whether there are a weight and a bias; true by default.
    pub affine: bool,
}

impl GroupNorm {
    /// The layer for so many groups, with epsilon 1e-5, a weight and a bias.
    pub fn new(groups: usize) -> Self {
        Self { groups, epsilon: 1e-5, affine: true }
    }

    /// Adds `epsilon` to the variance.
    #[must_use]
    pub fn epsilon(self, epsilon: f64) -> Self {
        Self { epsilon, ..self }
    }

    /// Leaves weight and bias out.
    #[must_use]
    pub fn without_affine(self) -> Self {
        Self { affine: false, ..self }
    }
}

impl Kind for GroupNorm {
    fn name(&self) -> &str {
        "GroupNorm"
    }

    fn plan(&self, input: &[usize], plan: &mut Plan) -> Result<Vec<usize>, NnError> {
        plan.require(self.groups > 0, "groups", self.groups as f64, "at least 1")?;
        check_epsilon(self.epsilon, plan)?;
        if !input[input.len() - 1].is_multiple_of(self.groups) {
            return Err(plan.refuse(input, format!("{} groups do not divide the last axis", self.groups)));
        }
        if self.affine {
            plan_affine(input, true, plan)?;
        }
        Ok(input.to_vec())
    }

    fn forward<'t, E: Element>(
        &self,
        weights: &mut Weights<'_, 't, E>,
        x: Var<'t, E>,
        _: &mut Pass<'t, E>,
    ) -> Var<'t, E> {
        let shape = x.shape();
        let features = shape[shape.len() - 1];
        let places = shape[1..shape.len() - 1].iter().product();
        let width = features / self.groups;
        let y = match places {
            // The values of a group lie side by side.
            1 => normalize(x.reshape([shape[0], self.groups, width]), &[2], self.epsilon),
            _ => normalize(x.reshape([shape[0], places, self.groups, width]), &[1, 3], self.epsilon),
        };
        affine(y.reshape(&shape), self.affine, weights)
    }

    fn detail(&self) -> String {
        format!("{} groups", self.groups)
    }
}
