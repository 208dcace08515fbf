//! What several boards have in common, made once for a block: values of expressions, codes of rows.

use std::cell::RefCell;

use arrow_array::{ArrayRef, RecordBatch};
use hashbrown::HashMap;

use super::numbering::Numbering;

/// What was evaluated for a block, by source or by what a term makes of one. All boards that share it are of one context,
/// so that the same source over the same columns is the same expression.
#[derive(Debug, Default)]
struct Memo {
    block: Option<RecordBatch>,
    arrays: HashMap<Box<str>, ArrayRef>,
    numberings: Vec<Numbering>,
}

thread_local! {
    /// The memo of the boards that this thread gives a block to, so that no expression has to be handed it on its way
    /// through scores, operators and constraints.
    static MEMO: RefCell<Memo> = RefCell::default();
}

/// Gives a block to boards that share what they evaluate, and the codes of these numberings.
pub fn shared<T>(block: &RecordBatch, numberings: &mut Vec<Numbering>, work: impl FnOnce() -> T) -> T {
    numberings.iter_mut().for_each(|numbering| numbering.start(block.num_rows()));
    let numbered = std::mem::take(numberings);
    MEMO.with_borrow_mut(|memo| {
        *memo = Memo { block: Some(block.clone()), arrays: HashMap::new(), numberings: numbered };
    });
    let end = End;
    let result = work();
    *numberings = MEMO.with_borrow_mut(|memo| std::mem::take(&mut memo.numberings));
    drop(end);
    result
}

/// Does something with the numbering of these columns, if the block is shared and there is one.
pub fn numbered<T>(
    names: &[String],
    batch: &RecordBatch,
    work: impl FnOnce(&mut Numbering) -> T,
) -> Option<T> {
    // While it is read, the numberings of its columns are asked for.
    let mut numbering = MEMO.with_borrow_mut(|memo| {
        let place = memo.numberings.iter().position(|numbering| numbering.names() == names)?;
        memo.is_of(batch).then(|| memo.numberings.swap_remove(place))
    })?;
    let result = work(&mut numbering);
    MEMO.with_borrow_mut(|memo| memo.numberings.push(numbering));
    Some(result)
}

/// Nothing is shared after the work, however it ends.
struct End;

impl Drop for End {
    fn drop(&mut self) {
        MEMO.with_borrow_mut(|memo| *memo = Memo::default());
    }
}

/// The values of an expression, if they were evaluated for this block before.
pub fn known(source: &str, batch: &RecordBatch) -> Option<ArrayRef> {
    MEMO.with_borrow(|memo| memo.arrays.get(source).filter(|_| memo.is_of(batch)).cloned())
}

/// Keeps the values of an expression, if the block is shared.
pub fn keep(source: &str, batch: &RecordBatch, array: &ArrayRef) {
    MEMO.with_borrow_mut(|memo| {
        if memo.is_of(batch) {
            memo.arrays.insert(source.into(), array.clone());
        }
    });
}

impl Memo {
    /// Whether a batch is the block itself, not one that has the same columns.
    fn is_of(&self, batch: &RecordBatch) -> bool {
        let Some(block) = &self.block else { return false };
        block.num_rows() == batch.num_rows()
            && block.num_columns() == batch.num_columns()
            && block.num_columns() > 0
            && block
                .columns()
                .iter()
                .zip(batch.columns())
                .all(|(own, other)| std::sync::Arc::ptr_eq(own, other))
    }
}
