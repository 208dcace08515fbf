//! Calls of the costing core.

use comptoir_host::costing::{History, policy as read_policy};
use comptoir_host::{Fault, render};

use crate::call::{one, one_table};
use crate::case::{Case, Outcome};

pub fn policy(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", read_policy(&case.text("policy"))?))
}

pub fn counts(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", render(&history(case)?.counts())?))
}

pub fn table(case: &Case) -> Result<Outcome, Fault> {
    let history = history(case)?;
    one_table(&history.table(&case.text("request"), case.optional_table("booked")?)?)
}

pub fn control(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", history(case)?.control(&case.text("template"))?))
}

fn history(case: &Case) -> Result<History, Fault> {
    History::value(&case.text("policy"), case.table("input")?)
}
