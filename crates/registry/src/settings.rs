//! Settings of a part, as files hold them.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::shown;

/// One setting: a number, a truth value, a string, or a list of such.
///
/// A number is read as it is written, as a float; from a format for people, such as JSON, a whole number without a point
/// is a number as well.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Setting {
    /// Yes or no.
    Bool(bool),
    /// A number. Whole numbers are exact up to 2⁵³. A model file holds infinities and NaN as well; JSON has none.
    Number(f64),
    /// A string.
    Text(String),
    /// Several settings in order.
    List(Vec<Setting>),
}

/// The settings of a part by name.
///
/// ```
/// use mlp_registry::Settings;
///
/// let settings = Settings::new().with("rate", 0.5).with("levels", [1.0, 2.0]).with("mode", "min").with("verbose", true);
/// assert_eq!(settings.number("rate")?, 0.5);
/// assert_eq!(settings.numbers("levels")?, [1.0, 2.0]);
/// assert_eq!(settings.text("mode")?, "min");
/// assert!(settings.bool("verbose")?);
/// assert_eq!(settings.number("mode").unwrap_err().to_string(), "`mode` is \"min\", but must be a number");
/// # Ok::<(), mlp_registry::SettingsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Setting>);

/// Why a part cannot be made from its settings.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A setting that is not there.
    #[error("`{name}` is missing")]
    Missing {
        /// The setting's name.
        name: String,
    },
    /// A setting of another type.
    #[error("`{name}` is {found}, but must be {expected}")]
    Type {
        /// The setting's name.
        name: String,
        /// What it must be.
        expected: &'static str,
        /// What it is, cut off if it is long.
        found: String,
    },
    /// Settings that the part itself refuses.
    #[error("{reason}")]
    Refused {
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl fmt::Debug for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl SettingsError {
    /// A refusal for this reason.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }
}

impl Settings {
    /// No settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this setting; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Setting>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    /// The number of settings.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every name with its setting, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.0.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    /// The setting of this name, of whatever type.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.0.get(name)
    }

    /// The number of this name.
    ///
    /// # Errors
    /// If there is no such setting, or it is of another type; the same holds for the methods that follow.
    pub fn number(&self, name: &str) -> Result<f64, SettingsError> {
        match self.find(name)? {
            Setting::Number(value) => Ok(*value),
            other => Err(wrong_type(name, "a number", other)),
        }
    }

    /// The whole number of this name, 0 or above.
    ///
    /// # Errors
    /// As [`Settings::number`], and if the number is negative, has a fraction or is larger than 2⁵³.
    pub fn count(&self, name: &str) -> Result<usize, SettingsError> {
        let value = self.number(name)?;
        // 2⁵³: beyond it not every whole number is one of f64's.
        if value.fract() == 0.0 && (0.0..=LARGEST).contains(&value) {
            return Ok(value as usize);
        }
        Err(wrong_type(name, "a whole number from 0 to 2^53", &Setting::Number(value)))
    }

    /// The truth value of this name.
    ///
    /// # Errors
    /// As [`Settings::number`].
    pub fn bool(&self, name: &str) -> Result<bool, SettingsError> {
        match self.find(name)? {
            Setting::Bool(value) => Ok(*value),
            other => Err(wrong_type(name, "true or false", other)),
        }
    }

    /// The string of this name.
    ///
    /// # Errors
    /// As [`Settings::number`].
    pub fn text(&self, name: &str) -> Result<&str, SettingsError> {
        match self.find(name)? {
            Setting::Text(value) => Ok(value),
            other => Err(wrong_type(name, "a string", other)),
        }
    }

    /// The list of this name.
    ///
    /// # Errors
    /// As [`Settings::number`].
    pub fn list(&self, name: &str) -> Result<&[Setting], SettingsError> {
        match self.find(name)? {
            Setting::List(values) => Ok(values),
            other => Err(wrong_type(name, "a list", other)),
        }
    }

    /// The list of numbers of this name.
    ///
    /// # Errors
    /// As [`Settings::number`], and if something else than a number is in the list.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>, SettingsError> {
        let number = |setting: &Setting| match setting {
            Setting::Number(value) => Ok(*value),
            other => Err(wrong_type(name, "a list of numbers", other)),
        };
        self.list(name)?.iter().map(number).collect()
    }

    fn find(&self, name: &str) -> Result<&Setting, SettingsError> {
        self.get(name).ok_or_else(|| SettingsError::Missing { name: name.to_owned() })
    }
}

/// 2⁵³.
const LARGEST: f64 = 9_007_199_254_740_992.0;

fn wrong_type(name: &str, expected: &'static str, found: &Setting) -> SettingsError {
    SettingsError::Type { name: name.to_owned(), expected, found: shown(found, 100) }
}

impl PartialEq for Setting {
    /// Numbers are equal if their bits are: NaN is equal to itself, and 0 is not -0.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(value) => write!(f, "{value:?}"),
            Self::List(values) => {
                f.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
        }
    }
}

impl fmt::Display for Settings {
    /// `power 1.5, levels [1, 2]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{} {value}", if index == 0 { "" } else { ", " }, shown(name, 100))?;
        }
        Ok(())
    }
}

impl From<bool> for Setting {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Setting {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<f32> for Setting {
    fn from(value: f32) -> Self {
        Self::Number(value.into())
    }
}

impl From<i32> for Setting {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<usize> for Setting {
    /// # Panics
    /// If the number is larger than 2⁵³, which no setting holds exactly.
    fn from(value: usize) -> Self {
        assert!(value as u64 <= LARGEST as u64, "Setting: {value} is larger than 2^53 and would be rounded");
        Self::Number(value as f64)
    }
}

impl From<&str> for Setting {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Setting {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Setting>> From<Vec<T>> for Setting {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Setting>, const N: usize> From<[T; N]> for Setting {
    fn from(values: [T; N]) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Clone + Into<Setting>> From<&[T]> for Setting {
    fn from(values: &[T]) -> Self {
        Self::List(values.iter().cloned().map(Into::into).collect())
    }
}

impl<'de> Deserialize<'de> for Setting {
    /// One by one: the derived code would first hold a whole list in another form, and a list may be from anyone.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneSetting {
            /// Whether a number may be written without a point. In a format for machines the same setting has one form.
            whole: bool,
        }

        impl OneSetting {
            fn whole<E: Error>(&self, value: f64, found: Unexpected<'_>) -> Result<Setting, E> {
                if self.whole { Ok(Setting::Number(value)) } else { Err(E::invalid_type(found, self)) }
            }
        }

        impl<'de> Visitor<'de> for OneSetting {
            type Value = Setting;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if self.whole {
                    "a bool, a number, a string or a list of such"
                } else {
                    "a bool, a float, a string or a list of such"
                })
            }

            fn visit_bool<E: Error>(self, value: bool) -> Result<Setting, E> {
                Ok(Setting::Bool(value))
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Setting, E> {
                Ok(Setting::Number(value))
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<Setting, E> {
                self.whole(value as f64, Unexpected::Signed(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Setting, E> {
                self.whole(value as f64, Unexpected::Unsigned(value))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
                Ok(Setting::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Setting, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Setting::List)
            }
        }

        let whole = deserializer.is_human_readable();
        deserializer.deserialize_any(OneSetting { whole })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new()
            .with("number", 2.5)
            .with("count", 7_usize)
            .with("bool", true)
            .with("text", "x")
            .with("list", vec![Setting::from("a"), Setting::from([1, 2])])
            .with("nan", f64::NAN)
    }

    #[test]
    fn every_type_is_read_as_itself_and_as_nothing_else() {
        let s = settings();
        assert_eq!((s.number("number"), s.count("count"), s.bool("bool")), (Ok(2.5), Ok(7), Ok(true)));
        assert_eq!((s.text("text"), s.list("list").map(<[_]>::len)), (Ok("x"), Ok(2)));
        let message = |error: Result<f64, SettingsError>| error.unwrap_err().to_string();
        assert_eq!(message(s.number("text")), "`text` is \"x\", but must be a number");
        assert_eq!(message(s.number("other")), "`other` is missing");
        assert_eq!(s.bool("number").unwrap_err().to_string(), "`number` is 2.5, but must be true or false");
        assert_eq!(s.text("bool").unwrap_err().to_string(), "`bool` is true, but must be a string");
        assert_eq!(s.list("text").unwrap_err().to_string(), "`text` is \"x\", but must be a list");
        assert_eq!(s.numbers("list").unwrap_err().to_string(), "`list` is \"a\", but must be a list of numbers");
        assert!(s.count("number").unwrap_err().to_string().contains("a whole number"));
        assert!(s.count("nan").is_err());
    }

    #[test]
    fn settings_are_equal_bit_for_bit() {
        assert_eq!(settings(), settings());
        assert_ne!(Setting::from(0.0), Setting::from(-0.0));
        assert_ne!(Setting::from(1), Setting::from(true));
    }

    #[test]
    fn settings_survive_a_file() {
        let s = Settings::new().with("a", 1).with("b", [true, false]).with("c", "text").with("d", 0.1);
        let text = serde_json::to_string(&s).unwrap();
        assert_eq!(text, r#"{"a":1.0,"b":[true,false],"c":"text","d":0.1}"#);
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), s);
        assert!(serde_json::from_str::<Settings>(r#"{"x":null}"#).is_err());
        // A whole number written without a point is a number as well.
        assert_eq!(serde_json::from_str::<Settings>(r#"{"a":1}"#).unwrap().number("a"), Ok(1.0));
    }

    #[test]
    fn a_message_is_made_of_what_it_shows_and_of_nothing_else() {
        let s = Settings::new().with("long", "\x1b".repeat(1 << 20)).with("list", vec![true; 1 << 20]);
        let message = s.number("long").unwrap_err().to_string();
        assert!(message.starts_with("`long` is \"\\u{1b}\\u{1b}") && message.len() < 200, "{message}");
        let message = s.number("list").unwrap_err().to_string();
        // "[" and sixteen times "true, ", and three characters more.
        assert_eq!(message, format!("`list` is [{}tru.., but must be a number", "true, ".repeat(16)));
    }

    #[test]
    fn settings_are_shown_with_their_names() {
        assert_eq!(Settings::new().with("by", 0.5).with("to", [1, 2]).to_string(), "by 0.5, to [1, 2]");
    }

    #[test]
    #[should_panic(expected = "would be rounded")]
    fn a_whole_number_that_would_be_rounded_is_refused() {
        let _ = Setting::from((1_usize << 53) + 1);
    }
}
