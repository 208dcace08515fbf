//! Layers of stock in the order of their receipt, as a queue and a stack in one flat vector.

use comptoir_types::Rounding;

use super::share;
use crate::posting::NONE;

/// Quantity and value of one receipt, or a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub qty: i64,
    pub value: i64,
    /// Original date, from which the age counts.
    pub at: i64,
    /// Event that brought it; layers stand in ascending order of it.
    pub origin: u32,
    pub lot: u32,
    /// Number of the layer among those of its key, by which a part that comes back finds what is left of it.
    pub serial: u32,
}

/// Layers that one event brought, or one of them, as far as they make up `qty`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub origin: u32,
    /// The one layer meant, by its number.
    pub serial: Option<u32>,
    pub qty: i64,
    /// What the quantity takes of a layer that keeps more than that; its share where this is not given.
    pub value: Option<i64>,
}

/// Whether stock is new to a key, or comes back to where it was taken from, by the event given. What that took without its being there has
/// its number as origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placing {
    New,
    Back(u32),
}

/// Which end of the layers an issue takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Oldest,
    Newest,
}

/// Open layers, oldest first. Consumed ones are skipped and dropped in bulk, so that taking stays cheap.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    list: Vec<Layer>,
    head: usize,
    /// Serial of the next new layer.
    next: u32,
}

impl Clone for Layers {
    /// A copy without the consumed layers.
    fn clone(&self) -> Self {
        let open = self.list.get(self.head..).unwrap_or_default();
        Self { list: open.to_vec(), head: 0, next: self.next }
    }

    fn clone_from(&mut self, other: &Self) {
        self.list.clear();
        self.list.extend_from_slice(other.list.get(other.head..).unwrap_or_default());
        (self.head, self.next) = (0, other.next);
    }
}

/// Consumed layers do not count: no movement finds them.
impl PartialEq for Layers {
    fn eq(&self, other: &Self) -> bool {
        self.next == other.next && self.iter().eq(other.iter())
    }
}

impl Eq for Layers {}

impl Layers {
    /// Removes all layers and keeps the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.head = 0;
    }

    /// Open layers, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Layer> {
        self.list.iter().skip(self.head).filter(|layer| layer.qty > 0)
    }

    /// Open layers for a change of their value only.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Layer> {
        self.list.iter_mut().skip(self.head).filter(|layer| layer.qty > 0)
    }

    /// The layer that an issue takes from first.
    pub fn first(&self, end: End) -> Option<&Layer> {
        match end {
            End::Oldest => self.list.iter().skip(self.head).find(|layer| layer.qty > 0),
            End::Newest => self.list.iter().skip(self.head).rfind(|layer| layer.qty > 0),
        }
    }

    /// Number of layers that a copy holds.
    pub fn held(&self) -> usize {
        self.list.len() - self.head.min(self.list.len())
    }

    /// Sum of the quantities.
    pub fn quantity(&self) -> i64 {
        self.iter().map(|layer| layer.qty).sum()
    }

    /// Adds a layer at the newest end, or, where its event has brought goods before, behind those.
    pub fn push(&mut self, layer: Layer) {
        if self.list.len() == self.list.capacity() {
            self.compact();
        }
        let layer = Layer { serial: self.next, ..layer };
        self.next += 1;
        if self.list.last().is_none_or(|last| last.origin <= layer.origin) {
            self.list.push(layer);
            return;
        }
        let open = self.list.get(self.head..).unwrap_or_default();
        let place = self.head + open.partition_point(|other| other.origin <= layer.origin);
        self.list.insert(place, layer);
    }

    /// Puts a part back to where it was taken from: it joins what is left of its layer, or stands where the layer stood.
    pub fn put_back(&mut self, layer: Layer) {
        if let Some(rest) = self.of_origin(layer.origin).find(|other| other.serial == layer.serial) {
            rest.qty += layer.qty;
            rest.value += layer.value;
            return;
        }
        let open = self.list.get(self.head..).unwrap_or_default();
        let place = self.head
            + open.partition_point(|other| (other.origin, other.serial) < (layer.origin, layer.serial));
        match self.head.checked_sub(1).filter(|_| place == self.head) {
            Some(before) => {
                self.head = before;
                if let Some(slot) = self.list.get_mut(before) {
                    *slot = layer;
                }
            }
            None => self.list.insert(place, layer),
        }
    }

    /// Takes `qty` from one end and gives its value; `qty` must not exceed what is there. Each part taken is handed to `part`.
    pub fn take(&mut self, end: End, qty: i64, rounding: Rounding, part: &mut impl FnMut(Layer)) -> i64 {
        let mut left = qty;
        let mut value = 0;
        while left > 0 {
            let next = match end {
                End::Oldest => self.list.get_mut(self.head),
                End::Newest => self.list.last_mut(),
            };
            let Some(layer) = next else { break };
            let taken = take_from(layer, left, rounding);
            left -= taken.qty;
            value += taken.value;
            if layer.qty == 0 {
                match end {
                    End::Oldest => self.head += 1,
                    End::Newest => drop(self.list.pop()),
                }
            }
            if taken.qty > 0 {
                part(taken);
            }
        }
        if self.head >= self.list.len() {
            self.clear();
        }
        value
    }

    /// Takes up to a quantity from the layers that one event brought.
    pub fn take_own(&mut self, own: Own, rounding: Rounding, part: &mut impl FnMut(Layer)) -> Layer {
        let mut sum = Layer { qty: 0, value: 0, at: 0, origin: own.origin, lot: NONE, serial: 0 };
        let is_own = |layer: &&mut Layer| own.serial.is_none_or(|serial| layer.serial == serial);
        for layer in self.of_origin(own.origin).filter(is_own) {
            if sum.qty == own.qty {
                break;
            }
            let qty = own.qty - sum.qty;
            let taken = match own.value.filter(|value| qty < layer.qty && *value <= layer.value) {
                Some(value) => take_valued(layer, qty, value),
                None => take_from(layer, qty, rounding),
            };
            sum.qty += taken.qty;
            sum.value += taken.value;
            if taken.qty > 0 {
                part(taken);
            }
        }
        sum
    }

    /// What `qty` takes of the layers that one event brought, the latest first. They are worth `value`, where it is given.
    pub fn latest_of(&mut self, origin: u32, qty: i64, value: Option<i64>) -> Vec<Own> {
        if qty == 0 {
            return Vec::new();
        }
        let layers: Vec<Layer> = self.of_origin(origin).map(|layer| *layer).collect();
        let (mut left, mut worth) = (qty, value);
        let mut taken = Vec::new();
        for layer in layers.iter().rev() {
            if left == 0 {
                break;
            }
            let part = left.min(layer.qty);
            taken.push(Own { origin, serial: Some(layer.serial), qty: part, value: worth });
            worth = worth.map(|worth| worth - layer.value);
            left -= part;
        }
        taken
    }

    /// The open layers that one event brought.
    pub fn of_origin(&mut self, origin: u32) -> impl Iterator<Item = &mut Layer> {
        let open = self.list.get_mut(self.head..).unwrap_or_default();
        let start = open.partition_point(|layer| layer.origin < origin);
        open.iter_mut()
            .skip(start)
            .take_while(move |layer| layer.origin == origin)
            .filter(|layer| layer.qty > 0)
    }

    /// Drops consumed layers when at least half of the memory holds such.
    fn compact(&mut self) {
        if self.head * 2 >= self.list.len() && self.head > 0 {
            self.list.drain(..self.head);
            self.head = 0;
        }
    }
}

/// Takes up to `qty` from a layer: all of it with all its value, or a share rounded while the layer keeps the rest.
fn take_from(layer: &mut Layer, qty: i64, rounding: Rounding) -> Layer {
    let whole = *layer;
    if whole.qty <= qty {
        layer.qty = 0;
        layer.value = 0;
        return whole;
    }
    take_valued(layer, qty, share(whole.value, qty, whole.qty, rounding))
}

/// Takes a part of a layer at a value of its own.
fn take_valued(layer: &mut Layer, qty: i64, value: i64) -> Layer {
    layer.qty -= qty;
    layer.value -= value;
    Layer { qty, value, ..*layer }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(origin: u32, qty: i64, value: i64) -> Layer {
        Layer { qty, value, at: i64::from(origin), origin, lot: NONE, serial: 0 }
    }

    #[test]
    fn takes_whole_layers_first_and_a_rounded_share_of_the_last() {
        for (end, expected) in [(End::Oldest, 1000 + 667), (End::Newest, 2000)] {
            let mut layers = Layers::default();
            layers.push(layer(0, 10, 1000));
            layers.push(layer(1, 30, 2000));
            let qty = if end == End::Oldest { 20 } else { 30 };
            assert_eq!(layers.take(end, qty, Rounding::HalfEven, &mut |_| ()), expected);
            let rest: i64 = layers.iter().map(|layer| layer.value).sum();
            assert_eq!(rest + expected, 3000);
        }
    }

    #[test]
    fn a_layer_that_comes_back_stands_at_its_old_place() {
        let mut layers = Layers::default();
        for origin in [0, 2, 4] {
            layers.push(layer(origin, 2, 10));
        }
        let mut parts = Vec::new();
        layers.take(End::Oldest, 3, Rounding::HalfEven, &mut |part| parts.push(part));
        for part in parts.into_iter().rev() {
            layers.put_back(part);
        }
        let shown: Vec<_> = layers.iter().map(|layer| (layer.origin, layer.qty, layer.value)).collect();
        assert_eq!(shown, [(0, 2, 10), (2, 2, 10), (4, 2, 10)]);
        assert_eq!(
            layers
                .take_own(
                    Own { origin: 2, serial: None, qty: 5, value: None },
                    Rounding::HalfEven,
                    &mut |_| ()
                )
                .value,
            10
        );
        assert_eq!(layers.quantity(), 4);
    }
}
