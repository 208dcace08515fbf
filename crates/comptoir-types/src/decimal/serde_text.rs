//! Decimals in JSON and YAML: text out; text or a whole number in. Floats are refused, because `0.1` as a float is
//! already another number.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Decimal, WideDecimal};
use crate::error::Error;

struct TextOrWhole<T>(PhantomData<T>);

impl<T: FromStr<Err = Error>> Visitor<'_> for TextOrWhole<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a decimal as text, such as \"12.30\", or a whole number")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<T, E> {
        value.to_string().parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<T, E> {
        value.to_string().parse().map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<T, E> {
        Err(E::custom(format!(
            "`{value}` is a float, which is not exact: send it as text, such as \"{value}\""
        )))
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrWhole(PhantomData))
    }
}

impl Serialize for WideDecimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WideDecimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrWhole(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_whole_numbers_are_read_and_floats_refused() {
        assert_eq!(serde_json::from_str::<Decimal>("\"12.30\"").unwrap().to_string(), "12.30");
        assert_eq!(serde_json::from_str::<Decimal>("-7").unwrap(), Decimal::from(-7));
        let error = serde_json::from_str::<Decimal>("0.1").unwrap_err().to_string();
        assert!(error.contains("send it as text, such as \"0.1\""), "{error}");
        assert!(serde_json::from_str::<Decimal>("1000000000000000000").is_err());
        let wide: WideDecimal = serde_json::from_str("18446744073709551615").unwrap();
        assert_eq!(serde_json::to_string(&wide).unwrap(), "\"18446744073709551615\"");
    }
}
