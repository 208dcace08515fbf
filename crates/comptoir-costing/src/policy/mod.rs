//! Costing policy: the method and every choice in which systems differ, as data.

mod names;
mod presets;
mod read;

use std::collections::BTreeMap;

use comptoir_types::{Date, Decimal, Rounding};
use serde::{Deserialize, Serialize};

pub use names::{
    Amendment, ClosedPeriod, LateCost, Method, Negative, Provisional, ReturnCost, Scope, ShortageCost,
    SwitchValue, Ties, TransferAge,
};
pub use presets::{PRESETS, Preset};

/// Which cost returned goods have, for each direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Returns {
    /// Goods that customers send back.
    pub sales: ReturnCost,
    /// Goods that go back to the supplier.
    pub purchase: ReturnCost,
}

/// A change of method at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MethodSwitch {
    /// First day on which the new method holds.
    pub from: Date,
    /// The new method; periodic average is not offered here.
    pub method: Method,
    /// What the stock is worth under the new method.
    #[serde(default)]
    pub value: SwitchValue,
}

/// The choices that may differ by item or item class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rules {
    /// How the cost of an issue is found.
    pub method: Method,
    /// What happens when a movement takes more than there is.
    pub negative: Negative,
    /// What an uncovered shortage is worth after a receipt.
    pub shortage_cost: ShortageCost,
    /// Unit cost of an issue before any cost is known.
    pub fallback_cost: Option<Decimal>,
    /// At what cost goods come and go back.
    pub returns: Returns,
    /// What a late cost does.
    pub late_cost: LateCost,
    /// Where the corrected part of an amended movement stands.
    pub amendment: Amendment,
    /// How an invoice settles a provisional receipt.
    pub provisional: Provisional,
    /// Whether goods keep their age in a transfer.
    pub transfer_age: TransferAge,
    /// Unit cost of the standard method until a revaluation sets another.
    pub standard_cost: Option<Decimal>,
    /// A change of method.
    pub switch: Option<MethodSwitch>,
}

macro_rules! overrides {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)+) => {
        /// Choices that an item or an item class makes otherwise than the policy; what is absent is inherited.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Overrides { $(
            $(#[$doc])*
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $field: Option<$type>,
        )+ }

        impl Overrides {
            /// `base` with these choices laid over it.
            #[must_use]
            pub fn over(&self, base: Rules) -> Rules {
                Rules { $($field: self.$field.map_or(base.$field, Into::into),)+ }
            }
        }
    };
}

overrides! {
    /// See [`Rules::method`].
    method: Method,
    /// See [`Rules::negative`].
    negative: Negative,
    /// See [`Rules::shortage_cost`].
    shortage_cost: ShortageCost,
    /// See [`Rules::fallback_cost`].
    fallback_cost: Decimal,
    /// See [`Rules::returns`].
    #[serde(deserialize_with = "read::returns_option")]
    returns: Returns,
    /// See [`Rules::late_cost`].
    late_cost: LateCost,
    /// See [`Rules::amendment`].
    amendment: Amendment,
    /// See [`Rules::provisional`].
    provisional: Provisional,
    /// See [`Rules::transfer_age`].
    transfer_age: TransferAge,
    /// See [`Rules::standard_cost`].
    standard_cost: Decimal,
    /// See [`Rules::switch`].
    switch: MethodSwitch,
}

/// A costing policy. Everything has a default; unknown fields are refused.
///
/// ```
/// use comptoir_costing::policy::{Method, Policy};
///
/// let policy = Policy::from_yaml("method: fifo\nnegative: cover\nclasses: {gold: {method: specific}}").unwrap();
/// assert_eq!(policy.rules("ring", Some("gold")).method, Method::Specific);
/// assert_eq!(policy.rules("mug", None).method, Method::Fifo);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Version of this format; 1.
    pub version: u32,
    /// See [`Rules::method`].
    pub method: Method,
    /// See [`Rules::negative`].
    pub negative: Negative,
    /// See [`Rules::shortage_cost`].
    pub shortage_cost: ShortageCost,
    /// See [`Rules::fallback_cost`].
    pub fallback_cost: Option<Decimal>,
    /// See [`Rules::returns`]; one name stands for both directions.
    #[serde(deserialize_with = "read::returns")]
    pub returns: Returns,
    /// See [`Rules::late_cost`].
    pub late_cost: LateCost,
    /// See [`Rules::amendment`].
    pub amendment: Amendment,
    /// See [`Rules::provisional`].
    pub provisional: Provisional,
    /// See [`Rules::transfer_age`].
    pub transfer_age: TransferAge,
    /// See [`Rules::standard_cost`].
    pub standard_cost: Option<Decimal>,
    /// See [`Rules::switch`].
    pub switch: Option<MethodSwitch>,
    /// The unit within which cost is averaged or layered.
    pub scope: Scope,
    /// Order of movements of one item at the same instant.
    pub ties: Ties,
    /// Decimal places of money, 0 to 6.
    pub money_scale: u8,
    /// Decimal places of quantities, 0 to 9; by default those of the input column.
    pub quantity_scale: Option<u8>,
    /// Decimal places of unit costs, in and out, 0 to 9.
    pub cost_scale: u8,
    /// How money is rounded where it must be.
    pub rounding: Rounding,
    /// Offset from UTC, such as `+08:00`, of the days and months of times that carry a time zone.
    pub utc_offset: String,
    /// First open day: what is dated before it lies in a closed period.
    pub open_from: Option<Date>,
    /// What a movement dated in a closed period does.
    pub closed_period: ClosedPeriod,
    /// Choices by item class.
    pub classes: BTreeMap<String, Overrides>,
    /// Choices by item; they win over those of its class.
    pub items: BTreeMap<String, Overrides>,
    /// Class of an item, where the input has no `class` column.
    pub item_classes: BTreeMap<String, String>,
}

impl Default for Policy {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            version: 1,
            method: rules.method,
            negative: rules.negative,
            shortage_cost: rules.shortage_cost,
            fallback_cost: None,
            returns: rules.returns,
            late_cost: rules.late_cost,
            amendment: rules.amendment,
            provisional: rules.provisional,
            transfer_age: rules.transfer_age,
            standard_cost: None,
            switch: None,
            scope: Scope::default(),
            ties: Ties::default(),
            money_scale: 2,
            quantity_scale: None,
            cost_scale: 6,
            rounding: Rounding::HalfEven,
            utc_offset: "+00:00".to_owned(),
            open_from: None,
            closed_period: ClosedPeriod::default(),
            classes: BTreeMap::new(),
            items: BTreeMap::new(),
            item_classes: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// The choices that hold for an item: the policy's, then those of its class, then its own.
    ///
    /// `class` is the class that the input gives; without it the policy's `item_classes` decides.
    #[must_use]
    pub fn rules(&self, item: &str, class: Option<&str>) -> Rules {
        let mut rules = self.base();
        let class = class.or_else(|| self.item_classes.get(item).map(String::as_str));
        if let Some(overrides) = class.and_then(|class| self.classes.get(class)) {
            rules = overrides.over(rules);
        }
        self.items.get(item).map_or(rules, |overrides| overrides.over(rules))
    }

    /// The choices of an item that no class and no override names.
    #[must_use]
    pub const fn base(&self) -> Rules {
        Rules {
            method: self.method,
            negative: self.negative,
            shortage_cost: self.shortage_cost,
            fallback_cost: self.fallback_cost,
            returns: self.returns,
            late_cost: self.late_cost,
            amendment: self.amendment,
            provisional: self.provisional,
            transfer_age: self.transfer_age,
            standard_cost: self.standard_cost,
            switch: self.switch,
        }
    }

    /// Whether any item may have other choices than the base.
    #[must_use]
    pub fn has_overrides(&self) -> bool {
        !self.classes.is_empty() || !self.items.is_empty()
    }
}
