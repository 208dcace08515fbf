//! Stock that comes in: at an amount of its own, at current cost, or to cover a shortage.

use comptoir_types::Rounding;
use comptoir_types::decimal::mul_div;

use super::layers::Placing;
use super::machine::{Change, Machine, Posted};
use super::stock::{Ratio, Stock};
use super::{ABSENT, Event, Layer, OVERFLOW, bounded, share};
use crate::movement::{Kind, Reason};
use crate::policy::{Method, Negative, ShortageCost};
use crate::posting::NONE;
use crate::reject::{Fault, RejectCode};

impl Machine<'_> {
    /// Adds `qty` for `amount` to the event's key, as one layer dated at the event.
    pub fn receive(&mut self, index: u32, event: &Event, qty: i64, amount: i64) -> Result<Posted, Fault> {
        let layer = Layer { qty, value: amount, at: event.at, origin: index, lot: event.lot, serial: 0 };
        self.receive_layers(event.key, amount, &[layer], Placing::New)
    }

    /// Adds layers that together cost `amount`. Under standard cost the difference from the standard is variance.
    pub fn receive_layers(
        &mut self,
        key: u32,
        amount: i64,
        layers: &[Layer],
        placing: Placing,
    ) -> Result<Posted, Fault> {
        let qty: i64 = layers.iter().map(|layer| layer.qty).sum();
        let value = match self.key(key)?.method {
            Method::Standard => {
                let standard = self.key(key)?.standard.ok_or(Fault::new(RejectCode::NoStandardCost))?;
                self.price(qty, standard)?
            }
            _ => amount,
        };
        let variance = bounded(amount - value)?;
        self.put_layers(key, value, variance, layers, placing)
    }

    /// Adds layers that together are worth `value`, whatever the method.
    pub fn put_layers(
        &mut self,
        key: u32,
        value: i64,
        variance: i64,
        layers: &[Layer],
        placing: Placing,
    ) -> Result<Posted, Fault> {
        let qty: i64 = layers.iter().map(|layer| layer.qty).sum();
        if self.key(key)?.method == Method::Specific && layers.iter().any(|layer| layer.lot == NONE) {
            return Err(Fault::new(RejectCode::LotRequired));
        }
        let stock = self.key(key)?;
        bounded(stock.qty + qty)?;
        bounded(stock.value + value)?;
        stock.newest = Ratio { value, qty };
        if stock.qty < 0 {
            return self.cover(key, (qty, value, variance), layers, placing);
        }
        for layer in worth(value, layers) {
            stock.put(layer, placing);
        }
        Ok(Posted { key, quantity: qty, value, variance })
    }

    /// Adds stock while the quantity on hand is negative.
    fn cover(
        &mut self,
        key: u32,
        (qty, value, variance): (i64, i64, i64),
        layers: &[Layer],
        placing: Placing,
    ) -> Result<Posted, Fault> {
        let rules = self.rule(key)?.rules;
        let stock = self.key(key)?;
        let adds_up = matches!(rules.negative, Negative::Carry | Negative::Reject);
        let carries = adds_up || stock.method == Method::Standard || stock.shorts.is_empty();
        if carries {
            self.carry(key, (qty, value, variance), layers, placing)
        } else {
            self.cover_shorts(key, (qty, value), layers, placing)
        }
    }

    /// The plain sum of the negative value and the receipt; what is left at quantity zero is variance.
    fn carry(
        &mut self,
        key: u32,
        (qty, value, variance): (i64, i64, i64),
        layers: &[Layer],
        placing: Placing,
    ) -> Result<Posted, Fault> {
        let stock = self.key(key)?;
        stock.qty += qty;
        stock.value += value;
        stock.last = Ratio { value, qty };
        let mut posted = Posted { key, quantity: qty, value, variance };
        if stock.qty == 0 {
            posted.value -= stock.value;
            posted.variance += stock.value;
            stock.value = 0;
        }
        let (left_qty, left_value) = (stock.qty, stock.value);
        if left_qty >= 0 {
            stock.shorts.clear();
        }
        if left_qty > 0 && stock.tracks {
            self.put_rest(key, (left_qty, left_value), layers, placing)?;
        }
        Ok(posted)
    }

    /// Gives the oldest shortages the receipt's cost; the differences correct them, or are variance.
    fn cover_shorts(
        &mut self,
        key: u32,
        (qty, value): (i64, i64),
        layers: &[Layer],
        placing: Placing,
    ) -> Result<Posted, Fault> {
        let rules = self.rule(key)?.rules;
        let rounding = self.context.rounding;
        let stock = self.key(key)?;
        let covered = qty.min(-stock.qty);
        let covered_value = if covered == qty { value } else { share(value, covered, qty, rounding) };
        let latest = covered == qty && rules.shortage_cost == ShortageCost::LatestReceipt;
        if latest {
            check_revalued(stock, value, qty, rounding)?;
        }
        let mut posted = Posted { key, quantity: qty, value, variance: 0 };
        let mut changes = Vec::new();
        let (mut left_qty, mut left_value) = (covered, covered_value);
        while left_qty > 0 {
            let Some(short) = stock.shorts.front_mut() else {
                break;
            };
            let part = short.qty.min(left_qty);
            let was =
                if part == short.qty { short.value } else { share(short.value, part, short.qty, rounding) };
            let cost =
                if part == left_qty { left_value } else { share(left_value, part, left_qty, rounding) };
            let (event, correctable) = (short.event, short.correctable);
            short.qty -= part;
            short.value -= was;
            if short.qty == 0 {
                stock.shorts.pop_front();
            }
            left_qty -= part;
            left_value -= cost;
            note_difference(
                &mut changes,
                &mut posted,
                event,
                was - cost,
                correctable && rules.negative != Negative::Variance,
            );
        }
        stock.last = Ratio { value, qty };
        if latest {
            for short in &mut stock.shorts {
                let now = mul_div(value, short.qty, qty, rounding).ok_or(OVERFLOW)?;
                let difference = short.value - bounded(now)?;
                short.value = now;
                let corrects = short.correctable && rules.negative != Negative::Variance;
                note_difference(&mut changes, &mut posted, short.event, difference, corrects);
            }
        }
        stock.qty += qty;
        stock.value += posted.value;
        self.changes.extend(changes.into_iter().map(|change| Change { key, ..change }));
        let rest = qty - covered;
        if rest > 0 && self.key(key)?.tracks {
            self.put_rest(key, (rest, value - covered_value), layers, placing)?;
        }
        Ok(posted)
    }

    /// Keeps the newest `qty` of the layers, now worth `value`; the rest of them covered a shortage: of what comes back, what had not been
    /// there. What comes back stays the layer that it was, so that more of it joins it.
    fn put_rest(
        &mut self,
        key: u32,
        (qty, value): (i64, i64),
        layers: &[Layer],
        placing: Placing,
    ) -> Result<(), Fault> {
        let rounding = self.context.rounding;
        let stock = self.key(key)?;
        stock.clear_layers();
        let total: i64 = layers.iter().map(|layer| layer.qty).sum();
        let mut layers = layers.to_vec();
        // Parts that come back stand as the method took them; layers stand in the order in which they came.
        layers.sort_by_key(|layer| (placing != Placing::Back(layer.origin), layer.origin));
        super::references::drop_first(&mut layers, total - qty, rounding);
        // They have their own values where those add up, else shares.
        let is_own = layers.iter().map(|layer| layer.value).sum::<i64>() == value;
        let (mut left_qty, mut left_value) = (qty, value);
        for layer in layers {
            let worth = if is_own { layer.value } else { share(left_value, layer.qty, left_qty, rounding) };
            left_qty -= layer.qty;
            left_value -= worth;
            stock.put_layer(Layer { value: worth, ..layer }, placing);
        }
        Ok(())
    }

    /// Opening balance, which may be negative: then it is a shortage at its own value.
    pub fn open(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        if event.qty >= 0 {
            return self.receive(index, event, event.qty, event.amount);
        }
        let (qty, value) = (-event.qty, -event.amount);
        let stock = self.key(event.key)?;
        if stock.qty > 0 {
            return Err(Fault::with(RejectCode::QuantitySign, 1, event.qty));
        }
        bounded(stock.qty - qty)?;
        bounded(stock.value - value)?;
        stock.qty -= qty;
        stock.value -= value;
        stock.last = Ratio { value, qty };
        stock.shorts.push_back(super::stock::Short { event: index, qty, value, correctable: false });
        Ok(Posted { key: event.key, quantity: -qty, value: -value, variance: 0 })
    }

    /// Adds `qty` at the cost of the stock on hand.
    pub fn receive_at_current(&mut self, index: u32, event: &Event, qty: i64) -> Result<Posted, Fault> {
        let ratio = self.key(event.key)?.current();
        let value = self.price_at(event.key, qty, ratio)?;
        self.receive(index, event, qty, value)
    }

    /// Goods found: at the amount of the row, else at current cost.
    pub fn count_gain(&mut self, index: u32, event: &Event) -> Result<Posted, Fault> {
        if event.amount != ABSENT {
            return self.receive(index, event, event.qty, event.amount);
        }
        let ratio = self.key(event.key)?.current();
        let (cost, rest) = self.with_late(index, self.price_at(event.key, event.qty, ratio)?)?;
        let posted = self.receive(index, event, event.qty, cost)?;
        Ok(Posted { variance: posted.variance + rest, ..posted })
    }

    /// What a movement costs that takes its cost from elsewhere, with what came late for it; and the rest that it cannot bear, since
    /// nothing costs less than nothing.
    pub(super) fn with_late(&self, index: u32, cost: i64) -> Result<(i64, i64), Fault> {
        let late = self.late.get(&index).copied().unwrap_or(0);
        let whole = bounded(cost + late)?;
        let borne = whole.max(cost.min(0));
        Ok((borne, whole - borne))
    }
}

/// The layers at the values that they have together: each its own where those add up or as far as there is value, the last one the rest.
pub(super) fn worth(value: i64, layers: &[Layer]) -> impl Iterator<Item = Layer> {
    let adds_up = layers.iter().map(|layer| layer.value).sum::<i64>() == value;
    let mut left = value;
    layers.iter().enumerate().map(move |(place, layer)| {
        let part = match place + 1 == layers.len() {
            true => left,
            false if adds_up => layer.value,
            false => layer.value.clamp(left.min(0), left.max(0)),
        };
        left -= part;
        Layer { value: part, ..*layer }
    })
}

/// Checks, before anything changes, that all shortages can be valued at a receipt's cost.
fn check_revalued(stock: &Stock, value: i64, qty: i64, rounding: Rounding) -> Result<(), Fault> {
    let mut total = 0;
    for short in &stock.shorts {
        let now = mul_div(value, short.qty, qty, rounding).ok_or(OVERFLOW)?;
        total = bounded(total + bounded(now)?)?;
    }
    Ok(())
}

/// Notes the difference between the value at which a shortage left and the cost that it now has.
fn note_difference(
    changes: &mut Vec<Change>,
    posted: &mut Posted,
    event: u32,
    difference: i64,
    corrects: bool,
) {
    if difference == 0 {
        return;
    }
    if corrects {
        changes.push(Change { key: 0, adjusts: event, value: difference, reason: Reason::ShortageCovered });
    } else {
        posted.value += difference;
        posted.variance -= difference;
    }
}

/// Whether the cost of a kind of issue can be corrected afterwards: it left the stock for good.
pub(super) const fn is_correctable(kind: Kind) -> bool {
    matches!(kind, Kind::Issue | Kind::CountLoss)
}
