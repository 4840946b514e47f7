//! The one macro: a section is declared once, as a struct whose fields carry their default, their
//! environment variable, their check and whether they are applied while running.
//!
//! `= "name"` is a section that is there once, `= ["name"]` one entry of the list `[[name]]`; a
//! `Vec` of such entries is a [`List`]. A section can hold lists of its own, named after `with`.

use crate::key::{Key, Problem, Value};

/// A section of the file, seen without knowing its fields.
pub trait Section {
    /// Returns the doc lines of the section.
    fn doc(&self) -> &'static [&'static str];

    /// Returns the name in the file, e.g. `collector`.
    fn name(&self) -> &'static str;

    /// Returns every key, in the order of the file.
    fn keys(&self) -> &'static [Key];

    /// Returns the value of the key of this name.
    fn get(&self, name: &str) -> Option<Value>;

    /// Sets the key of this name; a value of the wrong type or outside the check is refused and
    /// changes nothing.
    ///
    /// # Errors
    /// What is wrong with the value.
    fn set(&mut self, name: &str, value: Value) -> Result<(), Problem>;
}

/// A list of the file: `[[name]]` written once for each entry.
pub trait List {
    /// Returns a fresh entry, which has name, texts and keys.
    fn blank(&self) -> Box<dyn Section>;

    /// Returns the entries in the order of the file.
    fn entries(&self) -> Vec<&dyn Section>;

    /// Returns one entry, counted from 0.
    fn entry_mut(&mut self, entry: usize) -> Option<&mut dyn Section>;

    /// Makes it so many entries, all of them fresh.
    fn reset(&mut self, entries: usize);
}

impl<T: Section + Default + Clone + 'static> List for Vec<T> {
    fn blank(&self) -> Box<dyn Section> {
        Box::new(T::default())
    }

    fn entries(&self) -> Vec<&dyn Section> {
        self.iter().map(|entry| entry as &dyn Section).collect()
    }

    fn entry_mut(&mut self, entry: usize) -> Option<&mut dyn Section> {
        self.get_mut(entry).map(|entry| entry as &mut dyn Section)
    }

    fn reset(&mut self, entries: usize) {
        *self = vec![T::default(); entries];
    }
}

/// Declares a section: `field: Type = default => modifiers;` where the modifiers are the builder
/// methods of [`Key`].
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])*
        pub struct $name:ident = [$section:literal] $($body:tt)*
    ) => {
        $crate::section::section! {
            @ true $(#[doc = $section_doc])* pub struct $name = $section $($body)*
        }
    };
    (
        $(#[doc = $section_doc:literal])*
        pub struct $name:ident = $section:literal $($body:tt)*
    ) => {
        $crate::section::section! {
            @ false $(#[doc = $section_doc])* pub struct $name = $section $($body)*
        }
    };
    (
        @ $listed:literal
        $(#[doc = $section_doc:literal])*
        pub struct $name:ident = $section:literal {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $type:ty = $default:expr => $($how:ident($($arg:expr),*))*;
            )*
        }
        $( with {
            $(
                $(#[doc = $list_doc:literal])*
                $list:ident: Vec<$entry:ty>;
            )*
        } )?
    ) => {
        $(#[doc = $section_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $( $(#[doc = $doc])* pub $field: $type, )*
            $($( $(#[doc = $list_doc])* pub $list: Vec<$entry>, )*)?
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* $($( $list: Vec::new(), )*)? }
            }
        }

        impl $name {
            /// Every key of this section.
            pub const KEYS: &'static [$crate::key::Key] = &[
                $(
                    $crate::key::Key::new(
                        $section,
                        stringify!($field),
                        concat!($section, ".", stringify!($field)),
                        <$type as $crate::field::Field>::KIND,
                        &[$($doc),*],
                        $listed,
                    )$(.$how($($arg),*))*,
                )*
            ];
        }

        impl $crate::section::Section for $name {
            fn doc(&self) -> &'static [&'static str] {
                &[$($section_doc),*]
            }

            fn name(&self) -> &'static str {
                $section
            }

            fn keys(&self) -> &'static [$crate::key::Key] {
                Self::KEYS
            }

            fn get(&self, name: &str) -> Option<$crate::key::Value> {
                match name {
                    $( stringify!($field) => Some($crate::field::Field::to_value(&self.$field)), )*
                    _ => None,
                }
            }

            fn set(
                &mut self,
                name: &str,
                value: $crate::key::Value,
            ) -> Result<(), $crate::key::Problem> {
                let key = Self::KEYS.iter().find(|key| key.name == name);
                match (name, key) {
                    $(
                        (stringify!($field), Some(key)) => {
                            self.$field = $crate::field::read(key, value)?;
                            Ok(())
                        }
                    )*
                    _ => Err($crate::key::Problem::new("is unknown", "remove it")),
                }
            }
        }
    };
}

pub(crate) use section;
