//! Arrow's C structures with numbers that lie, as input of every core: a status and never a panic.
//!
//! The bytes choose a format for each column and what is said of it. Buffers are large enough for every length that is
//! possible, offsets rise and text is UTF-8, since the structures do not say what else a producer lends.
#![no_main]
#![allow(
    missing_docs,
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    clippy::panic,
    clippy::indexing_slicing
)]
#![allow(dead_code, reason = "support is shared, and what owns memory is not read")]

#[path = "lent.rs"]
mod lent;
#[path = "support.rs"]
mod support;

use std::ptr::{from_mut, null_mut};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use arrow_array::ffi_stream::FFI_ArrowArrayStream;
use comptoir_c::abi::{
    Board, BoardBuilder, Program, Valuation, comptoir_board_builder_finish, comptoir_board_builder_free,
    comptoir_board_builder_new, comptoir_board_builder_push, comptoir_board_free, comptoir_board_table,
    comptoir_costing_value, comptoir_program_compile, comptoir_program_eval_stream, comptoir_program_free,
    comptoir_stream_of_array, comptoir_valuation_free, comptoir_valuation_table,
};
use lent::Bytes;
use support::expect_no_panic;

const NAMES: [&[&str]; 3] = [
    &["movement_id", "item", "at", "kind", "quantity", "amount", "ref", "lot", "group", "pool", "unit_cost"],
    &["i", "u", "d", "m", "s", "t", "l", "n", "o", "x"],
    &["group", "item", "score", "qty"],
];
const SPEC: &str = r#"{"id": "b", "group": ["group"], "item": "item", "metrics": {"sold": {"sum": "qty"},
    "best": {"last": "score"}}, "score": "sold", "k": 3}"#;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes::new(data);
    let core = usize::from(bytes.next()) % NAMES.len();
    let (mut schema, mut array) = lent::table(&mut bytes, NAMES[core]);
    let mut stream = FFI_ArrowArrayStream::empty();
    let (types, values) = (from_mut(&mut schema).cast_const(), from_mut(&mut array));
    unsafe {
        expect_no_panic(comptoir_stream_of_array(
            types.cast::<FFI_ArrowSchema>(),
            values.cast::<FFI_ArrowArray>(),
            &raw mut stream,
        ));
        assert!(array.release.is_none(), "the array was moved out");
        match core {
            0 => value(&mut stream),
            1 => evaluate(&mut stream, data),
            _ => rank(&mut stream),
        }
    }
    lent::release(&mut schema);
});

unsafe fn value(movements: &mut FFI_ArrowArrayStream) {
    const POLICY: &str = r#"{"method": "fifo"}"#;
    const REQUEST: &str = r#"{"table": "rejected"}"#;
    let mut valuation: *mut Valuation = null_mut();
    let mut table = FFI_ArrowArrayStream::empty();
    unsafe {
        let (policy, length) = (POLICY.as_ptr().cast(), POLICY.len());
        expect_no_panic(comptoir_costing_value(policy, length, movements, &raw mut valuation));
        if !valuation.is_null() {
            let (request, length) = (REQUEST.as_ptr().cast(), REQUEST.len());
            expect_no_panic(comptoir_valuation_table(valuation, request, length, null_mut(), &raw mut table));
        }
        expect_no_panic(comptoir_valuation_free(valuation));
    }
}

unsafe fn evaluate(table: &mut FFI_ArrowArrayStream, data: &[u8]) {
    const SOURCES: [&str; 5] = [
        "i + 1 > 3 || u == 2u || d < 0.5",
        "s.startsWith('a') || s in ['b', 'c']",
        "m > decimal('1.5') || t > timestamp('2024-01-01T00:00:00Z')",
        "l.exists(e, e > 3) || n['a'] > 1.0",
        "o.id == 3 || x == 'a'",
    ];
    let source = SOURCES[data.len() % SOURCES.len()];
    let mut program: *mut Program = null_mut();
    let mut values = FFI_ArrowArrayStream::empty();
    unsafe {
        expect_no_panic(comptoir_program_compile(
            support::ENVIRONMENT.as_ptr().cast(),
            support::ENVIRONMENT.len(),
            source.as_ptr().cast(),
            source.len(),
            &raw mut program,
        ));
        let (none, out) = (null_mut(), &raw mut values);
        expect_no_panic(comptoir_program_eval_stream(program, table, none, 0, out, null_mut(), null_mut()));
        expect_no_panic(comptoir_program_free(program));
    }
}

unsafe fn rank(rows: &mut FFI_ArrowArrayStream) {
    let mut builder: *mut BoardBuilder = null_mut();
    let mut board: *mut Board = null_mut();
    let mut table = FFI_ArrowArrayStream::empty();
    unsafe {
        let (spec, length) = (SPEC.as_ptr().cast(), SPEC.len());
        expect_no_panic(comptoir_board_builder_new(spec, length, null_mut(), 0, &raw mut builder));
        expect_no_panic(comptoir_board_builder_push(builder, rows, 1));
        expect_no_panic(comptoir_board_builder_finish(builder, &raw mut board));
        if !board.is_null() {
            expect_no_panic(comptoir_board_table(board, &raw mut table));
        }
        expect_no_panic(comptoir_board_free(board));
        expect_no_panic(comptoir_board_builder_free(builder));
    }
}
