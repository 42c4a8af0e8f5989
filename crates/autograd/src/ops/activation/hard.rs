//! Functions that imitate the smooth ones with straight lines.

use mlp_tensor::Element;

use super::{number, pieces, straight};
use crate::Var;

impl<E: Element> Var<'_, E> {
    /// x, but not below `low` and not above `high`. Derivative: 1 between the two, 0 at them and outside.
    ///
    /// # Panics
    /// If `low` is above `high` or either is NaN.
    #[track_caller]
    pub fn clamp(self, low: E, high: E) -> Self {
        self.between("clamp", low, high)
    }

    /// [`Var::clamp`] as an activation: the bounds are usually -1 and 1.
    ///
    /// # Panics
    /// If `low` is above `high` or either is NaN.
    #[track_caller]
    pub fn hard_tanh(self, low: E, high: E) -> Self {
        self.between("hard_tanh", low, high)
    }

    #[track_caller]
    pub(super) fn between(self, name: &'static str, low: E, high: E) -> Self {
        assert!(low <= high, "{name}: the lower bound {low} must not be above the upper bound {high}");
        straight(
            name,
            self,
            self.value().clamp(low, high),
            #[inline(always)]
            move |x| if x > low && x < high { E::one() } else { E::zero() },
        )
    }

    /// min(max(x + 3, 0), 6) / 6. Derivative: 1/6 between -3 and 3, 0 elsewhere.
    ///
    /// Source: Howard et al., 2019.
    pub fn hard_sigmoid(self) -> Self {
        straight(
            "hard_sigmoid",
            self,
            self.value().map(
                #[inline(always)]
                |x| hard_sigmoid(x),
            ),
            #[inline(always)]
            |x| if x > number(-3.0) && x < number(3.0) { number(1.0 / 6.0) } else { E::zero() },
        )
    }

    /// x · min(max(x + 3, 0), 6) / 6. Derivative: 0 up to -3, x/3 + 1/2 between -3 and 3, 1 from 3 on.
    ///
    /// Source: Howard et al., 2019.
    pub fn hard_swish(self) -> Self {
        let y = self.value().map(
            #[inline(always)]
            |x| if x < number(-3.0) { E::zero() } else { x * hard_sigmoid(x) },
        );
        pieces(
            "hard_swish",
            self,
            y,
            #[inline(always)]
            |x| x <= number(-3.0),
            #[inline(always)]
            |x| {
                let bent = x / number(3.0) + number(0.5);
                let y = if x > number(-3.0) { bent } else { E::zero() };
                if x < number(3.0) { y } else { E::one() }
            },
            |x| {
                let inside = x.value().map(|x| if x > number(-3.0) && x < number(3.0) { E::one() } else { E::zero() });
                let above = x.value().map(|x| if x < number(3.0) { E::zero() } else { E::one() });
                // Cut off first: an infinite x outside of the bend is not to be multiplied by 0.
                let bent = x.clamp(number(-3.0), number(3.0)) / number::<E>(3.0) + number::<E>(0.5);
                bent * x.tape().constant(inside) + x.tape().constant(above)
            },
        )
    }
}

#[inline(always)]
fn hard_sigmoid<E: Element>(x: E) -> E {
    let x = x + number(3.0);
    let x = if x < E::zero() { E::zero() } else { x };
    (if x > number(6.0) { number(6.0) } else { x }) / number(6.0)
}
