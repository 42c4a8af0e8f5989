//! The standard normal distribution, by the ziggurat of Marsaglia and Tsang ("The ziggurat method for generating random
//! variables", 2000) as Doornik improved it ("An improved ziggurat method to generate normal random samples", 2005).
//!
//! The area under f(x) = e^(-x²/2) for x ≥ 0 is covered by 256 layers of the same area v: layer 0 reaches from x = 0 to r
//! and has the whole tail beyond beside it; layer i lies on top of it, as wide as xᵢ, up to the height f(xᵢ₊₁), where
//!
//! x₀ = v / f(r),  x₁ = r,  xᵢ₊₁ = f⁻¹(f(xᵢ) + v / xᵢ),  x₂₅₆ = 0.
//!
//! A layer is drawn and a place x = u xᵢ in it, with u uniform from [-1, 1). Below xᵢ₊₁ the whole layer lies under the
//! curve, and x is the number. In the sliver beside that, a height is drawn too, and x is taken if it lies under the curve.
//! In the tail, Marsaglia's method is used: a = -ln(u₁) / r and b = -ln(u₂) are drawn until 2b ≥ a², and the number is
//! r + a, with the sign of u.

use std::sync::LazyLock;

use super::Rng;
use super::functions::{exp, ln};

const LAYERS: usize = 256;
/// r, for which x₂₅₆ comes out as 0, and v.
const R: f64 = 3.654_152_885_361_009;
const V: f64 = 4.928_673_233_974_655e-3;

/// xᵢ and f(xᵢ).
struct Layers {
    x: [f64; LAYERS + 1],
    f: [f64; LAYERS + 1],
}

static TABLE: LazyLock<Layers> = LazyLock::new(|| {
    let mut x = [0.0; LAYERS + 1];
    (x[0], x[1]) = (V / density(R), R);
    for i in 1..LAYERS - 1 {
        x[i + 1] = (-2.0 * ln(density(x[i]) + V / x[i])).sqrt();
    }
    Layers { x, f: x.map(density) }
});

/// f(x).
fn density(x: f64) -> f64 {
    exp(-0.5 * x * x)
}

/// A number drawn from the standard normal distribution.
#[inline]
pub(super) fn sample(rng: &mut Rng) -> f64 {
    let Layers { x: widths, f: heights } = &*TABLE;
    loop {
        // The lowest 8 bits choose the layer, the highest 52 the place in it: a number from [2, 4) less 3.
        let bits = rng.next_u64();
        let i = (bits & 0xff) as usize;
        let u = f64::from_bits((bits >> 12) | (1024 << 52)) - 3.0;
        let x = u * widths[i];
        if x.abs() < widths[i + 1] {
            return x;
        }
        if i == 0 {
            return tail(rng, u);
        }
        if heights[i + 1] + (heights[i] - heights[i + 1]) * rng.uniform() < density(x) {
            return x;
        }
    }
}

#[cold]
fn tail(rng: &mut Rng, u: f64) -> f64 {
    // From (0, 1]: of 0 there is no logarithm.
    let mut draw = || -ln(1.0 - rng.uniform());
    loop {
        let (a, b) = (draw() / R, draw());
        if 2.0 * b >= a * a {
            return if u < 0.0 { -(R + a) } else { R + a };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that Doornik's recursion has to end in, and the areas of the layers.
    #[test]
    fn all_layers_have_one_area() {
        let Layers { x, f } = &*TABLE;
        for i in 1..LAYERS {
            assert!((x[i] * (f[i + 1] - f[i]) - V).abs() < 1e-14, "layer {i}");
            assert!(x[i] > x[i + 1] && f[i] < f[i + 1]);
        }
        assert_eq!((x[LAYERS], f[LAYERS]), (0.0, 1.0));
        // The base: the rectangle up to r and the tail, √(π/2) erfc(r / √2).
        let tail = (std::f64::consts::PI / 2.0).sqrt() * libm::erfc(R / 2f64.sqrt());
        assert!((R * f[1] + tail - V).abs() < 1e-14);
    }

    /// The count of draws in intervals of one fifth, and in both tails, against Φ.
    #[test]
    fn draws_fall_where_the_distribution_has_them() {
        const DRAWS: usize = 4_000_000;
        let rng = &mut Rng::new(21);
        let mut counts = [0_usize; 52];
        for _ in 0..DRAWS {
            counts[((sample(rng) * 5.0).floor() + 26.0).clamp(0.0, 51.0) as usize] += 1;
        }
        let phi = |x: f64| 0.5 * libm::erfc(-x / 2f64.sqrt());
        let mut square = 0.0;
        for (bin, &count) in counts.iter().enumerate() {
            let below = if bin == 0 { 0.0 } else { phi((bin as f64 - 26.0) / 5.0) };
            let above = if bin == 51 { 1.0 } else { phi((bin as f64 - 25.0) / 5.0) };
            let expected = DRAWS as f64 * (above - below);
            square += (count as f64 - expected).powi(2) / expected;
        }
        // 51 degrees of freedom: above 100 once in 50,000 seeds.
        assert!(square < 100.0, "chi-square {square}");
        // The far tail beyond 3.9, drawn by its own method: 2 · 4.81e-5 of all.
        let far = (0..DRAWS).filter(|_| sample(rng).abs() > 3.9).count() as f64;
        let expected = DRAWS as f64 * libm::erfc(3.9 / 2f64.sqrt());
        assert!((far - expected).abs() < 4.5 * expected.sqrt(), "{far} for {expected}");
    }
}
