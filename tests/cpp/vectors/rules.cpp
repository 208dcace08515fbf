// Vectors of rules.
#include "runner.hpp"

namespace rules = comptoir::rules;

static rules::Program compiled(const Case &given) {
    return rules::Program::compile(given["environment"], given["source"]);
}

static Files faulty(rules::BatchResult result) {
    return {{"expected.arrows", std::move(result.values).write_bytes()},
            {"faults.arrows", std::move(result.faults).write_bytes()},
            {"expected.txt", std::to_string(result.fault_count)}};
}

// A decimal from its text.
static rules::Decimal decimal(const std::string &text) {
    __extension__ unsigned __int128 units = 0;
    std::uint32_t scale = 0;
    bool is_fraction = false;
    for (const char each : text) {
        is_fraction = is_fraction || each == '.';
        if (each >= '0' && each <= '9') {
            units = units * 10 + static_cast<unsigned>(each - '0');
            scale += is_fraction ? 1 : 0;
        }
    }
    if (text[0] == '-') {
        units = -units;
    }
    return {static_cast<std::uint64_t>(units), static_cast<std::int64_t>(static_cast<std::uint64_t>(units >> 64)), scale};
}

static rules::Moment moment(std::int64_t nanos) {
    const std::int64_t second = 1'000'000'000;
    const std::int64_t seconds = nanos / second - (nanos % second < 0 ? 1 : 0);
    return {seconds, static_cast<std::uint32_t>(nanos - seconds * second)};
}

// A value by its type and text, which it borrows.
static rules::Value value_of(const std::string &type, const std::string &text) {
    if (type == "bool") return text == "true";
    if (type == "int") return std::stoll(text);
    if (type == "uint") return std::stoull(text);
    if (type == "double") return of_bits(text);
    if (type == "string") return std::string_view(text);
    if (type == "decimal") return decimal(text);
    if (type == "timestamp") return moment(std::stoll(text));
    if (type == "duration") return std::chrono::nanoseconds(std::stoll(text));
    if (type == "null") return nullptr;
    return {};
}

static Files by_slots(const Case &given) {
    const rules::Program program = compiled(given);
    rules::Slots slots = program.slots();
    std::vector<std::vector<std::string>> parts;
    for (const std::string &line : given.lines("slots")) {
        parts.push_back(split(line, '\t'));
    }
    for (const std::vector<std::string> &part : parts) {
        slots.set(part[0], value_of(part[1], part[2]));
    }
    return {{"expected.txt", program.test(slots) ? "true" : "false"}};
}

void add_rules(Operations &operations) {
    operations["rules.eval_json"] = [](const Case &given) {
        return Files{{"expected.json", compiled(given).eval_json(given["event"])}};
    };
    operations["rules.test_json"] = [](const Case &given) {
        return Files{{"expected.txt", compiled(given).test_json(given["event"]) ? "true" : "false"}};
    };
    operations["rules.partial_json"] = [](const Case &given) {
        return Files{{"expected.json", compiled(given).partial_json(given["event"], given["unknown"])}};
    };
    operations["rules.cost"] = [](const Case &given) {
        return Files{{"expected.json", compiled(given).cost(given["sizes"])}};
    };
    operations["rules.slots"] = by_slots;
    operations["rules.eval_table"] = [](const Case &given) {
        const rules::Program program = compiled(given);
        return faulty(program.eval(given.table("input.arrows"), given["shared"]));
    };
    operations["rules.select"] = [](const Case &given) {
        const rules::Program program = compiled(given);
        return faulty(program.select(given.table("input.arrows"), given["shared"]));
    };
    operations["rules.decide_json"] = [](const Case &given) {
        return Files{{"expected.json", rules::RuleSet::read(given["set"]).decide_json(given["event"])}};
    };
    operations["rules.explain_json"] = [](const Case &given) {
        return Files{{"expected.json", rules::RuleSet::read(given["set"]).explain_json(given["event"])}};
    };
    operations["rules.decide_table"] = [](const Case &given) {
        const rules::RuleSet set = rules::RuleSet::read(given["set"]);
        return faulty(set.decide(given.table("input.arrows"), given["shared"]));
    };
    operations["rules.select_set"] = [](const Case &given) {
        const rules::RuleSet set = rules::RuleSet::read(given["set"]);
        return faulty(set.select(given.table("input.arrows"), given["shared"]));
    };
}
