//! Stock of one key as the textbook has it: pieces in a row, debts for what left without being there.

use comptoir_costing::policy::Method;
use comptoir_types::Rounding;

use super::rounding::share;

/// Quantity and value of one receipt, or what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub qty: i128,
    pub value: i128,
    /// Date from which it ages.
    pub at: i64,
    /// Movement that brought it.
    pub origin: usize,
    /// Number of the piece in its row.
    pub serial: usize,
}

impl Piece {
    /// A piece that has no place in a row yet.
    pub fn new(qty: i128, value: i128, at: i64, origin: usize) -> Self {
        Self { qty, value, at, origin, serial: usize::MAX }
    }
}

/// Whether pieces are new to a stock, or come back to where they were taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    New,
    /// The movement that took them. What it took without its being there has it as origin.
    Back(usize),
}

/// A quantity that left without being there.
#[derive(Clone, Debug)]
pub struct Debt {
    pub movement: usize,
    pub qty: i128,
    pub value: i128,
    pub correctable: bool,
}

/// A unit cost as value and quantity.
pub type Cost = Option<(i128, i128)>;

/// State of one key. The average method keeps no pieces.
#[derive(Clone, Debug)]
pub struct Stock {
    pub method: Method,
    pub rounding: Rounding,
    pub qty: i128,
    pub value: i128,
    pub pieces: Vec<Piece>,
    pub debts: Vec<Debt>,
    /// How many pieces were laid.
    pub laid: usize,
    /// Cost of what left last, or of the receipt that covered a shortage.
    pub last: Cost,
}

impl Stock {
    pub fn new(method: Method, rounding: Rounding) -> Self {
        Self {
            method,
            rounding,
            qty: 0,
            value: 0,
            pieces: Vec::new(),
            debts: Vec::new(),
            laid: 0,
            last: None,
        }
    }

    pub fn layered(&self) -> bool {
        self.method != Method::MovingAverage
    }

    /// The cost of what is there, else of what left last.
    pub fn current(&self) -> Cost {
        if self.qty > 0 { Some((self.value, self.qty)) } else { self.last }
    }

    /// The cost of the piece that an issue would take first, else of the average.
    pub fn next_cost(&self) -> Cost {
        let next = if self.method == Method::Lifo { self.pieces.last() } else { self.pieces.first() };
        next.map_or_else(|| self.current(), |piece| Some((piece.value, piece.qty)))
    }

    /// The cost of a shortage: of what the method gives up last, else of what left last.
    pub fn shortage_cost(&self) -> Cost {
        let last_taken = match self.method {
            _ if self.qty <= 0 => return self.last,
            Method::Fifo => self.pieces.last(),
            Method::Lifo => self.pieces.first(),
            _ => None,
        };
        Some(last_taken.map_or((self.value, self.qty), |piece| (piece.value, piece.qty)))
    }

    /// Adds pieces worth `value` together to a stock that is not negative: each at its own value, the last takes the rest.
    pub fn put(&mut self, pieces: &[Piece], value: i128, placing: Placing) {
        for piece in worth(value, pieces) {
            self.qty += piece.qty;
            self.lay(piece, placing);
        }
        self.value += value;
    }

    /// Lays a piece: a new one at the end of the row, one that comes back where it was taken from.
    pub fn lay(&mut self, piece: Piece, placing: Placing) {
        if !self.layered() {
            return;
        }
        if placing == Placing::New {
            self.pieces.push(Piece { serial: self.laid, ..piece });
            self.laid += 1;
            return;
        }
        let place = |piece: &Piece| (piece.origin, piece.serial);
        if let Some(rest) = self.pieces.iter_mut().find(|other| place(other) == place(&piece)) {
            rest.qty += piece.qty;
            rest.value += piece.value;
            return;
        }
        let at = self.pieces.partition_point(|other| place(other) < place(&piece));
        self.pieces.insert(at, piece);
    }

    /// Takes a quantity that is there, by the method.
    pub fn take(&mut self, qty: i128) -> (i128, Vec<Piece>) {
        let mut parts = Vec::new();
        let value = if self.layered() {
            let mut left = qty;
            while left > 0 {
                let place = if self.method == Method::Fifo { 0 } else { self.pieces.len() - 1 };
                let part = self.take_from(place, left);
                left -= part.qty;
                self.last = Some((part.value, part.qty));
                parts.push(part);
            }
            parts.iter().map(|part| part.value).sum()
        } else if qty == self.qty {
            self.last = Some((self.value, self.qty));
            self.value
        } else {
            share(self.value, qty, self.qty, self.rounding)
        };
        self.qty -= qty;
        self.value -= value;
        (value, parts)
    }

    /// Takes up to `qty` from the piece at a place; an emptied one is gone.
    fn take_from(&mut self, place: usize, qty: i128) -> Piece {
        let piece = &mut self.pieces[place];
        if piece.qty <= qty {
            return self.pieces.remove(place);
        }
        let value = share(piece.value, qty, piece.qty, self.rounding);
        piece.qty -= qty;
        piece.value -= value;
        Piece { qty, value, ..piece.clone() }
    }

    /// Takes a quantity that is there first from what one movement brought, or from the pieces in which it lies, then by the method.
    pub fn take_own(&mut self, brought: &[Piece], arrived: &[Piece], qty: i128) -> (i128, Vec<Piece>) {
        let mut parts = Vec::new();
        let mut left = qty;
        for own in if arrived.is_empty() { brought } else { arrived } {
            let is_own = |piece: &Piece| {
                piece.origin == own.origin && (arrived.is_empty() || piece.serial == own.serial)
            };
            let mut wanted = own.qty;
            while let Some(place) = self.pieces.iter().position(is_own).filter(|_| wanted > 0) {
                let rest = &mut self.pieces[place];
                let keeps = !arrived.is_empty() && wanted < rest.qty && own.value <= rest.value;
                let part = if keeps {
                    (rest.qty, rest.value) = (rest.qty - wanted, rest.value - own.value);
                    Piece { qty: wanted, value: own.value, ..rest.clone() }
                } else {
                    self.take_from(place, wanted)
                };
                wanted -= part.qty;
                left -= part.qty;
                parts.push(part);
            }
        }
        let own: i128 = parts.iter().map(|part| part.value).sum();
        self.qty -= qty - left;
        self.value -= own;
        if left < qty {
            self.last = Some((own, qty - left));
        }
        let (rest, more) = if left > 0 { self.take(left) } else { (0, Vec::new()) };
        parts.extend(more);
        (own + rest, parts)
    }

    /// Takes a quantity that is there at a value of its own from an average, as far as the stock has that value.
    pub fn take_valued(&mut self, qty: i128, wanted: i128) -> i128 {
        if qty == self.qty || wanted > self.value {
            return self.take(qty).0;
        }
        self.last = Some((wanted, qty));
        self.qty -= qty;
        self.value -= wanted;
        wanted
    }

    /// The newest `qty` of what arrived is all that is there, now worth `value`: each piece its own where those add up, else shared out by
    /// quantity. Of what comes back, what had not been there goes first.
    pub fn keep_newest(&mut self, qty: i128, value: i128, arrived: &[Piece], placing: Placing) {
        self.pieces.clear();
        let mut skip = arrived.iter().map(|piece| piece.qty).sum::<i128>() - qty;
        let mut kept = Vec::new();
        let mut arrived = arrived.to_vec();
        arrived.sort_by_key(|piece| (placing != Placing::Back(piece.origin), piece.origin));
        for piece in arrived {
            let dropped = skip.min(piece.qty);
            skip -= dropped;
            let gone = share(piece.value, dropped, piece.qty, self.rounding);
            kept.push(Piece { qty: piece.qty - dropped, value: piece.value - gone, ..piece });
        }
        kept.retain(|piece| piece.qty > 0);
        let adds_up = kept.iter().map(|piece| piece.value).sum::<i128>() == value;
        let (mut left_qty, mut left_value) = (qty, value);
        for piece in kept {
            let shared = share(left_value, piece.qty, left_qty, self.rounding);
            let worth = if adds_up { piece.value } else { shared };
            left_qty -= piece.qty;
            left_value -= worth;
            self.lay(Piece { value: worth, ..piece }, placing);
        }
    }

    /// Adds a value to the stock, or to what one movement brought; gives what found its place, never more than empties the value.
    pub fn add_value(&mut self, amount: i128, origin: Option<usize>) -> i128 {
        let aimed = |piece: &&mut Piece| origin.is_none_or(|origin| piece.origin == origin);
        let (qty, value) = if self.layered() {
            let pieces = self.pieces.iter_mut().filter(aimed);
            pieces.fold((0, 0), |(qty, value), piece| (qty + piece.qty, value + piece.value))
        } else {
            (self.qty, self.value)
        };
        if qty <= 0 {
            return 0;
        }
        let taken = amount.max(-value.max(0));
        let (mut left_qty, mut left_value) = (qty, value + taken);
        for piece in self.pieces.iter_mut().filter(aimed) {
            let extra = share(taken, piece.qty, qty, self.rounding);
            let last = piece.qty == left_qty;
            let now = if last { left_value } else { (piece.value + extra).clamp(0, left_value.max(0)) };
            left_qty -= piece.qty;
            left_value -= now;
            piece.value = now;
        }
        self.value += taken;
        taken
    }
}

/// Pieces worth `value` together: each at its own value where those add up or as far as there is value, the last takes the rest.
pub fn worth(value: i128, pieces: &[Piece]) -> Vec<Piece> {
    if pieces.iter().map(|piece| piece.value).sum::<i128>() == value {
        return pieces.to_vec();
    }
    let mut left = value;
    let mut worth = pieces.to_vec();
    for (place, piece) in worth.iter_mut().enumerate() {
        let is_last = place + 1 == pieces.len();
        piece.value = if is_last { left } else { piece.value.clamp(left.min(0), left.max(0)) };
        left -= piece.value;
    }
    worth
}
