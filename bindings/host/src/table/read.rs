//! Reading the streams of a producer. No buffer is copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StructArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::{Table, TableError};
use crate::stream::Source;

/// Rows of a stream that are held at a time by [`read_parts`], unless they are in memory already.
const PART_ROWS: usize = 1 << 20;

/// A part that comes at more rows in a nanosecond than this was handed over, not made: memory is not written so quickly,
/// even that of one column of eight bytes.
const ROWS_AT_HAND: u128 = 4;

/// Parts of a stream in memory that are taken together at most.
const MOST_AT_HAND: usize = 64;

/// Reads a stream to its end. The stream is released when the reader goes, on success and on failure alike.
///
/// # Errors
/// [`TableError::Stream`] with the producer's message, [`TableError::NotTable`], [`TableError::NullRow`].
pub fn read_stream(stream: FFI_ArrowArrayStream) -> Result<Table, TableError> {
    let source = Source::open(stream)?;
    let schema = table_schema(source.field())?;
    let batches = source
        .enumerate()
        .map(|(batch, array)| to_batch(batch, &schema, array?))
        .collect::<Result<_, _>>()?;
    Ok(Table { schema, batches })
}

/// Reads a stream of any type to its end: its type and its arrays.
///
/// # Errors
/// [`TableError::Stream`].
pub fn read_chunks(stream: FFI_ArrowArrayStream) -> Result<(Field, Vec<ArrayRef>), TableError> {
    let source = Source::open(stream)?;
    let field = source.field().clone();
    Ok((field, source.collect::<Result<_, _>>()?))
}

/// Gives the batches of a stream to `take`, a part at a time, so that memory does not grow with the stream. The first
/// part has at least one batch, which is empty where there are no rows.
///
/// The stream is read on the calling thread, `take` runs on another as soon as a part is followed by more, so that a
/// producer that works (a file that is decoded) and a consumer that does are both busy. No batch is asked for once `take`
/// has failed. Parts that are in memory already are taken together, since reading on costs nothing and stopping does.
///
/// # Errors
/// As [`read_stream`], and what `take` gives, which comes first.
pub fn read_parts<E: From<TableError> + Send>(
    stream: FFI_ArrowArrayStream,
    take: &mut (dyn FnMut(&[RecordBatch]) -> Result<(), E> + Send),
) -> Result<(), E> {
    let mut parts = Parts::open(stream)?;
    let Some(first) = parts.next().transpose()? else { return Ok(()) };
    if parts.is_done {
        take(&first)?;
        return parts.fault.map_or(Ok(()), |fault| Err(fault.into()));
    }
    let has_failed = Arc::new(AtomicBool::new(false));
    parts.is_over.clone_from(&has_failed);
    std::thread::scope(|scope| {
        // One part is read ahead, and waits here.
        let (give, given) = sync_channel(0);
        let consumer = scope.spawn(move || {
            let outcome = given.iter().try_for_each(|part: Vec<RecordBatch>| take(&part));
            has_failed.store(outcome.is_err(), Ordering::Relaxed);
            outcome
        });
        let produced = std::iter::once(Ok(first)).chain(parts).try_for_each(|part| {
            let part = part.map_err(Some::<TableError>)?;
            // Nobody receives after the consumer has failed.
            give.send(part).map_err(|_| None::<TableError>)
        });
        drop(give);
        match consumer.join() {
            Ok(outcome) => outcome?,
            Err(panic) => std::panic::resume_unwind(panic),
        }
        match produced {
            Err(Some(error)) => Err(error.into()),
            _ => Ok(()),
        }
    })
}

/// The parts of a stream; the first is there even where the stream has no rows.
struct Parts {
    source: std::iter::Enumerate<Source>,
    schema: SchemaRef,
    is_first: bool,
    is_done: bool,
    /// Why the stream has ended, to be told after the parts before.
    fault: Option<TableError>,
    /// Whether nobody wants any more, which is asked before each batch.
    is_over: Arc<AtomicBool>,
}

impl Parts {
    fn open(stream: FFI_ArrowArrayStream) -> Result<Self, TableError> {
        let source = Source::open(stream)?;
        let schema = table_schema(source.field())?;
        let is_over = Arc::new(AtomicBool::new(false));
        Ok(Self { source: source.enumerate(), schema, is_first: true, is_done: false, fault: None, is_over })
    }
}

impl Iterator for Parts {
    type Item = Result<Vec<RecordBatch>, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(fault) = self.fault.take() {
            return Some(Err(fault));
        }
        let mut all = Vec::new();
        for _ in 0..MOST_AT_HAND {
            let started = Instant::now();
            let part = match self.part() {
                Ok(part) => part,
                Err(fault) if all.is_empty() => return Some(Err(fault)),
                Err(fault) => {
                    self.fault = Some(fault);
                    break;
                }
            };
            let rows: usize = part.iter().map(RecordBatch::num_rows).sum();
            all.extend(part);
            if self.is_done || started.elapsed().as_nanos() * ROWS_AT_HAND > rows as u128 {
                break;
            }
        }
        (!all.is_empty()).then_some(Ok(all))
    }
}

impl Parts {
    /// The next part; nothing after the last, and once nobody wants any more.
    fn part(&mut self) -> Result<Vec<RecordBatch>, TableError> {
        let mut part = Vec::new();
        if std::mem::take(&mut self.is_first) {
            part.push(RecordBatch::new_empty(self.schema.clone()));
        }
        let mut rows = 0;
        while rows < PART_ROWS && !self.is_done {
            if self.is_over.load(Ordering::Relaxed) {
                self.is_done = true;
                return Ok(Vec::new());
            }
            let Some((number, array)) = self.source.next() else {
                self.is_done = true;
                break;
            };
            let batch = array.and_then(|array| to_batch(number, &self.schema, array));
            let batch = batch.inspect_err(|_| self.is_done = true)?;
            rows += batch.num_rows();
            part.push(batch);
        }
        Ok(part)
    }
}

/// The fields of a struct as the schema of a table.
///
/// # Errors
/// [`TableError::NotTable`] for any other type.
pub fn table_schema(field: &Field) -> Result<SchemaRef, TableError> {
    match field.data_type() {
        DataType::Struct(fields) => {
            Ok(Arc::new(Schema::new_with_metadata(fields.clone(), field.metadata().clone())))
        }
        other => Err(TableError::NotTable { found: type_name(other) }),
    }
}

/// A struct array as batch number `batch` of a table.
///
/// # Errors
/// [`TableError::NotTable`], [`TableError::NullRow`], and [`TableError::Stream`] where it does not fit the schema.
pub fn to_batch(batch: usize, schema: &SchemaRef, array: ArrayRef) -> Result<RecordBatch, TableError> {
    let Some(rows) = array.as_any().downcast_ref::<StructArray>() else {
        return Err(TableError::NotTable { found: type_name(array.data_type()) });
    };
    if let Some(row) = first_null(rows) {
        return Err(TableError::NullRow { batch, row });
    }
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(schema.clone(), rows.columns().to_vec(), &options)
        .map_err(|error| stream_error(batch, &error))
}

/// The first row that is null as a whole.
fn first_null(rows: &StructArray) -> Option<usize> {
    let nulls = rows.nulls().filter(|nulls| nulls.null_count() > 0)?;
    nulls.iter().position(|valid| !valid)
}

/// The failure of batch number `batch` in the producer's own words, where it gave any.
#[must_use]
pub fn stream_error(batch: usize, error: &ArrowError) -> TableError {
    let text = error.to_string();
    let message = text.split_once("Producer error: ").map_or(text.as_str(), |(_, own)| own);
    TableError::Stream { batch, message: message.trim_end().to_owned() }
}

/// An Arrow type in the words of Arrow's specification, such as `string` or `decimal64(18, 2)`.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 => "string".to_owned(),
        DataType::LargeUtf8 => "large_string".to_owned(),
        DataType::Utf8View => "string_view".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Timestamp(unit, None) => format!("timestamp[{}]", unit_name(*unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp[{}, {zone}]", unit_name(*unit)),
        DataType::Dictionary(keys, values) => {
            format!("dictionary<{}, {}>", type_name(keys), type_name(values))
        }
        other => other.to_string().to_lowercase(),
    }
}

fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use arrow_array::{Int64Array, RecordBatchIterator};

    use super::*;

    fn batch(first: i64, rows: usize) -> RecordBatch {
        let column: ArrayRef = Arc::new((first..).take(rows).collect::<Int64Array>());
        RecordBatch::try_from_iter([("row", column)]).unwrap()
    }

    type Batches = Vec<Result<RecordBatch, ArrowError>>;

    fn stream(batches: Batches) -> FFI_ArrowArrayStream {
        let schema = batch(0, 0).schema();
        FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new(batches, schema)))
    }

    /// Of a producer that takes its time.
    fn slow_stream(batches: Batches) -> FFI_ArrowArrayStream {
        let schema = batch(0, 0).schema();
        let slowly = |_: &Result<_, _>| std::thread::sleep(std::time::Duration::from_millis(2));
        FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new(
            batches.into_iter().inspect(slowly),
            schema,
        )))
    }

    fn taken(stream: FFI_ArrowArrayStream) -> (Result<(), TableError>, Vec<usize>) {
        let mut rows = Vec::new();
        let outcome = read_parts(stream, &mut |part: &[RecordBatch]| {
            rows.push(part.iter().map(RecordBatch::num_rows).sum());
            Ok::<_, TableError>(())
        });
        (outcome, rows)
    }

    const HALF: usize = PART_ROWS / 2;

    fn halves() -> Batches {
        [HALF, HALF, 3, HALF, HALF, 1].into_iter().map(|rows| Ok(batch(0, rows))).collect()
    }

    #[test]
    fn parts_come_in_order_and_the_first_is_there_without_rows() {
        assert!(matches!(taken(stream(vec![])), (Ok(()), rows) if rows == [0]));
        let (outcome, rows) = taken(slow_stream(halves()));
        assert!(outcome.is_ok());
        assert_eq!(rows, [2 * HALF, 3 + 2 * HALF, 1]);
    }

    /// How many are taken together depends on the clock, what is taken does not.
    #[test]
    fn parts_that_are_at_hand_are_taken_together() {
        let all = 4 * HALF + 4;
        let mut least = usize::MAX;
        for _ in 0..20 {
            let (outcome, rows) = taken(stream(halves()));
            assert!(outcome.is_ok());
            let ends = rows.iter().scan(0, |end, rows| {
                *end += rows;
                Some(*end)
            });
            assert!(ends.last() == Some(all) && rows.len() <= 3, "{rows:?}");
            least = least.min(rows.len());
        }
        assert_eq!(least, 1);
    }

    #[test]
    fn a_stream_that_fails_is_taken_as_far_as_it_went_by_whole_parts() {
        let broken = || Err(ArrowError::ComputeError("the disk is gone".to_owned()));
        for make in [stream, slow_stream] {
            let (outcome, rows) = taken(make(vec![Ok(batch(0, PART_ROWS)), Ok(batch(0, 7)), broken()]));
            assert!(outcome.unwrap_err().to_string().contains("the disk is gone"));
            assert_eq!(rows, [PART_ROWS]);
            assert!(taken(make(vec![broken()])).0.is_err());
        }
    }

    /// Else the stream, which is read ahead, would say which of two faults is told.
    #[test]
    fn the_fault_of_the_consumer_comes_before_that_of_a_later_part() {
        let broken = || Err(ArrowError::ComputeError("the disk is gone".to_owned()));
        let batches = || vec![Ok(batch(0, PART_ROWS)), Ok(batch(0, PART_ROWS)), broken()];
        let refuse = |_: &[RecordBatch]| Err(TableError::Inconsistent { message: "refused".to_owned() });
        for stream in [stream(batches()), slow_stream(batches())] {
            let error = read_parts(stream, &mut { refuse }).unwrap_err();
            assert!(error.to_string().contains("refused"), "{error}");
        }
    }

    /// A producer that asks a database is not asked for a million rows that nobody wants.
    #[test]
    fn no_batch_is_asked_for_once_the_consumer_has_failed() {
        let has_failed = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let (failed, count) = (has_failed.clone(), asked.clone());
        let batches = (0..1_000).map(move |place| {
            count.fetch_add(1, Ordering::SeqCst);
            // The second part waits for the fault of the first, and for the flag that tells of it.
            while place == 2 && !failed.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            if place == 2 {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
            Ok(batch(0, if place == 0 { PART_ROWS } else { 1 }))
        });
        let schema = batch(0, 0).schema();
        let stream = FFI_ArrowArrayStream::new(Box::new(RecordBatchIterator::new(batches, schema)));
        let refuse = |_: &[RecordBatch]| {
            has_failed.store(true, Ordering::SeqCst);
            Err(TableError::Inconsistent { message: "refused".to_owned() })
        };
        assert!(read_parts(stream, &mut { refuse }).is_err());
        // Fewer where the fault was there before the second part was begun.
        assert!(asked.load(Ordering::SeqCst) <= 3);
    }
}
