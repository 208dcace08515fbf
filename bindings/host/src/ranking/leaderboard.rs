use std::sync::{Mutex, MutexGuard, PoisonError};

use comptoir::ranking::Score;
use comptoir::ranking::leaderboard::Leaderboard;
use comptoir::types::ErrorKind;

use crate::Fault;

/// A live leaderboard of members by name; any number of threads may share it.
#[derive(Debug, Default)]
pub struct SharedLeaderboard(Mutex<Leaderboard<String>>);

impl SharedLeaderboard {
    /// Gives a member a score; the one that it had.
    ///
    /// # Errors
    /// `RANKING_SCORE_NAN` for a score that is NaN.
    pub fn update(&self, member: &str, score: f64) -> Result<Option<f64>, Fault> {
        let Some(score) = Score::new(score) else {
            let message = format!("member `{member}`: a score cannot be NaN or null");
            return Err(Fault::new(ErrorKind::Data, "RANKING_SCORE_NAN", message));
        };
        Ok(self.lock().update(member.to_owned(), score).map(Score::get))
    }

    /// Takes a member off; the score that it had.
    pub fn remove(&self, member: &str) -> Option<f64> {
        self.lock().remove(&member.to_owned()).map(Score::get)
    }

    /// The rank of a member, from 1.
    #[must_use]
    pub fn rank_of(&self, member: &str) -> Option<usize> {
        self.lock().rank_of(&member.to_owned())
    }

    /// The score of a member.
    #[must_use]
    pub fn score_of(&self, member: &str) -> Option<f64> {
        self.lock().score_of(&member.to_owned()).map(Score::get)
    }

    /// Members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first members with their scores, the highest first.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<(String, f64)> {
        self.lock().top(count).map(|(member, score)| (member.clone(), score.get())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Leaderboard<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
