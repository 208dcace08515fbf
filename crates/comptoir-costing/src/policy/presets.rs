//! Policies of common systems, by name.

use comptoir_types::Rounding;

use super::{
    Amendment, LateCost, Method, Negative, Policy, Provisional, ReturnCost, Returns, ShortageCost, Ties,
};
use crate::error::Error;

/// One preset: its name, what it stands for, and the policy.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Name for [`Policy::preset`].
    pub name: &'static str,
    /// The system and its version.
    pub title: &'static str,
    build: fn() -> Policy,
}

/// All presets. The method is the system's default; override it where the item is set up otherwise.
pub const PRESETS: [Preset; 5] = [
    Preset { name: "erpnext", title: "ERPNext 15: FIFO per warehouse, full reposting", build: erpnext },
    Preset {
        name: "odoo",
        title: "Odoo up to 18: average cost, valuation layers, corrections today",
        build: odoo,
    },
    Preset { name: "odoo19", title: "Odoo 19: average cost, replay of the history", build: odoo19 },
    Preset { name: "sap", title: "SAP MM: price control V, stock coverage", build: sap },
    Preset {
        name: "cas",
        title: "Chinese practice under CAS 1: periodic average, month-start reversal",
        build: cas,
    },
];

impl Policy {
    /// The policy of a common system: `erpnext`, `odoo`, `odoo19`, `sap` or `cas`.
    ///
    /// # Errors
    /// [`Error::Policy`] for any other name.
    pub fn preset(name: &str) -> Result<Self, Error> {
        PRESETS.iter().find(|preset| preset.name == name).map(|preset| (preset.build)()).ok_or_else(|| {
            let known: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
            Error::policy("preset", format!("unknown preset `{name}`, expected one of {}", known.join(", ")))
        })
    }
}

fn erpnext() -> Policy {
    Policy {
        method: Method::Fifo,
        negative: Negative::Cover,
        shortage_cost: ShortageCost::Kept,
        returns: Returns { sales: ReturnCost::OriginalCost, purchase: ReturnCost::OriginalCost },
        late_cost: LateCost::Replay,
        amendment: Amendment::KeepPlace,
        ..Policy::default()
    }
}

fn odoo() -> Policy {
    Policy {
        method: Method::MovingAverage,
        negative: Negative::Cover,
        shortage_cost: ShortageCost::Kept,
        returns: Returns { sales: ReturnCost::OriginalCost, purchase: ReturnCost::CurrentCost },
        late_cost: LateCost::StockCoverage,
        amendment: Amendment::Append,
        rounding: Rounding::HalfUp,
        ..Policy::default()
    }
}

fn odoo19() -> Policy {
    Policy {
        shortage_cost: ShortageCost::LatestReceipt,
        late_cost: LateCost::Replay,
        amendment: Amendment::KeepPlace,
        ..odoo()
    }
}

fn sap() -> Policy {
    Policy {
        method: Method::MovingAverage,
        negative: Negative::Variance,
        returns: Returns { sales: ReturnCost::CurrentCost, purchase: ReturnCost::CurrentCost },
        late_cost: LateCost::StockCoverage,
        amendment: Amendment::Append,
        rounding: Rounding::HalfUp,
        ..Policy::default()
    }
}

fn cas() -> Policy {
    Policy {
        method: Method::PeriodicAverage,
        negative: Negative::Variance,
        returns: Returns { sales: ReturnCost::OriginalCost, purchase: ReturnCost::OriginalCost },
        late_cost: LateCost::Prospective,
        amendment: Amendment::Append,
        provisional: Provisional::MonthStartReversal,
        rounding: Rounding::HalfUp,
        ties: Ties::ReceiptsFirst,
        utc_offset: "+08:00".to_owned(),
        ..Policy::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_a_valid_policy() {
        for preset in PRESETS {
            Policy::preset(preset.name).unwrap().checked().unwrap();
        }
        let error = Policy::preset("oracle").unwrap_err();
        assert!(error.to_string().contains("`oracle`"), "{error}");
    }
}
