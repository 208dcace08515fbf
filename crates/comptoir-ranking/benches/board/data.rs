//! Rows of a shop: products with their sales, in groups of which few are large.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, Int32Array, Int64Array, RecordBatch};

/// Columns id, grp, gmv, sales, clicks, rating, stock.
pub struct Shop {
    pub id: Vec<i64>,
    pub grp: Vec<i32>,
    pub gmv: Vec<f64>,
    pub sales: Vec<i32>,
    pub clicks: Vec<i32>,
    pub rating: Vec<f32>,
    pub stock: Vec<i32>,
}

/// Bytes that a row takes of the columns that are read for each row: all but `id`.
pub const BYTES_A_ROW: usize = 28;

impl Shop {
    /// The same rows for the same numbers: group sizes fall as 1/rank.
    pub fn new(rows: usize, groups: usize) -> Self {
        let mut draw = Draw(7);
        let mut sum = 0.0;
        let upper: Vec<f64> = (1..=groups).map(|rank| (sum += 1.0 / rank as f64, sum).1).collect();
        let mut names: Vec<i32> = (0..groups as i32).collect();
        for place in (1..groups).rev() {
            names.swap(place, draw.below(place + 1));
        }
        let mut shop = Self::empty(rows);
        for row in 0..rows as i64 {
            let at = draw.unit() * sum;
            let group = names[upper.partition_point(|upper| *upper < at).min(groups - 1)];
            shop.id.push((row * 2_654_435_761) % (1 << 40));
            shop.grp.push(group);
            shop.gmv.push(((3.0 + 1.5 * draw.normal()).exp() * 100.0).round() / 100.0);
            shop.sales.push(draw.geometric(0.02));
            shop.clicks.push(draw.geometric(0.001));
            shop.rating.push((10 + draw.below(41)) as f32 / 10.0);
            shop.stock.push(if draw.unit() < 0.15 { 0 } else { 1 + draw.below(999) as i32 });
        }
        shop
    }

    fn empty(rows: usize) -> Self {
        Self {
            id: Vec::with_capacity(rows),
            grp: Vec::with_capacity(rows),
            gmv: Vec::with_capacity(rows),
            sales: Vec::with_capacity(rows),
            clicks: Vec::with_capacity(rows),
            rating: Vec::with_capacity(rows),
            stock: Vec::with_capacity(rows),
        }
    }

    /// The rows as batches of so many.
    pub fn batches(self, rows: usize) -> Vec<RecordBatch> {
        let columns: [(&str, ArrayRef); 7] = [
            ("id", Arc::new(Int64Array::from(self.id))),
            ("grp", Arc::new(Int32Array::from(self.grp))),
            ("gmv", Arc::new(Float64Array::from(self.gmv))),
            ("sales", Arc::new(Int32Array::from(self.sales))),
            ("clicks", Arc::new(Int32Array::from(self.clicks))),
            ("rating", Arc::new(Float32Array::from(self.rating))),
            ("stock", Arc::new(Int32Array::from(self.stock))),
        ];
        let table = RecordBatch::try_from_iter(columns).unwrap();
        (0..table.num_rows())
            .step_by(rows)
            .map(|start| table.slice(start, rows.min(table.num_rows() - start)))
            .collect()
    }
}

/// Random numbers: SplitMix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.unit() * limit as f64) as usize
    }

    fn geometric(&mut self, chance: f64) -> i32 {
        ((1.0 - self.unit()).ln() / (1.0 - chance).ln()) as i32 + 1
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}
