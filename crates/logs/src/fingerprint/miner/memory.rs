//! Forms that are forgotten when there are too many, and those that come back from the pattern table.

use std::collections::HashSet;

use super::{Form, MOST, Message, Miner, Shape, Table};

impl Miner {
    /// Takes back the rows of the pattern table; each has the name of the row it is an alias of.
    pub(in super::super) fn restore(&mut self, rows: &[(Message<'_>, Option<u64>)]) {
        let mut forms = Vec::with_capacity(rows.len());
        let mut by_name = Table::default();
        for (row, alias) in rows.iter().take(MOST) {
            let shape = Shape::new(row.level, row.tokens, row.text);
            let form = match self.known.get(&shape.sequence()) {
                Some(form) => *form,
                None => self.add(shape, row, row.tokens),
            };
            let restored = &mut self.forms[usize::from(form)];
            (restored.text, restored.alias) = (None, alias.unwrap_or_default());
            by_name.insert(restored.name, form);
            forms.push(form);
        }
        let mut targets = HashSet::new();
        for (form, (_, alias)) in forms.iter().zip(rows) {
            let Some(target) = alias.as_ref().and_then(|alias| by_name.get(alias)) else {
                continue;
            };
            let opened = {
                let of = |form: &u16| &self.forms[usize::from(*form)].shape;
                of(target).opened_in(of(form))
            };
            self.forms[usize::from(*target)].shape.opened |= opened;
            self.unite(*form, *target);
            targets.insert(*target);
        }
        for target in targets {
            let shape = self.forms[usize::from(target)].shape.clone();
            if shape.opened != 0 {
                self.add_template(shape, target);
            }
        }
        for (form, (row, _)) in forms.iter().zip(rows) {
            self.grow(*form, row);
        }
    }

    /// Forgets the half of the forms that was not seen for the longest time. Of those seen in the same
    /// hour, what was seen more than once and what is older stays.
    pub(super) fn forget(&mut self) {
        let mut order: Vec<u16> = (0..self.forms.len() as u16).collect();
        order.sort_by_key(|form| {
            let root = self.root(*form);
            let family = &self.forms[usize::from(root)];
            let first = std::cmp::Reverse(family.seen);
            (
                first,
                !family.again,
                root,
                *form != root,
                *form != family.lead,
            )
        });
        order.truncate(MOST / 2);
        let roots: Vec<u16> = (0..self.forms.len() as u16)
            .map(|form| self.root(form))
            .collect();
        let old = std::mem::take(&mut self.forms).into_iter();
        let mut old: Vec<Option<Form>> = old.map(Some).collect();
        let mut moved = vec![None; old.len()];
        for form in &order {
            moved[usize::from(*form)] = Some(self.forms.len() as u16);
            self.forms.extend(old[usize::from(*form)].take());
        }
        let place = |form: u16| moved[usize::from(roots[usize::from(form)])];
        for (form, was) in self.forms.iter_mut().zip(&order) {
            form.parent = place(*was).unwrap_or_default();
            form.lead = moved[usize::from(form.lead)].unwrap_or(form.parent);
        }
        self.opened = std::mem::take(&mut self.opened)
            .into_iter()
            .filter_map(|(sequence, form)| Some((sequence, place(form)?)))
            .collect();
        for templates in self.templates.values_mut() {
            let kept = std::mem::take(templates).into_iter();
            *templates = kept
                .filter_map(|(shape, form)| Some((shape, place(form)?)))
                .collect();
        }
        self.templates.retain(|_, templates| !templates.is_empty());
        self.known.clear();
        self.places.clear();
        self.recent.clear();
        for (at, form) in self.forms.iter().enumerate() {
            self.known.insert(form.shape.sequence(), at as u16);
            for place in form.shape.places() {
                let sequence = form.shape.with(place).sequence();
                if !self.opened.contains_key(&sequence) {
                    *self.places.entry(sequence).or_default() += 1;
                }
            }
        }
    }
}
