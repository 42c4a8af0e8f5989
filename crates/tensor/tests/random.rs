//! The bits that a seed stands for, against an implementation in plain Python (`goldens/rng.py` wrote
//! `goldens/rng.json`). They must never change: model files go on from their seeds.

use mlp_tensor::{Element, Rng, Tensor};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let goldens: Value = serde_json::from_str(include_str!("goldens/rng.json")).unwrap();
    goldens[name].clone()
}

#[track_caller]
fn list(value: &Value, count: usize) -> &[Value] {
    let list = value.as_array().unwrap();
    assert_eq!(list.len(), count);
    list
}

#[track_caller]
fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

#[track_caller]
fn hexes(value: &Value, count: usize) -> Vec<u64> {
    list(value, count).iter().map(|v| u64::from_str_radix(v.as_str().unwrap(), 16).unwrap()).collect()
}

fn bits<E: Element>(t: &Tensor<E>) -> Vec<u64> {
    let mut bytes = Vec::new();
    t.as_slice().iter().for_each(|v| v.write_le(&mut bytes));
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, &byte| (word << 8) | u64::from(byte));
    bytes.chunks(E::BYTES).map(word).collect()
}

#[test]
fn a_seed_gives_the_words_of_xoshiro256_plus_plus_from_splitmix64() {
    for case in list(&golden("words"), 4) {
        let mut rng = Rng::new(number(&case["seed"]));
        assert_eq!([(); 8].map(|()| rng.next_u64()).to_vec(), hexes(&case["words"], 8));
    }
}

#[test]
fn a_path_gives_its_stream() {
    for case in list(&golden("streams"), 6) {
        let path: Vec<u64> = case["path"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        assert_eq!(vec![Rng::stream(5, &path).next_u64()], hexes(&case["words"], 1), "{path:?}");
    }
}

#[test]
fn uniform_numbers() {
    let golden = golden("uniform");
    let mut rng = Rng::new(2);
    let drawn = [(); 20].map(|()| rng.uniform().to_bits());
    assert_eq!(drawn.to_vec(), hexes(&golden["f64"], 20));
    assert_eq!(bits(&Tensor::<f64>::uniform([20], 0.0, 1.0, &mut Rng::new(2))), drawn);
    assert_eq!(bits(&Tensor::<f32>::uniform([20], 0.0, 1.0, &mut Rng::new(2))), hexes(&golden["f32"], 20));
}

#[test]
fn whole_numbers_below_a_bound() {
    for case in list(&golden("below"), 7) {
        let (n, mut rng) = (number(&case["n"]), Rng::new(3));
        let Ok(n) = usize::try_from(n) else { continue };
        let expected: Vec<u64> = list(&case["drawn"], 20).iter().map(number).collect();
        assert_eq!([(); 20].map(|()| rng.below(n) as u64).to_vec(), expected, "below {n}");
    }
    let order: Vec<u64> = Rng::new(9).permutation(50).into_iter().map(|i| i as u64).collect();
    assert_eq!(Value::from(order), golden("permutation"));
}

#[test]
fn normal_numbers() {
    let golden = golden("normal");
    let many = Tensor::<f64>::normal([200_000], 0.0, 1.0, &mut Rng::new(4));
    let drawn = bits(&many);
    assert_eq!(drawn[..20], hexes(&golden["first"], 20));
    let digest = drawn.iter().fold(0_u64, |d, &word| d.wrapping_mul(6364136223846793005).wrapping_add(word));
    assert_eq!(format!("{digest:016x}"), golden["digest"]);
    let mut rng = Rng::new(4);
    assert_eq!([(); 20].map(|()| rng.normal().to_bits()), drawn[..20]);
    assert_eq!(bits(&Tensor::<f32>::normal([20], 0.0, 1.0, &mut Rng::new(4))), hexes(&golden["f32"], 20));
    // Mean and deviation are a multiplication and an addition.
    let other = Tensor::<f64>::normal([200_000], 3.0, 0.7, &mut Rng::new(4));
    assert!(other.bit_eq(&many.map(|z| 3.0 + 0.7 * z)));
}

#[test]
fn truncated_normal_numbers() {
    let drawn = Tensor::<f64>::truncated_normal([60], 0.0, 1.0, &mut Rng::new(6));
    assert_eq!(bits(&drawn), hexes(&golden("truncated_normal"), 60));
}

#[test]
fn choices() {
    for case in list(&golden("bernoulli"), 4) {
        let p = case["probability"].as_f64().unwrap();
        let drawn = Tensor::<f32>::bernoulli([200], p, 1.0, &mut Rng::new(8));
        let drawn: String = drawn.as_slice().iter().map(|&v| if v == 1.0 { '1' } else { '0' }).collect();
        assert_eq!(drawn, case["chosen"], "probability {p}");
    }
}
