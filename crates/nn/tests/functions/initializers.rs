//! Initializers.

use std::collections::BTreeSet;

use mlp_nn::{Activation, Dense, Initializer, Sequential};
use mlp_tensor::{Rng, Tensor};
use serde_json::Value;

use crate::common::{assert_close, built_in, read, tensor, variant};

fn goldens() -> Value {
    serde_json::from_str(include_str!("../goldens/initializers.json")).unwrap()
}

#[test]
fn moments_and_bounds_are_those_of_the_distributions() {
    let goldens = goldens();
    let golden = &goldens["moments"];
    let shape: Vec<usize> = read(golden, "shape");
    for case in golden["cases"].as_array().unwrap() {
        let initializer: Initializer = read(case, "initializer");
        let weight: Tensor<f64> = initializer.draw(&shape, &mut Rng::new(17));
        let number = |value: &Value, key: &str| value[key].as_f64().unwrap();
        let (n, mean) = (weight.len() as f64, weight.mean());
        let centered = &weight - mean;
        let variance = centered.square().mean();
        let kurtosis = centered.powi(4).mean() / (variance * variance);
        let (std, expected_kurtosis) = (number(case, "std"), number(case, "kurtosis"));
        // Four standard errors; PyTorch's and Keras' numbers have such errors of their own.
        let error_of_mean = 4.0 * std / n.sqrt();
        let error_of_std = 4.0 * std * ((expected_kurtosis - 1.0) / (4.0 * n)).sqrt();
        for (reference, allowed) in [(case, 1.0), (&case["measured"], 2f64.sqrt())] {
            let what = format!("{initializer:?}: mean {mean}, std {}, kurtosis {kurtosis}", variance.sqrt());
            assert!((mean - number(reference, "mean")).abs() < allowed * error_of_mean, "{what}");
            assert!((variance.sqrt() - number(reference, "std")).abs() < allowed * error_of_std, "{what}");
            assert!((kurtosis - number(reference, "kurtosis")).abs() < allowed * 0.08, "{what}");
        }
        if let Value::Array(bounds) = &case["bounds"] {
            let [low, high] = [0, 1].map(|i| bounds[i].as_f64().unwrap());
            let rounding = 1e-12;
            assert!(weight.min() >= low - rounding && weight.max() <= high + rounding, "{initializer:?}");
            // They are reached, or nearly.
            let near = 0.01 * (high - low);
            assert!(weight.min() < low + near && weight.max() > high - near, "{initializer:?}");
        }
    }
}

#[test]
fn every_initializer_is_checked_somewhere_and_repeats_by_its_seed() {
    let goldens = goldens();
    let cases = goldens["moments"]["cases"].as_array().unwrap();
    let mut initializers: Vec<Initializer> = cases.iter().map(|case| read(case, "initializer")).collect();
    initializers.extend([Initializer::Zeros, Initializer::Ones, Initializer::Constant { value: 0.3 }]);
    initializers.extend([Initializer::Orthogonal { gain: 2.0 }, Initializer::Identity { gain: 1.5 }]);
    initializers.push(Initializer::Sparse { sparsity: 0.25, std: 0.1 });
    let mut seen = BTreeSet::new();
    for initializer in initializers {
        let written = serde_json::to_value(&initializer).unwrap();
        assert_eq!(serde_json::from_value::<Initializer>(written.clone()).unwrap(), initializer);
        let draw = |seed| initializer.draw::<f32>(&[6, 4], &mut Rng::new(seed));
        assert!(draw(1).bit_eq(&draw(1)), "{initializer:?}");
        let random = !["zeros", "ones", "constant", "identity"].contains(&variant(&written).as_str());
        assert_eq!(draw(1).bit_eq(&draw(2)), !random, "{initializer:?}");
        seen.insert(variant(&written));
    }
    assert_eq!(seen, built_in::<Initializer>());
    println!("{} initializers checked", seen.len());
}

#[test]
fn constants_are_constant() {
    let draw = |initializer: Initializer| initializer.draw::<f64>(&[2, 3], &mut Rng::new(0));
    assert_eq!(draw(Initializer::Zeros), Tensor::zeros([2, 3]));
    assert_eq!(draw(Initializer::Ones), Tensor::ones([2, 3]));
    assert_eq!(draw(Initializer::Constant { value: -0.25 }), Tensor::full([2, 3], -0.25));
    for case in goldens()["identity"].as_array().unwrap() {
        let expected: Tensor<f64> = tensor(&case["weight"]);
        let initializer = Initializer::Identity { gain: case["gain"].as_f64().unwrap() };
        let found: Tensor<f64> = initializer.draw(expected.shape(), &mut Rng::new(0));
        assert_close(&found, &case["weight"], (0.0, 0.0), "identity");
    }
}

#[test]
fn orthogonal_matrices_are_orthogonal() {
    let gain = Activation::Tanh.gain();
    for shape in [[7, 7], [30, 12], [12, 30], [1, 5], [5, 1], [0, 3]] {
        let w: Tensor<f64> = Initializer::Orthogonal { gain }.draw(&shape, &mut Rng::new(5));
        assert_eq!(w.shape(), shape);
        let (product, n) = if shape[0] >= shape[1] { (w.matmul_tn(&w), shape[1]) } else { (w.matmul_nt(&w), shape[0]) };
        let error = (product - Tensor::eye(n) * (gain * gain)).abs();
        assert!(error.as_slice().iter().all(|&e| e < 1e-14), "{shape:?}: {error}");
    }
}

/// Of uniformly distributed ones, tr Q has mean 0 and variance 1; a QR decomposition whose signs were left as they come
/// has not.
#[test]
fn orthogonal_matrices_are_uniformly_distributed() {
    let golden = &goldens()["orthogonal"];
    let count = golden["matrices"].as_u64().unwrap() as usize;
    let mut rng = Rng::new(8);
    let traces: Vec<f64> = (0..count)
        .map(|_| {
            let q: Tensor<f64> = Initializer::Orthogonal { gain: 1.0 }.draw(&[3, 3], &mut rng);
            (0..3).map(|i| q[[i, i]]).sum()
        })
        .collect();
    let mean = traces.iter().sum::<f64>() / count as f64;
    let square = traces.iter().map(|t| t * t).sum::<f64>() / count as f64;
    let error = 4.0 / (count as f64).sqrt();
    assert!(mean.abs() < error && (square - 1.0).abs() < 2.0 * error, "{mean} {square}");
    assert!((mean - golden["mean_trace"].as_f64().unwrap()).abs() < 1.5 * error, "{mean}");
    assert!((square - golden["mean_square_trace"].as_f64().unwrap()).abs() < 3.0 * error, "{square}");
}

#[test]
fn sparse_matrices_have_as_many_zeros_in_every_column_as_pytorchs() {
    for case in goldens()["sparse"].as_array().unwrap() {
        let shape: Vec<usize> = read(case, "shape");
        let sparsity = case["sparsity"].as_f64().unwrap();
        let w: Tensor<f64> = Initializer::Sparse { sparsity, std: 0.5 }.draw(&shape, &mut Rng::new(3));
        for column in 0..shape[1] {
            let zeros = (0..shape[0]).filter(|&row| w[[row, column]] == 0.0).count();
            assert_eq!(zeros as u64, case["zeros_of_a_column"].as_u64().unwrap(), "{shape:?} {sparsity}");
        }
    }
    let w: Tensor<f64> = Initializer::Sparse { sparsity: 0.5, std: 0.5 }.draw(&[200, 200], &mut Rng::new(3));
    let std = (w.square().sum() / 20_000.0).sqrt();
    assert!((std - 0.5).abs() < 4.0 * 0.5 / 40_000f64.sqrt(), "{std}");
}

#[test]
fn settings_out_of_range_are_named() {
    let message = |initializer: Initializer| {
        let network = Sequential::new(2).add(Dense::new(3).initializer(initializer));
        network.check().unwrap_err().to_string()
    };
    let expected = "layers.0 (Dense): std is -1, but must be finite and 0 or more";
    assert_eq!(message(Initializer::Normal { mean: 0.0, std: -1.0 }), expected);
    assert!(message(Initializer::TruncatedNormal { mean: f64::NAN, std: 1.0 }).contains("mean is NaN"));
    assert!(message(Initializer::Constant { value: f64::INFINITY }).contains("value is inf"));
    assert!(message(Initializer::Uniform { low: 1.0, high: 1.0 }).contains("low is 1, but must be below high"));
    assert!(message(Initializer::Orthogonal { gain: f64::NAN }).contains("gain is NaN"));
    assert!(message(Initializer::Sparse { sparsity: 1.1, std: 0.1 }).contains("sparsity is 1.1"));
}

#[test]
#[should_panic(expected = "is for a weight of two axes, not of shape [3]")]
fn matrices_only() {
    let _ = Initializer::Orthogonal { gain: 1.0 }.draw::<f32>(&[3], &mut Rng::new(0));
}
