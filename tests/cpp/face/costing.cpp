// Costing: two receipts and an issue of one item.
#include "check.hpp"

using comptoir::costing::Valuation;

static comptoir::Table movements() {
    static const std::int64_t ids[] = {1, 2, 3, 4}, quantities[] = {10, 10, 5, 1}, amounts[] = {100, 140, 0, 0};
    static const std::int32_t dates[] = {19723, 19724, 19725, 19726}, items[] = {0, 3, 6, 9, 12},
                              kinds[] = {0, 7, 14, 19, 24};
    return check::table_of({{"movement_id", "l", {nullptr, ids}},
                            {"at", "tdD", {nullptr, dates}},
                            {"item", "u", {nullptr, items, "mugmugmugmug"}},
                            {"kind", "u", {nullptr, kinds, "receiptreceiptissueloose"}},
                            {"quantity", "l", {nullptr, quantities}},
                            {"amount", "l", {nullptr, amounts}}},
                           4);
}

void test_costing() {
    const Valuation valuation = Valuation::value(R"({"method": "moving_average"})", movements());
    const comptoir::costing::Counts counts = valuation.counts();
    CHECK(counts.input == 4 && counts.accepted == 3 && counts.rejected == 1);
    const check::Read balances(valuation.balances());
    CHECK(balances.array.length == 1 && balances.values<std::uint64_t>("value")[0] == 18000);
    CHECK(check::Read(valuation.postings()).array.length == 3);
    CHECK(check::Read(valuation.rejected()).array.length == 1);
    CHECK(check::Read(valuation.voucher_entries()).array.length >= 6);
    CHECK(check::Read(valuation.voucher_movements(R"("cas")", "document")).array.length >= 3);
    CHECK(check::Read(valuation.trial_balance()).array.length >= 2);
    CHECK(check::Read(valuation.stock_card("mug")).array.length == 3);
    CHECK(check::Read(valuation.summary("month")).array.length == 1);
    CHECK(check::Read(valuation.turnover("2024-01-01", "2024-01-31")).array.length == 1);
    CHECK(check::Read(valuation.ageing("2024-01-31", std::vector<unsigned>{30, 90})).array.length >= 1);
    const std::vector<std::string> rates = {"0", "0.5"};
    CHECK(check::Read(valuation.provision("2024-01-31", std::vector<unsigned>{5}, rates)).array.length >= 1);
    CHECK(valuation.control().find(R"("balanced":true)") != std::string::npos);
    CHECK(comptoir::costing::policy("{}").find("money_scale") != std::string::npos);

    const comptoir::Error error = check::error_of([] { Valuation::value(R"({"method": "fifa"})", movements()); });
    CHECK(error.kind() == comptoir::ErrorKind::config && error.path() == "method");
    CHECK(check::error_of([&] { valuation.stock_card("a \"quoted\"\n one"); }).kind() == comptoir::ErrorKind::config);
}
