//! Parts that users write (a layer, a loss, a metric, an optimizer ..) in files: what they are saved by, and how they are
//! opened.
//!
//! A file is data and never code. Of a part that a user wrote it holds the name and the [`Settings`]: numbers, truth
//! values, strings and lists. Who opens the file brings the code: a [`Registry`] that knows a constructor for each name.
//! One registry serves all kinds of parts; the type that a constructor returns says which kind it makes.
//!
//! ```
//! use mlp_registry::{Registry, Settings};
//!
//! // What a library keeps its losses in, and a loss of a user's in it.
//! #[derive(Debug, PartialEq)]
//! struct Loss(f64);
//!
//! let registry = Registry::new().register::<Loss>("tweedie", |settings| Ok(Loss(settings.number("power")?)));
//!
//! let settings = Settings::new().with("power", 1.5);
//! assert_eq!(registry.make::<Loss>("tweedie", &settings)?, Some(Loss(1.5)));
//! assert_eq!(registry.make::<Loss>("huber", &settings)?, None);
//! # Ok::<(), mlp_registry::SettingsError>(())
//! ```

mod custom;
mod registry;
mod settings;
mod shown;

pub use custom::{Both, Custom, OpenError, open};
pub use registry::Registry;
pub use settings::{Setting, Settings, SettingsError};
pub use shown::shown;
