//! Tensors by name, where they lie in a file.

use crate::FormatError;
use crate::de::read;
use crate::raw::Raw;
use crate::record::Unchecked;
use crate::shown::shown;

/// So many more names than there may be are looked at, to be listed.
const MORE: usize = 16;

/// The entries of a map of tensors, or of maps of them, in the order of their names. There are not many more of them than
/// the network needs, however many the file has.
#[derive(Debug)]
pub(crate) struct Tensors<'a> {
    entries: Vec<(&'a str, Option<Raw<'a>>)>,
    /// How many the file has.
    count: usize,
}

impl<'a> Tensors<'a> {
    /// The entries of `map`, which should be `expected` in number.
    pub(crate) fn new(map: Raw<'a>, expected: usize) -> Result<Self, FormatError> {
        let Some((count, found)) = map.entries() else {
            return Err(FormatError::Content { reason: "tensors must be a map from their names".to_owned() });
        };
        let most = expected.saturating_add(MORE).min(count);
        let mut entries = Vec::with_capacity(most);
        entries.extend(found.take(most).map(|(name, value)| (name, Some(value))));
        entries.sort_unstable_by_key(|(name, _)| *name);
        if entries.len() < most {
            return Err(FormatError::Content { reason: "the name of a tensor is not UTF-8".to_owned() });
        }
        match entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(FormatError::Content { reason: format!("the name `{}` comes twice", shown(pair[0].0)) }),
            None => Ok(Self { entries, count }),
        }
    }

    /// The number of entries that the file has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries.iter().map(|(name, _)| *name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// The tensor of this name, once.
    pub(crate) fn take(&mut self, name: &str) -> Option<Result<Unchecked<'a>, FormatError>> {
        Some(read(self.take_raw(name)?.0).map_err(FormatError::from))
    }

    /// What stands under this name, once.
    pub(crate) fn take_raw(&mut self, name: &str) -> Option<Raw<'a>> {
        let place = self.place(name)?;
        self.entries[place].1.take()
    }

    /// The names that were not taken, and whether all were looked at.
    pub(crate) fn left(&self) -> (impl Iterator<Item = &'a str>, bool) {
        let left = self.entries.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name);
        (left, self.entries.len() == self.count)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.entries.binary_search_by_key(&name, |(name, _)| name).ok()
    }
}
