//! What can be wrong with a report or with its settings.

use comptoir_types::config::place;
use comptoir_types::{Date, Error, ErrorCode, ErrorKind, Position};

use crate::movement::{Kind, Reason};

/// Why a report cannot be made. Items are named by their code, movements by their input row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A sum that does not fit its column.
    #[error("{what} of item number {item} is too large for 64 bits")]
    Overflow {
        /// What was summed.
        what: &'static str,
        /// Code of the item.
        item: u32,
    },
    /// A balance that does not fit 128 bits.
    #[error("the balance of account `{account}` is too large for 128 bits")]
    BalanceOverflow {
        /// The account.
        account: String,
    },
    /// A moment outside the calendar.
    #[error(transparent)]
    Time(#[from] Error),
    /// Postings that are not in book order.
    #[error("row {row}: dated `{date}`, after a posting of a later period; postings must be in book order")]
    Unordered {
        /// Input row of the movement.
        row: u32,
        /// Its date.
        date: Date,
    },
    /// A window whose end lies before its start.
    #[error("the window from `{from}` to `{to}` is empty")]
    Window {
        /// First day asked for.
        from: Date,
        /// Last day asked for.
        to: Date,
    },
    /// Ageing bounds that do not ascend.
    #[error("ageing buckets: `{edge}` days does not come after `{before}` days; the bounds must ascend")]
    Edges {
        /// The bound before.
        before: u32,
        /// The bound that is not greater.
        edge: u32,
    },
    /// A layer that does not exist yet on the ageing date.
    #[error("row {row}: the layer is dated `{date}`, after the ageing date `{as_of}`")]
    FutureLayer {
        /// Input row of the movement that brought the layer.
        row: u32,
        /// Date of the layer.
        date: Date,
        /// Date for which the stock is aged.
        as_of: Date,
    },
    /// Provision rates that do not go with the ageing.
    #[error("provision rates: {message}")]
    Rates {
        /// What is wrong.
        message: String,
    },
    /// A provision with the wrong sign.
    #[error("the provision booked for item number {item} is negative")]
    BookedProvision {
        /// Code of the item.
        item: u32,
    },
    /// A voucher template that cannot be read.
    #[error("voucher template: `{path}`: {message}{}", place(.position.as_ref()))]
    TemplateSyntax {
        /// Path of the field, such as `rules[3].value`.
        path: String,
        /// What is wrong there.
        message: String,
        /// Where in the text, if its reader knows.
        position: Option<Position>,
    },
    /// A voucher template that can be read but means nothing.
    #[error("voucher template: {place}: {message}")]
    Template {
        /// The field or rule, counted from 1.
        place: String,
        /// What is wrong there.
        message: String,
    },
    /// A line of the stock ledger for which the template has no rule. Nothing is left out silently.
    #[error(
        "voucher template: no rule for kind `{}`{} of item class `{class}`, first in row {row}",
        .kind.name(),
        cause(*.kind, *.caused_by, *.reason)
    )]
    Unmatched {
        /// Input row of the movement.
        row: u32,
        /// Kind of the movement whose cost the line carries.
        kind: Kind,
        /// Kind of the movement that caused the line.
        caused_by: Kind,
        /// Why the line exists, if it is a correction.
        reason: Option<Reason>,
        /// Name of the item class.
        class: String,
    },
    /// A rule that lacks the accounts for a part of a line.
    #[error("voucher template: rule {rule}: no accounts for the {part} of row {row}")]
    NoAccounts {
        /// The rule, counted from 1.
        rule: usize,
        /// `value`, `variance` or `estimate`.
        part: &'static str,
        /// Input row of the movement.
        row: u32,
    },
}

/// How the message about an unmatched line names the correction.
fn cause(kind: Kind, caused_by: Kind, reason: Option<Reason>) -> String {
    match reason {
        Some(reason) => format!(" corrected by `{}` because `{}`", caused_by.name(), reason.name()),
        None if kind == caused_by => String::new(),
        None => format!(" caused by `{}`", caused_by.name()),
    }
}

impl ErrorCode for ReportError {
    fn code(&self) -> &'static str {
        match self {
            Self::Overflow { .. } | Self::BalanceOverflow { .. } => "COSTING_REPORT_OVERFLOW",
            Self::Time(error) => error.code(),
            Self::Unordered { .. } => "COSTING_POSTINGS_UNORDERED",
            Self::Window { .. } => "COSTING_REPORT_WINDOW",
            Self::Edges { .. } => "COSTING_AGEING_BUCKETS",
            Self::FutureLayer { .. } => "COSTING_AGEING_FUTURE_LAYER",
            Self::Rates { .. } => "COSTING_PROVISION_RATES",
            Self::BookedProvision { .. } => "COSTING_PROVISION_BOOKED",
            Self::TemplateSyntax { .. } => "COSTING_TEMPLATE_SYNTAX",
            Self::Template { .. } => "COSTING_TEMPLATE_INVALID",
            Self::Unmatched { .. } => "COSTING_VOUCHER_UNMATCHED",
            Self::NoAccounts { .. } => "COSTING_VOUCHER_NO_ACCOUNTS",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Overflow { .. } | Self::BalanceOverflow { .. } => ErrorKind::Limit,
            Self::Time(error) => error.kind(),
            Self::Unordered { .. } | Self::FutureLayer { .. } | Self::BookedProvision { .. } => {
                ErrorKind::Data
            }
            Self::Window { .. }
            | Self::Edges { .. }
            | Self::Rates { .. }
            | Self::TemplateSyntax { .. }
            | Self::Template { .. }
            | Self::Unmatched { .. }
            | Self::NoAccounts { .. } => ErrorKind::Config,
        }
    }
}
