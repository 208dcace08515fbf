use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::build::SnapshotBuilder;
use super::error::SnapshotError;
use super::open::Snapshot;

pub(super) const CURRENT: &str = "CURRENT";
const LOCK: &str = "publisher.lock";
const ASIDE: &str = "tmp";

/// Publishes snapshots in a directory, one process at a time.
///
/// ```
/// use comptoir_ranking::Score;
/// use comptoir_ranking::snapshot::{Item, ItemKind, Publisher, Reader, SnapshotBuilder, Start};
///
/// # let directory = std::env::temp_dir().join(format!("comptoir-publisher-{}", std::process::id()));
/// let mut publisher = Publisher::open(&directory, 3)?;
/// let mut builder = SnapshotBuilder::new(ItemKind::Int);
/// builder.board("top", &["FR"], [(Item::Int(42), Score::new(9.5).unwrap())])?;
/// assert_eq!(publisher.publish(&builder)?, 1);
///
/// let reader = Reader::open(&directory)?;
/// let page = reader.page("top", &["FR"], Start::Offset(0), 20)?.unwrap();
/// assert_eq!(page.entries().next().unwrap().score, 9.5);
/// # std::fs::remove_dir_all(&directory).unwrap();
/// # Ok::<(), comptoir_ranking::snapshot::SnapshotError>(())
/// ```
#[derive(Debug)]
pub struct Publisher {
    directory: PathBuf,
    keep: usize,
    /// Held until the publisher is dropped, or its process ends.
    _lock: File,
}

impl Publisher {
    /// For a directory, which is made if it is not there. The newest `keep` versions stay, at least one, and always the
    /// current one.
    ///
    /// What a publisher that died has left half done is cleared away.
    ///
    /// # Errors
    /// [`SnapshotError::Busy`] while another publisher has the directory, [`SnapshotError::Io`].
    pub fn open(directory: &Path, keep: usize) -> Result<Self, SnapshotError> {
        fs::create_dir_all(directory).map_err(SnapshotError::io("create", directory))?;
        let path = directory.join(LOCK);
        let lock = File::create(&path).map_err(SnapshotError::io("create", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(SnapshotError::Busy { directory: directory.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(SnapshotError::io("lock", &path)(source)),
        }
        let publisher = Self { directory: directory.to_owned(), keep: keep.max(1), _lock: lock };
        for path in publisher.files()?.filter(|path| path.extension().is_some_and(|ending| ending == ASIDE)) {
            fs::remove_file(&path).map_err(SnapshotError::io("delete", &path))?;
        }
        Ok(publisher)
    }

    /// Writes the next version and makes it the current one. Returns its number.
    ///
    /// When this returns, the version has reached the disk. When it fails, the current version is what it was.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn publish(&mut self, boards: &SnapshotBuilder) -> Result<u64, SnapshotError> {
        let version = self.versions()?.last().map_or(1, |last| last + 1);
        let path = version_path(&self.directory, version);
        write_aside(&path, |file| boards.write(version, now(), file))?;
        self.sync()?;
        self.point_to(version)?;
        self.prune(version)?;
        Ok(version)
    }

    /// Makes an earlier version the current one, after verifying it. Later versions stay, and the next one that is
    /// published has a higher number than all.
    ///
    /// # Errors
    /// [`SnapshotError::VersionUnknown`], and what [`Snapshot::open`] finds.
    pub fn rollback(&mut self, version: u64) -> Result<(), SnapshotError> {
        let kept = self.versions()?;
        if !kept.contains(&version) {
            let kept = kept.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
            return Err(SnapshotError::VersionUnknown { version, kept });
        }
        Snapshot::open(&version_path(&self.directory, version))?;
        self.point_to(version)
    }

    /// The versions that are there, ascending.
    ///
    /// # Errors
    /// [`SnapshotError::Io`].
    pub fn versions(&self) -> Result<Vec<u64>, SnapshotError> {
        let mut versions: Vec<_> = self.files()?.filter_map(|path| path_version(&path)).collect();
        versions.sort_unstable();
        Ok(versions)
    }

    fn point_to(&self, version: u64) -> Result<(), SnapshotError> {
        write_aside(&self.directory.join(CURRENT), |file| writeln!(file, "{version}"))?;
        self.sync()
    }

    /// Deletes what is older than the newest `keep` versions, but for the current one. Who reads an old version has it
    /// mapped and goes on.
    fn prune(&self, current: u64) -> Result<(), SnapshotError> {
        let versions = self.versions()?;
        let old = versions.len().saturating_sub(self.keep);
        for version in versions.into_iter().take(old).filter(|version| *version != current) {
            let path = version_path(&self.directory, version);
            fs::remove_file(&path).map_err(SnapshotError::io("delete", &path))?;
        }
        Ok(())
    }

    /// A rename is on the disk when its directory is.
    fn sync(&self) -> Result<(), SnapshotError> {
        let directory = File::open(&self.directory).map_err(SnapshotError::io("open", &self.directory))?;
        directory.sync_all().map_err(SnapshotError::io("sync", &self.directory))
    }

    fn files(&self) -> Result<impl Iterator<Item = PathBuf>, SnapshotError> {
        let entries = fs::read_dir(&self.directory).map_err(SnapshotError::io("list", &self.directory))?;
        Ok(entries.filter_map(|entry| Some(entry.ok()?.path())))
    }
}

/// The file of a version.
pub(super) fn version_path(directory: &Path, version: u64) -> PathBuf {
    directory.join(format!("{version:020}.board"))
}

fn path_version(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".board")?;
    (name.len() == 20).then(|| name.parse().ok()).flatten()
}

/// Writes a file under another name, syncs it, and gives it its name. What fails leaves nothing behind.
fn write_aside(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), SnapshotError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(format!(".{ASIDE}"));
    let aside = PathBuf::from(aside);
    let written = || -> io::Result<()> {
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&aside)?);
        write(&mut file)?;
        file.flush()?;
        file.get_ref().sync_all()?;
        fs::rename(&aside, path)
    };
    written().map_err(|source| {
        // The first error counts; that clearing up fails too, as on a full disk it may, adds nothing.
        let _ = fs::remove_file(&aside);
        SnapshotError::io("write", path)(source)
    })
}

/// Microseconds since 1970.
pub(super) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}
