//! Distributions whose variance follows from the shape of the weight.

use mlp_tensor::{Element, Rng, Tensor};

/// The standard deviation of a standard normal distribution that is cut off at two standard deviations.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

/// Fan-in and fan-out: the first axis and the last, which of a vector are the same.
pub(super) fn fans(shape: &[usize]) -> (f64, f64) {
    let fan = |axis: Option<&usize>| axis.copied().unwrap_or(1).max(1) as f64;
    (fan(shape.first()), fan(shape.last()))
}

/// Uniform in ±√(3 variance).
pub(super) fn uniform<E: Element>(shape: &[usize], variance: f64, rng: &mut Rng) -> Tensor<E> {
    let limit = (3.0 * variance).sqrt();
    Tensor::uniform(shape, -limit, limit, rng)
}

/// Normal, truncated at two standard deviations and widened to the variance.
pub(super) fn normal<E: Element>(shape: &[usize], variance: f64, rng: &mut Rng) -> Tensor<E> {
    Tensor::truncated_normal(shape, 0.0, variance.sqrt() / TRUNCATED_STD, rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Initializer;

    #[test]
    fn variances_are_those_of_the_formulas() {
        let (fan_in, fan_out) = (200.0, 300.0);
        let cases = [
            (Initializer::GlorotUniform, 2.0 / (fan_in + fan_out)),
            (Initializer::GlorotNormal, 2.0 / (fan_in + fan_out)),
            (Initializer::HeUniform, 2.0 / fan_in),
            (Initializer::HeNormal, 2.0 / fan_in),
            (Initializer::LecunUniform, 1.0 / fan_in),
            (Initializer::LecunNormal, 1.0 / fan_in),
        ];
        for (initializer, variance) in cases {
            let w: Tensor<f64> = initializer.draw(&[200, 300], &mut Rng::new(1));
            let found = w.square().mean();
            assert!((found / variance - 1.0).abs() < 0.02, "{initializer:?}: {found} for {variance}");
            assert!(w.mean().abs() < 4.0 * (variance / 60_000.0).sqrt(), "{initializer:?}: mean {}", w.mean());
        }
    }

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let draw = |seed| Initializer::HeNormal.draw::<f32>(&[3, 4], &mut Rng::new(seed));
        assert!(draw(1).bit_eq(&draw(1)));
        assert!(!draw(1).bit_eq(&draw(2)));
    }
}
