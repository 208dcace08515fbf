//! Configuration and events as text: whatever the bytes, a status and never a panic.
//!
//! The first byte chooses the call, the rest is its texts, parted by NUL.
#![no_main]
#![allow(missing_docs, unsafe_code, clippy::undocumented_unsafe_blocks, clippy::panic)]

#[path = "support.rs"]
mod support;

use std::ptr::null_mut;

use comptoir_c::abi::{
    Board, BoardBuilder, Program, RuleSet, Text, comptoir_board_builder_finish, comptoir_board_builder_free,
    comptoir_board_builder_new, comptoir_board_free, comptoir_costing_policy, comptoir_program_compile,
    comptoir_program_eval_json, comptoir_program_free, comptoir_rule_set_explain_json,
    comptoir_rule_set_free, comptoir_rule_set_read, comptoir_text_free,
};
use support::{NO_TEXT, expect_no_panic};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, texts)) = data.split_first() else { return };
    let mut parts = texts.split(|byte| *byte == 0);
    let (first, second, third) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    unsafe {
        match choice % 4 {
            0 => policy(first),
            1 => program(first, second, third),
            2 => rule_set(first, second),
            _ => board(first, second),
        }
    }
});

unsafe fn policy(policy: &[u8]) {
    let mut text = NO_TEXT;
    expect_no_panic(unsafe { comptoir_costing_policy(policy.as_ptr().cast(), policy.len(), &raw mut text) });
    free(&mut text);
}

unsafe fn program(source: &[u8], environment: &[u8], event: &[u8]) {
    let environment = if environment.is_empty() { support::ENVIRONMENT.as_bytes() } else { environment };
    let mut program: *mut Program = null_mut();
    let mut text = NO_TEXT;
    unsafe {
        expect_no_panic(comptoir_program_compile(
            environment.as_ptr().cast(),
            environment.len(),
            source.as_ptr().cast(),
            source.len(),
            &raw mut program,
        ));
        if program.is_null() {
            return;
        }
        let (event, length) = (event.as_ptr().cast(), event.len());
        expect_no_panic(comptoir_program_eval_json(program, event, length, &raw mut text));
        free(&mut text);
        expect_no_panic(comptoir_program_free(program));
    }
}

unsafe fn rule_set(source: &[u8], event: &[u8]) {
    let mut set: *mut RuleSet = null_mut();
    let mut text = NO_TEXT;
    unsafe {
        expect_no_panic(comptoir_rule_set_read(source.as_ptr().cast(), source.len(), &raw mut set));
        if set.is_null() {
            return;
        }
        expect_no_panic(comptoir_rule_set_explain_json(
            set,
            event.as_ptr().cast(),
            event.len(),
            &raw mut text,
        ));
        free(&mut text);
        expect_no_panic(comptoir_rule_set_free(set));
    }
}

unsafe fn board(spec: &[u8], context: &[u8]) {
    let mut builder: *mut BoardBuilder = null_mut();
    let mut board: *mut Board = null_mut();
    let (spec, context) = ((spec.as_ptr().cast(), spec.len()), (context.as_ptr().cast(), context.len()));
    unsafe {
        expect_no_panic(comptoir_board_builder_new(spec.0, spec.1, context.0, context.1, &raw mut builder));
        if builder.is_null() {
            return;
        }
        expect_no_panic(comptoir_board_builder_finish(builder, &raw mut board));
        expect_no_panic(comptoir_board_free(board));
        expect_no_panic(comptoir_board_builder_free(builder));
    }
}

fn free(text: &mut Text) {
    expect_no_panic(unsafe { comptoir_text_free(text) });
}
