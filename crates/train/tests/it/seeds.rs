//! What a model's seed is used for, against a generator in plain Python (`goldens/seeds.py` wrote `goldens/seeds.json`).

use mlp_train::Seeds;
use serde_json::Value;

#[track_caller]
fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

/// A model file holds the seed and the counters: were this to change, training resumed from an old file would go on to
/// other bits.
#[test]
fn a_seed_stands_for_the_same_shuffles_splits_and_steps_for_good() {
    let goldens: Value = serde_json::from_str(include_str!("../goldens/seeds.json")).unwrap();
    for golden in goldens["seeds"].as_array().unwrap() {
        let seeds = Seeds::new(number(&golden["seed"]));
        assert_eq!(seeds.split(), number(&golden["split"]), "the split of {}", seeds.seed());
        for step in golden["steps"].as_array().unwrap() {
            assert_eq!(seeds.step(number(&step["step"])), number(&step["seed"]), "{step} of {}", seeds.seed());
        }
        for shuffle in golden["shuffles"].as_array().unwrap() {
            let expected: Vec<u64> = shuffle["order"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
            let mut rows: Vec<usize> = (0..expected.len()).collect();
            seeds.shuffle(number(&shuffle["epoch"]), &mut rows);
            let found: Vec<u64> = rows.iter().map(|&row| row as u64).collect();
            assert_eq!(found, expected, "epoch {} of {}", shuffle["epoch"], seeds.seed());
        }
    }
    assert_eq!(goldens["seeds"].as_array().unwrap().len(), 4);
}
