//! Damaged input of every kind is a fault, never a panic: texts and tables of `tests/vectors` with bytes changed, cut or put
//! twice, and Arrow structures whose numbers lie. `COMPTOIR_FUZZ_ROUNDS` says how often each is damaged.
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks, clippy::cast_possible_truncation)]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::ffi::c_void;
use std::fs;
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};

use comptoir_host::costing::{self, History};
use comptoir_host::executor::{HostPipeline, RequestOptions};
use comptoir_host::ranking::BoardBuilder;
use comptoir_host::rules::{CompiledProgram, CompiledSet};
use comptoir_host::{Fault, Table, guard, ipc, stream};

/// A generator of numbers with a seed; the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // Xorshift: <https://www.jstatsoft.org/article/view/v008i14>
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }

    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let place = self.below(bytes.len());
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[place] = self.next() as u8,
                1 if !bytes.is_empty() => bytes[place] ^= 1 << self.below(8),
                2 => bytes.truncate(place),
                3 => bytes.insert(place, b"{}[]\":,\\0-9e\xff"[self.below(13)]),
                _ => {
                    let end = place + self.below(bytes.len() - place);
                    let part = bytes[place..end].to_vec();
                    bytes.splice(place..place, part);
                }
            }
        }
        bytes
    }
}

fn rounds() -> usize {
    std::env::var("COMPTOIR_FUZZ_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(4)
}

/// The files of all cases with a name.
fn files(name: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let cores = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let cases = cores.flat_map(|core| fs::read_dir(core).unwrap().map(|entry| entry.unwrap().path()));
    let mut files: Vec<_> = cases.map(|case| case.join(name)).filter(|file| file.exists()).collect();
    files.sort();
    files
}

/// Gives damaged contents of files to `work`, which may fail but not panic.
fn damaged(name: &str, work: impl Fn(&Path, &[u8]) -> Result<(), Fault>) {
    let mut numbers = Numbers(0x00c0_ffee);
    let files = files(name);
    assert!(!files.is_empty(), "no vector has a file {name}");
    for file in files {
        let content = fs::read(&file).unwrap();
        for round in 0..rounds() {
            let damaged = numbers.damage(&content);
            if let Err(fault) = guard(|| work(&file, &damaged)) {
                assert_ne!(fault.code, "INTERNAL", "{} in round {round}: {fault}", file.display());
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn beside(file: &Path, name: &str) -> String {
    fs::read_to_string(file.with_file_name(name)).unwrap_or_default()
}

fn table_beside(file: &Path) -> Result<Table, Fault> {
    ipc::read_file(&file.with_file_name("input.arrows"))
}

#[test]
fn costing_refuses_damaged_configuration() {
    damaged("policy", |_, bytes| costing::policy(&text(bytes)).map(drop));
    damaged("request", |file, bytes| {
        History::value(&beside(file, "policy"), table_beside(file)?)?.table(&text(bytes), None).map(drop)
    });
}

#[test]
fn rules_refuse_damaged_expressions_and_events() {
    damaged("source", |file, bytes| {
        CompiledProgram::compile(&beside(file, "environment"), &text(bytes)).map(drop)
    });
    damaged("environment", |file, bytes| {
        CompiledProgram::compile(&text(bytes), &beside(file, "source")).map(drop)
    });
    damaged("set", |_, bytes| CompiledSet::read(&text(bytes)).map(drop));
    damaged("event", |file, bytes| match file.with_file_name("set").exists() {
        true => CompiledSet::read(&beside(file, "set"))?.decide_json(bytes).map(drop),
        false => CompiledProgram::compile(&beside(file, "environment"), &beside(file, "source"))?
            .eval_json(bytes)
            .map(drop),
    });
    damaged("shared", |file, bytes| match file.with_file_name("set").exists() {
        true => CompiledSet::read(&beside(file, "set"))?.select(&table_beside(file)?, &text(bytes)).map(drop),
        false => CompiledProgram::compile(&beside(file, "environment"), &beside(file, "source"))?
            .select(&table_beside(file)?, &text(bytes))
            .map(drop),
    });
}

#[test]
fn ranking_and_executor_refuse_damaged_configuration() {
    damaged("spec", |file, bytes| {
        let builder = BoardBuilder::new(&text(bytes), &beside(file, "context"))?;
        builder.push(&table_beside(file)?.batches, 1)?;
        builder.finish().map(drop)
    });
    damaged("options", |_, bytes| RequestOptions::parse(&text(bytes)).map(drop));
    damaged("config", |_, bytes| {
        let config = text(bytes);
        // A damaged number may ask for a million threads.
        if config.contains("threads") || config.contains("instances") || config.contains("depth") {
            return Ok(());
        }
        HostPipeline::start(&config, Vec::new()).map(drop)
    });
}

/// Damaged files are an error, or another table. The Arrow library may panic on them; that is caught.
#[test]
fn damaged_arrow_files_end_no_process() {
    let mut numbers = Numbers(0xbeef);
    for file in files("input.arrows") {
        let content = fs::read(&file).unwrap();
        for _ in 0..rounds() {
            let damaged = numbers.damage(&content);
            let _either = guard(|| ipc::read_bytes(&damaged));
        }
    }
}

/// Arrow's structures as C writes them.
#[repr(C)]
struct CSchema {
    format: *const i8,
    name: *const i8,
    metadata: *const i8,
    flags: i64,
    n_children: i64,
    children: *mut *mut CSchema,
    dictionary: *mut CSchema,
    release: Option<unsafe extern "C" fn(*mut CSchema)>,
    private_data: *mut c_void,
}

#[repr(C)]
struct CArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *const *const c_void,
    children: *mut *mut CArray,
    dictionary: *mut CArray,
    release: Option<unsafe extern "C" fn(*mut CArray)>,
    private_data: *mut c_void,
}

unsafe extern "C" fn release_schema(schema: *mut CSchema) {
    unsafe { (*schema).release = None };
}

unsafe extern "C" fn release_array(array: *mut CArray) {
    unsafe { (*array).release = None };
}

fn schema(format: &'static [u8]) -> CSchema {
    CSchema {
        format: format.as_ptr().cast(),
        name: c"n".as_ptr().cast(),
        metadata: null(),
        flags: 0,
        n_children: 0,
        children: null_mut(),
        dictionary: null_mut(),
        release: Some(release_schema),
        private_data: null_mut(),
    }
}

/// A table of one column of 64-bit integers, after `change` has made one of its numbers a lie.
fn take(change: impl FnOnce(&mut CArray, &mut CArray)) -> Result<Table, Fault> {
    let values = [1_i64, 2, 3];
    let buffers: [*const c_void; 2] = [null(), values.as_ptr().cast()];
    let array = |n_buffers: i64, buffers: *const *const c_void| CArray {
        length: 3,
        null_count: 0,
        offset: 0,
        n_buffers,
        n_children: 0,
        buffers,
        children: null_mut(),
        dictionary: null_mut(),
        release: Some(release_array),
        private_data: null_mut(),
    };
    let (mut column_type, mut table_type) = (schema(b"l\0"), schema(b"+s\0"));
    let mut column_types = [&raw mut column_type];
    (table_type.n_children, table_type.children) = (1, column_types.as_mut_ptr());
    let nothing: [*const c_void; 1] = [null()];
    let (mut column, mut table) = (array(2, buffers.as_ptr()), array(1, nothing.as_ptr()));
    let mut columns = [&raw mut column];
    (table.n_children, table.children) = (1, columns.as_mut_ptr());
    change(&mut table, unsafe { &mut *columns[0] });
    let taken = unsafe { stream::take_array((&raw const table_type).cast(), (&raw mut table).cast()) };
    assert!(table.release.is_none(), "the array was moved out");
    // The buffers are those of this function, so the table must not leave it.
    taken.map(|table| Table { schema: table.schema.clone(), batches: Vec::new() })
}

#[test]
fn lies_about_lengths_buffers_and_children_are_seen() {
    assert!(take(|_, _| ()).is_ok());
    let lies: [fn(&mut CArray, &mut CArray); 13] = [
        |table, _| table.length = -1,
        |table, _| table.offset = i64::MIN,
        |table, _| table.n_children = 0,
        |table, _| table.n_children = 7,
        |_, column| column.length = i64::MAX,
        |_, column| column.offset = -5,
        |_, column| column.n_buffers = 1,
        |_, column| column.n_buffers = -1,
        |_, column| column.release = None,
        |_, column| column.length = 2,
        |_, column| column.null_count = 4,
        |_, column| column.buffers = null(),
        |table, _| table.children = null_mut(),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let fault = take(lie).expect_err(&format!("lie {number}"));
        assert_eq!(fault.code, "ARROW_PROTOCOL", "lie {number}: {fault}");
    }
}

/// What a schema with one child says, after `change` has made one of them a lie.
fn say(
    format: &'static [u8],
    child: &'static [u8],
    change: impl FnOnce(&mut CSchema, &mut CSchema),
) -> String {
    let (mut outer, mut inner) = (schema(format), schema(child));
    let mut children = [&raw mut inner];
    (outer.n_children, outer.children) = (1, children.as_mut_ptr());
    change(&mut outer, unsafe { &mut *children[0] });
    let said = unsafe { stream::field_of(&*(&raw const outer).cast()) };
    said.map_or_else(|error| Fault::from(error).code.to_owned(), |field| field.data_type().to_string())
}

#[test]
fn lies_of_schemas_are_seen() {
    assert_eq!(say(b"+l\0", b"l\0", |_, _| ()), "List(non-null Int64, field: 'n')");
    let lies: [fn(&mut CSchema, &mut CSchema); 7] = [
        |list, _| list.n_children = 0,
        |list, _| list.n_children = -1,
        |list, _| list.children = null_mut(),
        |list, _| unsafe { *list.children = null_mut() },
        |list, _| list.format = null(),
        |_, element| element.release = None,
        |_, element| element.name = c"\xff".as_ptr().cast(),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        assert_eq!(say(b"+l\0", b"l\0", lie), "ARROW_PROTOCOL", "lie {number}");
    }
    // Types that are none, or within themselves without end.
    assert_eq!(say(b"+m\0", b"l\0", |_, _| ()), "ARROW_PROTOCOL");
    assert_eq!(say(b"+l\0", b"d:99,2\0", |_, _| ()), "ARROW_PROTOCOL");
    let endless = |list: &mut CSchema, _: &mut CSchema| unsafe { *list.children = &raw mut *list };
    assert_eq!(say(b"+l\0", b"l\0", endless), "ARROW_PROTOCOL");
}
