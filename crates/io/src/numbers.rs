//! Lists of numbers as little-endian bytes, as tensors have them: exact, and no longer in memory than in the file,
//! however many a run leaves behind.

use mlp_tensor::Element;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::Bytes;

/// One list.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct List(#[serde(with = "crate::numbers")] Vec<f64>);

pub(crate) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let mut bytes = Vec::with_capacity(values.len() * f64::BYTES);
    values.iter().for_each(|value| value.write_le(&mut bytes));
    serializer.serialize_bytes(&bytes)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let bytes: &'de Bytes = Deserialize::deserialize(deserializer)?;
    if !bytes.len().is_multiple_of(f64::BYTES) {
        return Err(D::Error::custom(format_args!("{} bytes, but numbers have 8 each", bytes.len())));
    }
    Ok(bytes.chunks_exact(f64::BYTES).map(f64::read_le).collect())
}

/// Several lists, one behind the other.
pub(crate) mod lists {
    use super::{Deserialize, Deserializer, List, Serializer};

    pub(crate) fn serialize<S: Serializer>(lists: &[Vec<f64>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(lists.iter().map(|list| List(list.clone())))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<f64>>, D::Error> {
        Ok(Vec::<List>::deserialize(deserializer)?.into_iter().map(|List(list)| list).collect())
    }
}
