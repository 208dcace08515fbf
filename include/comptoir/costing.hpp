/// @file
/// Costing: what stock is worth, how old it is, and the vouchers that follow.
#ifndef COMPTOIR_COSTING_HPP
#define COMPTOIR_COSTING_HPP

#include <comptoir/span.hpp>
#include <comptoir/table.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace comptoir::costing {

/// What became of the rows of a history: accepted and rejected make the input.
using Counts = comptoir_costing_counts;

namespace detail {

/// Text in JSON.
inline std::string quoted(std::string_view text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string json = "\"";
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (each == '"' || each == '\\') {
            json += '\\';
            json += each;
        } else if (byte < 0x20) {
            json += "\\u00";
            json += digits[byte >> 4U];
            json += digits[byte & 15U];
        } else {
            json += each;
        }
    }
    return json += '"';
}

/// Numbers as a list in JSON.
inline std::string list(Span<const unsigned> numbers) {
    std::string json = "[";
    for (const unsigned number : numbers) {
        json += (json.size() > 1 ? "," : "") + std::to_string(number);
    }
    return json += ']';
}

}  // namespace detail

/// A valued history. Any number of threads may read it at once.
class Valuation {
public:
    /// Values movements under a policy: JSON such as `{"method": "fifo"}`, or the name of a preset in quotes. Bad rows are
    /// no error: `rejected` has them.
    static Valuation value(std::string_view policy, Table movements) {
        comptoir_valuation *handle = nullptr;
        comptoir::detail::check(comptoir_costing_value(policy.data(), policy.size(), movements.get(), &handle));
        return Valuation(handle);
    }

    /// What became of the rows.
    Counts counts() const {
        Counts counts{};
        comptoir::detail::check(comptoir_valuation_counts(handle_.get(), &counts));
        return counts;
    }

    /// What each movement did to stock and accounts.
    Table postings() const { return table(R"({"table":"postings"})"); }
    /// Open layers at the end.
    Table layers() const { return table(R"({"table":"layers"})"); }
    /// Quantity and value on hand at the end.
    Table balances() const { return table(R"({"table":"balances"})"); }
    /// Rows that are not in the books, with code, message and row.
    Table rejected() const { return table(R"({"table":"rejected"})"); }
    /// Quantity and value by age on a day, `2024-12-31`; `buckets` are upper ends in days.
    Table ageing(std::string_view as_of, Span<const unsigned> buckets) const {
        return table(R"({"table":"ageing","as_of":)" + detail::quoted(as_of) + R"(,"buckets":)" + detail::list(buckets) +
                     "}");
    }
    /// Provision by age on a day. `rates` are decimal texts, one more than `buckets`; `booked` is what is booked already.
    Table provision(std::string_view as_of, Span<const unsigned> buckets, Span<const std::string> rates,
                    Table booked = {}) const {
        std::string request = R"({"table":"provision","as_of":)" + detail::quoted(as_of) + R"(,"buckets":)" +
                              detail::list(buckets) + R"(,"rates":[)";
        for (const std::string &rate : rates) {
            request += (&rate == rates.begin() ? "" : ",") + detail::quoted(rate);
        }
        return table(request + "]}", std::move(booked));
    }
    /// Voucher lines. `voucher_template` is JSON: a template, or `"ifrs"` or `"cas"` in quotes; `by` is `movement`,
    /// `document`, `day` or `month`.
    Table voucher_entries(std::string_view voucher_template = R"("ifrs")", std::string_view by = "day") const {
        return vouchers("voucher_entries", voucher_template, by);
    }
    /// Which movement is in which voucher.
    Table voucher_movements(std::string_view voucher_template = R"("ifrs")", std::string_view by = "day") const {
        return vouchers("voucher_movements", voucher_template, by);
    }
    /// Balances of the accounts.
    Table trial_balance(std::string_view voucher_template = R"("ifrs")") const {
        return table(R"({"table":"trial_balance","template":)" + std::string(voucher_template) + "}");
    }
    /// Movements of one item with running balance.
    Table stock_card(std::string_view item) const {
        return table(R"({"table":"stock_card","item":)" + detail::quoted(item) + "}");
    }
    /// Receipts, issues and balance by `day`, `month` or in `total`.
    Table summary(std::string_view period) const {
        return table(R"({"table":"summary","period":)" + detail::quoted(period) + "}");
    }
    /// Turnover and days of supply between two days.
    Table turnover(std::string_view first, std::string_view last) const {
        return table(R"({"table":"turnover","first":)" + detail::quoted(first) + R"(,"last":)" + detail::quoted(last) +
                     "}");
    }

    /// Any table, by its request in JSON.
    Table table(std::string_view request, Table booked = {}) const {
        Table result;
        ArrowArrayStream *beside = booked ? booked.get() : nullptr;
        comptoir::detail::check(
            comptoir_valuation_table(handle_.get(), request.data(), request.size(), beside, result.get()));
        return result;
    }

    /// Whether every voucher balances, and the accounts beside the value of the stock, as JSON.
    std::string control(std::string_view voucher_template = R"("ifrs")") const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_valuation_control(handle_.get(), voucher_template.data(),
                                                           voucher_template.size(), text.out()));
        return text.str();
    }

private:
    explicit Valuation(comptoir_valuation *handle) noexcept : handle_(handle) {}

    Table vouchers(std::string_view which, std::string_view voucher_template, std::string_view by) const {
        return table(R"({"table":)" + detail::quoted(which) + R"(,"template":)" + std::string(voucher_template) +
                     R"(,"by":)" + detail::quoted(by) + "}");
    }

    comptoir::detail::Handle<comptoir_valuation, comptoir_valuation_free> handle_;
};

/// Checks a policy and gives it back as JSON with every field.
inline std::string policy(std::string_view json) {
    comptoir::detail::Text text;
    comptoir::detail::check(comptoir_costing_policy(json.data(), json.size(), text.out()));
    return text.str();
}

}  // namespace comptoir::costing

#endif
