//! A random shop: the columns of `benches/rules/columnar.py`, and loops by hand over them.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, StringViewArray, StructArray,
};
use arrow_buffer::OffsetBuffer;
use arrow_schema::Field;

/// How text is laid out.
#[derive(Debug, Clone, Copy)]
pub enum Layout {
    Dictionary,
    Plain,
    View,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn share(&mut self) -> f64 {
        self.below(1 << 30) as f64 / f64::from(1 << 30)
    }
}

/// Texts by number: a dictionary and a key for each row.
struct Coded {
    keys: Vec<i32>,
    texts: Vec<String>,
}

impl Coded {
    fn get(&self, row: usize) -> &str {
        &self.texts[self.keys[row].cast_unsigned() as usize]
    }

    fn array(&self, layout: Layout) -> ArrayRef {
        match layout {
            Layout::Dictionary => {
                let keys = Int32Array::from(self.keys.clone());
                let values = StringArray::from_iter_values(&self.texts);
                Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(values)))
            }
            Layout::Plain => {
                Arc::new(StringArray::from_iter_values((0..self.keys.len()).map(|row| self.get(row))))
            }
            Layout::View => {
                Arc::new(StringViewArray::from_iter_values((0..self.keys.len()).map(|row| self.get(row))))
            }
        }
    }
}

pub struct Shop {
    level: Vec<i64>,
    price: Vec<f64>,
    pay: Vec<f64>,
    cost: Vec<f64>,
    brand: Coded,
    coupon: Coded,
    sku: Coded,
    title: Coded,
    qty: Vec<i64>,
    line_price: Vec<f64>,
    category: Coded,
}

const LINES: usize = 5;

impl Shop {
    pub fn new(rows: usize) -> Self {
        let mut random = Random(7);
        let mut pick = |rows: usize, texts: Vec<String>| Coded {
            keys: (0..rows).map(|_| random.below(texts.len() as u64) as i32).collect(),
            texts,
        };
        let regions = ["EU", "US", "CN", "JP"];
        let skus = (0..100_000).map(|sku| format!("SKU-{}-{:06}", regions[sku % 4], sku * 37 % 1_000_000));
        let titles = (0..16).map(|title| {
            let kind = ["running", "trail", "casual", "formal"][title % 4];
            format!("men {kind} light {}", ["shoe", "boot", "sandal", "sneaker"][title / 4])
        });
        let categories = ["electronics", "books", "toys", "garden", "food"];
        let brand = pick(rows, (0..16).map(|brand| format!("b{brand}")).collect());
        let coupon = pick(rows, (0..100).map(|coupon| format!("C{coupon}")).collect());
        let sku = pick(rows, skus.collect());
        let title = pick(rows, titles.collect());
        let lines = rows / 10 * LINES;
        let category = pick(lines, categories.map(str::to_owned).to_vec());
        let cost: Vec<f64> = (0..rows).map(|_| 10.0 + random.share() * 990.0).collect();
        Self {
            level: (0..rows).map(|_| random.below(10).cast_signed()).collect(),
            price: (0..rows).map(|_| random.share() * 1000.0).collect(),
            pay: cost.iter().map(|cost| cost * (0.8 + 0.3 * random.share())).collect(),
            cost,
            qty: (0..lines).map(|_| 1 + random.below(4).cast_signed()).collect(),
            line_price: (0..lines).map(|_| random.share() * 940.0).collect(),
            brand,
            coupon,
            sku,
            title,
            category,
        }
    }

    /// The columns that a predicate reads.
    pub fn batch(&self, name: &str, layout: Layout) -> RecordBatch {
        let int = |values: &Vec<i64>| Arc::new(Int64Array::from(values.clone())) as ArrayRef;
        let double = |values: &Vec<f64>| Arc::new(Float64Array::from(values.clone())) as ArrayRef;
        let columns = match name {
            "P1" => vec![
                ("user.level", int(&self.level)),
                ("item.brand", self.brand.array(layout)),
                ("item.price", double(&self.price)),
            ],
            "P2" => vec![
                ("order.pay", double(&self.pay)),
                ("order.cost", double(&self.cost)),
                ("order.coupon", self.coupon.array(layout)),
            ],
            "P3" => vec![("item.sku", self.sku.array(layout)), ("item.title", self.title.array(layout))],
            _ => vec![("items", self.items(layout))],
        };
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn items(&self, layout: Layout) -> ArrayRef {
        let fields: Vec<(&str, ArrayRef)> = vec![
            ("qty", Arc::new(Int64Array::from(self.qty.clone()))),
            ("price", Arc::new(Float64Array::from(self.line_price.clone()))),
            ("category", self.category.array(layout)),
        ];
        let lines: ArrayRef = Arc::new(StructArray::from(RecordBatch::try_from_iter(fields).unwrap()));
        let field = Arc::new(Field::new("item", lines.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(LINES, self.qty.len() / LINES));
        Arc::new(ListArray::new(field, offsets, lines, None))
    }

    /// The answers of a predicate by a loop over rows.
    pub fn by_hand(&self, name: &str) -> Vec<bool> {
        let rows = 0..self.level.len();
        match name {
            "P1" => rows
                .map(|row| {
                    let brand = self.brand.get(row);
                    self.level[row] >= 3
                        && self.price[row] >= 100.0
                        && matches!(brand, "b1" | "b2" | "b3" | "b4" | "b5" | "b6" | "b7" | "b8")
                })
                .collect(),
            "P2" => rows
                .map(|row| {
                    self.pay[row] < self.cost[row] * 0.9 && {
                        let number: u32 = self.coupon.get(row)[1..].parse().unwrap();
                        number >= 60 || !number.is_multiple_of(3)
                    }
                })
                .collect(),
            "P3" => rows
                .map(|row| {
                    let title = self.title.get(row);
                    let kind = title.find("running").or_else(|| title.find("trail"));
                    self.sku.get(row).starts_with("SKU-EU-")
                        && kind.is_some_and(|at| title[at..].contains("shoe"))
                })
                .collect(),
            _ => (0..self.qty.len() / LINES)
                .map(|row| {
                    let mut lines = row * LINES..(row + 1) * LINES;
                    lines.clone().all(|line| self.qty[line] > 0 && self.line_price[line] <= 900.0)
                        && lines.any(|line| {
                            self.category.get(line) == "electronics" && self.line_price[line] > 500.0
                        })
                })
                .collect(),
        }
    }
}

/// Bytes that reading a column takes.
pub fn bytes(column: &ArrayRef) -> usize {
    column.get_array_memory_size()
}
