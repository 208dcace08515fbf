/* Rules: one expression, by slots, by JSON and on columns. */
#include "check.h"

static struct comptoir_program *compiled(const char *environment, const char *source) {
    struct comptoir_program *program = NULL;
    OK(comptoir_program_compile(environment, COMPTOIR_NTS, source, COMPTOIR_NTS, &program));
    return program;
}

static struct comptoir_value integer(int64_t number) {
    struct comptoir_value value = {COMPTOIR_VALUE_KIND_INT, 0, {0}};
    value.as.integer = number;
    return value;
}

static struct comptoir_value text(uint32_t kind, const char *data) {
    struct comptoir_value value = {kind, 0, {0}};
    value.as.text.data = data;
    value.as.text.length = strlen(data);
    return value;
}

static void test_test(void) {
    struct comptoir_program *program =
        compiled("{\"variables\": {\"price\": \"double\", \"floor\": \"double\"}}", "price < floor * 0.9");
    struct comptoir_slot slot;
    OK(comptoir_program_slot(program, 1, &slot));
    CHECK(strcmp(slot.name, "floor") == 0 && strcmp(slot.type_, "double") == 0);
    FAILS(comptoir_program_slot(program, 2, &slot), COMPTOIR_STATUS_CONFIG, "HOST_ARGUMENT");
    struct comptoir_value slots[3] = {{COMPTOIR_VALUE_KIND_DOUBLE, 0, {0}}, {COMPTOIR_VALUE_KIND_DOUBLE, 0, {0}}};
    slots[0].as.number = 8.5;
    slots[1].as.number = 10.0;
    bool truth = false;
    OK(comptoir_program_test(program, slots, 2, &truth));
    CHECK(truth);
    slots[0] = integer(9);
    OK(comptoir_program_test(program, slots, 2, &truth));
    CHECK(!truth);
    FAILS(comptoir_program_test(program, slots, 1, &truth), COMPTOIR_STATUS_DATA, "RULES_NO_SUCH_FIELD");
    FAILS(comptoir_program_test(program, slots, 3, &truth), COMPTOIR_STATUS_CONFIG, "HOST_ARGUMENT");
    slots[0] = text(COMPTOIR_VALUE_KIND_STRING, "8.5");
    FAILS(comptoir_program_test(program, slots, 2, &truth), COMPTOIR_STATUS_DATA, "RULES_INVALID_ARGUMENT");
    CHECK(strstr(comptoir_last_error().message, "expected double, found string") != NULL);
    slots[0].kind = 99;
    FAILS(comptoir_program_test(program, slots, 2, &truth), COMPTOIR_STATUS_DATA, "RULES_INVALID_ARGUMENT");
    OK(comptoir_program_free(program));
}

/* A value goes in and comes out as what it is. */
static struct comptoir_value round_trip(const char *type, struct comptoir_value value) {
    char environment[120];
    snprintf(environment, sizeof environment, "{\"variables\": {\"v\": \"%s\"}}", type);
    struct comptoir_program *program = compiled(environment, "v");
    struct comptoir_value result;
    OK(comptoir_program_eval(program, &value, 1, &result));
    OK(comptoir_program_free(program));
    return result;
}

static void test_kinds(void) {
    struct comptoir_value value = {COMPTOIR_VALUE_KIND_BOOL, 0, {0}};
    value.as.boolean = 1;
    CHECK(round_trip("bool", value).as.boolean == 1);
    CHECK(round_trip("int", integer(INT64_MIN)).as.integer == INT64_MIN);
    value.kind = COMPTOIR_VALUE_KIND_UINT;
    value.as.unsigned_integer = UINT64_MAX;
    CHECK(round_trip("uint", value).as.unsigned_integer == UINT64_MAX);
    struct comptoir_value result = round_trip("string", text(COMPTOIR_VALUE_KIND_STRING, "café"));
    CHECK(result.kind == COMPTOIR_VALUE_KIND_STRING && result.as.text.length == 5);
    CHECK(memcmp(result.as.text.data, "café", 5) == 0);
    result = round_trip("bytes", text(COMPTOIR_VALUE_KIND_BYTES, "\xff\x01"));
    CHECK(result.as.text.length == 2 && memcmp(result.as.text.data, "\xff\x01", 2) == 0);
    value.kind = COMPTOIR_VALUE_KIND_DECIMAL;
    value.scale = 2;
    value.as.decimal.low = (uint64_t)-1230; /* -12.30 in two words. */
    value.as.decimal.high = -1;
    result = round_trip("decimal", value);
    CHECK(result.scale == 2 && result.as.decimal.low == (uint64_t)-1230 && result.as.decimal.high == -1);
    value.kind = COMPTOIR_VALUE_KIND_TIMESTAMP;
    value.scale = 0;
    value.as.timestamp.seconds = -1;
    value.as.timestamp.nanos = 999999999;
    result = round_trip("timestamp", value);
    CHECK(result.as.timestamp.seconds == -1 && result.as.timestamp.nanos == 999999999);
    value.kind = COMPTOIR_VALUE_KIND_DURATION;
    value.as.duration = -5;
    CHECK(round_trip("duration", value).as.duration == -5);
    result = round_trip("list(int)", text(COMPTOIR_VALUE_KIND_JSON, "[1, 2]"));
    CHECK(result.kind == COMPTOIR_VALUE_KIND_JSON && memcmp(result.as.text.data, "[1,2]", 5) == 0);
    value.kind = COMPTOIR_VALUE_KIND_NULL;
    CHECK(round_trip("wrapper(int)", value).kind == COMPTOIR_VALUE_KIND_NULL);
}

static void test_columns(void) {
    struct comptoir_program *program =
        compiled("{\"variables\": {\"units\": \"int\", \"most\": \"int\"}}", "100 / units < most");
    const int64_t units[] = {50, 5, 0};
    const struct field fields[] = {NUMBERS("units", units)};
    struct table table;
    table_of(&table, 1, fields, 3);
    struct ArrowArrayStream stream = stream_of(&table), values, faults;
    size_t count = 0;
    OK(comptoir_program_eval_stream(program, &stream, "{\"most\": 10}", COMPTOIR_NTS, &values, &faults, &count));
    CHECK(count == 1 && table.array_released == 1);
    struct ArrowSchema schema;
    struct ArrowArray array;
    read_batch(&values, &schema, &array);
    CHECK(array.length == 3 && strcmp(schema.children[0]->name, "value") == 0);
    const uint8_t *bits = array.children[0]->buffers[1], *valid = array.children[0]->buffers[0];
    CHECK((bits[0] & 3) == 1 && (valid[0] & 7) == 3);
    array.release(&array);
    schema.release(&schema);
    read_batch(&faults, &schema, &array);
    CHECK(array.length == 1 && *(const uint64_t *)array.children[0]->buffers[1] == 2);
    array.release(&array);
    schema.release(&schema);

    table_of(&table, 1, fields, 3);
    stream = stream_of(&table);
    OK(comptoir_program_select_stream(program, &stream, "{\"most\": 10}", COMPTOIR_NTS, &values, NULL, NULL));
    read_batch(&values, &schema, &array);
    CHECK(array.length == 1 && *(const uint64_t *)array.children[0]->buffers[1] == 0);
    array.release(&array);
    schema.release(&schema);

    table_of(&table, 1, fields, 3);
    stream = stream_of(&table);
    FAILS(comptoir_program_eval_stream(program, &stream, "{\"least\": 10}", COMPTOIR_NTS, &values, NULL, NULL),
          COMPTOIR_STATUS_CONFIG, "RULES_UNKNOWN_NAME");
    CHECK(table.array_released == 1);
    OK(comptoir_program_free(program));
}

static void test_json(void) {
    struct comptoir_program *program =
        compiled("{\"variables\": {\"user\": \"User\"}, \"types\": {\"User\": {\"age\": \"int\"}}}", "user.age >= 18");
    bool truth = false;
    OK(comptoir_program_test_json(program, "{\"user\": {\"age\": 18}}", COMPTOIR_NTS, &truth));
    CHECK(truth);
    FAILS(comptoir_program_test_json(program, "{\"user\": ", COMPTOIR_NTS, &truth), COMPTOIR_STATUS_DATA, "RULES_JSON");
    FAILS(comptoir_program_test_json(program, "{\"user\": {}}", COMPTOIR_NTS, &truth), COMPTOIR_STATUS_DATA,
          "RULES_NO_SUCH_FIELD");
    OK(comptoir_program_free(program));
}

void test_rules(void) {
    test_test();
    test_kinds();
    test_columns();
    test_json();
}
