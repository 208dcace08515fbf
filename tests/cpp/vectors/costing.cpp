// Vectors of costing.
#include "runner.hpp"

using comptoir::costing::Valuation;

static Valuation valued(const Case &given) {
    return Valuation::value(given["policy"], given.table("input.arrows"));
}

static Files counts(const Case &given) {
    const comptoir::costing::Counts counts = valued(given).counts();
    return {{"expected.json", "{\"input\":" + std::to_string(counts.input) +
                                  ",\"accepted\":" + std::to_string(counts.accepted) +
                                  ",\"rejected\":" + std::to_string(counts.rejected) +
                                  ",\"duplicates\":" + std::to_string(counts.duplicates) +
                                  ",\"corrections\":" + std::to_string(counts.corrections) + "}"}};
}

static Files table(const Case &given) {
    const Valuation valuation = valued(given);
    comptoir::Table booked = given.has("booked.arrows") ? given.table("booked.arrows") : comptoir::Table();
    return {{"expected.arrows", valuation.table(given["request"], std::move(booked)).write_bytes()}};
}

void add_costing(Operations &operations) {
    operations["costing.policy"] = [](const Case &given) {
        return Files{{"expected.json", comptoir::costing::policy(given["policy"])}};
    };
    operations["costing.counts"] = counts;
    operations["costing.table"] = table;
    operations["costing.control"] = [](const Case &given) {
        return Files{{"expected.json", valued(given).control(given["template"])}};
    };
}
