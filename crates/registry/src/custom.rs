//! A part that a user wrote, in its place among those of the library.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Registry, Settings, SettingsError, shown};

/// A message shows at most this many characters of a name.
const NAME: usize = 100;

/// A part that a user wrote: its name, its settings, and the part itself as a `P`, once it is there. Of a part that was
/// read from a file only name and settings are known until a [`Registry`] has made it.
///
/// Two are equal if their names and settings are. Copies are cheap: they share all of it.
pub struct Custom<P>(Arc<Named<P>>);

struct Named<P> {
    name: String,
    settings: Settings,
    part: Option<P>,
    /// As what else a registry knows the name, if one was asked for the part and did not know it.
    registered_as: OnceLock<&'static str>,
}

impl<P> Named<P> {
    fn new(name: String, settings: Settings, part: Option<P>) -> Self {
        Self { name, settings, part, registered_as: OnceLock::new() }
    }
}

/// Why a part that a file names cannot be used.
#[derive(Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Nothing of this kind and name is registered.
    #[error("the {} \"{name}\" is not part of this library; {}", kind.to_lowercase(), what_to_do(kind, name, *registered_as))]
    Unknown {
        /// The type that the part's constructor returns: `Loss`, say.
        kind: &'static str,
        /// Its name, escaped, and cut off if it is long.
        name: String,
        /// The type that a part of this name is registered as, if it is not `kind`.
        registered_as: Option<&'static str>,
    },
    /// The constructor refuses the settings.
    #[error("the {} \"{name}\" cannot be made from its settings: {}", kind.to_lowercase(), shown(reason, 500))]
    Settings {
        /// The type that the part's constructor returns.
        kind: &'static str,
        /// Its name, escaped, and cut off if it is long.
        name: String,
        /// What is wrong.
        reason: SettingsError,
    },
}

fn what_to_do(kind: &str, name: &str, registered_as: Option<&str>) -> String {
    match registered_as {
        Some(other) => format!(
            "the name is registered as a {other}, and not as a {kind}; if it is this part, let its constructor return a \
             {kind}, by .into(); if not, register this one as well, by .register::<{kind}>(\"{name}\", ..)"
        ),
        None => format!(
            "if it is yours, register it, by Registry::new().register::<{kind}>(\"{name}\", ..), and load the file \
             with that registry"
        ),
    }
}

impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<P> Custom<P> {
    /// A part that is there.
    pub fn new(name: impl Into<String>, settings: Settings, part: P) -> Self {
        Self(Arc::new(Named::new(name.into(), settings, Some(part))))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The part itself; `None` until a registry has made what a file only named.
    pub fn part(&self) -> Option<&P> {
        self.0.part.as_ref()
    }

    /// The part itself. `kind` is the type that its constructor returns, for the error.
    ///
    /// # Errors
    /// If it is not there.
    pub fn get(&self, kind: &'static str) -> Result<&P, OpenError> {
        let Named { name, part, registered_as, .. } = &*self.0;
        let unknown =
            || OpenError::Unknown { kind, name: shown(name, NAME), registered_as: registered_as.get().copied() };
        part.as_ref().ok_or_else(unknown)
    }

    /// The part itself, where code relies on its having been checked.
    ///
    /// # Panics
    /// If it is not there, with the message of [`Custom::get`].
    #[track_caller]
    pub fn expect(&self, kind: &'static str) -> &P {
        match self.get(kind) {
            Ok(part) => part,
            Err(missing) => panic!("{missing}"),
        }
    }
}

/// Makes the part that `whole` holds, if it is not there yet and `registry` knows its name; otherwise leaves it. `custom`
/// finds the part in the whole, `kind` is the type's name.
///
/// # Errors
/// If the constructor refuses the settings, or makes a part of another name or with other settings.
pub fn open<K: fmt::Debug + 'static, P>(
    whole: &mut K,
    custom: impl Fn(&K) -> Option<&Custom<P>>,
    kind: &'static str,
    registry: &Registry,
) -> Result<(), OpenError> {
    let Some(named) = custom(whole).filter(|named| named.0.part.is_none()) else { return Ok(()) };
    let refused = |reason| OpenError::Settings { kind, name: shown(&named.0.name, NAME), reason };
    match registry.make::<K>(&named.0.name, &named.0.settings).map_err(refused)? {
        None => {
            // It may be that of a part of another kind; who asks for this one is told. The first registry has it right.
            if let Some(other) = registry.kind_of(&named.0.name) {
                named.0.registered_as.get_or_init(|| other);
            }
            Ok(())
        }
        Some(made) if custom(&made) != Some(named) => {
            let reason = format_args!("the registered constructor made {made:?} where the file has {whole:?}");
            Err(refused(SettingsError::refused(shown(reason, 500))))
        }
        Some(made) => {
            *whole = made;
            Ok(())
        }
    }
}

impl<P> Clone for Custom<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> PartialEq for Custom<P> {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.settings == other.0.settings
    }
}

impl<P> fmt::Debug for Custom<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl<P> fmt::Display for Custom<P> {
    /// The name with the settings in parentheses, cut off where a file makes them long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0.name, NAME))?;
        if self.0.settings.is_empty() {
            return Ok(());
        }
        write!(f, " ({})", shown(&self.0.settings, 200))
    }
}

/// How a file has it.
#[derive(Serialize, Deserialize)]
#[serde(rename = "Custom", deny_unknown_fields)]
struct Record<N, S> {
    name: N,
    settings: S,
}

impl<P> Serialize for Custom<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Record { name: &self.0.name, settings: &self.0.settings }.serialize(serializer)
    }
}

impl<'de, P> Deserialize<'de> for Custom<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Record { name, settings } = Record::deserialize(deserializer)?;
        Ok(Self(Arc::new(Named::new(name, settings, None))))
    }
}

/// One part as two trait objects, for each of two number types one: how code that is generic over the number type reaches
/// a part behind a trait object.
pub struct Both<A: ?Sized, B: ?Sized> {
    single: Arc<A>,
    double: Arc<B>,
}

impl<A: ?Sized + 'static, B: ?Sized + 'static> Both<A, B> {
    /// The part as the one and as the other.
    pub fn new(single: Arc<A>, double: Arc<B>) -> Self {
        Self { single, double }
    }

    /// The object of type `T`.
    ///
    /// # Panics
    /// If `T` is neither `A` nor `B`.
    #[track_caller]
    pub fn get<T: ?Sized + 'static>(&self) -> &T {
        let objects: [&dyn Any; 2] = [&self.single, &self.double];
        match objects.into_iter().find_map(|object| object.downcast_ref::<Arc<T>>()) {
            Some(object) => object,
            None => panic!("Both: there is no object of type {}", std::any::type_name::<T>()),
        }
    }
}

impl<A: ?Sized, B: ?Sized> Clone for Both<A, B> {
    fn clone(&self) -> Self {
        Self { single: Arc::clone(&self.single), double: Arc::clone(&self.double) }
    }
}

impl<A: ?Sized, B: ?Sized> fmt::Debug for Both<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Both")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    trait Width<E> {
        fn bytes(&self) -> usize;
    }

    struct Any;

    impl Width<f32> for Any {
        fn bytes(&self) -> usize {
            4
        }
    }

    impl Width<f64> for Any {
        fn bytes(&self) -> usize {
            8
        }
    }

    /// A `main` that returns the error prints it so.
    #[test]
    fn errors_are_their_messages_with_debug_as_well() {
        let missing = Settings::new().number("rate").unwrap_err();
        let wrong = Settings::new().with("rate", true).number("rate").unwrap_err();
        for reason in [missing, wrong, SettingsError::refused("rate is too high")] {
            assert_eq!(format!("{reason:?}"), reason.to_string());
            let error = OpenError::Settings { kind: "Loss", name: "mine".to_owned(), reason };
            assert_eq!(format!("{error:?}"), error.to_string());
        }
        let error = OpenError::Unknown { kind: "Loss", name: "mine".to_owned(), registered_as: None };
        assert_eq!(format!("{error:?}"), error.to_string());
    }

    #[test]
    fn each_number_type_reaches_its_own_object() {
        let part = Arc::new(Any);
        let both: Both<dyn Width<f32>, dyn Width<f64>> = Both::new(part.clone(), part);
        assert_eq!((both.get::<dyn Width<f32>>().bytes(), both.get::<dyn Width<f64>>().bytes()), (4, 8));
    }

    #[derive(Debug, PartialEq)]
    struct Kind(Custom<u8>);

    fn named(settings: Settings) -> Kind {
        Kind(Custom(Arc::new(Named::new("x".to_owned(), settings, None))))
    }

    fn opened(mut file: Kind, registry: &Registry) -> Result<Kind, OpenError> {
        open(&mut file, |kind| Some(&kind.0), "Kind", registry)?;
        Ok(file)
    }

    #[test]
    fn what_a_file_names_is_made_by_the_registry_or_left() {
        let file = || named(Settings::new().with("n", f64::NAN));
        assert_eq!(opened(file(), &Registry::new()).unwrap().0.part(), None);
        let make = |s: &Settings| Ok(Kind(Custom::new("x", s.clone(), 7)));
        let made = opened(file(), &Registry::new().register::<Kind>("x", make)).unwrap();
        assert_eq!(made.0.part(), Some(&7));
        assert_eq!(made, file());
        let refused = Registry::new().register::<Kind>("x", |_| Err(SettingsError::refused("n is NaN")));
        let message = opened(file(), &refused).unwrap_err().to_string();
        assert_eq!(message, "the kind \"x\" cannot be made from its settings: n is NaN");
    }

    #[test]
    fn a_constructor_of_the_wrong_type_is_named() {
        let registry = Registry::new().register("x", |_| Ok(7_u8));
        let file = opened(named(Settings::new()), &registry).unwrap();
        assert_eq!(
            file.0.get("Kind").unwrap_err().to_string(),
            "the kind \"x\" is not part of this library; the name is registered as a u8, and not as a Kind; if it is this \
             part, let its constructor return a Kind, by .into(); if not, register this one as well, by \
             .register::<Kind>(\"x\", ..)"
        );
        // What is not registered at all is another matter.
        let file = opened(named(Settings::new()), &Registry::new().register("y", |_| Ok(7_u8))).unwrap();
        assert!(!file.0.get("Kind").unwrap_err().to_string().contains("u8"));
    }

    /// A file of 4 MB once made a message of 21 MB.
    #[test]
    fn a_part_is_shown_with_as_much_as_fits_a_line() {
        let long = "\x1b".repeat(1 << 20);
        let part: Custom<u8> = Custom::new(long.clone(), Settings::new().with("s", long), 7);
        let text = part.to_string();
        assert!(text.len() < 2000 && text.starts_with("\\u{1b}") && !text.contains('\x1b'), "{}", text.len());
    }

    #[test]
    fn a_constructor_that_forgets_a_setting_is_found_out() {
        let registry = Registry::new().register::<Kind>("x", |_| Ok(Kind(Custom::new("x", Settings::new(), 7))));
        let message = opened(named(Settings::new().with("n", 1)), &registry).unwrap_err().to_string();
        assert_eq!(
            message,
            "the kind \"x\" cannot be made from its settings: the registered constructor made Kind(x) where the file \
             has Kind(x (n 1))"
        );
    }

    #[test]
    fn a_file_holds_name_and_settings() {
        let part = Custom::new("x", Settings::new().with("n", 1), 7);
        let text = serde_json::to_string(&part).unwrap();
        assert_eq!(text, r#"{"name":"x","settings":{"n":1.0}}"#);
        let again: Custom<u8> = serde_json::from_str(&text).unwrap();
        assert_eq!((again.part(), again == part), (None, true));
        assert!(serde_json::from_str::<Custom<u8>>(r#"{"name":"x","settings":{},"more":1}"#).is_err());
    }

    #[test]
    fn an_unknown_part_says_how_to_register_it() {
        let message = named(Settings::new()).0.get("Loss").unwrap_err().to_string();
        assert!(message.contains("the loss \"x\"") && message.contains("register::<Loss>(\"x\", ..)"), "{message}");
    }
}
