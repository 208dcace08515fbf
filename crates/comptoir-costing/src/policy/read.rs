//! Reading and checking a policy: JSON or YAML text, errors with the path of the field.

use comptoir_types::{Decimal, config};
use serde::{Deserialize, Deserializer};

use super::{Method, MethodSwitch, Policy, ReturnCost, Returns};
use crate::error::Error;

impl Policy {
    /// Reads a policy from JSON text.
    ///
    /// # Errors
    /// [`Error::Policy`] with the path of the field, for text that is not JSON, an unknown field or a wrong value.
    pub fn from_json(text: &str) -> Result<Self, Error> {
        config::from_json::<Self>(text)?.checked()
    }

    /// Reads a policy from YAML text.
    ///
    /// # Errors
    /// As [`Policy::from_json`]; also for text whose brackets are nested deeper than a policy can need.
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        config::from_yaml::<Self>(text)?.checked()
    }

    /// The policy as JSON text, with every field.
    ///
    /// # Errors
    /// [`Error::Internal`] if serialisation fails, which no policy is known to do.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::Internal { message: error.to_string() })
    }

    /// The policy, if its numbers lie in their ranges and its choices go together.
    ///
    /// # Errors
    /// [`Error::Policy`] with the path of the field.
    pub fn checked(self) -> Result<Self, Error> {
        at_most("version", self.version, 1)?;
        if self.version == 0 {
            return Err(Error::policy("version", "expected 1"));
        }
        at_most("money_scale", u32::from(self.money_scale), 6)?;
        at_most("cost_scale", u32::from(self.cost_scale), 9)?;
        at_most("quantity_scale", u32::from(self.quantity_scale.unwrap_or(0)), 9)?;
        self.utc_offset_minutes()?;
        check_rules("", self.method, self.switch, [self.fallback_cost, self.standard_cost], self.cost_scale)?;
        for (place, table) in [("classes", &self.classes), ("items", &self.items)] {
            for (name, overrides) in table {
                let method = overrides.method.unwrap_or(self.method);
                let costs = [overrides.fallback_cost, overrides.standard_cost];
                check_rules(&format!("{place}.{name}."), method, overrides.switch, costs, self.cost_scale)?;
            }
        }
        Ok(self)
    }

    /// The offset from UTC in minutes.
    ///
    /// # Errors
    /// [`Error::Policy`] when `utc_offset` is not of the form `+08:00`.
    pub fn utc_offset_minutes(&self) -> Result<i32, Error> {
        let wrong = || {
            Error::policy(
                "utc_offset",
                format!("expected an offset such as `+08:00`, found `{}`", self.utc_offset),
            )
        };
        let text = self.utc_offset.as_str();
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(wrong()),
        };
        let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
        let read = |part: &str, limit: i32| {
            part.parse::<i32>().ok().filter(|n| part.len() == 2 && (0..limit).contains(n))
        };
        match (read(hours, 15), read(minutes, 60)) {
            (Some(hours), Some(minutes)) => Ok(sign * (hours * 60 + minutes)),
            _ => Err(wrong()),
        }
    }
}

fn at_most(path: &str, found: u32, limit: u32) -> Result<(), Error> {
    if found > limit {
        return Err(Error::policy(path, format!("expected at most {limit}, found {found}")));
    }
    Ok(())
}

fn check_rules(
    place: &str,
    method: Method,
    switch: Option<MethodSwitch>,
    costs: [Option<Decimal>; 2],
    cost_scale: u8,
) -> Result<(), Error> {
    if let Some(switch) = switch
        && (method == Method::PeriodicAverage
            || matches!(switch.method, Method::PeriodicAverage | Method::Specific))
    {
        return Err(Error::policy(
            &format!("{place}switch"),
            "a change from or to periodic average, or to specific identification, is not offered",
        ));
    }
    for (field, cost) in ["fallback_cost", "standard_cost"].into_iter().zip(costs) {
        let Some(cost) = cost else { continue };
        let units = cost
            .rescale_exact(cost_scale)
            .map_err(|error| Error::policy(&format!("{place}{field}"), error))?;
        if units.units() < 0 {
            return Err(Error::policy(
                &format!("{place}{field}"),
                format!("expected zero or more, found {cost}"),
            ));
        }
    }
    Ok(())
}

/// One name for both directions, or a table with `sales` and `purchase`.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected `original_cost`, `current_cost` or `fifo_head`, or a table with `sales` and `purchase`"
)]
enum ReturnsText {
    One(ReturnCost),
    Both(Returns),
}

impl From<ReturnsText> for Returns {
    fn from(text: ReturnsText) -> Self {
        match text {
            ReturnsText::One(cost) => Self { sales: cost, purchase: cost },
            ReturnsText::Both(returns) => returns,
        }
    }
}

pub(super) fn returns<'de, D: Deserializer<'de>>(reader: D) -> Result<Returns, D::Error> {
    ReturnsText::deserialize(reader).map(Returns::from)
}

pub(super) fn returns_option<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<Returns>, D::Error> {
    Option::<ReturnsText>::deserialize(reader).map(|text| text.map(Returns::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_field_is_named_with_its_path() {
        let error = Policy::from_json(r#"{"classes": {"gold": {"methud": "fifo"}}}"#).unwrap_err();
        assert!(error.to_string().contains("classes.gold"), "{error}");
        assert!(error.to_string().contains("methud"), "{error}");
        let error = Policy::from_yaml("returns: head").unwrap_err();
        assert!(error.to_string().contains("returns"), "{error}");
        let error = Policy::from_yaml("money_scale: 9").unwrap_err();
        assert!(error.to_string().contains("`money_scale`"), "{error}");
    }

    #[test]
    fn json_goes_both_ways() {
        let policy = Policy { fallback_cost: Some(Decimal::new(125, 1).unwrap()), ..Policy::default() };
        assert_eq!(Policy::from_json(&policy.to_json().unwrap()).unwrap(), policy);
    }

    #[test]
    fn offsets_are_read_strictly() {
        let minutes =
            |text: &str| Policy { utc_offset: text.to_owned(), ..Policy::default() }.utc_offset_minutes();
        assert_eq!(minutes("+08:00").unwrap(), 480);
        assert_eq!(minutes("-03:30").unwrap(), -210);
        for wrong in ["8", "+8:00", "+08:60", "Z", ""] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
    }
}
