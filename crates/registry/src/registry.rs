//! Constructors by kind and name.

use std::any::{Any, TypeId, type_name};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Settings, SettingsError};

/// Constructors of parts that users wrote, by kind and name, for opening files that hold such parts.
///
/// The kind is the type that the constructor returns: `Loss` of the crate `mlp-nn`, `Optimizer` of `mlp-optim` and so
/// on. A constructor of another type of the same name is another constructor.
#[derive(Clone, Default)]
pub struct Registry {
    /// Each a `Constructor<K>`.
    constructors: BTreeMap<(TypeId, String), Arc<dyn Any + Send + Sync>>,
    /// The names with their kinds, for messages.
    names: Vec<(&'static str, String)>,
}

type Constructor<K> = Box<dyn Fn(&Settings) -> Result<K, SettingsError> + Send + Sync>;

impl Registry {
    /// A registry without names.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the part of kind `K` that is saved under `name`: `constructor` makes it from its settings, or says what is
    /// wrong with them. Files may come from anyone, so it must not rely on a setting being there or in its range.
    ///
    /// `K` is the type that holds parts of all kinds, such as `Layer`, and not the type of the part: a constructor turns
    /// its part into a `K` by `.into()`. What is registered as another type is not found, and the error says so.
    ///
    /// # Panics
    /// If a part of this kind and name is registered already.
    #[must_use]
    #[track_caller]
    pub fn register<K: 'static>(
        mut self,
        name: &str,
        constructor: impl Fn(&Settings) -> Result<K, SettingsError> + Send + Sync + 'static,
    ) -> Self {
        let constructor: Constructor<K> = Box::new(constructor);
        let old = self.constructors.insert((TypeId::of::<K>(), name.to_owned()), Arc::new(constructor));
        let kind = type_name::<K>().rsplit("::").next().unwrap_or_default();
        assert!(old.is_none(), "register: a {kind} of the name {name:?} is registered already");
        self.names.push((kind, name.to_owned()));
        self
    }

    /// The part of kind `K` that is saved under `name` with these settings; `None` if no such name is registered.
    ///
    /// # Errors
    /// If the constructor refuses the settings.
    pub fn make<K: 'static>(&self, name: &str, settings: &Settings) -> Result<Option<K>, SettingsError> {
        let constructor = self.constructors.get(&(TypeId::of::<K>(), name.to_owned()));
        let constructor = constructor.and_then(|constructor| constructor.downcast_ref::<Constructor<K>>());
        constructor.map(|constructor| constructor(settings)).transpose()
    }

    /// The name of a type that a part of this name was registered as.
    pub(crate) fn kind_of(&self, name: &str) -> Option<&'static str> {
        self.names.iter().find(|(_, known)| known == name).map(|(kind, _)| *kind)
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registry of ")?;
        f.debug_list().entries(self.names.iter().map(|(kind, name)| format!("{kind} {name:?}"))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_may_stand_for_a_part_of_each_kind() {
        let registry = Registry::new()
            .register::<u8>("x", |settings| Ok(settings.count("n")? as u8))
            .register::<String>("x", |_| Err(SettingsError::refused("never")));
        let settings = Settings::new().with("n", 3);
        assert_eq!(registry.make::<u8>("x", &settings), Ok(Some(3)));
        assert_eq!(registry.make::<u8>("y", &settings), Ok(None));
        assert_eq!(registry.make::<u16>("x", &settings), Ok(None));
        assert_eq!(registry.make::<String>("x", &settings), Err(SettingsError::refused("never")));
        assert!(registry.make::<u8>("x", &Settings::new()).is_err());
        assert_eq!(format!("{registry:?}"), r#"Registry of ["u8 \"x\"", "String \"x\""]"#);
    }

    #[test]
    #[should_panic(expected = "register: a u8 of the name \"x\" is registered already")]
    fn a_name_is_registered_once() {
        let _ = Registry::new().register::<u8>("x", |_| Ok(1)).register::<u8>("x", |_| Ok(2));
    }
}
