//! Boards: made of tables, published in a directory, read by services.

mod board;
mod leaderboard;
mod publisher;
mod reader;

pub use board::{BoardBuilder, BoardTables, finished, merged_into_itself};
pub use leaderboard::SharedLeaderboard;
pub use publisher::{BoardPublisher, Published};
pub use reader::{BoardReader, OwnedPage};
