//! Changes of value and resets: cost adjustments, revaluations, stock counts, changes of method.

use super::layers::Placing;
use super::machine::{Machine, Posted, Replaced};
use super::stock::Ratio;
use super::{ABSENT, Event, Layer, bounded, share};
use crate::policy::{LateCost, Method, MethodSwitch, Negative, SwitchValue};
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

impl Machine<'_> {
    /// Landed cost or price variance that is not replayed.
    pub fn adjust_cost(&mut self, event: &Event) -> Result<Posted, Fault> {
        let coverage = self.rule(event.key)?.rules.late_cost == LateCost::StockCoverage;
        let referred = match event.reference {
            NONE => None,
            reference => {
                let entry = self.entries.get(reference as usize).filter(|entry| entry.accepted);
                Some(*entry.ok_or(Fault::new(RejectCode::ReferenceRejected))?)
            }
        };
        let quantity = match (event.qty, referred) {
            (ABSENT, entry) => entry.map(|entry| entry.qty),
            (qty, _) => Some(qty),
        };
        match quantity {
            Some(quantity) if coverage => {
                self.add_covered(event.key, event.amount, event.reference, quantity)
            }
            _ => self.add_value(event.key, event.amount, event.reference),
        }
    }

    /// The share min(1, on hand / quantity) of the amount to stock, the rest to the variance account (SAP, "stock coverage").
    pub fn add_covered(
        &mut self,
        key: u32,
        amount: i64,
        origin: u32,
        quantity: i64,
    ) -> Result<Posted, Fault> {
        let rounding = self.context.rounding;
        let stock = self.key(key)?;
        let there = if origin != NONE && stock.method.keeps_layers() {
            stock.open_layers().filter(|layer| layer.origin == origin).map(|layer| layer.qty).sum()
        } else {
            stock.qty.max(0)
        };
        let covered = if there >= quantity { amount } else { share(amount, there, quantity, rounding) };
        let mut posted = self.add_value(key, covered, origin)?;
        posted.variance += amount - covered;
        Ok(posted)
    }

    /// Adds a value of either sign to the stock on hand, to the layers of `origin` if the method keeps layers and it is given.
    ///
    /// What finds no stock goes to the variance account, and so does what would make the stock's value negative.
    pub fn add_value(&mut self, key: u32, amount: i64, origin: u32) -> Result<Posted, Fault> {
        let rounding = self.context.rounding;
        let stock = self.key(key)?;
        bounded(stock.value + amount)?;
        let layered = stock.method.keeps_layers();
        let aimed = |layer: &&mut Layer| origin == NONE || layer.origin == origin;
        let (qty, value) = if layered {
            let aimed_layers = stock.open_layers_mut().filter(aimed);
            aimed_layers.fold((0, 0), |(qty, value), layer| (qty + layer.qty, value + layer.value))
        } else {
            (stock.qty, stock.value)
        };
        if qty <= 0 || stock.method == Method::Standard {
            return Ok(Posted { key, quantity: 0, value: 0, variance: amount });
        }
        let taken = amount.max(-value.max(0));
        if layered {
            let (mut left_qty, mut left_value) = (qty, value + taken);
            for layer in stock.open_layers_mut().filter(aimed) {
                let extra = share(taken, layer.qty, qty, rounding);
                let now = if layer.qty == left_qty {
                    left_value
                } else {
                    (layer.value + extra).clamp(0, left_value.max(0))
                };
                left_qty -= layer.qty;
                left_value -= now;
                layer.value = now;
            }
        }
        stock.value += taken;
        Ok(Posted { key, quantity: 0, value: taken, variance: amount - taken })
    }

    /// New unit cost for the stock on hand, and new standard cost.
    pub fn revalue(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let key = event.key;
        let (on_hand, standard) = (self.key(key)?.qty, self.key(key)?.standard);
        if self.referenced.get(index as usize).copied().unwrap_or(false) {
            self.replaced.insert(index, Replaced { standard, qty: on_hand });
        }
        if event.unit_cost == ABSENT {
            // An amount values goods, and a shortage is none.
            let target = if on_hand > 0 { event.amount } else { self.key(key)?.value };
            return self.revalue_to(key, target);
        }
        let target = self.price(on_hand, event.unit_cost)?;
        let stock = self.key(key)?;
        if stock.method == Method::Standard {
            stock.standard = Some(event.unit_cost);
            stock.standard_since = index;
        }
        stock.newest = Ratio { value: target, qty: stock.qty };
        if stock.qty <= 0 && stock.method != Method::Standard {
            return Ok(Posted { key, ..Posted::default() });
        }
        self.revalue_to(key, target)
    }

    /// Takes a revaluation of a standard cost back: the cost that it replaced holds again, unless another one followed.
    ///
    /// What is gone of the goods that it valued has left at its cost: their part is variance.
    pub fn reverse_revaluation(
        &mut self,
        index: u32,
        event: &Event,
        value: i64,
    ) -> Result<Option<Posted>, Fault> {
        let Some(replaced) = self.replaced.get(&event.reference).copied() else {
            return Ok(None);
        };
        let key = event.key;
        let rounding = self.context.rounding;
        let stock = self.key(key)?;
        if stock.method != Method::Standard {
            return Ok(None);
        }
        let (on_hand, was) = (stock.qty, stock.value);
        let holds = stock.standard_since == event.reference;
        let change = match replaced.standard {
            _ if stock.standard_since > event.reference => 0,
            _ if on_hand == replaced.qty => -value,
            Some(standard) if holds => self.price(on_hand, standard)? - was,
            _ => share(-value, on_hand.clamp(0, replaced.qty.max(0)), replaced.qty.max(1), rounding),
        };
        bounded(was + change)?;
        let stock = self.key(key)?;
        stock.value += change;
        if holds {
            stock.standard = replaced.standard;
            stock.standard_since = index;
        }
        Ok(Some(Posted { key, quantity: 0, value: change, variance: -value - change }))
    }

    /// Sets the value of the stock on hand; layers get shares by quantity.
    fn revalue_to(&mut self, key: u32, target: i64) -> Result<Posted, Fault> {
        let rounding = self.context.rounding;
        let stock = self.key(key)?;
        let change = bounded(target)?.checked_sub(stock.value).ok_or(super::OVERFLOW)?;
        if stock.method.keeps_layers() {
            let (mut left_qty, mut left_value) = (stock.qty, target);
            for layer in stock.open_layers_mut() {
                layer.value = share(left_value, layer.qty, left_qty, rounding);
                left_qty -= layer.qty;
                left_value -= layer.value;
            }
        }
        stock.value = target;
        Ok(Posted { key, quantity: 0, value: change, variance: 0 })
    }

    /// Stock count: sets the quantity on hand, and the value when the row gives one.
    pub fn count(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        if event.amount != ABSENT {
            return self.reset(index, event);
        }
        let (method, on_hand) = {
            let stock = self.key(event.key)?;
            (stock.method, stock.qty)
        };
        let there =
            if method == Method::Specific { self.key(event.key)?.available(event.lot) } else { on_hand };
        let difference = event.qty - there;
        match difference {
            0 => Ok(Posted { key: event.key, ..Posted::default() }),
            more if more > 0 => self.receive_at_current(index, event, more),
            less => {
                let value = self.remove(index, event, -less, true)?;
                Ok(Posted { key: event.key, quantity: less, value: -value, variance: 0 })
            }
        }
    }

    /// Sets quantity and value: what stood before is gone, the stock is one new layer.
    fn reset(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let method = self.key(event.key)?.method;
        if method == Method::Specific {
            return self.reset_lot(index, event);
        }
        let value = match (method, self.key(event.key)?.standard) {
            (Method::Standard, Some(cost)) => self.price(event.qty, cost)?,
            _ => event.amount,
        };
        let stock = self.key(event.key)?;
        let posted = Posted {
            key: event.key,
            quantity: event.qty - stock.qty,
            value: if event.qty == 0 { -stock.value } else { value - stock.value },
            variance: if event.qty == 0 { 0 } else { event.amount - value },
        };
        bounded(posted.value)?;
        // Goods that are counted away leave as in an issue: what comes next knows what they cost.
        stock.last = stock.shortage_ratio();
        stock.clear_layers();
        stock.shorts.clear();
        (stock.qty, stock.value) = (0, 0);
        if event.qty > 0 {
            stock.last = Ratio { value, qty: event.qty };
            stock.put(
                Layer { qty: event.qty, value, at: event.at, origin: index, lot: event.lot, serial: 0 },
                Placing::New,
            );
        }
        Ok(posted)
    }

    /// As [`Machine::reset`], for one lot under specific identification.
    fn reset_lot(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        let there = self.key(event.key)?.available(event.lot);
        // Checked before the lot is taken out: a rejected count changes nothing.
        bounded(self.key(event.key)?.value.checked_add(event.amount).ok_or(super::OVERFLOW)?)?;
        bounded(self.key(event.key)?.qty.checked_add(event.qty).ok_or(super::OVERFLOW)?)?;
        let taken = if there > 0 { self.remove(index, event, there, true)? } else { 0 };
        let mut posted = Posted { key: event.key, quantity: -there, value: -taken, variance: 0 };
        if event.qty > 0 {
            let put = self.receive(index, event, event.qty, event.amount)?;
            posted.quantity += put.quantity;
            posted.value += put.value;
        }
        Ok(posted)
    }

    /// Changes the method of a key. The stock becomes one layer, or keeps its layers between layered methods.
    pub fn switch_to(&mut self, key: u32, switch: MethodSwitch) -> Result<Posted, Fault> {
        let ratio = self.key(key)?.newest;
        let (qty, value) = {
            let stock = self.key(key)?;
            (stock.qty, stock.value)
        };
        let target = if switch.value == SwitchValue::LastReceipt && ratio.qty > 0 && qty > 0 {
            self.price_at(key, qty, ratio)?
        } else {
            value
        };
        let target = match (switch.method, self.rule(key)?.standard, switch.value) {
            (Method::Standard, Some(cost), SwitchValue::Carried) => self.price(qty, cost)?,
            _ => target,
        };
        let since = self.rule(key)?.switch_at.unwrap_or(0);
        let standard = self.standard_from(key, switch, ratio, qty, target)?;
        // A value that is carried on leaves every layer its own.
        let posted = match target == value {
            true => Posted { key, ..Posted::default() },
            false => self.revalue_to(key, target)?,
        };
        let covers = matches!(self.rule(key)?.rules.negative, Negative::Cover | Negative::Variance);
        let stock = self.key(key)?;
        if covers {
            stock.keep_short();
        }
        let keeps_layers = stock.method.keeps_layers() && switch.method.keeps_layers();
        let oldest = stock.open_layers().map(|layer| (layer.at, layer.origin)).min();
        stock.method = switch.method;
        stock.standard = standard.or(stock.standard);
        if !keeps_layers && stock.method.keeps_layers() {
            stock.clear_layers();
            stock.tracks = true;
            if qty > 0 {
                let (at, origin) = oldest.unwrap_or((since, 0));
                stock.put_layer(Layer { qty, value: target, at, origin, lot: NONE, serial: 0 }, Placing::New);
            }
        }
        Ok(posted)
    }

    /// The standard cost after a change to the standard method: the policy's, else the unit cost of the stock.
    fn standard_from(
        &self,
        key: u32,
        switch: MethodSwitch,
        ratio: Ratio,
        qty: i64,
        target: i64,
    ) -> Result<Option<i64>, Fault> {
        if switch.method != Method::Standard {
            return Ok(None);
        }
        if let (Some(cost), SwitchValue::Carried) = (self.rule(key)?.standard, switch.value) {
            return Ok(Some(cost));
        }
        let ratio = if switch.value == SwitchValue::LastReceipt && ratio.qty > 0 {
            ratio
        } else {
            Ratio { value: target, qty }
        };
        if ratio.qty == 0 {
            return Ok(None);
        }
        let up = self.context.price_down / self.context.price_up.max(1);
        Ok(comptoir_types::decimal::mul_div(ratio.value, up, ratio.qty, self.context.rounding))
    }
}
