/* Rules: rule sets. */
#include "check.h"

static const char GUARD[] =
    "name: guard\nversion: 1\nenvironment: {variables: {price: double, floor: double}}\n"
    "outputs: {action: string, by: double}\nhit_policy: first\nrules:\n"
    "  - {id: below-floor, when: price < floor * 0.9, outputs: {action: block, by: {cel: floor - price}}}\n"
    "  - {id: near-floor, when: price < floor, outputs: {action: review}}\n";

static struct comptoir_rule_set *set_of(const char *text) {
    struct comptoir_rule_set *set = NULL;
    OK(comptoir_rule_set_read(text, COMPTOIR_NTS, &set));
    return set;
}

static void decide(const struct comptoir_rule_set *set, double price, const struct comptoir_decision *decision) {
    struct comptoir_value slots[2] = {{COMPTOIR_VALUE_KIND_DOUBLE, 0, {0}}, {COMPTOIR_VALUE_KIND_DOUBLE, 0, {0}}};
    slots[0].as.number = price;
    slots[1].as.number = 10;
    OK(comptoir_rule_set_decide(set, slots, 2, decision));
}

static void test_decision(const struct comptoir_rule_set *set) {
    struct comptoir_decision *decision = NULL;
    size_t fired = 9, outputs = 9, faults = 9;
    OK(comptoir_decision_new(&decision));
    FAILS(comptoir_decision_counts(decision, &fired, NULL, NULL), COMPTOIR_STATUS_CONFIG, "HOST_ARGUMENT");
    decide(set, 8, decision);
    OK(comptoir_decision_counts(decision, &fired, &outputs, &faults));
    CHECK(fired == 1 && outputs == 2 && faults == 0);
    const char *id = NULL;
    size_t length = 0;
    OK(comptoir_decision_fired(decision, 0, &id, &length));
    CHECK(length == 11 && memcmp(id, "below-floor", 11) == 0);
    struct comptoir_value value;
    OK(comptoir_decision_value(decision, "by", COMPTOIR_NTS, &value));
    CHECK(value.kind == COMPTOIR_VALUE_KIND_DOUBLE && value.as.number == 2.0);
    struct comptoir_output output;
    OK(comptoir_decision_output(decision, 0, &output));
    CHECK(output.name_length == 6 && memcmp(output.name, "action", 6) == 0 && output.rule == 0);
    CHECK(output.value.as.text.length == 5 && memcmp(output.value.as.text.data, "block", 5) == 0);
    FAILS(comptoir_decision_output(decision, 2, &output), COMPTOIR_STATUS_CONFIG, "HOST_ARGUMENT");

    decide(set, 12, decision);
    OK(comptoir_decision_counts(decision, &fired, &outputs, &faults));
    CHECK(fired == 0 && outputs == 0);
    OK(comptoir_decision_value(decision, "by", COMPTOIR_NTS, &value));
    CHECK(value.kind == COMPTOIR_VALUE_KIND_ABSENT);
    OK(comptoir_rule_set_decide(set, NULL, 0, decision));
    OK(comptoir_decision_counts(decision, &fired, NULL, &faults));
    CHECK(fired == 0 && faults == 2);
    struct comptoir_rule_fault fault;
    OK(comptoir_decision_fault(decision, 1, &fault));
    CHECK(strcmp(fault.rule, "near-floor") == 0 && strcmp(fault.code, "RULES_NO_SUCH_FIELD") == 0);
    OK(comptoir_decision_free(decision));
}

/* Lists of two outputs, each read before the other is used. */
static void test_lists(void) {
    struct comptoir_rule_set *set = set_of(
        "outputs: {tags: list(string), sizes: list(int)}\nhit_policy: first\nrules:\n"
        "  - {id: all, when: 'true', outputs: {tags: [a, b], sizes: [1, 2]}}\n");
    struct comptoir_decision *decision = NULL;
    struct comptoir_value tags, sizes;
    OK(comptoir_decision_new(&decision));
    OK(comptoir_rule_set_decide(set, NULL, 0, decision));
    OK(comptoir_decision_value(decision, "tags", COMPTOIR_NTS, &tags));
    OK(comptoir_decision_value(decision, "sizes", COMPTOIR_NTS, &sizes));
    OK(comptoir_rule_set_free(set));
    CHECK(tags.kind == COMPTOIR_VALUE_KIND_JSON && memcmp(tags.as.text.data, "[\"a\",\"b\"]", 9) == 0);
    CHECK(sizes.kind == COMPTOIR_VALUE_KIND_JSON && memcmp(sizes.as.text.data, "[1,2]", 5) == 0);
    OK(comptoir_decision_free(decision));
}

static void test_live(const struct comptoir_rule_set *set) {
    struct comptoir_live_rule_set *live = NULL;
    struct comptoir_rule_set *held = NULL, *next = set_of("version: 2\nrules: [{id: all, when: 'true'}]");
    struct comptoir_text text;
    OK(comptoir_live_rule_set_new(set, &live));
    OK(comptoir_live_rule_set_current(live, &held));
    OK(comptoir_live_rule_set_replace(live, next));
    OK(comptoir_rule_set_free(next));
    OK(comptoir_live_rule_set_decide_json(live, "{}", COMPTOIR_NTS, &text));
    CHECK(strstr(text.data, "\"version\":\"2\"") != NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_rule_set_describe(held, &text));
    CHECK(strstr(text.data, "\"name\":\"guard\"") != NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_live_rule_set_free(live));
    OK(comptoir_rule_set_decide_json(held, "{\"price\": 9.5, \"floor\": 10}", COMPTOIR_NTS, &text));
    CHECK(strstr(text.data, "near-floor") != NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_rule_set_free(held));
}

static void test_stream(const struct comptoir_rule_set *set) {
    const double prices[] = {8, 9.5, 12};
    const struct field fields[] = {{"price", "g", 2, {NULL, prices, NULL}}};
    struct table table;
    table_of(&table, 1, fields, 3);
    struct ArrowArrayStream stream = stream_of(&table), decisions;
    struct ArrowSchema schema;
    struct ArrowArray array;
    size_t faults = 9;
    OK(comptoir_rule_set_decide_stream(set, &stream, "{\"floor\": 10}", COMPTOIR_NTS, &decisions, NULL, &faults));
    read_batch(&decisions, &schema, &array);
    CHECK(array.length == 3 && faults == 0 && array.n_children >= 2);
    array.release(&array);
    schema.release(&schema);
    table_of(&table, 1, fields, 3);
    stream = stream_of(&table);
    OK(comptoir_rule_set_select_stream(set, &stream, "{\"floor\": 10}", COMPTOIR_NTS, &decisions, NULL, NULL));
    read_batch(&decisions, &schema, &array);
    CHECK(array.length == 2);
    array.release(&array);
    schema.release(&schema);
}

void test_rule_sets(void) {
    struct comptoir_rule_set *set = set_of(GUARD);
    test_decision(set);
    test_lists();
    test_live(set);
    test_stream(set);
    struct comptoir_text text;
    OK(comptoir_rule_set_explain_json(set, "{\"price\": 9.5, \"floor\": 10}", COMPTOIR_NTS, &text));
    CHECK(strstr(text.data, "\"truth\":true") != NULL);
    OK(comptoir_text_free(&text));
    FAILS(comptoir_rule_set_decide_json(set, "[", COMPTOIR_NTS, &text), COMPTOIR_STATUS_DATA, "RULES_JSON");
    OK(comptoir_rule_set_free(set));
    FAILS(comptoir_rule_set_read("rules: [{id: a, when: 'amount <'}]", COMPTOIR_NTS, &set), COMPTOIR_STATUS_CONFIG,
          "RULES_SYNTAX");
    CHECK(strcmp(comptoir_last_error().path, "rules[0].when") == 0 && comptoir_last_error().line == 1);
}
