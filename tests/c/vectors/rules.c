/* Vectors of rules. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SLOTS = 32 };

/* The program that the environment and the source of a case make. */
static enum comptoir_status compiled(const char *directory, struct comptoir_program **program) {
    struct bytes environment = argument(directory, "environment"), source = argument(directory, "source");
    enum comptoir_status status =
        comptoir_program_compile(environment.data, environment.length, source.data, source.length, program);
    free(environment.data);
    free(source.data);
    return status;
}

static void truth(struct outcome *outcome, bool is_true) {
    struct bytes text = {NULL, 0};
    append(&text, is_true ? "true" : "false");
    add(outcome, "expected.txt", text);
}

static void on_event(const char *call, const char *directory, struct outcome *outcome) {
    struct bytes event = argument(directory, "event");
    struct comptoir_program *program = NULL;
    struct comptoir_text text;
    bool is_true = false;
    TRY(outcome, compiled(directory, &program));
    if (strcmp(call, "rules.test_json") == 0) {
        TRY(outcome, comptoir_program_test_json(program, event.data, event.length, &is_true));
        truth(outcome, is_true);
    } else {
        TRY(outcome, comptoir_program_eval_json(program, event.data, event.length, &text));
        add_text(outcome, "expected.json", text);
    }
end:
    comptoir_program_free(program);
    free(event.data);
}

static void ahead(const char *call, const char *directory, struct outcome *outcome) {
    struct bytes event = argument(directory, "event"), unknown = argument(directory, "unknown");
    struct bytes sizes = argument(directory, "sizes");
    struct comptoir_program *program = NULL;
    struct comptoir_text text;
    TRY(outcome, compiled(directory, &program));
    if (strcmp(call, "rules.cost") == 0) {
        TRY(outcome, comptoir_program_cost(program, sizes.data, sizes.length, &text));
    } else {
        TRY(outcome, comptoir_program_partial_json(program, event.data, event.length, unknown.data, unknown.length, &text));
    }
    add_text(outcome, "expected.json", text);
end:
    comptoir_program_free(program);
    free(event.data);
    free(unknown.data);
    free(sizes.data);
}

/* Units and scale of a decimal in text. */
static void decimal(const char *text, struct comptoir_value *value) {
    __extension__ unsigned __int128 units = 0;
    bool is_negative = *text == '-', is_fraction = false;
    for (; *text != 0; ++text) {
        if (*text == '.') is_fraction = true;
        if (*text < '0' || *text > '9') continue;
        units = units * 10 + (unsigned)(*text - '0');
        value->scale += is_fraction;
    }
    if (is_negative) units = -units;
    value->as.decimal.low = (uint64_t)units;
    value->as.decimal.high = (int64_t)(uint64_t)(units >> 64);
}

/* A value by its type and text. */
static struct comptoir_value value_of(const char *type, const char *text) {
    static const char *const names[] = {"absent", "null",  "bool",    "int",       "uint",    "double",
                                        "string", "bytes", "decimal", "timestamp", "duration"};
    struct comptoir_value value;
    memset(&value, 0, sizeof value);
    while (strcmp(names[value.kind], type) != 0) ++value.kind;
    long long nanos = 0;
    switch (value.kind) {
        case COMPTOIR_VALUE_KIND_BOOL: value.as.boolean = strcmp(text, "true") == 0; break;
        case COMPTOIR_VALUE_KIND_INT: value.as.integer = strtoll(text, NULL, 10); break;
        case COMPTOIR_VALUE_KIND_UINT: value.as.unsigned_integer = strtoull(text, NULL, 10); break;
        case COMPTOIR_VALUE_KIND_DOUBLE: value.as.number = of_bits(text); break;
        case COMPTOIR_VALUE_KIND_STRING:
            value.as.text.data = text;
            value.as.text.length = strlen(text);
            break;
        case COMPTOIR_VALUE_KIND_DECIMAL: decimal(text, &value); break;
        case COMPTOIR_VALUE_KIND_TIMESTAMP:
            nanos = strtoll(text, NULL, 10);
            value.as.timestamp.seconds = nanos / 1000000000 - (nanos % 1000000000 < 0);
            value.as.timestamp.nanos = (uint32_t)(nanos - value.as.timestamp.seconds * 1000000000);
            break;
        case COMPTOIR_VALUE_KIND_DURATION: value.as.duration = strtoll(text, NULL, 10); break;
        default: break;
    }
    return value;
}

static void by_slots(const char *directory, struct outcome *outcome) {
    struct bytes lines = argument(directory, "slots");
    struct comptoir_program *program = NULL;
    struct comptoir_value slots[MOST_SLOTS];
    size_t count = 0;
    bool is_true = false;
    memset(slots, 0, sizeof slots);
    TRY(outcome, compiled(directory, &program));
    TRY(outcome, comptoir_program_slot_count(program, &count));
    for (char *line = lines.length == 0 ? NULL : lines.data; line != NULL;) {
        char *next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        char *type = strchr(line, '\t');
        *type++ = 0;
        char *text = strchr(type, '\t');
        *text++ = 0;
        for (size_t place = 0; place < count; ++place) {
            struct comptoir_slot slot;
            TRY(outcome, comptoir_program_slot(program, place, &slot));
            if (strcmp(slot.name, line) == 0) slots[place] = value_of(type, text);
        }
        line = next;
    }
    TRY(outcome, comptoir_program_test(program, slots, count, &is_true));
    truth(outcome, is_true);
end:
    comptoir_program_free(program);
    free(lines.data);
}

/* The result for a table, the faults and their number. */
static enum comptoir_status add_faulty(struct outcome *outcome, struct ArrowArrayStream *values,
                                       struct ArrowArrayStream *faults, size_t count) {
    struct bytes text = {NULL, 0};
    append(&text, "%zu", count);
    add(outcome, "expected.txt", text);
    enum comptoir_status status = add_table(outcome, "expected.arrows", values);
    return status == COMPTOIR_STATUS_OK ? add_table(outcome, "faults.arrows", faults) : status;
}

static void program_on_table(const char *call, const char *directory, struct outcome *outcome) {
    struct bytes shared = argument(directory, "shared");
    struct comptoir_program *program = NULL;
    struct ArrowArrayStream input, values, faults;
    size_t count = 0;
    bool is_select = strcmp(call, "rules.select") == 0;
    TRY(outcome, compiled(directory, &program));
    TRY(outcome, table(directory, "input.arrows", &input));
    TRY(outcome, (is_select ? comptoir_program_select_stream : comptoir_program_eval_stream)(
                     program, &input, shared.data, shared.length, &values, &faults, &count));
    TRY(outcome, add_faulty(outcome, &values, &faults, count));
end:
    comptoir_program_free(program);
    free(shared.data);
}

static void set_on_event(const char *call, const char *directory, struct outcome *outcome) {
    struct bytes text = argument(directory, "set"), event = argument(directory, "event");
    struct comptoir_rule_set *set = NULL;
    struct comptoir_text json;
    bool is_decide = strcmp(call, "rules.decide_json") == 0;
    TRY(outcome, comptoir_rule_set_read(text.data, text.length, &set));
    TRY(outcome, (is_decide ? comptoir_rule_set_decide_json : comptoir_rule_set_explain_json)(set, event.data,
                                                                                          event.length, &json));
    add_text(outcome, "expected.json", json);
end:
    comptoir_rule_set_free(set);
    free(text.data);
    free(event.data);
}

static void set_on_table(const char *call, const char *directory, struct outcome *outcome) {
    struct bytes text = argument(directory, "set"), shared = argument(directory, "shared");
    struct comptoir_rule_set *set = NULL;
    struct ArrowArrayStream input, values, faults;
    size_t count = 0;
    bool is_decide = strcmp(call, "rules.decide_table") == 0;
    TRY(outcome, comptoir_rule_set_read(text.data, text.length, &set));
    TRY(outcome, table(directory, "input.arrows", &input));
    TRY(outcome, (is_decide ? comptoir_rule_set_decide_stream : comptoir_rule_set_select_stream)(
                     set, &input, shared.data, shared.length, &values, &faults, &count));
    TRY(outcome, add_faulty(outcome, &values, &faults, count));
end:
    comptoir_rule_set_free(set);
    free(text.data);
    free(shared.data);
}

bool rules(const char *call, const char *directory, struct outcome *outcome) {
    if (strcmp(call, "rules.eval_json") == 0 || strcmp(call, "rules.test_json") == 0) {
        on_event(call, directory, outcome);
    } else if (strcmp(call, "rules.partial_json") == 0 || strcmp(call, "rules.cost") == 0) {
        ahead(call, directory, outcome);
    } else if (strcmp(call, "rules.slots") == 0) {
        by_slots(directory, outcome);
    } else if (strcmp(call, "rules.eval_table") == 0 || strcmp(call, "rules.select") == 0) {
        program_on_table(call, directory, outcome);
    } else if (strcmp(call, "rules.decide_json") == 0 || strcmp(call, "rules.explain_json") == 0) {
        set_on_event(call, directory, outcome);
    } else if (strcmp(call, "rules.decide_table") == 0 || strcmp(call, "rules.select_set") == 0) {
        set_on_table(call, directory, outcome);
    } else {
        return false;
    }
    return true;
}
