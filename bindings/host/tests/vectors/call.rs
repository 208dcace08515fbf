//! Calls, and their outcomes as files.

use comptoir_host::{Fault, Table, ipc};

use crate::case::{Case, Outcome};
use crate::{costing, executor, ranking, rules};

/// What a call gives: its files, or the file `error`.
pub fn run(case: &Case) -> Outcome {
    let outcome = match &*case.text("call") {
        "costing.policy" => costing::policy(case),
        "costing.counts" => costing::counts(case),
        "costing.table" => costing::table(case),
        "costing.control" => costing::control(case),
        "rules.eval_json" => rules::eval_json(case),
        "rules.test_json" => rules::test_json(case),
        "rules.partial_json" => rules::partial_json(case),
        "rules.cost" => rules::cost(case),
        "rules.slots" => rules::slots(case),
        "rules.eval_table" => rules::eval_table(case),
        "rules.select" => rules::select(case),
        "rules.decide_json" => rules::decide_json(case),
        "rules.explain_json" => rules::explain_json(case),
        "rules.decide_table" => rules::decide_table(case),
        "rules.select_set" => rules::select_set(case),
        "ranking.board" => ranking::board(case),
        "ranking.report" => ranking::report(case),
        "ranking.explain" => ranking::explain(case),
        "ranking.page" => ranking::page(case),
        "ranking.leaderboard" => ranking::leaderboard(case),
        "executor.run" => executor::run(case),
        other => panic!("{}: unknown call `{other}`", case.name()),
    };
    outcome.unwrap_or_else(|fault| one("error", error_text(&fault)))
}

/// An outcome of one file.
pub fn one(name: &str, bytes: impl Into<Vec<u8>>) -> Outcome {
    Outcome::from([(name.to_owned(), bytes.into())])
}

/// An outcome of one table.
pub fn one_table(table: &Table) -> Result<Outcome, Fault> {
    Ok(one("expected.arrows", ipc::write_bytes(table)?))
}

/// The bits of a number as 16 hexadecimal digits.
pub fn bits(number: f64) -> String {
    format!("{:016x}", number.to_bits())
}

fn error_text(fault: &Fault) -> String {
    let known = |number: usize| if number == 0 { String::new() } else { number.to_string() };
    let place = &fault.place;
    let parts = [
        format!("{:?}", fault.kind).to_lowercase(),
        fault.code.to_owned(),
        place.path.clone(),
        known(place.line),
        known(place.column),
        place.row.map_or_else(String::new, |row| row.to_string()),
        fault.message.clone(),
    ];
    parts.join("\n")
}
