//! Kinds of stock movements and what each of them needs.

use serde::{Deserialize, Serialize};

/// What a movement is. The kind decides the direction: quantities are written positive, except where a kind says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Kind {
    /// Opening balance brought from another system; quantity and amount may be negative, both with the same sign.
    Opening,
    /// Purchase receipt with its amount (采购入库).
    Receipt,
    /// Goods received before their invoice, at an estimated amount (暂估入库).
    ProvisionalReceipt,
    /// Invoice for a provisional receipt named by `ref`: its amount replaces the estimate of its quantity.
    Settlement,
    /// Sales or other issue, valued by the method (销售出库).
    Issue,
    /// Goods that a customer sends back; `ref` names the issue (销售退货).
    SalesReturn,
    /// Goods sent back to the supplier; `ref` names the receipt (采购退货).
    PurchaseReturn,
    /// Goods that leave a pool for another (调拨出库).
    TransferOut,
    /// Their arrival; `ref` names the transfer out, whose value it takes over (调拨入库).
    TransferIn,
    /// Stock count: the quantity on hand is set to `quantity` and, when an amount is given, its value to the amount (盘点).
    Count,
    /// Quantity found too many in a count; at current cost unless an amount is given (盘盈).
    CountGain,
    /// Quantity found missing in a count (盘亏).
    CountLoss,
    /// Landed cost or price variance, an amount of either sign, aimed at the receipt in `ref` or at the stock on hand.
    CostAdjustment,
    /// New unit cost for the stock on hand; for the standard method the new standard cost (计划价调整).
    Revaluation,
    /// Receipt from production; without an amount it takes the cost of the production issues of its group (产成品入库).
    ProductionReceipt,
    /// Material issued to production (材料出库).
    ProductionIssue,
    /// Takes back the movement in `ref`, wholly or for `quantity` of it (红冲).
    Reversal,
    /// Corrects quantity or amount of the movement in `ref`: the row gives the values as they should have been.
    Amendment,
}

/// Which way a movement changes the quantity on hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Adds stock.
    In,
    /// Removes stock.
    Out,
    /// Changes the value only.
    Value,
    /// Depends on the state or on the movement referred to.
    Relative,
}

/// All kinds in the order of their codes.
pub const KINDS: [Kind; 18] = [
    Kind::Opening,
    Kind::Receipt,
    Kind::ProvisionalReceipt,
    Kind::Settlement,
    Kind::Issue,
    Kind::SalesReturn,
    Kind::PurchaseReturn,
    Kind::TransferOut,
    Kind::TransferIn,
    Kind::Count,
    Kind::CountGain,
    Kind::CountLoss,
    Kind::CostAdjustment,
    Kind::Revaluation,
    Kind::ProductionReceipt,
    Kind::ProductionIssue,
    Kind::Reversal,
    Kind::Amendment,
];

impl Kind {
    /// The name used in data and configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Receipt => "receipt",
            Self::ProvisionalReceipt => "provisional_receipt",
            Self::Settlement => "settlement",
            Self::Issue => "issue",
            Self::SalesReturn => "sales_return",
            Self::PurchaseReturn => "purchase_return",
            Self::TransferOut => "transfer_out",
            Self::TransferIn => "transfer_in",
            Self::Count => "count",
            Self::CountGain => "count_gain",
            Self::CountLoss => "count_loss",
            Self::CostAdjustment => "cost_adjustment",
            Self::Revaluation => "revaluation",
            Self::ProductionReceipt => "production_receipt",
            Self::ProductionIssue => "production_issue",
            Self::Reversal => "reversal",
            Self::Amendment => "amendment",
        }
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        KINDS.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind with this code, the inverse of `kind as u8`.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        KINDS.get(usize::from(code)).copied()
    }

    /// Which way the kind changes the quantity on hand.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Opening
            | Self::Receipt
            | Self::ProvisionalReceipt
            | Self::SalesReturn
            | Self::TransferIn
            | Self::CountGain
            | Self::ProductionReceipt => Direction::In,
            Self::Issue
            | Self::PurchaseReturn
            | Self::TransferOut
            | Self::CountLoss
            | Self::ProductionIssue => Direction::Out,
            Self::CostAdjustment | Self::Revaluation | Self::Settlement => Direction::Value,
            Self::Count | Self::Reversal | Self::Amendment => Direction::Relative,
        }
    }

    /// Whether the kind means nothing without a movement in `ref`.
    #[must_use]
    pub const fn needs_reference(self) -> bool {
        matches!(self, Self::Settlement | Self::TransferIn | Self::Reversal | Self::Amendment)
    }

    /// Whether the kind brings its own amount and cannot do without (or a unit cost).
    #[must_use]
    pub const fn needs_amount(self) -> bool {
        matches!(
            self,
            Self::Opening
                | Self::Receipt
                | Self::ProvisionalReceipt
                | Self::Settlement
                | Self::CostAdjustment
        )
    }

    /// Whether the kind cannot do without a quantity.
    #[must_use]
    pub const fn needs_quantity(self) -> bool {
        !matches!(
            self,
            Self::Settlement | Self::CostAdjustment | Self::Revaluation | Self::Reversal | Self::Amendment
        )
    }

    /// Rank inside one instant under the tie rule `receipts_first`: what brings stock stands before what takes it.
    #[must_use]
    pub const fn tie_rank(self) -> u8 {
        match self.direction() {
            Direction::In => 0,
            Direction::Value => 1,
            Direction::Relative => 2,
            Direction::Out => 3,
        }
    }
}

/// Why a posting stands in the books, when it is not simply the movement itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Reason {
    /// An issue beyond the stock gets the cost of the receipt that covered it.
    ShortageCovered,
    /// The cost of an earlier movement is calculated again because a cost came late.
    LateCost,
    /// The cost of an earlier movement is calculated again because a movement before it was amended.
    Amended,
    /// The cost of an earlier movement is calculated again because its receipt was invoiced at another amount.
    Settled,
    /// The estimate of a provisional receipt is taken back because its invoice came (单到回冲).
    EstimateReversed,
    /// The estimate of a provisional receipt is taken back on the first day of a month (月初回冲).
    MonthStartReversal,
    /// The receipt without an invoice is estimated again at the end of the month.
    Reestimated,
    /// The method changed and the stock was valued anew.
    MethodSwitched,
}

/// All reasons in the order of their codes.
pub const REASONS: [Reason; 8] = [
    Reason::ShortageCovered,
    Reason::LateCost,
    Reason::Amended,
    Reason::Settled,
    Reason::EstimateReversed,
    Reason::MonthStartReversal,
    Reason::Reestimated,
    Reason::MethodSwitched,
];

impl Reason {
    /// The name used in data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShortageCovered => "shortage_covered",
            Self::LateCost => "late_cost",
            Self::Amended => "amended",
            Self::Settled => "settled",
            Self::EstimateReversed => "estimate_reversed",
            Self::MonthStartReversal => "month_start_reversal",
            Self::Reestimated => "reestimated",
            Self::MethodSwitched => "method_switched",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_go_both_ways() {
        for (code, kind) in KINDS.into_iter().enumerate() {
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
            assert_eq!(usize::from(kind as u8), code);
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{}\"", kind.name()));
        }
        for (code, reason) in REASONS.into_iter().enumerate() {
            assert_eq!(usize::from(reason as u8), code);
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.name()));
        }
        assert_eq!(Kind::from_name("sale"), None);
    }
}
