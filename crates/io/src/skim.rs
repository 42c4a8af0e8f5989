//! A first look at a body, before anything is made of it.

use mlp_nn::Limits;

use crate::FormatError;
use crate::prefix::LEN;
use crate::raw::{Head, Reader};

/// The arrays and maps that one layer inside of another may take: a `concat` takes four, and its name two.
const PER_LAYER: usize = 6;
/// Those around the layers, and those within a setting of the last.
const AROUND: usize = 8;
/// The arrays and maps inside of each other that are read whatever the limits. Each takes a part of the stack, in a layer
/// up to 5 kB where nothing is optimized, and a thread may have no more than 2 MB of it.
const DEEPEST: usize = 256;
/// What one of the limits counts.
const SETTINGS: &str = "users' parts, their settings, and callbacks";

/// Checks that `body` is one complete MessagePack value and nothing else, built from what models are built from: maps
/// with strings as keys, no extension types, nothing nested too deeply, no length beyond the end. And that what it lists
/// keeps within `limits`, so that what is made from the lists later is known not to be larger than the file by much.
///
/// It looks at every byte once and takes no memory.
pub(crate) fn skim(body: &[u8], limits: &Limits) -> Result<(), FormatError> {
    let mut skim = Skim { reader: Reader::new(body), limits, layers: 0, entries: 0, settings: 0, remembered: 0 };
    skim.value(0, Place::Other)?;
    if skim.reader.left() == 0 { Ok(()) } else { Err(skim.reader.malformed("nothing may follow the body")) }
}

/// What a value is, by the key that it stands under.
#[derive(Clone, Copy)]
enum Place {
    /// An array of layers.
    Layers,
    /// An array of arrays of layers.
    Branches,
    /// The settings of a user's part, or what a callback remembers: a map from names of the user's.
    Settings,
    /// One of these, or what stands inside of it. A key means nothing here.
    Setting,
    /// An array of callbacks, of which each is worth a setting at least.
    Callbacks,
    /// One of them.
    Callback,
    /// The tensors that a callback remembers, by name.
    Remembered,
    /// A column for every value of an input row.
    Scaler,
    /// Tensors by name: nothing is made of them before the network has asked for them.
    Tensors,
    Other,
}

struct Skim<'a> {
    reader: Reader<'a>,
    limits: &'a Limits,
    layers: usize,
    entries: usize,
    settings: usize,
    /// The tensors of all callbacks.
    remembered: usize,
}

impl Skim<'_> {
    /// A value inside of `depth` others.
    fn value(&mut self, depth: usize, place: Place) -> Result<(), FormatError> {
        let start = self.reader.at();
        let head = self.reader.head()?;
        if let Head::Text(text) = head {
            return self.within(start, "name", "bytes in a string", text.len(), self.limits.name);
        }
        let (Head::Array(length) | Head::Map(length)) = head else { return Ok(()) };
        if length > self.reader.left() {
            return Err(self.reader.truncated());
        }
        self.check_depth(start, depth + 1)?;
        if matches!(head, Head::Array(_)) {
            let inner = match place {
                Place::Branches => Place::Layers,
                Place::Callbacks => Place::Callback,
                Place::Setting | Place::Settings => Place::Setting,
                Place::Tensors | Place::Remembered => Place::Tensors,
                _ => Place::Other,
            };
            self.count(start, place, length)?;
            return (0..length).try_for_each(|_| self.value(depth + 1, inner));
        }
        match place {
            Place::Settings => self.settings(start, length)?,
            Place::Setting => self.entries(start, length)?,
            Place::Remembered => {
                self.remembered = self.remembered.saturating_add(length);
                let what = "tensors of callbacks";
                self.within(start, "tensors", what, self.remembered, self.limits.tensors)?;
            }
            _ => {}
        }
        (0..length).try_for_each(|_| {
            if !matches!(self.reader.peek(), None | Some(0xa0..=0xbf | 0xd9..=0xdb)) {
                return Err(self.reader.malformed("the key of a map must be a string"));
            }
            let start = self.reader.at();
            let Head::Text(key) = self.reader.head()? else { return Err(self.reader.truncated()) };
            self.within(start, "name", "bytes in a string", key.len(), self.limits.name)?;
            let inner = match place {
                Place::Tensors | Place::Remembered => Place::Tensors,
                Place::Settings | Place::Setting => Place::Setting,
                Place::Callback if key == b"tensors" => Place::Remembered,
                _ => under(key),
            };
            if key == b"custom" && matches!(inner, Place::Other) {
                self.settings(start, 1)?;
            }
            self.value(depth + 1, inner)
        })
    }

    /// Checks how many arrays and maps lie inside of each other.
    fn check_depth(&self, start: usize, found: usize) -> Result<(), FormatError> {
        let (what, wanted) = ("arrays and maps inside of each other", self.limits.depth);
        let most = wanted.saturating_mul(PER_LAYER).saturating_add(AROUND);
        if most <= DEEPEST {
            return self.within(start, "depth", what, found, most);
        }
        if found <= DEEPEST {
            return Ok(());
        }
        Err(FormatError::Limit { offset: Some(LEN + start), setting: None, what, found, most: DEEPEST })
    }

    /// Counts what an array holds.
    fn count(&mut self, start: usize, place: Place, length: usize) -> Result<(), FormatError> {
        match place {
            Place::Layers | Place::Branches => {
                self.layers = self.layers.saturating_add(length);
                self.within(start, "layers", "layers and branches", self.layers, self.limits.layers)
            }
            Place::Callbacks => self.settings(start, length),
            Place::Scaler => self.within(start, "scaler", "columns of a scaler", length, self.limits.scaler),
            Place::Tensors | Place::Remembered => self.within(start, "axes", "axes", length, self.limits.axes),
            Place::Settings | Place::Setting | Place::Callback | Place::Other => self.entries(start, length),
        }
    }

    fn settings(&mut self, start: usize, more: usize) -> Result<(), FormatError> {
        self.settings = self.settings.saturating_add(more);
        self.within(start, "settings", SETTINGS, self.settings, self.limits.settings)
    }

    fn entries(&mut self, start: usize, more: usize) -> Result<(), FormatError> {
        self.entries = self.entries.saturating_add(more);
        self.within(start, "entries", "entries in all lists", self.entries, self.limits.entries)
    }

    fn within(
        &self,
        start: usize,
        setting: &'static str,
        what: &'static str,
        found: usize,
        most: usize,
    ) -> Result<(), FormatError> {
        if found <= most {
            return Ok(());
        }
        Err(FormatError::Limit { offset: Some(LEN + start), setting: Some(setting), what, found, most })
    }
}

/// What stands under a key of a record.
fn under(key: &[u8]) -> Place {
    match key {
        b"layers" => Place::Layers,
        b"branches" => Place::Branches,
        b"settings" | b"values" => Place::Settings,
        b"callbacks" => Place::Callbacks,
        b"mean" | b"scale" => Place::Scaler,
        b"tensors" | b"slots" => Place::Tensors,
        _ => Place::Other,
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

    fn skim(body: &[u8]) -> Result<(), FormatError> {
        let mut limits = Limits::unlimited();
        limits.depth = 6;
        super::skim(body, &limits)
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
        assert_eq!(skim(&bytes), Ok(()));
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
    }

    /// 6 layers inside of each other take 6 · 6 + 8 arrays and maps at the most.
    #[test]
    fn depth_has_a_limit_and_without_one_a_ceiling() {
        let nested = |depth: usize| [&vec![0x91; depth][..], &[0]].concat();
        let limit = |offset: usize, setting, found, most| {
            let what = "arrays and maps inside of each other";
            Err(FormatError::Limit { offset: Some(LEN + offset), setting, what, found, most })
        };
        assert_eq!(skim(&nested(44)), Ok(()));
        assert_eq!(skim(&[0x91; 100_000]), limit(44, Some("depth"), 45, 44));
        let unlimited = |body: &[u8]| super::skim(body, &Limits::unlimited());
        assert_eq!(unlimited(&nested(DEEPEST)), Ok(()));
        assert_eq!(unlimited(&[0x91; 1_000_000]), limit(DEEPEST, None, DEEPEST + 1, DEEPEST));
    }

    #[test]
    fn a_claimed_length_is_not_believed() {
        for marker in [0xc6, 0xdb, 0xdd, 0xdf] {
            let claim = [marker, 0xff, 0xff, 0xff, 0xff];
            assert_eq!(skim(&claim), Err(FormatError::Truncated { size: LEN + 5 }));
        }
    }

    /// Lists up to their limit and one beyond it, the latter at the byte where it starts.
    #[test]
    fn lists_are_counted_by_what_they_hold() {
        let map = |entries: Vec<(&str, Value)>| Value::Map(entries.into_iter().map(|(k, v)| (k.into(), v)).collect());
        let list = |length| Value::Array(vec![0.into(); length]);
        let settings = |count| Value::Map((0..count).map(|i| (format!("{i}").into(), Value::Nil)).collect());
        // Whatever their names are.
        let keys = ["tensors", "slots", "mean", "scale", "layers", "branches", "callbacks", "settings", "custom"];
        let named = |n: usize| Value::Map(keys.iter().map(|&key| (key.into(), list(n))).collect());
        let custom = || map(vec![("custom", map(vec![("name", "".into()), ("settings", Value::Map(vec![]))]))]);
        let cases: [(&str, &dyn Fn(usize) -> Value); 15] = [
            ("layers", &|n| map(vec![("layers", list(n))])),
            ("layers", &|n| map(vec![("layers", list(2)), ("branches", Value::Array(vec![list(1), list(n - 5)]))])),
            ("settings", &|n| map(vec![("settings", settings(n))])),
            ("settings", &|n| map(vec![("callbacks", list(3)), ("values", settings(n - 3))])),
            ("settings", &|n| map(vec![("metrics", Value::Array(vec![custom(); n]))])),
            ("settings", &|n| map(vec![("loss", custom()), ("settings", settings(n - 1))])),
            ("entries", &|n| map(vec![("settings", named(4)), ("columns", list(n - 36))])),
            ("entries", &|n| map(vec![("values", map(vec![("slots", Value::Array(vec![list(n - 1)]))]))])),
            ("tensors", &|n| {
                let callback = |n| map(vec![("tensors", Value::Map(settings(n).as_map().unwrap().clone()))]);
                map(vec![("callbacks", Value::Array(vec![callback(3), callback(n - 3)]))])
            }),
            ("scaler", &|n| map(vec![("mean", list(n)), ("scale", list(n))])),
            ("axes", &|n| map(vec![("tensors", map(vec![("layers", map(vec![("shape", list(n))]))]))])),
            ("axes", &|n| map(vec![("slots", map(vec![("w", map(vec![("m", list(n))]))]))])),
            ("entries", &|n| map(vec![("columns", list(3)), ("class_names", list(n - 3))])),
            ("name", &|n| "x".repeat(n).into()),
            ("name", &|n| map(vec![(&"x".repeat(n)[..], Value::Nil)])),
        ];
        for (setting, make) in cases {
            let mut limits = Limits::unlimited();
            limits.depth = 8;
            let limit = match setting {
                "layers" => &mut limits.layers,
                "settings" => &mut limits.settings,
                "scaler" => &mut limits.scaler,
                "axes" => &mut limits.axes,
                "entries" => &mut limits.entries,
                "tensors" => &mut limits.tensors,
                _ => &mut limits.name,
            };
            *limit = 40;
            assert_eq!(super::skim(&encoded(&make(40)), &limits), Ok(()), "{setting}");
            match super::skim(&encoded(&make(41)), &limits) {
                Err(FormatError::Limit { setting: found, found: 41, most: 40, .. }) => assert_eq!(found, Some(setting)),
                other => panic!("{setting}: {other:?}"),
            }
        }
    }
}
