//! Damage and malice: whatever the bytes are, reading them is an error or a model, and never a panic.

use mlp_io::{FormatError, Inspection, SavedModel};
use mlp_tensor::Element;
use proptest::prelude::*;
use proptest::sample::Index;
use rmpv::Value;

use crate::common::{PREFIX, bits, body, file_of, full_model, problem, seal, tiny_model};

#[test]
fn every_flipped_bit_is_found() {
    for file in [tiny_model().to_bytes().unwrap(), full_model::<f32>().to_bytes().unwrap()] {
        for bit in 0..file.len() * 8 {
            let mut bent = file.clone();
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(SavedModel::<f32>::from_bytes(&bent).is_err(), "bit {bit}");
            assert!(Inspection::from_bytes(&bent).is_err(), "bit {bit}");
            assert_eq!(matches!(problem(&bent), FormatError::Checksum { .. }), bit / 8 >= 14, "bit {bit}");
        }
    }
}

#[test]
fn every_truncation_is_found_with_any_checksum() {
    let file = full_model::<f64>().to_bytes().unwrap();
    for end in 0..file.len() {
        let expected = match end {
            0 => FormatError::Empty,
            1..PREFIX => FormatError::Truncated { size: end },
            _ => {
                let stored = u32::from_le_bytes(file[14..PREFIX].try_into().unwrap());
                FormatError::Checksum { stored, computed: crc32fast::hash(&file[PREFIX..end]) }
            }
        };
        assert_eq!(problem(&file[..end]), expected);
        if end >= PREFIX {
            assert_eq!(problem(&seal(&file[PREFIX..end])), FormatError::Truncated { size: end });
        }
    }
    assert!(problem(&file[..100]).to_string().contains("truncated or damaged"));
}

#[test]
fn nothing_may_follow_the_body() {
    let file = tiny_model().to_bytes().unwrap();
    for tail in [&b"\0"[..], b"\xc0", b"trailing", &file] {
        let longer = [&file, tail].concat();
        assert!(matches!(problem(&longer), FormatError::Checksum { .. }));
        let expected = FormatError::Malformed { offset: file.len(), reason: "nothing may follow the body" };
        assert_eq!(problem(&seal(&longer[PREFIX..])), expected);
    }
}

/// Reads bytes in every way. What is read can be written, and is then read as the same.
fn read<E: Element>(file: &[u8]) {
    let listed = Inspection::from_bytes(file);
    if let Ok(model) = SavedModel::<E>::from_bytes(file) {
        let written = model.to_bytes().unwrap();
        let again = SavedModel::<E>::from_bytes(&written).unwrap();
        assert_eq!(bits(&again), bits(&model));
        assert_eq!(again.to_bytes().unwrap(), written);
        assert!(listed.unwrap().to_string().starts_with("model file"));
    } else if let Ok(listed) = listed {
        assert_ne!(listed.dtype.to_string(), E::NAME);
    }
}

fn read_both(file: &[u8]) {
    read::<f32>(file);
    read::<f64>(file);
}

/// The values inside `value`, itself included, each with what it takes to change it.
fn change(value: &mut Value, place: &mut usize, with: &mut dyn FnMut(&mut Value)) {
    if *place == 0 {
        with(value);
    }
    *place = place.wrapping_sub(1);
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| change(value, place, with)),
        Value::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            change(key, place, with);
            change(value, place, with);
        }),
        _ => {}
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(count).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|(key, value)| count(key) + count(value)).sum::<usize>(),
        _ => 1,
    }
}

/// Values that a reader may trip over.
fn any_value() -> impl Strategy<Value = Value> {
    let numbers = [0, 1, 2, 127, 1 << 31, 1 << 32, 1 << 60, 1 << 63, u64::MAX].map(Value::from);
    let others = [Value::Nil, true.into(), (-1).into(), i64::MIN.into(), f64::NAN.into(), f64::INFINITY.into()];
    let more = [0.5.into(), 0.25_f32.into(), (-0.0).into(), "".into(), "m".into(), "dense".into(), "f64".into()];
    let empty = [Value::Binary(Vec::new()), Value::Array(Vec::new()), Value::Map(Vec::new()), Value::Ext(1, vec![0])];
    let leaf = prop::sample::select([&numbers[..], &others, &more, &empty].concat());
    leaf.prop_recursive(3, 8, 3, |inner| {
        let array = prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array);
        let map = prop::collection::vec((any_key(), inner), 0..3).prop_map(Value::Map);
        prop_oneof![array, map]
    })
}

fn any_key() -> impl Strategy<Value = Value> {
    let keys = ["dense", "activation", "units", "rate", "shape", "data", "dtype", "layers.0.bias", "m", "sgd", "l1"];
    prop::sample::select(keys.map(Value::from).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_both(&bytes);
        read_both(&seal(&bytes));
        read_both(&[&b"\x94\xa9mlp-model\x01\xc4\x04"[..], &bytes].concat());
    }

    #[test]
    fn random_bytes_in_a_model_do_not_panic(
        edits in prop::collection::vec((any::<Index>(), 0..4u8, any::<u8>(), 0..20usize), 1..6),
    ) {
        let mut body = full_model::<f32>().to_bytes().unwrap().split_off(PREFIX);
        for (place, kind, byte, length) in edits {
            let place = place.index(body.len());
            let end = (place + length).min(body.len());
            match kind {
                0 => body[place] = byte,
                1 => body.insert(place, byte),
                2 => drop(body.drain(place..end)),
                _ => {
                    let copy = body[place..end].to_vec();
                    body.splice(place..place, copy);
                }
            }
            if body.is_empty() {
                break;
            }
        }
        read_both(&seal(&body));
    }

    #[test]
    fn random_values_in_a_model_do_not_panic(
        edits in prop::collection::vec((any::<Index>(), 0..5u8, any_key(), any_value()), 1..4),
    ) {
        let mut body = body(&full_model::<f64>().to_bytes().unwrap());
        for (place, kind, key, new) in edits {
            let mut place = place.index(count(&body));
            change(&mut body, &mut place, &mut |value| match (kind, value) {
                (1, Value::Array(values)) => values.push(new.clone()),
                (1, Value::Map(entries)) => entries.push((key.clone(), new.clone())),
                (2, Value::Array(values)) => drop(values.pop()),
                (2, Value::Map(entries)) => drop(entries.pop()),
                (3, Value::Map(entries)) if !entries.is_empty() => entries.push(entries[0].clone()),
                (4, Value::Map(entries)) => entries.reverse(),
                (_, value) => *value = new.clone(),
            });
        }
        read_both(&file_of(&body));
    }
}
