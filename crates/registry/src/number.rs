//! How files hold the number of a setting: as a number; infinities and NaN, which JSON has no numbers for, by their bits.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Record {
    Finite(f64),
    NotFinite(Bits),
}

/// The 64 bits as sixteen hexadecimal digits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bits {
    bits: String,
}

pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    let record = if value.is_finite() {
        Record::Finite(*value)
    } else {
        Record::NotFinite(Bits { bits: format!("{:016x}", value.to_bits()) })
    };
    record.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    match Record::deserialize(deserializer)? {
        Record::Finite(value) => Ok(value),
        Record::NotFinite(Bits { bits }) => {
            let value = u64::from_str_radix(&bits, 16).map(f64::from_bits);
            let sound = value.ok().filter(|value| bits.len() == 16 && !value.is_finite());
            sound.ok_or_else(|| D::Error::custom("`bits` are not sixteen hexadecimal digits of infinity or NaN"))
        }
    }
}
