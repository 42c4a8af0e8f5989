//! How a family of parts becomes a closed set: activations, initializers, regularizers, constraints and losses.

/// Makes the closed set of a family from a list: the enum, the one match, and the way to a user's part.
///
/// An entry of the list is a documentation, a file of the family's folder with the struct in it that has the settings and
/// implements the family's `Kind`, and the settings. The match is a macro, `$with!(part, kind => work)`: `work` with `kind`
/// standing for the settings of `part`, whichever it is.
macro_rules! family {
    (
        $(#[$about_all:meta])*
        pub enum $family:ident, matched by $with:ident;
        $(#[$about_custom:meta])*
        Custom;
        $(
            $(#[$doc:meta])*
            $file:ident::$name:ident $({ $($(#[$about:meta])* $field:ident: $type:ty),+ $(,)? })?
        ),+ $(,)?
    ) => {
        $(#[$about_all])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum $family {
            $($(#[$doc])* $name $({ $($(#[$about])* $field: $type),+ })?,)+
            $(#[$about_custom])*
            Custom(custom::Custom),
        }

        macro_rules! $with {
            ($part:expr, $kind:ident => $work:expr) => {
                match $part {
                    $($family::$name $({ $($field),+ })? => {
                        let $kind = &$file::$name $({ $($field: *$field),+ })?;
                        $work
                    })+
                    $family::Custom($kind) => $work,
                }
            };
        }

        impl $family {
            /// A user's part, if it is one.
            fn custom(&self) -> Option<&custom::Custom> {
                match self {
                    Self::Custom(custom) => Some(custom),
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use family;
