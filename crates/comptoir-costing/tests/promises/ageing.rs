//! P12: layers of any day add up to the stock of that day, and so do the buckets of an ageing.

use comptoir_costing::reports::{Calendar, age};
use comptoir_costing::{Movement, value};
use comptoir_types::{Clock, Date};
use proptest::prelude::*;

use crate::books::{books, cases, layer_sums};
use crate::histories::{DAY, SOUND, START, histories};
use crate::policies::{METHODS, policies, without_month_starts};

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn p12_layers_and_buckets_add_up_to_the_stock_of_the_day(
        history in histories(SOUND, 1..40), policy in policies(&METHODS), day in 0..45_i64
    ) {
        let policy = without_month_starts(policy);
        let until: Vec<Movement> = history.iter().filter(|row| row.at < START + (day + 1) * DAY).cloned().collect();
        let date = Date::from_days(START / DAY + day).unwrap();
        let layers = value(&history, &policy).unwrap().layers_as_of(date).unwrap();
        let mut expected = books(&until, &policy).balances;
        expected.retain(|_, balance| *balance != (0, 0));
        prop_assert_eq!(layer_sums(&layers, &history, policy.scope), expected.clone());
        let ageing = age(layers, date, &[0, 7, 30], Calendar::utc(Clock::MICROSECOND)).unwrap();
        let sum = |column: &[i64]| column.iter().map(|number| i128::from(*number)).sum::<i128>();
        let total = |buckets: &[Vec<i64>], shortage: &[i64]| buckets.iter().map(|bucket| sum(bucket)).sum::<i128>() + sum(shortage);
        let stock = expected.values().fold((0, 0), |sums, balance| (sums.0 + i128::from(balance.0), sums.1 + i128::from(balance.1)));
        let found = (
            total(&ageing.quantity, &ageing.shortage_quantity),
            total(&ageing.value, &ageing.shortage_value),
        );
        prop_assert_eq!(found, stock);
        prop_assert_eq!((sum(&ageing.closing_quantity), sum(&ageing.closing_value)), stock);
    }
}
