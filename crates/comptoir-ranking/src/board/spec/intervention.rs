use comptoir_rules::rollout::Share;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// Positions are numbers of 32 bits.
const LAST_POSITION: usize = u32::MAX as usize;

/// What an operator does to a board: exactly one of `hide`, `boost`, `bury` and `pin`, for the items of `items` or those
/// for which `when` is true.
///
/// It counts on the boards and in the groups of its scope, for the audience for which it is true, within its time, and
/// for its share of units.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InterventionSpec {
    /// Its name, unique on a board.
    pub id: String,
    /// Of two that exclude each other that with the higher number counts, of equal ones that with the smaller id.
    pub priority: i32,
    /// Items, as they stand in the column of items; numbers or texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Json>,
    /// Which items: a condition in CEL over what the score reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// `true`: the items are not shown, whatever else is said of them.
    #[serde(skip_serializing_if = "is_false")]
    pub hide: bool,
    /// The score becomes higher.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boost: Option<BoostSpec>,
    /// The score becomes lower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bury: Option<BurySpec>,
    /// The items stand at this position, from 1, and those after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<usize>,
    /// The ids of the boards on which it counts; on all where none is named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub boards: Vec<String>,
    /// In which groups it counts: a condition in CEL over the columns of the group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// For which audience it counts: a condition in CEL over `audience`, what is known of those for whom the board is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The first moment at which it counts, as RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// The first moment at which it no longer counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// For which share of units it counts, such as `0.01` or `1%`, by a hash of unit and salt. Raising the share keeps
    /// the units that are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
    /// Interventions with one salt take the same units first. The id, where none is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// How a score becomes higher: exactly one of these.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoostSpec {
    /// It is multiplied, by more than 1; a score below zero is divided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// This is added, more than 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<f64>,
}

/// How a score becomes lower: exactly one of these.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BurySpec {
    /// It is multiplied, by less than 1 and more than 0; a score below zero is divided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
    /// This is subtracted, more than 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subtract: Option<f64>,
}

/// How far all boosts and buries of one item may change its score together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BoostBounds {
    /// The product of all factors lies between 1 / this and this.
    pub factor: f64,
    /// The sum of all that is added lies between -this and this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addition: Option<f64>,
}

impl BoostBounds {
    /// A product of factors within the bounds.
    pub(in crate::board) fn factor(&self, factor: f64) -> f64 {
        factor.clamp(1.0 / self.factor, self.factor)
    }

    /// A sum of additions within the bounds.
    pub(in crate::board) fn addition(&self, addition: f64) -> f64 {
        let most = self.addition.unwrap_or(0.0);
        addition.clamp(-most, most)
    }
}

impl Default for BoostBounds {
    fn default() -> Self {
        Self { factor: 10.0, addition: None }
    }
}

/// What an intervention does to its items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// They are not shown.
    Hide,
    /// The score is multiplied.
    Factor(f64),
    /// The score is added to.
    Addition(f64),
    /// They stand at this position and those after it.
    Pin(usize),
}

impl InterventionSpec {
    /// Whether it is for a board.
    pub(in crate::board) fn is_for(&self, board: &str) -> bool {
        self.boards.is_empty() || self.boards.iter().any(|id| id == board)
    }

    /// What it does.
    ///
    /// # Errors
    /// The field and a reason, where it does nothing, several things, or something that is out of bounds.
    pub fn effect(&self) -> Result<Effect, (&'static str, String)> {
        let boost = self.boost.as_ref().map(|boost| match (boost.factor, boost.add) {
            (Some(factor), None) if factor > 1.0 && factor.is_finite() => Ok(Effect::Factor(factor)),
            (None, Some(add)) if add > 0.0 && add.is_finite() => Ok(Effect::Addition(add)),
            _ => Err(("boost", "expected a `factor` of more than 1 or an `add` of more than 0".to_owned())),
        });
        let bury = self.bury.as_ref().map(|bury| match (bury.factor, bury.subtract) {
            (Some(factor), None) if factor > 0.0 && factor < 1.0 => Ok(Effect::Factor(factor)),
            (None, Some(less)) if less > 0.0 && less.is_finite() => Ok(Effect::Addition(-less)),
            _ => {
                let reason = "expected a `factor` between 0 and 1 or a `subtract` of more than 0";
                Err(("bury", reason.to_owned()))
            }
        });
        let pin = self.pin.map(|position| match position {
            0 => Err(("pin", "positions are counted from 1".to_owned())),
            _ if position.saturating_add(self.items.len().saturating_sub(1)) > LAST_POSITION => {
                Err(("pin", format!("positions go to {LAST_POSITION}")))
            }
            position => Ok(Effect::Pin(position)),
        });
        let hide = self.hide.then_some(Ok(Effect::Hide));
        let mut effects = [hide, boost, bury, pin].into_iter().flatten();
        match (effects.next(), effects.next()) {
            (Some(effect), None) => effect,
            _ => Err(("", "expected exactly one of `hide: true`, `boost`, `bury` and `pin`".to_owned())),
        }
    }
}
