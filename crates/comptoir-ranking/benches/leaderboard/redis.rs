//! A Redis server of this program's own, and the few commands that the comparison needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use comptoir_ranking::Score;

use super::common::Directory;
use super::{AROUND, Board, Place, TOP};

/// Commands that are sent at once.
const PIPELINE: usize = 100;

pub struct Redis {
    server: Child,
    stream: BufReader<UnixStream>,
    _directory: Directory,
}

impl Redis {
    /// `None` where there is no `redis-server`.
    pub fn start() -> Option<Self> {
        let directory = Directory::new("redis");
        let socket = directory.0.join("socket");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket);
        command.current_dir(&directory.0).stdout(Stdio::null()).stderr(Stdio::null());
        let server = command.spawn().ok()?;
        let stream = loop {
            match UnixStream::connect(&socket) {
                Ok(stream) => break stream,
                Err(_) => sleep(Duration::from_millis(20)),
            }
        };
        Some(Self { server, stream: BufReader::with_capacity(1 << 16, stream), _directory: directory })
    }

    /// Sends commands by the pipeline and gives each answer.
    fn ask<C>(&mut self, commands: &[C], write: impl Fn(&C) -> Vec<String>, mut see: impl FnMut(&C, Answer)) {
        for part in commands.chunks(PIPELINE) {
            let mut text = String::new();
            for command in part {
                let words = write(command);
                text += &format!("*{}\r\n", words.len());
                words.iter().for_each(|word| text += &format!("${}\r\n{word}\r\n", word.len()));
            }
            self.stream.get_mut().write_all(text.as_bytes()).unwrap();
            part.iter().for_each(|command| see(command, self.answer()));
        }
    }

    fn answer(&mut self) -> Answer {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let (kind, rest) = line.trim_end().split_at(1);
        match kind {
            ":" => Answer::Number(rest.parse().unwrap()),
            "$" => {
                let mut text = vec![0; rest.parse::<usize>().unwrap() + 2];
                self.stream.read_exact(&mut text).unwrap();
                text.truncate(text.len() - 2);
                Answer::Text(String::from_utf8(text).unwrap())
            }
            "*" => Answer::List((0..rest.parse().unwrap()).map(|_| self.answer()).collect()),
            other => panic!("{other}{rest}"),
        }
    }

    fn places(&mut self, first: usize, last: usize) -> Vec<Place> {
        let mut places = Vec::new();
        let command = |(): &()| words(["ZRANGE", "b", &first.to_string(), &last.to_string(), "WITHSCORES"]);
        self.ask(&[()], command, |(), answer| {
            let Answer::List(parts) = answer else { return };
            for pair in parts.chunks_exact(2) {
                let [Answer::Text(member), Answer::Text(score)] = pair else { continue };
                let score = Score::new(-score.parse::<f64>().unwrap()).unwrap();
                places.push((member.parse().unwrap(), score));
            }
        });
        places
    }
}

enum Answer {
    Number(usize),
    Text(String),
    List(Vec<Answer>),
}

fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).into()
}

/// Texts of one length are ordered as their numbers.
fn name(member: u64) -> String {
    format!("{member:08}")
}

impl Board for Redis {
    fn update(&mut self, changes: &[Place]) {
        let command =
            |(member, score): &Place| words(["ZADD", "b", &(-score.get()).to_string(), &name(*member)]);
        self.ask(changes, command, |_, _| ());
    }

    fn ranks(&mut self, members: &[u64]) -> Vec<usize> {
        let mut ranks = Vec::new();
        let command = |member: &u64| words(["ZRANK", "b", &name(*member)]);
        self.ask(members, command, |_, answer| {
            if let Answer::Number(rank) = answer {
                ranks.push(rank + 1);
            }
        });
        ranks
    }

    fn top(&mut self) -> Vec<Place> {
        self.places(0, TOP - 1)
    }

    fn neighbours(&mut self, member: u64) -> Vec<Place> {
        let rank = self.ranks(&[member])[0] - 1;
        self.places(rank.saturating_sub(AROUND), rank + AROUND)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
