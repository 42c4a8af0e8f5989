//! From MessagePack to values, strictly: what a writer of this library would not have written is refused, where serde's
//! own readers are lenient.
//!
//! - A record is a map, never a list. It has every field of its type, except for those in [`OPTIONAL`], and no other.
//! - An optional field that is nil is left out.
//! - A choice without settings is its name, one with settings a map of one entry. It is never a number.
//! - A float is a float 64, a string is no byte string, and so on.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use crate::FormatError;
use crate::raw::{Head, Raw, Reader};

/// The fields that may be left out, of the types that have some. All others must be there.
const OPTIONAL: [(&str, &[&str]); 4] = [
    ("Dense", &["bias_regularizer", "constraint", "bias_constraint", "activity_regularizer"]),
    // The shape of an input row: one of the two.
    ("Record", &["input_features", "input_shape"]),
    ("Body", &["frozen"]),
    ("TrainingBody", &["weight_steps"]),
];

/// What tells a [`Raw`] from every other type.
const RAW: &str = "mlp_io::Raw";

/// Why a value is not what it should be.
#[derive(Debug)]
pub(crate) struct Mismatch(String);

/// Reads a `T` from a value that has been skimmed.
pub(crate) fn read<'a, T: Deserialize<'a>>(value: &'a [u8]) -> Result<T, Mismatch> {
    T::deserialize(&mut Values(Reader::new(value)))
}

struct Values<'a>(Reader<'a>);

impl<'a> Values<'a> {
    fn head(&mut self) -> Result<Head<'a>, Mismatch> {
        Ok(self.0.head()?)
    }

    /// The head, put back.
    fn next(&self) -> Result<Head<'a>, Mismatch> {
        Ok(self.0.clone().head()?)
    }

    fn text(&mut self) -> Result<&'a str, Mismatch> {
        match self.head()? {
            Head::Text(text) => utf8(text),
            other => Err(Mismatch::invalid_type(unexpected(other), &"a string")),
        }
    }
}

fn utf8(text: &[u8]) -> Result<&str, Mismatch> {
    std::str::from_utf8(text).map_err(|_| Mismatch::custom("a string is not UTF-8"))
}

fn unexpected(head: Head<'_>) -> Unexpected<'_> {
    match head {
        Head::Nil => Unexpected::Unit,
        Head::Bool(value) => Unexpected::Bool(value),
        Head::Whole(value) => Unexpected::Unsigned(value),
        Head::Negative(value) => Unexpected::Signed(value),
        Head::Single(_) => Unexpected::Other("a float 32"),
        Head::Double(value) => Unexpected::Float(value),
        Head::Text(text) => std::str::from_utf8(text).map_or(Unexpected::Other("a string"), Unexpected::Str),
        Head::Bytes(_) => Unexpected::Other("a byte string"),
        Head::Array(_) => Unexpected::Seq,
        Head::Map(_) => Unexpected::Map,
    }
}

/// The methods that take one kind of value and no other.
macro_rules! strict {
    ($($method:ident: $pattern:pat => $visit:expr;)+) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            match self.head()? {
                $pattern => ($visit)(self, visitor),
                other => Err(Mismatch::invalid_type(unexpected(other), &visitor)),
            }
        }
    )+};
}

impl<'a> Deserializer<'a> for &mut Values<'a> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.head()? {
            Head::Nil => visitor.visit_unit(),
            Head::Bool(value) => visitor.visit_bool(value),
            Head::Whole(value) => visitor.visit_u64(value),
            Head::Negative(value) => visitor.visit_i64(value),
            Head::Double(value) => visitor.visit_f64(value),
            Head::Text(text) => visitor.visit_borrowed_str(utf8(text)?),
            Head::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Head::Array(left) => visitor.visit_seq(Array { values: self, left }),
            Head::Map(left) => visitor.visit_map(Map { values: self, left, seen: BTreeSet::new() }),
            other @ Head::Single(_) => Err(Mismatch::invalid_type(unexpected(other), &visitor)),
        }
    }

    strict! {
        deserialize_f64: Head::Double(value) => |_: Self, visitor: V| visitor.visit_f64(value);
        deserialize_f32: Head::Single(value) => |_: Self, visitor: V| visitor.visit_f32(value);
        deserialize_str: Head::Text(text) => |_: Self, visitor: V| visitor.visit_borrowed_str(utf8(text)?);
        deserialize_bytes: Head::Bytes(bytes) => |_: Self, visitor: V| visitor.visit_borrowed_bytes(bytes);
        deserialize_seq: Head::Array(left) => |values: Self, visitor: V| visitor.visit_seq(Array { values, left });
        deserialize_map: Head::Map(left) =>
            |values: Self, visitor: V| visitor.visit_map(Map { values, left, seen: BTreeSet::new() });
    }

    forward_to_deserialize_any! { <W: Visitor<'a>> bool i8 i16 i32 i64 u8 u16 u32 u64 unit }

    fn deserialize_string<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.next()? == Head::Nil {
            self.head()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, name: &'static str, visitor: V) -> Result<V::Value, Mismatch> {
        if name == RAW {
            return visitor.visit_borrowed_bytes(self.0.value()?.0);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let optional = OPTIONAL.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, optional)| optional);
        match self.head()? {
            Head::Map(left) => visitor.visit_map(Record { values: self, left, fields, optional, seen: 0 }),
            other => Err(Mismatch::invalid_type(unexpected(other), &visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let has_settings = match self.next()? {
            Head::Text(_) => false,
            Head::Map(1) => {
                self.head()?;
                true
            }
            other => return Err(Mismatch::invalid_type(unexpected(other), &visitor)),
        };
        let name = self.text()?;
        if !variants.contains(&name) {
            return Err(Mismatch::unknown_variant(name, variants));
        }
        visitor.visit_enum(Choice { values: self, name, has_settings })
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.0.value()?;
        visitor.visit_unit()
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

struct Array<'r, 'a> {
    values: &'r mut Values<'a>,
    left: usize,
}

impl<'a> SeqAccess<'a> for Array<'_, 'a> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.values).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // True: the array was skimmed.
        Some(self.left)
    }
}

struct Map<'r, 'a> {
    values: &'r mut Values<'a>,
    left: usize,
    /// The names that were there.
    seen: BTreeSet<&'a str>,
}

impl<'a> MapAccess<'a> for Map<'_, 'a> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let name = self.values.text()?;
        if !self.seen.insert(name) {
            return Err(Mismatch::custom(format_args!("the name {name:?} comes twice")));
        }
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(&mut *self.values)
    }
}

struct Record<'r, 'a> {
    values: &'r mut Values<'a>,
    left: usize,
    fields: &'static [&'static str],
    optional: &'static [&'static str],
    /// A bit for every field that was there.
    seen: u64,
}

impl<'a> MapAccess<'a> for Record<'_, 'a> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Mismatch> {
        let Some(left) = self.left.checked_sub(1) else {
            let missing =
                |(index, field): &(usize, &&'static str)| self.seen & 1 << index == 0 && !self.optional.contains(field);
            return match self.fields.iter().enumerate().find(missing) {
                Some((_, field)) => Err(Mismatch::missing_field(field)),
                None => Ok(None),
            };
        };
        self.left = left;
        let name = self.values.text()?;
        let Some(index) = self.fields.iter().position(|field| *field == name) else {
            return Err(Mismatch::unknown_field(name, self.fields));
        };
        if self.seen & 1 << index != 0 {
            return Err(Mismatch::duplicate_field(self.fields[index]));
        }
        self.seen |= 1 << index;
        if self.optional.contains(&name) && self.values.next()? == Head::Nil {
            return Err(Mismatch::custom(format_args!("`{name}` is nil, for which it is left out")));
        }
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(&mut *self.values)
    }
}

struct Choice<'r, 'a> {
    values: &'r mut Values<'a>,
    name: &'a str,
    has_settings: bool,
}

impl<'a> EnumAccess<'a> for Choice<'_, 'a> {
    type Error = Mismatch;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Mismatch> {
        Ok((seed.deserialize(BorrowedStrDeserializer::<Mismatch>::new(self.name))?, self))
    }
}

impl<'r, 'a> Choice<'r, 'a> {
    fn settings(self) -> Result<&'r mut Values<'a>, Mismatch> {
        if self.has_settings {
            return Ok(self.values);
        }
        Err(Mismatch::custom(format_args!("`{}` is missing its settings", self.name)))
    }
}

impl<'a> VariantAccess<'a> for Choice<'_, 'a> {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        if self.has_settings {
            return Err(Mismatch::custom(format_args!("`{}` has no settings: it is its name alone", self.name)));
        }
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Mismatch> {
        seed.deserialize(self.settings()?)
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.settings()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Mismatch> {
        self.settings()?.deserialize_struct("", fields, visitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Whole;
        impl<'de> Visitor<'de> for Whole {
            type Value = Raw<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Raw<'de>, E> {
                Ok(Raw(bytes))
            }
        }
        deserializer.deserialize_newtype_struct(RAW, Whole)
    }
}

impl serde::de::Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl From<FormatError> for Mismatch {
    fn from(error: FormatError) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mismatch {}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Point,
        Circle { radius: f64 },
        Many(Vec<Shape>),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Drawing {
        title: Option<String>,
        shapes: Vec<Shape>,
        count: u64,
        shown: bool,
    }

    fn encoded(value: &impl Serialize) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map()).unwrap();
        bytes
    }

    fn text(value: rmpv::Value) -> String {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, &value).unwrap();
        read::<Drawing>(&bytes).map_or_else(|error| error.to_string(), |drawing| format!("{drawing:?}"))
    }

    #[test]
    fn what_was_written_is_read() {
        for title in [None, Some("t".to_owned())] {
            let shapes = vec![Shape::Point, Shape::Circle { radius: 0.5 }, Shape::Many(vec![Shape::Point])];
            let drawing = Drawing { title, shapes, count: u64::MAX, shown: true };
            assert_eq!(read::<Drawing>(&encoded(&drawing)).unwrap(), drawing);
        }
    }

    #[test]
    fn what_serde_lets_pass_is_refused() {
        use rmpv::Value;
        let map = |entries: &[(&str, Value)]| {
            Value::Map(entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect())
        };
        let shapes = |shape: Value| ("shapes", Value::Array(vec![shape]));
        let [title, count, shown] = [("title", Value::Nil), ("count", 1.into()), ("shown", true.into())];
        let with = |shape: Value| text(map(&[title.clone(), shapes(shape), count.clone(), shown.clone()]));
        assert!(with("point".into()).starts_with("Drawing {"));
        // A missing field that may be nil, a list for a record, a number and a map for a choice without settings, a name
        // for one that has some, an integer for a float.
        let list = Value::Array(vec![Value::Nil, Value::Array(Vec::new()), 1.into(), true.into()]);
        assert_eq!(text(map(&[shapes("point".into()), count.clone(), shown.clone()])), "missing field `title`");
        assert!(text(list).starts_with("invalid type: sequence"));
        assert!(with(0.into()).starts_with("invalid type: integer `0`"));
        assert_eq!(with(map(&[("point", Value::Nil)])), "`point` has no settings: it is its name alone");
        assert_eq!(with("circle".into()), "`circle` is missing its settings");
        let circle = |settings: Value| with(map(&[("circle", settings)]));
        assert!(circle(map(&[("radius", 0.5.into())])).starts_with("Drawing {"));
        assert!(circle(map(&[("radius", 1.into())])).starts_with("invalid type: integer `1`, expected f64"));
        assert!(circle(map(&[("radius", 0.5_f32.into())])).starts_with("invalid type: a float 32, expected f64"));
        assert!(circle(Value::Array(vec![0.5.into()])).starts_with("invalid type: sequence"));
        let twice = map(&[("radius", 0.5.into()), ("radius", 0.5.into())]);
        assert_eq!(circle(twice), "duplicate field `radius`");
        assert!(circle(map(&[("radius", 0.5.into()), ("x", Value::Nil)])).starts_with("unknown field `x`"));
        assert!(with(Value::Map(vec![])).starts_with("invalid type: map"));
        let wrong = |key, value| text(map(&[title.clone(), shapes("point".into()), (key, value), shown.clone()]));
        assert!(wrong("count", 1.0.into()).starts_with("invalid type: floating point `1.0`, expected u64"));
        assert!(wrong("count", (-1).into()).starts_with("invalid value: integer `-1`, expected u64"));
        let bytes = Value::Binary(b"t".to_vec());
        let title = text(map(&[("title", bytes), shapes("point".into()), count, shown]));
        assert!(title.starts_with("invalid type: a byte string"), "{title}");
    }
}
