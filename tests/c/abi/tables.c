/* Tables by Arrow's C interfaces. */
#include "check.h"

enum { MANY = 1000000 };

static int no_schema(struct ArrowArrayStream *stream, struct ArrowSchema *schema) {
    (void)stream;
    (void)schema;
    return 5;
}

static int no_batch(struct ArrowArrayStream *stream, struct ArrowArray *array) {
    (void)stream;
    (void)array;
    return 5;
}

static const char *why(struct ArrowArrayStream *stream) {
    (void)stream;
    return "the warehouse is closed";
}

static void released(struct ArrowArrayStream *stream) {
    ++*(int *)stream->private_data;
    stream->release = NULL;
}

/* A million rows cross in and out without a copy. */
static void test_zero_copy(void) {
    int64_t *values = calloc(MANY, sizeof *values);
    for (int64_t row = 0; row < MANY; ++row) values[row] = row;
    const struct field fields[] = {NUMBERS("units", values)};
    struct table table;
    table_of(&table, 1, fields, MANY);
    struct ArrowArrayStream stream = stream_of(&table);
    struct ArrowSchema schema;
    struct ArrowArray array;
    read_batch(&stream, &schema, &array);
    CHECK(array.length == MANY && array.n_children == 1);
    CHECK(array.children[0]->buffers[1] == values);
    CHECK(table.array_released == 0);
    array.release(&array);
    CHECK(table.array_released == 1 && table.schema_released == 1);
    schema.release(&schema);
    free(values);
}

static void test_bytes(void) {
    const int64_t values[] = {4, 7, 9};
    const struct field fields[] = {NUMBERS("units", values)};
    struct table table;
    table_of(&table, 1, fields, 3);
    struct ArrowArrayStream stream = stream_of(&table);
    struct comptoir_text bytes;
    OK(comptoir_stream_write_bytes(&stream, &bytes));
    CHECK(stream.release == NULL);
    struct ArrowArrayStream again;
    OK(comptoir_stream_read_bytes(bytes.data, bytes.length, &again));
    struct ArrowSchema schema;
    struct ArrowArray array;
    read_batch(&again, &schema, &array);
    CHECK(memcmp(array.children[0]->buffers[1], values, sizeof values) == 0);
    CHECK(strcmp(schema.children[0]->name, "units") == 0);
    array.release(&array);
    schema.release(&schema);
    for (size_t cut = 0; cut < bytes.length; cut += 7) {
        /* A stream may end after any of its messages; elsewhere a cut is an error, and never more than that. */
        if (comptoir_stream_read_bytes(bytes.data, cut, &again) == COMPTOIR_STATUS_OK) again.release(&again);
    }
    FAILS(comptoir_stream_read_bytes("no arrow at all", 15, &again), COMPTOIR_STATUS_STORAGE, "ARROW_FILE");
    OK(comptoir_text_free(&bytes));
    FAILS(comptoir_stream_read_file("/no/such/file", COMPTOIR_NTS, &again), COMPTOIR_STATUS_STORAGE, "ARROW_FILE");
}

/* What is wrong with a structure is said, and it is released all the same. */
static void test_bad_structures(void) {
    struct comptoir_valuation *valuation = NULL;
    FAILS(comptoir_costing_value("{}", COMPTOIR_NTS, NULL, &valuation), COMPTOIR_STATUS_SCHEMA,
          "ARROW_PROTOCOL");
    int times = 0;
    struct ArrowArrayStream stream = {no_schema, no_batch, why, released, &times};
    FAILS(comptoir_costing_value("{}", COMPTOIR_NTS, &stream, &valuation), COMPTOIR_STATUS_DATA,
          "ARROW_STREAM");
    CHECK(strstr(comptoir_last_error().message, "the warehouse is closed") != NULL);
    CHECK(times == 1 && stream.release == NULL);
    FAILS(comptoir_costing_value("{}", COMPTOIR_NTS, &stream, &valuation), COMPTOIR_STATUS_SCHEMA,
          "ARROW_PROTOCOL");
    struct ArrowArrayStream empty = {NULL, NULL, NULL, released, &times};
    FAILS(comptoir_costing_value("{}", COMPTOIR_NTS, &empty, &valuation), COMPTOIR_STATUS_SCHEMA,
          "ARROW_PROTOCOL");
    CHECK(times == 2);

    const int64_t values[] = {4, 7, 9};
    const struct field fields[] = {NUMBERS("units", values)};
    struct table table;
    struct ArrowArrayStream result;
    table_of(&table, 1, fields, 3);
    table.schema.format = "l"; /* No table. */
    table.schema.children[0]->format = "no such type";
    FAILS(comptoir_stream_of_array(&table.schema, &table.array, &result), COMPTOIR_STATUS_SCHEMA, "ARROW_NOT_TABLE");
    CHECK(table.array_released == 1);
    table.schema.release(&table.schema);
    table_of(&table, 1, fields, 3);
    table.schema.children[0]->format = "no such type";
    FAILS(comptoir_stream_of_array(&table.schema, &table.array, &result), COMPTOIR_STATUS_SCHEMA, "ARROW_PROTOCOL");
    CHECK(table.array_released == 1);
    table.schema.release(&table.schema);
    table_of(&table, 1, fields, 3);
    FAILS(comptoir_stream_of_array(NULL, &table.array, &result), COMPTOIR_STATUS_SCHEMA, "ARROW_PROTOCOL");
    CHECK(table.array_released == 1 && table.array.release == NULL);
    table.schema.release(&table.schema);
    table_of(&table, 1, fields, 3);
    FAILS(comptoir_stream_of_array(&table.schema, &table.array, NULL), COMPTOIR_STATUS_SCHEMA, "ARROW_PROTOCOL");
    CHECK(table.array_released == 1);
    table.schema.release(&table.schema);
}

void test_tables(void) {
    test_zero_copy();
    test_bytes();
    test_bad_structures();
}
