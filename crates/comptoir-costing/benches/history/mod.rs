//! A seeded history: items drawn as the lesser of two uniform draws, so that low codes move more; receipts of 1 to
//! 100 pieces, issues of 1 to 60 and never more than is on hand.

use comptoir_costing::kernels::Movements;

/// Columns of a history.
pub struct History {
    pub item: Vec<u32>,
    pub qty: Vec<i64>,
    pub amount: Vec<i64>,
    pub day: Vec<i32>,
    pub items: usize,
}

impl History {
    /// The history as the kernels take it.
    pub fn movements(&self) -> Movements<'_> {
        Movements::new(&self.item, &self.qty, &self.amount, self.items).unwrap()
    }
}

/// Makes a history of two years.
pub fn history(rows: usize, items: u32) -> History {
    let mut state = 88_172_645_463_325_252_u64;
    let mut draw = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state % below).unwrap()
    };
    let mut on_hand = vec![0_i64; items as usize];
    let mut history =
        History { item: vec![], qty: vec![], amount: vec![], day: vec![], items: items as usize };
    for row in 0..rows {
        let item = draw(items.into()).min(draw(items.into()));
        let on_hand = &mut on_hand[usize::try_from(item).unwrap()];
        let (qty, amount) = if *on_hand == 0 || draw(100) < 38 {
            let pieces = 1 + draw(100);
            (pieces * 1000, pieces * (10_000 + draw(5_000_000)))
        } else {
            (-((1 + draw(60)) * 1000).min(*on_hand), 0)
        };
        *on_hand += qty;
        history.item.push(u32::try_from(item).unwrap());
        history.qty.push(qty);
        history.amount.push(amount);
        history.day.push(19_000 + i32::try_from(row * 730 / rows).unwrap());
    }
    history
}
