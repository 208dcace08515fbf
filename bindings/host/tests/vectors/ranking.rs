//! Calls of the ranking core.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use comptoir_host::Fault;
use comptoir_host::ranking::{
    BoardBuilder, BoardPublisher, BoardReader, BoardTables, OwnedPage, Published, SharedLeaderboard,
};

use crate::call::{bits, one, one_table};
use crate::case::{Case, Outcome};

pub fn board(case: &Case) -> Result<Outcome, Fault> {
    one_table(&finished(case)?.table()?)
}

pub fn report(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", finished(case)?.report()?))
}

pub fn explain(case: &Case) -> Result<Outcome, Fault> {
    Ok(one("expected.json", finished(case)?.explain(&case.text("item"), &case.text("group"))?))
}

pub fn page(case: &Case) -> Result<Outcome, Fault> {
    let directory = Temporary::new();
    let finished = finished(case)?;
    let publisher = BoardPublisher::open(&directory.0, 1)?;
    publisher.publish(&[Published::Result(&finished)], 0)?;
    let reader = BoardReader::open(&directory.0)?;
    let (board, group) = (case.text("board"), case.lines("group"));
    let group: Vec<&str> = group.iter().map(String::as_str).collect();
    let (mut lines, mut cursor) = (Vec::new(), String::new());
    for line in case.lines("page") {
        let (start, limit) = line.split_once('\t').unwrap();
        let limit = limit.parse().unwrap();
        let page = match start {
            "next" => reader.page(&board, &group, 0, &cursor, limit)?,
            offset => reader.page(&board, &group, offset.parse().unwrap(), "", limit)?,
        };
        cursor = page.as_ref().and_then(OwnedPage::next_cursor).unwrap_or_default();
        shown(page.as_ref(), &mut lines);
    }
    Ok(one("expected.txt", lines.join("\n")))
}

pub fn leaderboard(case: &Case) -> Result<Outcome, Fault> {
    let board = SharedLeaderboard::default();
    let score = |score: Option<f64>| score.map_or_else(|| "none".to_owned(), bits);
    let mut lines = Vec::new();
    for line in case.lines("ops") {
        let parts: Vec<&str> = line.split('\t').collect();
        lines.push(match parts[..] {
            ["update", member, text] => score(board.update(member, text.parse().unwrap())?),
            ["remove", member] => score(board.remove(member)),
            ["rank", member] => {
                board.rank_of(member).map_or_else(|| "none".to_owned(), |rank| rank.to_string())
            }
            ["top", count] => {
                let top = board.top(count.parse().unwrap());
                let parts = top.into_iter().map(|(member, score)| format!("{member}\t{}", bits(score)));
                parts.collect::<Vec<_>>().join("\t")
            }
            _ => panic!("{}: operation `{line}`", case.name()),
        });
    }
    Ok(one("expected.txt", lines.join("\n")))
}

fn finished(case: &Case) -> Result<BoardTables, Fault> {
    let builder = BoardBuilder::new(&case.text("spec"), &case.text("context"))?;
    builder.push(&case.table("input")?.chunks(), 0)?;
    if let Some(second) = case.optional_table("input2")? {
        builder.push(&second.chunks(), 1)?;
    }
    builder.finish()
}

fn shown(page: Option<&OwnedPage>, lines: &mut Vec<String>) {
    let Some(page) = page else { return lines.push("none".to_owned()) };
    let more = if page.next_cursor().is_some() { "yes" } else { "no" };
    lines.push(format!("{}\t{more}", page.total()));
    let entries = page.entries();
    lines.extend(entries.map(|entry| format!("{}\t{}\t{}", entry.position, entry.item, bits(entry.score))));
}

/// A directory of its own that goes with its value.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("comptoir-vectors-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What cannot be removed is a matter of the system.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
