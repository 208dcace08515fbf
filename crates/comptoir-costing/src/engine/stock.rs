//! Stock of one key: quantity and value, with what the method needs to know beside them.

use std::collections::{BTreeMap, VecDeque};

use comptoir_types::Rounding;

use super::layers::{End, Layer, Layers, Own, Placing};
use super::share;
use crate::policy::Method;
use crate::posting::NONE;

/// A unit cost as an exact ratio, never rounded. A quantity of zero means that no cost is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ratio {
    pub value: i64,
    pub qty: i64,
}

/// A quantity that left without being there, at a cost that a receipt may correct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Short {
    /// Event that took it.
    pub event: u32,
    pub qty: i64,
    pub value: i64,
    /// Whether a difference may correct the event; otherwise it goes to the variance account.
    pub correctable: bool,
}

/// A change of method that has taken place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Switched {
    /// Event before which it took place.
    pub cause: u32,
    /// What it changed the value of the stock by.
    pub value: i64,
}

/// State of one key. Laws: the layers add up to `qty` and `value` while `qty` is not negative; `qty == 0` means `value == 0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stock {
    pub qty: i64,
    pub value: i64,
    /// Cost of what left last, for shortages and for goods that come back to an empty stock.
    pub last: Ratio,
    /// Standard cost in unit cost units, if known.
    pub standard: Option<i64>,
    pub method: Method,
    /// Layers of the method; quantities only when they are kept just for the age.
    pub layers: Layers,
    /// Layers by lot, for specific identification.
    pub lots: BTreeMap<u32, Layers>,
    pub shorts: VecDeque<Short>,
    /// Quantity whose estimate is taken back until its invoice comes: physically there.
    pub awaiting: i64,
    /// Whether layers are kept.
    pub tracks: bool,
    /// The change of method, once it has taken place.
    pub switched: Option<Switched>,
    /// Newest receipt's cost, for a change of method.
    pub newest: Ratio,
    /// Event from which the standard cost holds: what came since stands at it.
    pub standard_since: u32,
}

impl Stock {
    pub fn new(method: Method, standard: Option<i64>, track_ages: bool) -> Self {
        Self {
            qty: 0,
            value: 0,
            last: Ratio::default(),
            standard,
            method,
            layers: Layers::default(),
            lots: BTreeMap::new(),
            shorts: VecDeque::new(),
            awaiting: 0,
            tracks: method.keeps_layers() || track_ages,
            switched: None,
            newest: Ratio::default(),
            standard_since: 0,
        }
    }

    /// What an issue can take: of its lot under specific identification, else of the key.
    pub fn available(&self, lot: u32) -> i64 {
        match self.method {
            Method::Specific => self.lots.get(&lot).map_or(0, Layers::quantity),
            _ => self.qty.max(0),
        }
    }

    /// Adds stock. The quantity on hand must not be negative.
    pub fn put(&mut self, layer: Layer, placing: Placing) {
        self.qty += layer.qty;
        self.value += layer.value;
        if self.tracks {
            self.put_layer(layer, placing);
        }
    }

    /// Takes `qty` that is there, by the method, and gives its value. What empties the stock takes all its value.
    pub fn take(&mut self, qty: i64, lot: u32, rounding: Rounding, part: &mut impl FnMut(Layer)) -> i64 {
        let value = match self.method {
            Method::MovingAverage | Method::PeriodicAverage | Method::Standard => {
                return self.take_valued(&[], qty, None, rounding, part);
            }
            Method::Fifo => self.take_layers(End::Oldest, qty, rounding, part),
            Method::Lifo => self.take_layers(End::Newest, qty, rounding, part),
            Method::Specific => {
                let Some(layers) = self.lots.get_mut(&lot) else {
                    return 0;
                };
                let value = take_noting(layers, &mut self.last, (End::Oldest, qty), rounding, part);
                if layers.quantity() == 0 {
                    self.lots.remove(&lot);
                }
                value
            }
        };
        self.qty -= qty;
        self.value -= value;
        value
    }

    fn take_layers(&mut self, end: End, qty: i64, rounding: Rounding, part: &mut impl FnMut(Layer)) -> i64 {
        take_noting(&mut self.layers, &mut self.last, (end, qty), rounding, part)
    }

    /// Takes `qty` first from layers of its own, the rest by the method. For methods without layers see [`Stock::take_valued`].
    pub fn take_own(
        &mut self,
        own: &[Own],
        qty: i64,
        lot: u32,
        rounding: Rounding,
        part: &mut impl FnMut(Layer),
    ) -> i64 {
        let (mut own_qty, mut own_value) = (0, 0);
        if let Some(layers) = self.layers_of(lot) {
            for own in own {
                let taken = layers.take_own(*own, rounding, part);
                own_qty += taken.qty;
                own_value += taken.value;
            }
        }
        self.qty -= own_qty;
        self.value -= own_value;
        if own_qty > 0 {
            self.last = Ratio { value: own_value, qty: own_qty };
        }
        let rest = if own_qty < qty { self.take(qty - own_qty, lot, rounding, part) } else { 0 };
        own_value + rest
    }

    /// The layers from which a lot is taken under specific identification, else those of the key.
    fn layers_of(&mut self, lot: u32) -> Option<&mut Layers> {
        match self.method {
            Method::Specific => self.lots.get_mut(&lot),
            _ => Some(&mut self.layers),
        }
    }

    /// What `qty` takes of the layers that an event brought, the latest first; they are worth `value`, where it is given.
    pub fn latest_of(&mut self, origin: u32, lot: u32, qty: i64, value: Option<i64>) -> Vec<Own> {
        self.layers_of(lot).map_or_else(Vec::new, |layers| layers.latest_of(origin, qty, value))
    }

    /// Takes `qty` from a stock without layers: at a value of its own, as far as the stock has that, else at the average. Its age is that of
    /// `own`, else that of the oldest.
    ///
    /// The stock never keeps a quantity with a negative value: then the average is taken instead.
    pub fn take_valued(
        &mut self,
        own: &[Own],
        qty: i64,
        wanted: Option<i64>,
        rounding: Rounding,
        part: &mut impl FnMut(Layer),
    ) -> i64 {
        let value = match wanted.filter(|wanted| qty < self.qty && *wanted <= self.value) {
            Some(wanted) => {
                self.last = Ratio { value: wanted, qty };
                wanted
            }
            None if qty == self.qty => {
                self.last = Ratio { value: self.value, qty: self.qty };
                self.value
            }
            None => share(self.value, qty, self.qty, rounding),
        };
        if self.tracks {
            let own: i64 = own.iter().map(|own| self.layers.take_own(*own, rounding, part).qty).sum();
            self.layers.take(End::Oldest, qty - own, rounding, part);
        }
        self.qty -= qty;
        self.value -= value;
        value
    }

    /// Puts a layer among the others without changing the totals.
    pub fn put_layer(&mut self, layer: Layer, placing: Placing) {
        let layers = match self.method {
            Method::Specific => self.lots.entry(layer.lot).or_default(),
            _ => &mut self.layers,
        };
        match placing {
            Placing::New => layers.push(layer),
            Placing::Back(_) => layers.put_back(layer),
        }
    }

    /// Keeps what is short beyond the shortages that are known, as under the standard method, so that a receipt can cover it. No movement
    /// is corrected for it.
    pub fn keep_short(&mut self) {
        let known = self.shorts.iter().fold((0, 0), |sum, short| (sum.0 + short.qty, sum.1 + short.value));
        let (qty, value) = (-self.qty - known.0, -self.value - known.1);
        if qty > 0 {
            self.shorts.push_back(Short { event: NONE, qty, value, correctable: false });
        }
    }

    /// Number of things that it holds.
    pub fn size(&self) -> usize {
        let lots = self.lots.values().map(|layers| 1 + layers.held());
        1 + self.layers.held() + lots.sum::<usize>() + self.shorts.len()
    }

    /// Removes all layers, of all lots.
    pub fn clear_layers(&mut self) {
        self.layers.clear();
        self.lots.clear();
    }

    /// Open layers, by lot where there are lots.
    pub fn open_layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().chain(self.lots.values().flat_map(Layers::iter))
    }

    /// Open layers for a change of value, in the order in which they came, whatever the codes of their lots.
    pub fn open_layers_mut(&mut self) -> impl Iterator<Item = &mut Layer> {
        let has_lots = !self.lots.is_empty();
        let lots = self.lots.values_mut().flat_map(Layers::iter_mut);
        let mut layers: Vec<&mut Layer> = self.layers.iter_mut().chain(lots).collect();
        if has_lots {
            layers.sort_by_key(|layer| (layer.origin, layer.serial));
        }
        layers.into_iter()
    }

    /// The average unit cost of the stock on hand, else the last one known; none where that is the standard cost.
    pub fn current(&self) -> Ratio {
        match self.method {
            _ if self.qty > 0 => Ratio { value: self.value, qty: self.qty },
            Method::Standard => Ratio::default(),
            _ => self.last,
        }
    }

    /// The unit cost of the layer that an issue would take first; the average for methods without layers.
    pub fn next_cost(&self, lot: u32) -> Ratio {
        let layer = match self.method {
            Method::Fifo => self.layers.first(End::Oldest),
            Method::Lifo => self.layers.first(End::Newest),
            Method::Specific => self.lots.get(&lot).and_then(|layers| layers.first(End::Oldest)),
            _ => None,
        };
        layer.map_or_else(|| self.current(), |layer| Ratio { value: layer.value, qty: layer.qty })
    }

    /// Takes `qty` that is there from the oldest layers, whatever the method.
    pub fn take_oldest(
        &mut self,
        qty: i64,
        lot: u32,
        rounding: Rounding,
        part: &mut impl FnMut(Layer),
    ) -> i64 {
        if self.method != Method::Lifo {
            return self.take(qty, lot, rounding, part);
        }
        let value = self.take_layers(End::Oldest, qty, rounding, part);
        self.qty -= qty;
        self.value -= value;
        value
    }

    /// The unit cost at which a shortage leaves when all stock has gone: of what is taken last.
    pub fn shortage_ratio(&self) -> Ratio {
        if self.qty <= 0 {
            return self.last;
        }
        let last_taken = match self.method {
            Method::Fifo => self.layers.first(End::Newest),
            Method::Lifo => self.layers.first(End::Oldest),
            _ => None,
        };
        last_taken.map_or(Ratio { value: self.value, qty: self.qty }, |layer| Ratio {
            value: layer.value,
            qty: layer.qty,
        })
    }
}

/// Takes from layers, and notes the cost of what left last.
fn take_noting(
    layers: &mut Layers,
    last: &mut Ratio,
    (end, qty): (End, i64),
    rounding: Rounding,
    part: &mut impl FnMut(Layer),
) -> i64 {
    layers.take(end, qty, rounding, &mut |layer| {
        *last = Ratio { value: layer.value, qty: layer.qty };
        part(layer);
    })
}
