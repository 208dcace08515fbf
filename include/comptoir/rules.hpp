/// @file
/// Rules: expressions and rule sets, on one event or on columns.
#ifndef COMPTOIR_RULES_HPP
#define COMPTOIR_RULES_HPP

#include <comptoir/table.hpp>
#include <comptoir/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace comptoir::rules {

/// A result for the rows of a table.
struct BatchResult {
    /// The result.
    Table values;
    /// The first rows without one: `row`, `code`, `message`, and for rule sets `rule`.
    Table faults;
    /// How many there are in all.
    std::size_t fault_count = 0;
};

/// A compiled expression. Any number of threads may evaluate it at once.
class Program {
public:
    /// Compiles an expression. `environment` is JSON: `{"variables": {"amount": "decimal"}, "types": {...}}`.
    static Program compile(std::string_view environment, std::string_view source) {
        comptoir_program *handle = nullptr;
        comptoir::detail::check(
            comptoir_program_compile(environment.data(), environment.size(), source.data(), source.size(), &handle));
        return Program(handle);
    }

    /// Inputs to set.
    Slots slots() const {
        std::size_t count = 0;
        comptoir::detail::check(comptoir_program_slot_count(handle_.get(), &count));
        std::vector<std::string> names(count);
        for (std::size_t place = 0; place < count; ++place) {
            comptoir_slot slot{};
            comptoir::detail::check(comptoir_program_slot(handle_.get(), place, &slot));
            names[place] = slot.name;
        }
        return Slots(std::move(names), layout_);
    }

    /// The truth for the values of the inputs: the fastest way.
    bool test(const Slots &slots) const {
        bool truth = false;
        slots.expect(layout_);
        comptoir::detail::check(comptoir_program_test(handle_.get(), slots.data(), slots.size(), &truth));
        return truth;
    }

    /// The value for the values of the inputs. Its text stays until the next evaluation on this thread.
    Value eval(const Slots &slots) const {
        comptoir_value value{};
        slots.expect(layout_);
        comptoir::detail::check(comptoir_program_eval(handle_.get(), slots.data(), slots.size(), &value));
        return Value(value);
    }

    /// The value for an event in JSON, as JSON.
    std::string eval_json(std::string_view event) const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_program_eval_json(handle_.get(), event.data(), event.size(), text.out()));
        return text.str();
    }

    /// The truth for an event in JSON.
    bool test_json(std::string_view event) const {
        bool truth = false;
        comptoir::detail::check(comptoir_program_test_json(handle_.get(), event.data(), event.size(), &truth));
        return truth;
    }

    /// What is left of it where a part of the event is not known yet, as JSON: `{"value": false}` where the unknown parts
    /// do not matter, else `{"expression": "score > 0.5"}`. `event` is what is known, a JSON object; `unknown` a JSON list of
    /// patterns of what is not: `["user.score", "items[*].price"]`.
    std::string partial_json(std::string_view event, std::string_view unknown) const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_program_partial_json(handle_.get(), event.data(), event.size(), unknown.data(),
                                                              unknown.size(), text.out()));
        return text.str();
    }

    /// Bounds on the cost of an evaluation in the units of the budget, as JSON: `[2, 120]`, with null where there is no
    /// upper one. `sizes` is a JSON object of sizes by path, exact or as least and greatest: `{"tags": [0, 20], "tags[]":
    /// 10}`.
    std::string cost(std::string_view sizes = {}) const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_program_cost(handle_.get(), sizes.data(), sizes.size(), text.out()));
        return text.str();
    }

    /// The value for each row, as column `value`. `shared` is a JSON object of variables without a column.
    BatchResult eval(Table table, std::string_view shared = {}) const {
        BatchResult result;
        comptoir::detail::check(comptoir_program_eval_stream(handle_.get(), table.get(), shared.data(), shared.size(),
                                                             result.values.get(), result.faults.get(),
                                                             &result.fault_count));
        return result;
    }

    /// The numbers of the rows for which it is true, as column `row`.
    BatchResult select(Table table, std::string_view shared = {}) const {
        BatchResult result;
        comptoir::detail::check(comptoir_program_select_stream(handle_.get(), table.get(), shared.data(), shared.size(),
                                                               result.values.get(), result.faults.get(),
                                                               &result.fault_count));
        return result;
    }

private:
    explicit Program(comptoir_program *handle) : handle_(handle) {
        comptoir::detail::check(comptoir_program_layout(handle, &layout_));
    }

    comptoir::detail::Handle<comptoir_program, comptoir_program_free> handle_;
    std::uint64_t layout_ = 0;
};

/// A decision, which `RuleSet::decide` fills: made once a thread and used again. What is read from it stays until it is
/// filled again. One thread at a time.
class Decision {
public:
    /// One that is yet to be filled.
    Decision() {
        comptoir_decision *handle = nullptr;
        comptoir::detail::check(comptoir_decision_new(&handle));
        handle_.reset(handle);
    }

    /// How many rules fired.
    std::size_t fired_count() const { return counts().fired; }
    /// The id of a rule that fired, by its place from 0.
    std::string_view fired(std::size_t place) const {
        const char *id = nullptr;
        std::size_t length = 0;
        comptoir::detail::check(comptoir_decision_fired(handle_.get(), place, &id, &length));
        return {id, length};
    }
    /// How many outputs the rules that fired have.
    std::size_t output_count() const { return counts().outputs; }
    /// An output, by its place from 0: its name and its value.
    std::pair<std::string_view, Value> output(std::size_t place) const {
        comptoir_output output{};
        comptoir::detail::check(comptoir_decision_output(handle_.get(), place, &output));
        return {std::string_view(output.name, output.name_length), Value(output.value)};
    }
    /// The first value of an output; absent where no rule that fired gives it.
    Value operator[](std::string_view name) const {
        comptoir_value value{};
        comptoir::detail::check(comptoir_decision_value(handle_.get(), name.data(), name.size(), &value));
        return Value(value);
    }
    /// How many rules had no truth.
    std::size_t fault_count() const { return counts().faults; }
    /// A rule without a truth: `rule`, `code` and `message`.
    comptoir_rule_fault fault(std::size_t place) const {
        comptoir_rule_fault fault{};
        comptoir::detail::check(comptoir_decision_fault(handle_.get(), place, &fault));
        return fault;
    }

    /// The handle for C.
    const comptoir_decision *get() const noexcept { return handle_.get(); }

private:
    struct Counts {
        std::size_t fired, outputs, faults;
    };

    Counts counts() const {
        Counts counts{};
        comptoir::detail::check(
            comptoir_decision_counts(handle_.get(), &counts.fired, &counts.outputs, &counts.faults));
        return counts;
    }

    comptoir::detail::Handle<comptoir_decision, comptoir_decision_free> handle_;
};

/// A compiled rule set, which never changes. Any number of threads may decide with it at once.
class RuleSet {
public:
    /// Reads and compiles a set from JSON or YAML.
    static RuleSet read(std::string_view text) {
        comptoir_rule_set *handle = nullptr;
        comptoir::detail::check(comptoir_rule_set_read(text.data(), text.size(), &handle));
        return RuleSet(handle);
    }

    /// Name, version, hash, inputs, outputs and rules, as JSON.
    std::string describe() const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_rule_set_describe(handle_.get(), text.out()));
        return text.str();
    }

    /// Inputs to set.
    Slots slots() const {
        std::size_t count = 0;
        comptoir::detail::check(comptoir_rule_set_slot_count(handle_.get(), &count));
        std::vector<std::string> names(count);
        for (std::size_t place = 0; place < count; ++place) {
            comptoir_slot slot{};
            comptoir::detail::check(comptoir_rule_set_slot(handle_.get(), place, &slot));
            names[place] = slot.name;
        }
        return Slots(std::move(names), layout_);
    }

    /// Decides by the values of the inputs: the fastest way. `decision` is filled. Slots of a set whose inputs lie in other
    /// places are refused.
    void decide(const Slots &slots, Decision &decision) const {
        slots.expect(layout_);
        comptoir::detail::check(comptoir_rule_set_decide(handle_.get(), slots.data(), slots.size(), decision.get()));
    }

    /// Decides an event in JSON, as JSON.
    std::string decide_json(std::string_view event) const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_rule_set_decide_json(handle_.get(), event.data(), event.size(), text.out()));
        return text.str();
    }

    /// What each rule came to for an event in JSON, as JSON.
    std::string explain_json(std::string_view event) const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_rule_set_explain_json(handle_.get(), event.data(), event.size(), text.out()));
        return text.str();
    }

    /// Decides each row of a table. `shared` is a JSON object of inputs without a column.
    BatchResult decide(Table table, std::string_view shared = {}) const {
        BatchResult result;
        comptoir::detail::check(comptoir_rule_set_decide_stream(handle_.get(), table.get(), shared.data(),
                                                                shared.size(), result.values.get(),
                                                                result.faults.get(), &result.fault_count));
        return result;
    }

    /// The numbers of the rows for which a rule counts, as column `row`.
    BatchResult select(Table table, std::string_view shared = {}) const {
        BatchResult result;
        comptoir::detail::check(comptoir_rule_set_select_stream(handle_.get(), table.get(), shared.data(),
                                                                shared.size(), result.values.get(),
                                                                result.faults.get(), &result.fault_count));
        return result;
    }

private:
    friend class LiveRuleSet;
    explicit RuleSet(comptoir_rule_set *handle) : handle_(handle) {
        comptoir::detail::check(comptoir_rule_set_layout(handle, &layout_));
    }

    comptoir::detail::Handle<comptoir_rule_set, comptoir_rule_set_free> handle_;
    std::uint64_t layout_ = 0;
};

/// A place for the rule set that counts now. Any number of threads may read and replace it at once.
class LiveRuleSet {
public:
    /// A place with a first set.
    explicit LiveRuleSet(const RuleSet &set) {
        comptoir_live_rule_set *handle = nullptr;
        comptoir::detail::check(comptoir_live_rule_set_new(set.handle_.get(), &handle));
        handle_.reset(handle);
    }

    /// The set that counts now. It stays as it is for as long as it is held.
    RuleSet current() const {
        comptoir_rule_set *handle = nullptr;
        comptoir::detail::check(comptoir_live_rule_set_current(handle_.get(), &handle));
        return RuleSet(handle);
    }

    /// Puts another set in its place. Whoever decides at that moment ends with the set that it began with.
    void replace(const RuleSet &set) const {
        comptoir::detail::check(comptoir_live_rule_set_replace(handle_.get(), set.handle_.get()));
    }

    /// Decides by the values of the inputs, by the set that counts now. Where its inputs lie in other places than those of
    /// `slots`, these become slots of the set, with the same values by name. `decision` is filled.
    void decide(Slots &slots, Decision &decision) const {
        const RuleSet set = current();
        if (slots.layout() != set.layout_) {
            Slots others = set.slots();
            others.take(slots);
            slots = std::move(others);
        }
        set.decide(slots, decision);
    }

    /// Decides an event in JSON by the set that counts now, as JSON.
    std::string decide_json(std::string_view event) const {
        comptoir::detail::Text text;
        comptoir::detail::check(
            comptoir_live_rule_set_decide_json(handle_.get(), event.data(), event.size(), text.out()));
        return text.str();
    }

private:
    comptoir::detail::Handle<comptoir_live_rule_set, comptoir_live_rule_set_free> handle_;
};

}  // namespace comptoir::rules

#endif
