//! A first look at a body, before anything is made of it.

use std::collections::BTreeMap;
use std::fmt;

use crate::FormatError;
use crate::prefix::LEN;

/// How many arrays and maps may lie inside each other. A model needs six.
pub(crate) const MAX_DEPTH: usize = 32;

/// What a body is made of, beside numbers, truth values and nil.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part<'a> {
    /// A string: a key, a choice or a name.
    Text(&'a [u8]),
    /// A byte string, whatever it holds.
    Bytes,
    /// An array, whatever it holds.
    Array,
    /// A map, whatever it holds.
    Map,
}

/// Checks that `body` is one complete MessagePack value and nothing else, built from what models are built from: maps
/// with strings as keys, no extension types, nothing nested too deeply, and no length beyond the end. Returns its
/// parts in order.
pub(crate) fn skim(body: &[u8]) -> Result<Vec<Part<'_>>, FormatError> {
    let mut reader = Reader { body, at: 0, parts: Vec::new() };
    reader.value(MAX_DEPTH)?;
    if reader.at == body.len() { Ok(reader.parts) } else { Err(reader.malformed("nothing may follow the body")) }
}

/// The first part that only one of two bodies has, in words. Their order does not matter.
pub(crate) fn difference(found: &[Part<'_>], expected: &[Part<'_>]) -> Option<String> {
    let mut open = BTreeMap::new();
    expected.iter().for_each(|part| *open.entry(part).or_insert(0_usize) += 1);
    for part in found {
        match open.get_mut(part) {
            Some(count) if *count > 0 => *count -= 1,
            _ => return Some(format!("{part} has no place in it")),
        }
    }
    open.into_iter().find(|&(_, count)| count > 0).map(|(part, _)| format!("{part} is missing"))
}

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "`{}`", String::from_utf8_lossy(text)),
            Self::Bytes => f.write_str("a byte string"),
            Self::Array => f.write_str("an array"),
            Self::Map => f.write_str("a map"),
        }
    }
}

struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    parts: Vec<Part<'a>>,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<(), FormatError> {
        match self.marker()? {
            // Small integers, nil, false, true.
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => Ok(()),
            marker @ 0x80..=0x8f => self.map(usize::from(marker & 0x0f), depth),
            marker @ 0x90..=0x9f => self.array(usize::from(marker & 0x0f), depth),
            marker @ 0xa0..=0xbf => self.text(usize::from(marker & 0x1f)),
            0xd9 => self.length(1).and_then(|n| self.text(n)),
            0xda => self.length(2).and_then(|n| self.text(n)),
            0xdb => self.length(4).and_then(|n| self.text(n)),
            0xc4 => self.length(1).and_then(|n| self.bytes(n)),
            0xc5 => self.length(2).and_then(|n| self.bytes(n)),
            0xc6 => self.length(4).and_then(|n| self.bytes(n)),
            // Numbers of one, two, four and eight bytes.
            0xcc | 0xd0 => self.skip(1),
            0xcd | 0xd1 => self.skip(2),
            0xca | 0xce | 0xd2 => self.skip(4),
            0xcb | 0xcf | 0xd3 => self.skip(8),
            0xdc => self.length(2).and_then(|n| self.array(n, depth)),
            0xdd => self.length(4).and_then(|n| self.array(n, depth)),
            0xde => self.length(2).and_then(|n| self.map(n, depth)),
            0xdf => self.length(4).and_then(|n| self.map(n, depth)),
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => {
                self.at -= 1;
                Err(self.malformed("extension types have no place in a model"))
            }
        }
    }

    fn array(&mut self, len: usize, depth: usize) -> Result<(), FormatError> {
        let depth = self.deeper(depth)?;
        self.parts.push(Part::Array);
        (0..len).try_for_each(|_| self.value(depth))
    }

    fn map(&mut self, len: usize, depth: usize) -> Result<(), FormatError> {
        let depth = self.deeper(depth)?;
        self.parts.push(Part::Map);
        (0..len).try_for_each(|_| {
            if !matches!(self.body.get(self.at), None | Some(0xa0..=0xbf | 0xd9..=0xdb)) {
                return Err(self.malformed("the key of a map must be a string"));
            }
            self.value(depth)?;
            self.value(depth)
        })
    }

    fn text(&mut self, len: usize) -> Result<(), FormatError> {
        let text = self.body.get(self.at..).and_then(|rest| rest.get(..len)).ok_or_else(|| self.truncated())?;
        self.parts.push(Part::Text(text));
        self.skip(len)
    }

    fn bytes(&mut self, len: usize) -> Result<(), FormatError> {
        self.parts.push(Part::Bytes);
        self.skip(len)
    }

    fn deeper(&self, depth: usize) -> Result<usize, FormatError> {
        depth.checked_sub(1).ok_or_else(|| self.malformed("nested too deeply for a model"))
    }

    fn marker(&mut self) -> Result<u8, FormatError> {
        let marker = self.body.get(self.at).copied().ok_or_else(|| self.truncated())?;
        self.at += 1;
        Ok(marker)
    }

    /// A length of so many bytes, most significant byte first.
    fn length(&mut self, bytes: usize) -> Result<usize, FormatError> {
        (0..bytes).try_fold(0, |length, _| Ok(length << 8 | usize::from(self.marker()?)))
    }

    fn skip(&mut self, len: usize) -> Result<(), FormatError> {
        if self.body.len() - self.at < len {
            return Err(self.truncated());
        }
        self.at += len;
        Ok(())
    }

    fn truncated(&self) -> FormatError {
        FormatError::Truncated { size: LEN + self.body.len() }
    }

    fn malformed(&self, reason: &'static str) -> FormatError {
        FormatError::Malformed { offset: LEN + self.at, reason }
    }
}

#[cfg(test)]
mod tests {
    use rmpv::Value;

    use super::*;

    fn encoded(value: &Value) -> Vec<u8> {
        let mut bytes = Vec::new();
        rmpv::encode::write_value(&mut bytes, value).unwrap();
        bytes
    }

    /// Every kind of value in every width.
    fn everything() -> Value {
        let numbers = [0u64, 127, 128, 255, 256, 65_535, 65_536, u64::from(u32::MAX), u64::MAX].map(Value::from);
        let negative = [-1i64, -32, -33, -128, -129, -32_769, i64::from(i32::MIN), i64::MIN].map(Value::from);
        let others = [Value::Nil, true.into(), false.into(), 0.5f32.into(), 0.5f64.into()];
        let sized = [0, 31, 32, 255, 256, 65_536].into_iter().flat_map(|n| {
            let list = vec![Value::Nil; n];
            let map = list.iter().map(|nil| ("a".into(), nil.clone())).collect();
            ["x".repeat(n).into(), vec![7u8; n].into(), Value::Array(list), Value::Map(map)]
        });
        Value::Array(numbers.into_iter().chain(negative).chain(others).chain(sized).collect())
    }

    #[test]
    fn every_kind_of_value_passes_and_its_truncations_do_not() {
        let bytes = encoded(&everything());
        assert!(skim(&bytes).is_ok());
        for end in (0..2000).chain([bytes.len() - 1]) {
            assert_eq!(skim(&bytes[..end]), Err(FormatError::Truncated { size: LEN + end }));
        }
        let mut longer = bytes.clone();
        longer.push(0xc0);
        let expected = FormatError::Malformed { offset: LEN + bytes.len(), reason: "nothing may follow the body" };
        assert_eq!(skim(&longer), Err(expected));
    }

    #[test]
    fn what_models_are_not_made_of_is_refused() {
        let reason = |bytes: &[u8]| match skim(bytes) {
            Err(FormatError::Malformed { offset, reason }) => (offset - LEN, reason),
            other => panic!("{other:?}"),
        };
        for marker in [0xc1, 0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8] {
            assert_eq!(reason(&[0x91, marker, 1, 1, 1]), (1, "extension types have no place in a model"));
        }
        for key in [0x00, 0xc0, 0xc4, 0x80, 0x90] {
            assert_eq!(reason(&[0x81, key, 0, 0]), (1, "the key of a map must be a string"));
        }
        assert_eq!(reason(&[0x91; 100_000]), (MAX_DEPTH + 1, "nested too deeply for a model"));
        assert_eq!(skim(&[&[0x91; MAX_DEPTH][..], &[0]].concat()), Ok(vec![Part::Array; MAX_DEPTH]));
    }

    #[test]
    fn parts_are_found_at_every_depth_and_in_every_width() {
        let long = "k".repeat(70_000);
        let inner = Value::Map(vec![("b".into(), Value::Nil), (long[..40].into(), "value".into())]);
        let outer = Value::Map(vec![
            ("c".into(), Value::Array(vec![inner])),
            (long[..300].into(), vec![1; 300].into()),
            (long.as_str().into(), vec![1; 70_000].into()),
        ]);
        let text = |text| Part::Text(str::as_bytes(text));
        let mut expected = vec![Part::Map, text("c"), Part::Array, Part::Map, text("b"), text(&long[..40])];
        expected.extend([text("value"), text(&long[..300]), Part::Bytes, text(&long), Part::Bytes]);
        assert_eq!(skim(&encoded(&outer)), Ok(expected));
    }

    #[test]
    fn the_first_difference_is_named() {
        let parts = |texts: &[&'static str]| {
            let text = |&text: &&'static str| if text == "-" { Part::Bytes } else { Part::Text(text.as_bytes()) };
            texts.iter().map(text).collect::<Vec<_>>()
        };
        let expected = parts(&["b", "a", "c", "b", "-"]);
        let found = |texts: &[&'static str]| difference(&parts(texts), &expected);
        assert_eq!(found(&["c", "b", "-", "b", "a"]), None);
        assert_eq!(found(&["b", "-", "c", "a"]).unwrap(), "`b` is missing");
        assert_eq!(found(&["b", "c", "b", "a"]).unwrap(), "a byte string is missing");
        assert_eq!(found(&["b", "a", "x", "w", "-"]).unwrap(), "`x` has no place in it");
        assert_eq!(found(&["b", "a", "b", "b", "c", "-"]).unwrap(), "`b` has no place in it");
        assert_eq!(found(&["b", "a", "b", "c", "-", "-"]).unwrap(), "a byte string has no place in it");
        assert_eq!(difference(&[], &[]), None);
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        for marker in [0xc6, 0xdb, 0xdd, 0xdf] {
            let claim = [marker, 0xff, 0xff, 0xff, 0xff];
            assert_eq!(skim(&claim), Err(FormatError::Truncated { size: LEN + 5 }));
        }
    }
}
