//! Names behind the codes, for reports that write or are asked by name.

use hashbrown::HashMap;

use super::TableValuation;
use super::arrays::first_rows;
use crate::error::Error;
use crate::posting::NONE;
use crate::reports::MovementNames;

/// Names of items, pools, classes and documents of a history.
pub(super) struct Names<'a> {
    history: &'a TableValuation,
    class: Vec<u32>,
    class_names: Vec<String>,
    document: Vec<u32>,
    document_first: Vec<u32>,
}

impl<'a> Names<'a> {
    pub fn new(history: &'a TableValuation) -> Self {
        let (class, class_names) = classes(history);
        let document = match history.source.document.as_slice() {
            [] => Vec::new(),
            chunks => comptoir_types::arrow::intern(chunks, "document")
                .map(|interned| interned.codes)
                .unwrap_or_default(),
        };
        let document_first = first_rows(&document);
        Self { history, class, class_names, document, document_first }
    }

    /// Code of an item by its name as text.
    pub fn item_code(&self, name: &str) -> Result<u32, Error> {
        let columns = &self.history.valuation.columns;
        self.code(name, &columns.item, &self.history.source.item, "item")
    }

    /// Code of a pool by its name as text; without one, of rows without a pool.
    pub fn pool_code(&self, name: Option<&str>) -> Result<u32, Error> {
        let columns = &self.history.valuation.columns;
        name.map_or(Ok(NONE), |name| self.code(name, &columns.pool, &self.history.source.pool, "pool"))
    }

    fn code(
        &self,
        name: &str,
        codes: &[u32],
        chunks: &[arrow_array::ArrayRef],
        what: &'static str,
    ) -> Result<u32, Error> {
        let found = (0u32..)
            .zip(first_rows(codes))
            .find(|(_, row)| self.history.source.text(chunks, *row).as_deref() == Some(name));
        found.map(|(code, _)| code).ok_or_else(|| Error::Unknown {
            what,
            name: name.to_owned(),
            expected: "not in the history".to_owned(),
        })
    }
}

/// The class of every item: of its first row, else as the policy says; and the names by class code.
fn classes(history: &TableValuation) -> (Vec<u32>, Vec<String>) {
    let columns = &history.valuation.columns;
    let policy = &history.valuation.policy;
    let mut codes: HashMap<String, u32> = HashMap::new();
    let mut names = Vec::new();
    if history.source.class.is_empty() && policy.item_classes.is_empty() {
        return (Vec::new(), vec![String::new()]);
    }
    let class_of = |row: u32| {
        let given = history.source.text(&history.source.class, row);
        given.or_else(|| {
            let item = history.source.text(&history.source.item, row)?;
            policy.item_classes.get(&item).cloned()
        })
    };
    let mut code = |name: String| {
        *codes.entry(name).or_insert_with_key(|name| {
            names.push(name.clone());
            u32::try_from(names.len() - 1).unwrap_or(NONE)
        })
    };
    let classes =
        first_rows(&columns.item).into_iter().map(|row| code(class_of(row).unwrap_or_default())).collect();
    (classes, names)
}

impl MovementNames for Names<'_> {
    fn class(&self, item: u32) -> u32 {
        self.class.get(item as usize).copied().unwrap_or(0)
    }

    fn class_name(&self, class: u32) -> &str {
        self.class_names.get(class as usize).map_or("", String::as_str)
    }

    fn write_id(&self, row: u32, text: &mut Vec<u8>) {
        text.extend_from_slice(self.history.valuation.movement_id(row).as_bytes());
    }

    fn document(&self, row: u32) -> Option<u32> {
        self.document.get(row as usize).copied().filter(|code| *code != NONE)
    }

    fn write_document(&self, document: u32, text: &mut Vec<u8>) {
        let row = self.document_first.get(document as usize).copied().unwrap_or(NONE);
        let name = self.history.source.text(&self.history.source.document, row);
        text.extend_from_slice(name.unwrap_or_default().as_bytes());
    }
}
