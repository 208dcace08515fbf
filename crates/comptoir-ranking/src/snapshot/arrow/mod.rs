//! Snapshots as Arrow tables and Arrow IPC files, for everything that does not read the file itself.
//!
//! A table has a row for each place of each board, boards in the order in which they were given and places in theirs:
//!
//! | column | type | what |
//! |---|---|---|
//! | `board` | `utf8` | its name |
//! | `group` | `list<utf8>` | its group values |
//! | `position` | `uint32`, null for a board on which nothing stands | from 1 |
//! | `item` | `int64` or `utf8`, null as above | what stands there |
//! | `score` | `float64`, null as above | its score |
//!
//! The schema's metadata says what else is known of the snapshot: `comptoir.version`, `comptoir.created`,
//! `comptoir.watermark` (microseconds since 1970), `comptoir.spec_hash`, `comptoir.rules_hash` (hexadecimal) and
//! `comptoir.k`.
//!
//! A table that is read again gives the same boards, and published the same sections, byte for byte.

mod export;
mod import;
#[cfg(test)]
mod tests;
mod text;

use std::io::{Read, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use arrow_schema::ArrowError;

use super::{Snapshot, SnapshotBuilder, SnapshotError};

const BOARD: &str = "board";
const GROUP: &str = "group";
const POSITION: &str = "position";
const ITEM: &str = "item";
const SCORE: &str = "score";

const VERSION: &str = "comptoir.version";
const CREATED: &str = "comptoir.created";
const WATERMARK: &str = "comptoir.watermark";
const SPEC_HASH: &str = "comptoir.spec_hash";
const RULES_HASH: &str = "comptoir.rules_hash";
const K: &str = "comptoir.k";

/// Writes a snapshot as an Arrow IPC file ("Feather version 2"), uncompressed.
///
/// # Errors
/// As [`Snapshot::to_record_batch`], and [`SnapshotError::Arrow`] when the file cannot be written.
pub fn write_ipc(snapshot: &Snapshot, file: impl Write) -> Result<(), SnapshotError> {
    let batch = snapshot.to_record_batch()?;
    let written = || -> Result<(), ArrowError> {
        let mut writer = FileWriter::try_new_buffered(file, &batch.schema())?;
        writer.write(&batch)?;
        writer.finish()?;
        writer.into_inner()?.flush()?;
        Ok(())
    };
    written().map_err(ipc)
}

/// Reads boards from an Arrow IPC file. Such files have no checksums: a damaged one is refused only where it shows.
///
/// # Errors
/// As [`SnapshotBuilder::from_record_batches`], and [`SnapshotError::Arrow`] for what is no such file.
pub fn read_ipc(file: impl Read + Seek) -> Result<SnapshotBuilder, SnapshotError> {
    let read = || {
        let reader = FileReader::try_new_buffered(file, None).map_err(ipc)?;
        let schema = reader.schema();
        import::read(&schema, reader.map(|batch| batch.map_err(ipc)))
    };
    // The reader of arrow-ipc 60 panics at some damaged files. What it was reading is given up here.
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(SnapshotError::Arrow { reason: "the file is damaged".to_owned() }))
}

fn ipc(error: ArrowError) -> SnapshotError {
    SnapshotError::Arrow { reason: error.to_string() }
}
