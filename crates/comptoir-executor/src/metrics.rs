//! The text format of Prometheus.

use std::fmt::Write as _;

/// Samples of a family: what follows its name, and the value.
pub(crate) type Samples = Vec<(String, f64)>;

/// The text as it grows.
#[derive(Debug, Default)]
pub(crate) struct Text(String);

impl Text {
    /// Adds a family, whose name begins with `comptoir_executor_`.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: &str, samples: Samples) {
        let Self(text) = self;
        let _ =
            writeln!(text, "# HELP comptoir_executor_{name} {help}\n# TYPE comptoir_executor_{name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(text, "comptoir_executor_{name}{labels} {value}");
        }
    }

    /// All of it.
    pub(crate) fn end(self) -> String {
        self.0
    }
}

/// The only sample of a family.
pub(crate) fn alone(value: f64) -> Samples {
    vec![(String::new(), value)]
}

/// A number as a value.
#[expect(clippy::cast_precision_loss, reason = "Prometheus has floats only")]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

/// Labels of a sample, their values escaped as the format wants it.
pub(crate) fn labels(pairs: &[(&str, &str)]) -> String {
    let escaped = |text: &str| text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(labels(&[("model", "a\"b\\c\n")]), "{model=\"a\\\"b\\\\c\\n\"}");
    }
}
