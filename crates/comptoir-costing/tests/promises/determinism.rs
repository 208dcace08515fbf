//! P5: the same books for any number of threads, any cut of the table and any encoding of its columns.

use arrow_array::RecordBatch;
use comptoir_costing::Movement;
use comptoir_costing::arrow::value_batches;
use comptoir_costing::policy::{Method, Negative, Policy};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::books::{Books, books, cases, read};
use crate::histories::{EVERYTHING, Shape, histories};
use crate::policies::{METHODS, plain, policies};
use crate::tables::{Encoding, Numbers, Text, table};

const SHAPE: Shape = Shape { wild: 0, ..EVERYTHING };

/// As many rows as several buckets hold.
const ROWS: usize = 40_000;

fn by_batches(history: &[Movement], batches: Vec<RecordBatch>, policy: &Policy) -> Books {
    let schema = batches[0].schema();
    read(value_batches(&schema, batches, policy).unwrap().valuation(), history, policy.scope)
}

/// A table cut after each of the rows.
pub fn cut(table: &RecordBatch, cuts: &[Index]) -> Vec<RecordBatch> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(table.num_rows() + 1)).collect();
    ends.push(table.num_rows());
    ends.sort_unstable();
    let starts = std::iter::once(0).chain(ends.clone());
    starts.zip(&ends).map(|(start, end)| table.slice(start, end - start)).collect()
}

/// A random history many times over, each time with items and ids of its own.
fn many_items() -> Vec<Movement> {
    let mut runner = TestRunner::deterministic();
    let pattern = histories(SHAPE, 40..41).new_tree(&mut runner).unwrap().current();
    let copy = |copy: usize| {
        let own = move |text: &String| format!("{copy:04}-{text}");
        pattern.iter().map(move |row| Movement {
            id: own(&row.id),
            item: own(&row.item),
            reference: row.reference.as_ref().map(own),
            group: row.group.as_ref().map(own),
            ..row.clone()
        })
    };
    (0..ROWS / pattern.len()).flat_map(copy).collect()
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn p5_tables_give_the_books_of_rows_in_any_cut_and_encoding(
        history in histories(SHAPE, 1..40),
        policy in policies(&METHODS),
        cuts in proptest::collection::vec(any::<Index>(), 0..4),
        text in select(&[Text::Utf8, Text::Large, Text::View, Text::Dictionary]),
        numbers in select(&[
            Numbers::Decimal32, Numbers::Decimal64, Numbers::Decimal128, Numbers::Decimal256, Numbers::Text
        ]),
    ) {
        let table = table(&history, Encoding { text, numbers });
        let policy = Policy { quantity_scale: Some(crate::histories::QUANTITY_SCALE), ..policy };
        prop_assert_eq!(by_batches(&history, cut(&table, &cuts), &policy), books(&history, &policy));
    }
}

#[test]
fn p5_threads_do_not_matter() {
    let history = many_items();
    let batch = table(&history, Encoding { text: Text::Utf8, numbers: Numbers::Decimal64 });
    let policy = Policy { negative: Negative::Cover, ..plain(Method::Fifo) };
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let tables = value_batches(&batch.schema(), vec![batch.clone()], &policy).unwrap();
            let postings = tables.postings_table().unwrap().1;
            (postings, tables.layers_table().unwrap().1, tables.rejected_table().unwrap().1)
        })
    };
    let one = run(1);
    for threads in [2, 5] {
        assert_eq!(one, run(threads), "{threads} threads");
    }
    let whole = value_batches(&batch.schema(), vec![batch.clone()], &policy).unwrap();
    let postings: Vec<_> = whole.valuation().postings().collect();
    let cut = (0..batch.num_rows())
        .step_by(7_001)
        .map(|start| batch.slice(start, 7_001.min(batch.num_rows() - start)));
    let pieces = value_batches(&batch.schema(), cut.collect(), &policy).unwrap();
    assert_eq!(pieces.valuation().postings().collect::<Vec<_>>(), postings);
}
