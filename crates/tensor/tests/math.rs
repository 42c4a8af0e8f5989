//! The functions of `math` in `f32` against references in `f64`, over a sample of all bit patterns.

use mlp_tensor::{Tensor, math};

type Function = fn(f32) -> f32;

/// Where the functions change: limits, the seams between two formulas, thresholds of overflow and underflow.
const SPECIAL: [f32; 36] = [
    0.0,
    f32::MIN_POSITIVE,
    f32::MAX,
    f32::INFINITY,
    1e-8,
    1e-4,
    0.29,
    0.346_573_6,  // ln 2 / 2
    0.414_213_56, // √2 - 1
    0.5,
    0.625,
    std::f32::consts::FRAC_1_SQRT_2,
    std::f32::consts::LN_2,
    0.9,
    1.0,
    1.039_720_8, // 3 ln 2 / 2
    std::f32::consts::SQRT_2,
    2.0,
    3.919,
    3.93,
    9.01,
    9.194_549, // where erfc becomes denormal
    10.054,    // and 0
    10.0,
    17.328_68, // 25 ln 2
    20.0,
    44.0,
    87.0,
    87.336_55, // -ln of the smallest normal number
    88.0,
    88.722_84, // ln of the largest number
    89.0,
    103.278_93, // -ln of the smallest number
    103.972_08, // -ln of half of it
    104.0,
    16_777_216.0,
];

/// Every 4099th bit pattern, and the neighbors of the special points on both sides and of both signs.
fn sample() -> Vec<f32> {
    let mut bits: Vec<u32> = (0..=u32::MAX).step_by(4099).collect();
    for point in SPECIAL {
        for sign in [0, 1 << 31] {
            let middle = point.to_bits() | sign;
            bits.extend((0..400).flat_map(|step| [middle.wrapping_add(step), middle.wrapping_sub(step)]));
        }
    }
    bits.into_iter().map(f32::from_bits).collect()
}

/// The distance of `found` from `exact` in units in the last place of an `f32` there; infinite where one is NaN and the
/// other is not, where only one is infinite though `exact` does not round to infinity, and where zeros have the wrong
/// sign.
fn error(found: f32, exact: f64) -> f64 {
    let rounded = exact as f32;
    if found.to_bits() == rounded.to_bits() || (found.is_nan() && exact.is_nan()) {
        // Half a unit at most; only errors above matter.
        return 0.0;
    }
    let exponent = (exact.abs().to_bits() >> 52) as i32 - 1023;
    let unit = 2_f64.powi(exponent.clamp(-126, 127) - 23);
    let wrong = exact.is_nan()
        || found.is_nan()
        || exact == 0.0
        || exact.is_infinite()
        || found.is_sign_negative() != exact.is_sign_negative();
    // The next number after the largest would be 2¹²⁸.
    let beyond = 2_f64.powi(128);
    if wrong { f64::INFINITY } else { (f64::from(found).clamp(-beyond, beyond) - exact).abs() / unit }
}

fn check(name: &str, function: fn(&Tensor) -> Tensor, single: Function, exact: fn(f64) -> f64, documented: f64) {
    let x = Tensor::from(sample());
    let y = function(&x);
    let mut worst = (0.0, 0.0, 0.0);
    for (&x, &y) in x.as_slice().iter().zip(y.as_slice()) {
        let error = error(y, exact(f64::from(x)));
        if error > worst.0 {
            worst = (error, x, y);
        }
        assert!(y.to_bits() == single(x).to_bits() || y.is_nan(), "{name} of {x:e}: alone it gives other bits");
    }
    let (error, x, y) = worst;
    // The table of the module has it rounded to two places.
    assert!(error <= documented + 0.005, "{name} of {x:e} is {y:e}, {error} units in the last place off");
}

/// Each function with its largest error, in units in the last place, as it stands in the documentation of `math`.
macro_rules! within_the_bound {
    ($($name:ident, $documented:literal: $exact:expr;)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name), Tensor::$name, math::$name, $exact, $documented);
            }
        )*
    };
}

within_the_bound! {
    exp, 0.97: f64::exp;
    exp_m1, 1.54: f64::exp_m1;
    ln, 0.84: f64::ln;
    ln_1p, 0.84: f64::ln_1p;
    tanh, 1.34: f64::tanh;
    sigmoid, 2.41: |x| 1.0 / (1.0 + (-x).exp());
    erf, 1.28: libm::erf;
    erfc, 5.34: libm::erfc;
}

#[test]
fn limits_are_exact_and_zeros_keep_their_signs() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let inputs = [-inf, -0.0, 0.0, inf, nan];
    let table: [(Function, [f32; 5]); 8] = [
        (math::exp, [0.0, 1.0, 1.0, inf, nan]),
        (math::exp_m1, [-1.0, -0.0, 0.0, inf, nan]),
        (math::ln, [nan, -inf, -inf, inf, nan]),
        (math::ln_1p, [nan, -0.0, 0.0, inf, nan]),
        (math::tanh, [-1.0, -0.0, 0.0, 1.0, nan]),
        (math::sigmoid, [0.0, 0.5, 0.5, 1.0, nan]),
        (math::erf, [-1.0, -0.0, 0.0, 1.0, nan]),
        (math::erfc, [2.0, 1.0, 1.0, 0.0, nan]),
    ];
    for (row, (function, expected)) in table.into_iter().enumerate() {
        let found = inputs.map(function);
        assert!(same(&found, &expected), "row {row}: {found:?}, not {expected:?}");
    }
    assert!(math::ln(-1.0_f32).is_nan() && math::ln_1p(-1.5_f32).is_nan());
    assert_eq!(math::ln_1p(-1.0_f32), -inf);
}

/// The same bits, whatever the sign of a NaN.
fn same(found: &[f32], expected: &[f32]) -> bool {
    found.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// From mpmath with 30 digits.
#[test]
fn double_precision_is_exact_to_its_last_places() {
    let close = |found: f64, exact: f64| assert!((found - exact).abs() <= 4e-16 * exact.abs(), "{found}, not {exact}");
    close(math::exp(0.7), 2.0137527074704766);
    close(math::exp_m1(1e-5), 1.0000050000166668e-05);
    close(math::ln(0.7), -0.35667494393873245);
    close(math::ln_1p(1e-5), 9.999950000333332e-06);
    close(math::tanh(0.7), 0.6043677771171635);
    close(math::sigmoid(-0.7), 0.3318122278318339);
    close(math::erf(0.7), 0.6778011938374184);
    close(math::erfc(7.0), 4.183825607779414e-23);
}
