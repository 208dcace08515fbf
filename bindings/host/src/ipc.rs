//! Tables as bytes in Arrow's IPC format, for files and for hosts without an Arrow library.
//!
//! <https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc>

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, SchemaRef};

use crate::{Fault, Table, TableError};

/// The first bytes of a file in the format with a footer; one without is a stream.
const MAGIC: &[u8] = b"ARROW1";

/// Reads a table from a file in Arrow's IPC format, with or without a footer.
///
/// # Errors
/// `ARROW_FILE` where the file cannot be opened or is no Arrow table.
pub fn read_file(path: &Path) -> Result<Table, Fault> {
    let named = |error: String| TableError::File { message: format!("`{}`: {error}", path.display()) };
    let file = File::open(path).map_err(|error| named(error.to_string()))?;
    read(BufReader::new(file)).map_err(|error| named(error).into())
}

/// Reads a table from bytes in Arrow's IPC format.
///
/// # Errors
/// `ARROW_FILE` for bytes that are no Arrow table.
pub fn read_bytes(bytes: &[u8]) -> Result<Table, Fault> {
    read(Cursor::new(bytes)).map_err(|message| TableError::File { message }.into())
}

/// Writes a table as a stream of Arrow's IPC format: the same bytes for the same schema and chunks, in every host.
///
/// # Errors
/// `INTERNAL` for a table that has no such form.
pub fn write_bytes(table: &Table) -> Result<Vec<u8>, Fault> {
    let write = || {
        let mut writer = StreamWriter::try_new(Vec::new(), &table.schema)?;
        table.batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.into_inner()
    };
    write().map_err(|error: ArrowError| Fault::internal(error))
}

fn read(mut source: impl Read + Seek) -> Result<Table, String> {
    let mut start = [0; MAGIC.len()];
    let is_file = source.read_exact(&mut start).is_ok() && start == *MAGIC;
    source.rewind().map_err(|error| error.to_string())?;
    let read = || {
        if is_file {
            let reader = FileReader::try_new(source, None)?;
            collect(reader.schema(), reader)
        } else {
            let reader = StreamReader::try_new(source, None)?;
            collect(reader.schema(), reader)
        }
    };
    read().map_err(|error: ArrowError| error.to_string())
}

fn collect(
    schema: SchemaRef,
    batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<Table, ArrowError> {
    Ok(Table { schema, batches: batches.collect::<Result<_, _>>()? })
}
