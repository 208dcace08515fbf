//! The named choices in which inventory systems differ.

use serde::{Deserialize, Serialize};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant,)+ }
    };
}

named! {
    /// How the cost of an issue is found.
    Method {
        /// Moving weighted average (移动加权平均): average after every receipt.
        #[default]
        MovingAverage,
        /// Periodic weighted average by calendar month (全月一次加权平均): issues get the month's average.
        PeriodicAverage,
        /// First in, first out (先进先出).
        Fifo,
        /// Last in, first out; not allowed by IAS 2 and CAS 1, known from US GAAP.
        Lifo,
        /// Specific identification by lot (个别计价).
        Specific,
        /// Standard cost; differences go to the variance account (计划成本).
        Standard,
    }
}

impl Method {
    /// Whether the method keeps a value for each receipt.
    #[must_use]
    pub const fn keeps_layers(self) -> bool {
        matches!(self, Self::Fifo | Self::Lifo | Self::Specific)
    }
}

named! {
    /// What happens when a movement takes more than there is.
    Negative {
        /// The movement is rejected.
        #[default]
        Reject,
        /// The shortage leaves at the last known cost; receipts are simply added to the negative value.
        Carry,
        /// The shortage leaves at the last known cost and gets the cost of the receipt that covers it: the difference corrects the issue.
        Cover,
        /// As `cover`, but the difference goes to the variance account and the issue keeps its cost.
        Variance,
    }
}

named! {
    /// What a shortage that a receipt does not cover wholly is worth afterwards.
    ShortageCost {
        /// It keeps the cost at which it left.
        #[default]
        Kept,
        /// It is valued again at the newest receipt's cost.
        LatestReceipt,
    }
}

named! {
    /// At what cost goods come back or go back.
    ReturnCost {
        /// At the cost of the movement in `ref`, current cost without one.
        #[default]
        OriginalCost,
        /// At the cost of the stock on hand: the average; for layered methods that of the layer that an issue takes first.
        CurrentCost,
        /// At the cost of the oldest layer.
        FifoHead,
    }
}

named! {
    /// What a cost does that comes after goods of its receipt were issued.
    LateCost {
        /// All costs after the receipt are calculated again; issues get correction postings.
        #[default]
        Replay,
        /// The whole amount goes to what is still on hand, to the variance account when nothing is.
        Prospective,
        /// The share min(1, on hand / receipt quantity) goes to stock, the rest to the variance account (SAP's stock coverage).
        StockCoverage,
    }
}

named! {
    /// Where the corrected part of an amended movement stands.
    Amendment {
        /// At the place of the movement: what follows is calculated again.
        #[default]
        KeepPlace,
        /// At the time of the amendment, as a further movement of the difference.
        Append,
    }
}

named! {
    /// How an invoice settles a provisional receipt (暂估).
    Provisional {
        /// The difference between invoice and estimate is posted when the invoice comes (单到补差).
        #[default]
        DifferenceOnInvoice,
        /// The estimate is taken back and the invoice posted when it comes (单到回冲).
        ReverseOnInvoice,
        /// The estimate is taken back on the first day of every month and made again at its end until the invoice comes (月初回冲).
        MonthStartReversal,
    }
}

named! {
    /// Whether goods keep their age in a transfer.
    TransferAge {
        /// They keep the date of their receipt.
        #[default]
        Keep,
        /// Their age counts from the transfer.
        Restart,
    }
}

named! {
    /// The unit within which cost is averaged or layered.
    Scope {
        /// The item, over all pools.
        Item,
        /// The item in a pool, such as a warehouse.
        #[default]
        Pool,
        /// The item, pool and lot.
        Lot,
    }
}

named! {
    /// Order of movements of one item at the same instant.
    Ties {
        /// By movement id: integers by number, text by bytes.
        #[default]
        Id,
        /// By row of the input.
        Row,
        /// What brings stock first, then by movement id.
        ReceiptsFirst,
    }
}

named! {
    /// What a movement dated in a closed period does.
    ClosedPeriod {
        /// It is rejected.
        #[default]
        Reject,
        /// It is booked at the first open day.
        FirstOpenDay,
    }
}

named! {
    /// What a change of method does to the value.
    SwitchValue {
        /// The value on hand is carried over.
        #[default]
        Carried,
        /// The stock is valued at the unit cost of its newest receipt; the difference is posted.
        LastReceipt,
    }
}
