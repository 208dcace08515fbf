// Rules.
#include "check.hpp"

#include <limits>
#include <type_traits>

namespace rules = comptoir::rules;
using rules::Kind;
using rules::Value;

static_assert(!std::is_copy_constructible_v<rules::Program> && std::is_nothrow_move_constructible_v<rules::Program>);
static_assert(!std::is_copy_constructible_v<comptoir::Table> && std::is_nothrow_move_assignable_v<comptoir::Table>);

static const char GUARD[] = R"(
name: guard
version: 1
environment: {variables: {price: double, floor: double}}
outputs: {action: string, by: double}
hit_policy: first
rules:
  - {id: below-floor, when: price < floor * 0.9, outputs: {action: block, by: {cel: floor - price}}}
  - {id: near-floor, when: price < floor, outputs: {action: review}}
)";

static Value round_trip(const std::string &type, const Value &value) {
    static std::vector<rules::Program> programs;
    programs.push_back(rules::Program::compile(R"({"variables": {"v": ")" + type + R"("}})", "v"));
    rules::Slots slots = programs.back().slots();
    slots.set("v", value);
    return programs.back().eval(slots);
}

static void test_values() {
    CHECK(round_trip("bool", true).as_bool());
    CHECK(round_trip("int", -3).as_int() == -3);
    CHECK(round_trip("uint", std::numeric_limits<std::uint64_t>::max()).as_uint() ==
          std::numeric_limits<std::uint64_t>::max());
    CHECK(round_trip("double", 0.1).as_double() == 0.1);
    CHECK(round_trip("string", "café").as_string() == "café");
    CHECK(round_trip("bytes", rules::Bytes{std::string_view("\xff\0", 2)}).as_bytes() == std::string_view("\xff\0", 2));
    const rules::Decimal price = round_trip("decimal", rules::Decimal::of(-1230, 2)).as_decimal();
    CHECK(price.low == static_cast<std::uint64_t>(-1230) && price.high == -1 && price.scale == 2);
    CHECK(round_trip("timestamp", rules::Moment{-1, 5}).as_timestamp().nanos == 5);
    CHECK(round_trip("duration", std::chrono::seconds(2)).as_duration() == std::chrono::seconds(2));
    CHECK(round_trip("list(int)", rules::Json{"[1, 2]"}).as_json() == "[1,2]");
    CHECK(round_trip("wrapper(int)", nullptr).kind() == Kind::null);
    check::error_of<std::bad_cast>([] { Value(1).as_double(); });
}

static void test_program() {
    const rules::Program program =
        rules::Program::compile(R"({"variables": {"units": "int", "most": "int"}})", "100 / units < most");
    rules::Slots slots = program.slots();
    slots.set("units", 50).set("most", 10);
    CHECK(program.test(slots) && program.eval(slots).as_bool());
    CHECK(program.test_json(R"({"units": 50, "most": 10})"));
    CHECK(program.eval_json(R"({"units": 5, "most": 10})") == "false");
    slots.set("units", 0);
    const comptoir::Error error = check::error_of([&] { program.test(slots); });
    CHECK(error.code() == "RULES_DIVIDE_BY_ZERO" && error.kind() == comptoir::ErrorKind::data && !error.row());
    slots.clear();
    CHECK(check::error_of([&] { program.test(slots); }).code() == "RULES_NO_SUCH_FIELD");
    check::error_of<std::out_of_range>([&] { slots.set("unit", 1); });
    check::error_of<std::out_of_range>([&] { slots.set(2, 1); });

    const std::int64_t units[] = {50, 5, 0};
    rules::BatchResult result = program.eval(check::table_of({{"units", "l", {nullptr, units}}}, 3), R"({"most": 10})");
    CHECK(result.fault_count == 1 && check::Read(std::move(result.faults)).values<std::uint64_t>("row")[0] == 2);
    CHECK(check::Read(std::move(result.values)).array.length == 3);
    result = program.select(check::table_of({{"units", "l", {nullptr, units}}}, 3), R"({"most": 10})");
    CHECK(check::Read(std::move(result.values)).values<std::uint64_t>("row")[0] == 0);

    const comptoir::Error wrong =
        check::error_of([] { rules::Program::compile(R"({"variables": {"amount": "int"}})", "1 <\n  amout"); });
    CHECK(wrong.line() == 2 && wrong.column() == 3 && wrong.rendered().find('^') != std::string::npos);
}

static void test_sets() {
    const rules::RuleSet set = rules::RuleSet::read(GUARD);
    rules::Slots slots = set.slots();
    rules::Decision decision;
    set.decide(slots.set("price", 8.0).set("floor", 10.0), decision);
    CHECK(decision.fired_count() == 1 && decision.fired(0) == "below-floor");
    CHECK(decision["action"].as_string() == "block" && decision["by"].as_double() == 2.0);
    CHECK(decision.output_count() == 2 && decision.output(0).first == "action");
    set.decide(slots.set("price", 9.5), decision);
    CHECK(decision["action"].as_string() == "review" && decision["by"].is_absent());
    slots.clear();
    set.decide(slots, decision);
    CHECK(decision.fault_count() == 2 && std::string(decision.fault(0).rule) == "below-floor");
    CHECK(set.explain_json(R"({"price": 9.5, "floor": 10})").find("near-floor") != std::string::npos);

    const double prices[] = {8, 9.5, 12};
    rules::BatchResult decided = set.decide(check::table_of({{"price", "g", {nullptr, prices}}}, 3), R"({"floor": 10})");
    CHECK(check::Read(std::move(decided.values)).array.length == 3 && decided.fault_count == 0);
    decided = set.select(check::table_of({{"price", "g", {nullptr, prices}}}, 3), R"({"floor": 10})");
    CHECK(check::Read(std::move(decided.values)).array.length == 2);

    const rules::LiveRuleSet live(set);
    const rules::RuleSet held = live.current();
    live.replace(rules::RuleSet::read("version: 2\nrules: [{id: all, when: 'true'}]"));
    CHECK(live.decide_json("{}").find(R"("version":"2")") != std::string::npos);
    CHECK(held.describe().find(R"("version":"1")") != std::string::npos);
    const comptoir::Error error = check::error_of([] { rules::RuleSet::read("rules: [{id: a, when: 'b <'}]"); });
    CHECK(error.path() == "rules[0].when" && error.code() == "RULES_SYNTAX");
}

static void test_layouts() {
    const std::string text = "environment: {variables: {a: int, b: int}}\nrules: [{id: r, when: a > 1 && b < 1}]";
    const rules::RuleSet first = rules::RuleSet::read(text);
    const rules::RuleSet other =
        rules::RuleSet::read("environment: {variables: {a: int, b: int}}\nrules: [{id: r, when: b < 1 && a > 1}]");
    rules::Slots slots = first.slots();
    rules::Decision decision;
    slots.set("a", 5).set("b", 0);
    first.decide(slots, decision);
    CHECK(decision.fired_count() == 1);
    CHECK(slots.place("a") != other.slots().place("a"));
    CHECK(check::error_of([&] { other.decide(slots, decision); }).code() == "HOST_ARGUMENT");
    rules::RuleSet::read(text).decide(slots, decision);
    CHECK(decision.fired_count() == 1);

    const char *environment = R"({"variables": {"stock": "int", "price": "int"}})";
    const rules::Program stock = rules::Program::compile(environment, "stock > 5");
    const rules::Program price = rules::Program::compile(environment, "price > 5");
    rules::Slots of_stock = stock.slots();
    CHECK(stock.test(of_stock.set("stock", 7)));
    CHECK(check::error_of([&] { price.test(of_stock); }).code() == "HOST_ARGUMENT");
    CHECK(check::error_of([&] { price.eval(of_stock); }).code() == "HOST_ARGUMENT");

    const rules::Program text_is = rules::Program::compile(R"({"variables": {"s": "string"}})", "s == 'a'");
    const std::string owned = "a";
    rules::Slots of_text = text_is.slots();
    CHECK(text_is.test(of_text.set("s", owned)));
    static_assert(!std::is_constructible_v<rules::Value, std::string &&>, "a text that is gone is no value");

    const rules::LiveRuleSet live(first);
    live.decide(slots, decision);
    CHECK(decision.fired_count() == 1);
    live.replace(other);
    live.decide(slots, decision);
    CHECK(decision.fired_count() == 1 && slots.layout() == other.slots().layout());
    live.decide(slots.set("b", 3), decision);
    CHECK(decision.fired_count() == 0);
}

void test_rules() {
    test_layouts();
    test_values();
    test_program();
    test_sets();
}
