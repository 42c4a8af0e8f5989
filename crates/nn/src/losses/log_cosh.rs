//! The log-cosh loss.

use mlp_autograd::Var;
use mlp_tensor::Element;

use super::{Kind, TargetKind};

/// ln cosh(x - t), value by value.
pub(super) struct LogCosh;

impl Kind for LogCosh {
    fn name(&self) -> String {
        "log-cosh".to_owned()
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Numbers
    }

    fn values<'t, E: Element>(&self, x: Var<'t, E>, t: Var<'t, E>) -> Var<'t, E> {
        (x - t).ln_cosh()
    }
}
