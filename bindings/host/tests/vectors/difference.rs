//! What differs first between two outcomes.

use arrow_array::{Array, RecordBatch};
use comptoir_host::ipc;

use crate::case::Outcome;

/// The first difference in words; none where all files are equal.
pub fn first(expected: &Outcome, found: &Outcome) -> Option<String> {
    if expected.keys().ne(found.keys()) {
        let names = |outcome: &Outcome| outcome.keys().cloned().collect::<Vec<_>>().join(", ");
        let error = found.get("error").map(|error| String::from_utf8_lossy(error).replace('\n', " | "));
        let (expected, found) = (names(expected), names(found));
        return Some(format!("expected {expected}, found {found} {}", error.unwrap_or_default()));
    }
    let (name, bytes) = expected.iter().find(|(name, bytes)| found.get(*name) != Some(bytes))?;
    let other = found.get(name)?;
    let what = match name.rsplit_once('.') {
        Some((_, "arrows")) => tables(bytes, other).unwrap_or_else(|| offset(bytes, other)),
        Some((_, "bin")) => offset(bytes, other),
        _ => lines(bytes, other),
    };
    Some(format!("{name}: {what}"))
}

fn tables(expected: &[u8], found: &[u8]) -> Option<String> {
    let (expected, found) = (ipc::read_bytes(expected).ok()?, ipc::read_bytes(found).ok()?);
    if expected.schema != found.schema {
        return Some(format!("schema: expected {:?}, found {:?}", expected.schema, found.schema));
    }
    let (left, right) = (expected.one_batch().ok()?, found.one_batch().ok()?);
    if let Some(place) = cells(&left, &right) {
        return Some(place);
    }
    let rows = |batches: &[RecordBatch]| batches.iter().map(RecordBatch::num_rows).collect::<Vec<_>>();
    let (left, right) = (rows(&expected.batches), rows(&found.batches));
    (left != right).then(|| format!("batches of {left:?} rows expected, found {right:?}"))
}

fn cells(expected: &RecordBatch, found: &RecordBatch) -> Option<String> {
    for (index, field) in expected.schema_ref().fields().iter().enumerate() {
        let (left, right) = (expected.column(index), found.column(index));
        for row in 0..left.len().max(right.len()) {
            let cell =
                |column: &dyn Array| (row < column.len()).then(|| format!("{:?}", column.slice(row, 1)));
            let (left, right) = (cell(left), cell(right));
            if left != right {
                let shown =
                    |cell: Option<String>| cell.unwrap_or_else(|| "no row".to_owned()).replace('\n', " ");
                let (left, right) = (shown(left), shown(right));
                return Some(format!("column `{}`, row {row}: expected {left}, found {right}", field.name()));
            }
        }
    }
    None
}

fn lines(expected: &[u8], found: &[u8]) -> String {
    let (expected, found) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(found));
    let (mut left, mut right) = (expected.split('\n'), found.split('\n'));
    for number in 1.. {
        let (left, right) = (left.next(), right.next());
        if left != right {
            let shown =
                |line: Option<&str>| line.map_or_else(|| "no line".to_owned(), |line| format!("`{line}`"));
            return format!("line {number}: expected {}, found {}", shown(left), shown(right));
        }
        if left.is_none() {
            break;
        }
    }
    "equal lines".to_owned()
}

fn offset(expected: &[u8], found: &[u8]) -> String {
    let same = expected.iter().zip(found).take_while(|(left, right)| left == right).count();
    format!("{} bytes expected, {} found, byte {same} differs", expected.len(), found.len())
}
