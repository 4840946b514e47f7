//! The types of expressions: which operands fit together, and what results.

use std::cmp::Ordering;

use super::eval::{Arithmetic, Cast, Comparison, Node, Operation};
use crate::PgType;

/// The type of an expression. Numbers are in the order in which PostgreSQL widens them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Type {
    /// NULL, which fits every type.
    Null,
    /// A text literal, which is text.
    Literal,
    Text,
    Bool,
    Int4,
    Int8,
    Numeric,
    Float8,
    /// A type without operators here: only its presence can be asked for.
    Other,
}

impl Type {
    pub(super) const fn of(pg: PgType) -> Self {
        match pg {
            PgType::Float8 => Self::Float8,
            PgType::Int8 => Self::Int8,
            PgType::Int4 => Self::Int4,
            PgType::Bool => Self::Bool,
            PgType::Text => Self::Text,
            PgType::Jsonb | PgType::Timestamptz => Self::Other,
        }
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(
            self,
            Self::Int4 | Self::Int8 | Self::Numeric | Self::Float8 | Self::Null
        )
    }

    /// Returns whether values of this type can be written as text the way PostgreSQL does.
    pub(super) const fn is_text(self) -> bool {
        matches!(
            self,
            Self::Text | Self::Literal | Self::Int4 | Self::Int8 | Self::Bool | Self::Null
        )
    }

    const fn is_truth(self) -> bool {
        matches!(self, Self::Bool | Self::Null)
    }

    const fn arithmetic(self) -> Arithmetic {
        match self {
            Self::Int4 => Arithmetic::Int4,
            Self::Int8 => Arithmetic::Int8,
            _ => Arithmetic::Float8,
        }
    }

    /// Returns the type of which two expressions are, together.
    fn common(self, other: Self) -> Option<Self> {
        let (narrow, wide) = (self.min(other), self.max(other));
        let fits = narrow == wide
            || narrow == Self::Null
            || (narrow == Self::Literal && wide == Self::Text)
            || (narrow.is_number() && wide.is_number());
        fits.then_some(wide)
    }
}

/// A part of an expression with its type.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) node: Node,
    pub(super) ty: Type,
}

impl Operand {
    pub(super) const fn new(node: Node, ty: Type) -> Self {
        Self { node, ty }
    }
}

type Typed = Result<Operand, &'static str>;

fn common(list: &[Operand]) -> Result<Type, &'static str> {
    let mut types = list.iter().map(|one| one.ty);
    let together = types.try_fold(Type::Null, Type::common);
    together.ok_or("values of different types")
}

fn nodes(list: Vec<Operand>) -> Box<[Node]> {
    list.into_iter().map(|one| one.node).collect()
}

/// Reads a number: the narrowest integer that holds it, or `numeric`.
pub(super) fn number(digits: &str) -> Option<Operand> {
    if let Ok(value) = digits.parse::<i64>() {
        let ty = if i32::try_from(value).is_ok() {
            Type::Int4
        } else {
            Type::Int8
        };
        return Some(Operand::new(Node::Int(value), ty));
    }
    let value = digits.parse().ok()?;
    Some(Operand::new(Node::Float(value), Type::Numeric))
}

pub(super) fn arithmetic(operation: Operation, a: Operand, b: Operand) -> Typed {
    if !a.ty.is_number() || !b.ty.is_number() {
        return Err("not a number");
    }
    let ty = a.ty.max(b.ty);
    let node = Node::Compute(ty.arithmetic(), operation, Box::new([a.node, b.node]));
    Ok(Operand::new(node, ty))
}

pub(super) fn negative(one: Operand) -> Typed {
    if !one.ty.is_number() {
        return Err("not a number");
    }
    let node = Node::Negate(one.ty.arithmetic(), Box::new(one.node));
    Ok(Operand::new(node, one.ty))
}

pub(super) fn concatenation(a: Operand, b: Operand) -> Typed {
    let has_text = [a.ty, b.ty]
        .iter()
        .any(|ty| matches!(ty, Type::Text | Type::Literal));
    if !has_text || !a.ty.is_text() || !b.ty.is_text() {
        return Err("not text, or a number whose text depends on its precision");
    }
    let node = Node::Concat(Box::new([a.node, b.node]));
    Ok(Operand::new(node, Type::Text))
}

fn comparable(comparison: Comparison, ty: Type) -> Result<(), &'static str> {
    let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
    match ty {
        Type::Text | Type::Literal if !is_equality => Err("the order of text is that of a locale"),
        Type::Other => Err("values of this type are not compared"),
        _ => Ok(()),
    }
}

pub(super) fn comparison(comparison: Comparison, a: Operand, b: Operand) -> Typed {
    let ty = a.ty.common(b.ty).ok_or("values of different types")?;
    comparable(comparison, ty)?;
    let node = Node::Compare(comparison, Box::new([a.node, b.node]));
    Ok(Operand::new(node, Type::Bool))
}

pub(super) fn membership(one: Operand, list: Vec<Operand>) -> Typed {
    let ty = one.ty.common(common(&list)?);
    comparable(Comparison::Equal, ty.ok_or("values of different types")?)?;
    let node = Node::In(Box::new(one.node), nodes(list));
    Ok(Operand::new(node, Type::Bool))
}

pub(super) fn not(one: Operand) -> Typed {
    if !one.ty.is_truth() {
        return Err("not a condition");
    }
    Ok(Operand::new(Node::Not(Box::new(one.node)), Type::Bool))
}

pub(super) fn logical(make: impl Fn(Box<[Node; 2]>) -> Node, a: Operand, b: Operand) -> Typed {
    if !a.ty.is_truth() || !b.ty.is_truth() {
        return Err("not a condition");
    }
    Ok(Operand::new(make(Box::new([a.node, b.node])), Type::Bool))
}

pub(super) fn case(arms: Vec<(Operand, Operand)>, otherwise: Operand) -> Typed {
    let mut ty = otherwise.ty;
    for (condition, result) in &arms {
        if !condition.ty.is_truth() {
            return Err("not a condition");
        }
        ty = ty.common(result.ty).ok_or("values of different types")?;
    }
    let arms = arms
        .into_iter()
        .map(|(condition, result)| (condition.node, result.node))
        .collect();
    Ok(Operand::new(Node::Case(arms, Box::new(otherwise.node)), ty))
}

pub(super) fn call(name: &str, list: Vec<Operand>) -> Typed {
    let ty = common(&list)?;
    match name {
        "coalesce" => Ok(Operand::new(Node::Coalesce(nodes(list)), ty)),
        "greatest" | "least" => {
            comparable(Comparison::Less, ty)?;
            let wanted = if name == "greatest" {
                Ordering::Greater
            } else {
                Ordering::Less
            };
            Ok(Operand::new(Node::Extreme(wanted, nodes(list)), ty))
        }
        "nullif" => {
            comparable(Comparison::Equal, ty)?;
            let [a, b] = <[Operand; 2]>::try_from(list).map_err(|_| "nullif has two arguments")?;
            Ok(Operand::new(Node::NullIf(Box::new([a.node, b.node])), a.ty))
        }
        _ => Err("not a function that expressions may call"),
    }
}

pub(super) fn cast(cast: Cast, one: Operand) -> Typed {
    let (ty, fits) = match cast {
        Cast::Int4 => (Type::Int4, one.ty.is_number() || one.ty == Type::Bool),
        Cast::Int8 => (Type::Int8, one.ty.is_number()),
        Cast::Float8 => (Type::Float8, one.ty.is_number()),
        Cast::Text => (Type::Text, one.ty.is_text()),
    };
    if !fits {
        return Err("a value of this type is not cast");
    }
    let mut node = one.node;
    if one.ty == Type::Numeric && matches!(cast, Cast::Int4 | Cast::Int8) {
        node = Node::Round(Box::new(node));
    }
    Ok(Operand::new(Node::Cast(cast, Box::new(node)), ty))
}
