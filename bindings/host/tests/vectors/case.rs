//! A directory with the arguments of a call and what is expected of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use comptoir_host::{Fault, Table, ipc};

/// Files that a call gives, with their content.
pub type Outcome = BTreeMap<String, Vec<u8>>;

/// A case.
pub struct Case {
    directory: PathBuf,
}

impl Case {
    /// Every case, in the order of their names.
    pub fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
        let mut cases: Vec<Self> = directories(&root)
            .iter()
            .flat_map(|core| directories(core))
            .filter(|directory| directory.join("call").is_file())
            .map(|directory| Self { directory })
            .collect();
        cases.sort_by(|left, right| left.directory.cmp(&right.directory));
        cases
    }

    /// Core and name, such as `costing/fifo`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.core(), last(&self.directory))
    }

    /// The core that it tests.
    pub fn core(&self) -> String {
        self.directory.parent().map(last).unwrap_or_default()
    }

    /// A file of it.
    pub fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    /// An argument; empty where there is no such file.
    pub fn bytes(&self, argument: &str) -> Vec<u8> {
        fs::read(self.path(argument)).unwrap_or_default()
    }

    /// An argument as text; empty where there is no such file.
    pub fn text(&self, argument: &str) -> String {
        String::from_utf8(self.bytes(argument)).unwrap()
    }

    /// The lines of an argument: none for empty text.
    pub fn lines(&self, argument: &str) -> Vec<String> {
        match self.text(argument) {
            empty if empty.is_empty() => Vec::new(),
            text => text.split('\n').map(str::to_owned).collect(),
        }
    }

    /// A table.
    pub fn table(&self, argument: &str) -> Result<Table, Fault> {
        ipc::read_file(&self.path(&format!("{argument}.arrows")))
    }

    /// A table, where there is one.
    pub fn optional_table(&self, argument: &str) -> Result<Option<Table>, Fault> {
        match self.path(&format!("{argument}.arrows")).is_file() {
            true => self.table(argument).map(Some),
            false => Ok(None),
        }
    }

    /// The files that the call must give.
    pub fn expected(&self) -> Outcome {
        let files = fs::read_dir(&self.directory).unwrap().map(|file| file.unwrap().path());
        let expected = files.filter(|path| is_expected(&last(path)));
        expected.map(|path| (last(&path), fs::read(&path).unwrap())).collect()
    }

    /// Makes `outcome` what is expected.
    pub fn write(&self, outcome: &Outcome) {
        for name in self.expected().into_keys().filter(|name| !outcome.contains_key(name)) {
            fs::remove_file(self.path(&name)).unwrap();
        }
        for (name, bytes) in outcome {
            fs::write(self.path(name), bytes).unwrap();
        }
    }
}

fn is_expected(name: &str) -> bool {
    name.starts_with("expected.") || name == "faults.arrows" || name == "error"
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.is_dir()).collect()
}

fn last(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}
