//! The types a field may have, and how a [`Value`] becomes one.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::key::{Key, Kind, Problem, Value};
use crate::secret::Secret;

/// Something a key can hold.
pub(crate) trait Field: Sized {
    /// What the file holds for it.
    const KIND: Kind;

    /// Returns the field from a value of that kind.
    fn from_value(value: Value) -> Result<Self, Problem>;

    /// Returns the value of the field.
    fn to_value(&self) -> Value;
}

/// Checks `value` against the declaration of `key` and makes the field of it.
pub(crate) fn read<T: Field>(key: &Key, value: Value) -> Result<T, Problem> {
    let value = match (key.kind, value) {
        (Kind::Secret, Value::Text(text)) => Value::Secret(Secret::new(text)),
        (_, value) => value,
    };
    key.admit(&value)?;
    T::from_value(value)
}

/// Returns the problem of a value whose kind [`Key::admit`] has not let through.
pub(crate) fn wrong_kind() -> Problem {
    Problem::new("has the wrong type", "see the reference of the keys")
}

macro_rules! whole_number {
    ($($type:ty),*) => {
        $(
            impl Field for $type {
                const KIND: Kind = Kind::Int;

                fn from_value(value: Value) -> Result<Self, Problem> {
                    let Value::Int(number) = value else {
                        return Err(wrong_kind());
                    };
                    Self::try_from(number).map_err(|_| {
                        Problem::new(
                            format!("{number} is outside {}…{}", Self::MIN, Self::MAX),
                            format!("choose a number from {} to {}", Self::MIN, Self::MAX),
                        )
                    })
                }

                fn to_value(&self) -> Value {
                    Value::Int(i128::from(*self))
                }
            }
        )*
    };
}

whole_number!(u16, u32, u64);

impl Field for bool {
    const KIND: Kind = Kind::Bool;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Bool(flag) => Ok(flag),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Field for String {
    const KIND: Kind = Kind::Text;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) => Ok(text),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Field for Secret {
    const KIND: Kind = Kind::Secret;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Secret(secret) => Ok(secret),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        Value::Secret(self.clone())
    }
}

impl Field for Vec<String> {
    const KIND: Kind = Kind::List;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::List(items) => Ok(items),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        Value::List(self.clone())
    }
}

impl Field for BTreeMap<String, String> {
    const KIND: Kind = Kind::Map;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Map(entries) => Ok(entries),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        Value::Map(self.clone())
    }
}

impl Field for PathBuf {
    const KIND: Kind = Kind::Text;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) => Ok(Self::from(text)),
            _ => Err(wrong_kind()),
        }
    }

    fn to_value(&self) -> Value {
        Value::Text(self.display().to_string())
    }
}

/// An empty text stands for nothing.
impl Field for Option<PathBuf> {
    const KIND: Kind = Kind::Text;

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) if text.is_empty() => Ok(None),
            value => PathBuf::from_value(value).map(Some),
        }
    }

    fn to_value(&self) -> Value {
        self.as_ref()
            .map_or_else(|| Value::Text(String::new()), Field::to_value)
    }
}

impl Field for SocketAddr {
    const KIND: Kind = Kind::Text;

    fn from_value(value: Value) -> Result<Self, Problem> {
        let Value::Text(text) = value else {
            return Err(wrong_kind());
        };
        let parsed = match text.strip_prefix("localhost:") {
            Some(port) => port
                .parse()
                .ok()
                .map(|port| Self::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)),
            None => text.parse().ok(),
        };
        parsed.ok_or_else(|| {
            Problem::new(
                format!("{text:?} is not an address and port"),
                "write ADDRESS:PORT, e.g. 127.0.0.1:8088 or [::1]:8088",
            )
        })
    }

    fn to_value(&self) -> Value {
        Value::Text(self.to_string())
    }
}

/// Declares a field that is one of a few words; the first is the default.
macro_rules! choice {
    (
        $(#[doc = $doc:literal])*
        pub enum $name:ident {
            $(#[doc = $first_doc:literal])*
            $first:ident = $first_word:literal,
            $( $(#[doc = $one_doc:literal])* $one:ident = $word:literal, )*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $first_doc])*
            #[default]
            $first,
            $( $(#[doc = $one_doc])* $one, )*
        }

        impl $name {
            /// Every one of them, in the order of the reference.
            pub const ALL: &'static [Self] = &[Self::$first, $(Self::$one),*];

            /// Returns the word in the file.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $( Self::$one => $word, )*
                }
            }
        }

        impl $crate::field::Field for $name {
            const KIND: $crate::key::Kind = $crate::key::Kind::Text;

            fn from_value(value: $crate::key::Value) -> Result<Self, $crate::key::Problem> {
                let $crate::key::Value::Text(text) = value else {
                    return Err($crate::field::wrong_kind());
                };
                match text.as_str() {
                    $first_word => Ok(Self::$first),
                    $( $word => Ok(Self::$one), )*
                    _ => {
                        let words: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                        Err($crate::key::Problem::new(
                            format!("is {}", $crate::key::quoted(&text)),
                            format!("write one of \"{}\"", words.join("\", \"")),
                        ))
                    }
                }
            }

            fn to_value(&self) -> $crate::key::Value {
                $crate::key::Value::Text(self.as_str().to_owned())
            }
        }
    };
}

pub(crate) use choice;
