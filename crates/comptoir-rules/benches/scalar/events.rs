//! Random events of a shop: users, items, orders.

use serde_json::{Value as Json, json};

/// A small generator of random numbers with a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn cents(&mut self, bound: u64) -> f64 {
        self.below(bound) as f64 / 100.0
    }
}

/// So many events.
pub fn events(count: usize) -> Vec<Json> {
    let mut random = Random(20_261_122);
    (0..count).map(|_| event(&mut random)).collect()
}

fn event(random: &mut Random) -> Json {
    let region = ["EU", "US", "CN", "JP"][random.below(4) as usize];
    let noun = ["running", "trail", "walking", "dress"][random.below(4) as usize];
    let end = ["shoe", "sock"][random.below(2) as usize];
    let items: Vec<Json> = (0..5).map(|_| item(random)).collect();
    json!({
        "user": { "level": random.below(6) },
        "item": {
            "brand": format!("brand-{:02}", random.below(16)),
            "price": random.cents(30_000),
            "sku": format!("SKU-{region}-{:06}", random.below(1_000_000)),
            "title": format!("light {noun} and comfortable {end} {}", random.below(100)),
        },
        "order": {
            "pay": random.cents(20_000),
            "cost": random.cents(20_000),
            "coupon": format!("coupon-{:02}", random.below(40)),
            "items": items,
        },
        "whitelist": (0..20).map(|coupon| format!("coupon-{coupon:02}")).collect::<Vec<_>>(),
    })
}

fn item(random: &mut Random) -> Json {
    let category = ["electronics", "clothing", "food", "books"][random.below(4) as usize];
    json!({ "qty": 1 + random.below(5), "price": random.cents(95_000), "category": category })
}
