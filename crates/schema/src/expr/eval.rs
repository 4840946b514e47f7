//! Evaluates bound expressions.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::Write as _;

use crate::Cell;

/// The value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// NULL, or no value.
    Null,
    /// `bool`
    Bool(bool),
    /// `int4` or `int8`
    Int(i64),
    /// `float8` or `numeric`
    Float(f64),
    /// `text`
    Text(Cow<'a, str>),
    /// A value of another type, of which only the presence is known.
    Present,
}

impl Value<'_> {
    fn of(cell: &Cell) -> Value<'_> {
        match cell {
            Cell::Null => Value::Null,
            Cell::Float(value) => Value::Float(*value),
            Cell::Int(value) => Value::Int(*value),
            Cell::Bool(value) => Value::Bool(*value),
            Cell::Text(value) => Value::Text(Cow::Borrowed(value)),
            Cell::Json(_) | Cell::Time(_) => Value::Present,
        }
    }

    /// Returns it as `float8`; `None` for what is not a number.
    #[expect(clippy::cast_precision_loss, reason = "as in PostgreSQL")]
    pub(super) const fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Present => None,
        }
    }

    const fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }
}

/// The type in which numbers are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Int4,
    Int8,
    /// `numeric` too: the last digits may differ from those of PostgreSQL.
    Float8,
}

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    const fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// The type that a cast results in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    Int4,
    Int8,
    Float8,
    Text,
}

/// A bound expression: columns are positions, and types were checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Column(usize),
    Negate(Arithmetic, Box<Self>),
    Compute(Arithmetic, Operation, Box<[Self; 2]>),
    Concat(Box<[Self; 2]>),
    Compare(Comparison, Box<[Self; 2]>),
    In(Box<Self>, Box<[Self]>),
    IsNull(Box<Self>),
    Not(Box<Self>),
    And(Box<[Self; 2]>),
    Or(Box<[Self; 2]>),
    /// Conditions with their results, and the result when none holds.
    Case(Box<[(Self, Self)]>, Box<Self>),
    Coalesce(Box<[Self]>),
    NullIf(Box<[Self; 2]>),
    /// The greatest, or with `Less` the least, of the values that are not NULL.
    Extreme(Ordering, Box<[Self]>),
    Cast(Cast, Box<Self>),
    /// A cast from `numeric` to an integer, which rounds half away from zero; that from `float8` rounds to even.
    Round(Box<Self>),
}

impl Node {
    /// Returns the value for the cells of a row.
    pub(super) fn value<'a>(&'a self, cells: &'a [Cell]) -> Value<'a> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Column(index) => cells.get(*index).map_or(Value::Null, Value::of),
            Self::Negate(kind, inner) => compute(
                *kind,
                Operation::Subtract,
                &Value::Int(0),
                &inner.value(cells),
            ),
            Self::Compute(kind, operation, pair) => {
                let [a, b] = &**pair;
                compute(*kind, *operation, &a.value(cells), &b.value(cells))
            }
            Self::Concat(_) => {
                let mut text = String::new();
                if self.write(cells, &mut text) {
                    return Value::Text(Cow::Owned(text));
                }
                Value::Null
            }
            Self::Compare(..)
            | Self::In(..)
            | Self::IsNull(_)
            | Self::Not(_)
            | Self::And(_)
            | Self::Or(_) => self.truth(cells).map_or(Value::Null, Value::Bool),
            Self::Case(arms, otherwise) => chosen(arms, otherwise, cells).value(cells),
            Self::Coalesce(nodes) => {
                let mut values = nodes.iter().map(|node| node.value(cells));
                let found = values.find(|value| *value != Value::Null);
                found.unwrap_or(Value::Null)
            }
            Self::NullIf(pair) => {
                let [a, b] = &**pair;
                let value = a.value(cells);
                match value.order(&b.value(cells)) {
                    Some(Ordering::Equal) => Value::Null,
                    _ => value,
                }
            }
            Self::Extreme(wanted, nodes) => {
                let values = nodes.iter().map(|node| node.value(cells));
                let values = values.filter(|value| *value != Value::Null);
                let extreme =
                    values.reduce(|a, b| if b.order(&a) == Some(*wanted) { b } else { a });
                extreme.unwrap_or(Value::Null)
            }
            Self::Cast(cast, inner) => converted(*cast, inner.value(cells)),
            Self::Round(inner) => match inner.value(cells) {
                Value::Float(value) => Value::Float(value.round()),
                value => value,
            },
        }
    }

    /// Returns whether a condition holds; `None` when that is unknown.
    fn truth(&self, cells: &[Cell]) -> Option<bool> {
        match self {
            Self::Compare(comparison, pair) => {
                let [a, b] = &**pair;
                let order = a.value(cells).order(&b.value(cells))?;
                Some(comparison.holds(order))
            }
            Self::In(node, list) => {
                let value = node.value(cells);
                any(list.iter(), |one| {
                    Some(value.order(&one.value(cells))?.is_eq())
                })
            }
            Self::IsNull(inner) => Some(inner.value(cells) == Value::Null),
            Self::Not(inner) => inner.truth(cells).map(|holds| !holds),
            Self::Or(pair) => any(pair.iter(), |one| one.truth(cells)),
            Self::And(pair) => {
                any(pair.iter(), |one| one.truth(cells).map(|holds| !holds)).map(|fails| !fails)
            }
            _ => self.value(cells).truth(),
        }
    }

    /// Appends the value as text and returns true; leaves `out` alone and returns false when it is NULL.
    pub(super) fn write(&self, cells: &[Cell], out: &mut String) -> bool {
        match self {
            Self::Concat(pair) => {
                let before = out.len();
                let is_known = pair.iter().all(|part| part.write(cells, out));
                if !is_known {
                    out.truncate(before);
                }
                is_known
            }
            Self::Cast(Cast::Text, inner) => inner.write(cells, out),
            Self::Case(arms, otherwise) => chosen(arms, otherwise, cells).write(cells, out),
            _ => match self.value(cells) {
                Value::Text(text) => {
                    out.push_str(&text);
                    true
                }
                Value::Int(value) => write!(out, "{value}").is_ok(),
                Value::Bool(value) => {
                    out.push_str(if value { "true" } else { "false" });
                    true
                }
                Value::Null | Value::Float(_) | Value::Present => false,
            },
        }
    }
}

/// Returns whether one of several conditions holds; unknown when none does and one is unknown.
fn any<'a>(
    nodes: impl Iterator<Item = &'a Node>,
    truth: impl Fn(&Node) -> Option<bool>,
) -> Option<bool> {
    let mut found = Some(false);
    for node in nodes {
        match truth(node) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => found = None,
        }
    }
    found
}

fn chosen<'a>(arms: &'a [(Node, Node)], otherwise: &'a Node, cells: &[Cell]) -> &'a Node {
    let arm = arms
        .iter()
        .find(|(when, _)| when.truth(cells) == Some(true));
    arm.map_or(otherwise, |(_, then)| then)
}

fn compute(kind: Arithmetic, operation: Operation, a: &Value<'_>, b: &Value<'_>) -> Value<'static> {
    if let (Value::Int(a), Value::Int(b)) = (a, b)
        && kind != Arithmetic::Float8
    {
        let result = match operation {
            Operation::Add => a.checked_add(*b),
            Operation::Subtract => a.checked_sub(*b),
            Operation::Multiply => a.checked_mul(*b),
            Operation::Divide => a.checked_div(*b),
        };
        return result.map_or(Value::Null, |value| {
            integer(value, kind == Arithmetic::Int4)
        });
    }
    let (Some(a), Some(b)) = (a.number(), b.number()) else {
        return Value::Null;
    };
    finite(match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => a / b,
    })
}

fn integer(value: i64, is_int4: bool) -> Value<'static> {
    if is_int4 && i32::try_from(value).is_err() {
        return Value::Null;
    }
    Value::Int(value)
}

/// Returns a number, and no value for what PostgreSQL rejects: a division by zero, an overflow.
const fn finite(value: f64) -> Value<'static> {
    if value.is_finite() {
        Value::Float(value)
    } else {
        Value::Null
    }
}

fn converted(cast: Cast, value: Value<'_>) -> Value<'_> {
    match (cast, value) {
        (Cast::Int4 | Cast::Int8, Value::Bool(value)) => Value::Int(i64::from(value)),
        (Cast::Int4 | Cast::Int8, Value::Int(value)) => integer(value, cast == Cast::Int4),
        (Cast::Int4 | Cast::Int8, Value::Float(value)) => {
            let rounded = value.round_ties_even();
            // Of the two limits of int8, only the lower one is within.
            let limit = 2_f64.powi(63);
            if !(-limit..limit).contains(&rounded) {
                return Value::Null;
            }
            #[expect(clippy::cast_possible_truncation, reason = "within the limits")]
            integer(rounded as i64, cast == Cast::Int4)
        }
        (Cast::Float8, value) => value.number().map_or(Value::Null, Value::Float),
        (Cast::Text, Value::Int(value)) => Value::Text(value.to_string().into()),
        (Cast::Text, Value::Bool(value)) => {
            Value::Text(if value { "true" } else { "false" }.into())
        }
        (Cast::Text, value @ Value::Text(_)) => value,
        _ => Value::Null,
    }
}
