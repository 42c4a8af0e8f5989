//! MessagePack as bodies are made of it, read where it lies.

use crate::FormatError;
use crate::prefix::LEN;

/// The head of a value: what it is, or how many values follow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Head<'a> {
    Nil,
    Bool(bool),
    /// An integer that is not negative.
    Whole(u64),
    Negative(i64),
    /// A number of single precision.
    Single(f32),
    Double(f64),
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    /// So many values follow.
    Array(usize),
    /// So many pairs of values follow.
    Map(usize),
}

/// A reader of values, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One whole value that has been skimmed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The number of bytes read so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The number of bytes that are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next byte, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Reads the head of the next value, and all of it unless it is an array or a map.
    pub(crate) fn head(&mut self) -> Result<Head<'a>, FormatError> {
        let [marker] = self.take::<1>()?;
        Ok(match marker {
            0x00..=0x7f => Head::Whole(marker.into()),
            0xe0..=0xff => Head::Negative((marker as i8).into()),
            0xc0 => Head::Nil,
            0xc2 => Head::Bool(false),
            0xc3 => Head::Bool(true),
            0xcc => Head::Whole(self.whole(1)?),
            0xcd => Head::Whole(self.whole(2)?),
            0xce => Head::Whole(self.whole(4)?),
            0xcf => Head::Whole(self.whole(8)?),
            0xd0 => signed(i8::from_be_bytes(self.take()?)),
            0xd1 => signed(i16::from_be_bytes(self.take()?)),
            0xd2 => signed(i32::from_be_bytes(self.take()?)),
            0xd3 => signed(i64::from_be_bytes(self.take()?)),
            0xca => Head::Single(f32::from_be_bytes(self.take()?)),
            0xcb => Head::Double(f64::from_be_bytes(self.take()?)),
            0xa0..=0xbf => Head::Text(self.slice(usize::from(marker & 0x1f))?),
            0xd9 => Head::Text(self.sized(1)?),
            0xda => Head::Text(self.sized(2)?),
            0xdb => Head::Text(self.sized(4)?),
            0xc4 => Head::Bytes(self.sized(1)?),
            0xc5 => Head::Bytes(self.sized(2)?),
            0xc6 => Head::Bytes(self.sized(4)?),
            0x90..=0x9f => Head::Array(usize::from(marker & 0x0f)),
            0xdc => Head::Array(self.length(2)?),
            0xdd => Head::Array(self.length(4)?),
            0x80..=0x8f => Head::Map(usize::from(marker & 0x0f)),
            0xde => Head::Map(self.length(2)?),
            0xdf => Head::Map(self.length(4)?),
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => {
                self.at -= 1;
                return Err(self.malformed("extension types have no place in a model"));
            }
        })
    }

    /// Reads one whole value that has been skimmed.
    pub(crate) fn value(&mut self) -> Result<Raw<'a>, FormatError> {
        let start = self.at;
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            match self.head()? {
                Head::Array(length) => left += length,
                Head::Map(length) => left += 2 * length,
                _ => {}
            }
        }
        Ok(Raw(&self.bytes[start..self.at]))
    }

    fn sized(&mut self, bytes: usize) -> Result<&'a [u8], FormatError> {
        let length = self.length(bytes)?;
        self.slice(length)
    }

    /// A length of so many bytes.
    fn length(&mut self, bytes: usize) -> Result<usize, FormatError> {
        // At most four bytes, which every machine can count.
        self.whole(bytes).map(|length| length as usize)
    }

    /// A number of so many bytes, the most significant one first.
    fn whole(&mut self, bytes: usize) -> Result<u64, FormatError> {
        Ok(self.slice(bytes)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let bytes = self.slice(N)?;
        bytes.try_into().map_err(|_| self.truncated())
    }

    fn slice(&mut self, length: usize) -> Result<&'a [u8], FormatError> {
        let slice = self.bytes[self.at..].get(..length).ok_or_else(|| self.truncated())?;
        self.at += length;
        Ok(slice)
    }

    pub(crate) fn truncated(&self) -> FormatError {
        FormatError::Truncated { size: LEN + self.bytes.len() }
    }

    pub(crate) fn malformed(&self, reason: &'static str) -> FormatError {
        FormatError::Malformed { offset: LEN + self.at, reason }
    }
}

impl<'a> Raw<'a> {
    /// The entries of a map: their number, and each with its name.
    pub(crate) fn entries(self) -> Option<(usize, impl Iterator<Item = (&'a str, Self)> + Clone)> {
        let mut reader = Reader::new(self.0);
        let Ok(Head::Map(length)) = reader.head() else { return None };
        let entry = move |_| match (reader.head(), reader.value()) {
            (Ok(Head::Text(name)), Ok(value)) => Some((std::str::from_utf8(name).ok()?, value)),
            _ => None,
        };
        Some((length, (0..length).map_while(entry)))
    }
}

fn signed(number: impl Into<i64>) -> Head<'static> {
    let number = number.into();
    u64::try_from(number).map_or(Head::Negative(number), Head::Whole)
}
