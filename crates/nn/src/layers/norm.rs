//! What the normalizations share: a weight and a bias for each index of the last axis.

use mlp_autograd::Var;
use mlp_tensor::Element;

use crate::{Initializer, NnError, ParameterSpec, Plan, Weights};

/// Declares `weight`, of ones, and `bias`, of zeros, both `[features]`.
pub(super) fn plan_affine(input: &[usize], bias: bool, plan: &mut Plan) -> Result<(), NnError> {
    let features = input[input.len() - 1];
    plan.parameter(ParameterSpec::new("weight", [features], Initializer::Ones))?;
    if bias {
        plan.parameter(ParameterSpec::new("bias", [features], Initializer::Zeros))?;
    }
    Ok(())
}

pub(super) fn check_epsilon(epsilon: f64, plan: &Plan) -> Result<(), NnError> {
    plan.check(plan.number().above_zero("epsilon", epsilon))
}

/// (x - mean) / √(variance + epsilon), with the mean and the variance over `axes`.
pub(super) fn normalize<'t, E: Element>(x: Var<'t, E>, axes: &[usize], epsilon: f64) -> Var<'t, E> {
    x.standardize_axes(axes, E::from_f64(epsilon)).0
}

/// y · weight + bias, if the layer has them.
pub(super) fn affine<'t, E: Element>(y: Var<'t, E>, affine: bool, weights: &mut Weights<'_, 't, E>) -> Var<'t, E> {
    if !affine {
        return y;
    }
    let weight = weights.parameter();
    y * weight + weights.parameter()
}
