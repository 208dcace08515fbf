/* Costing: two receipts and an issue of one item. */
#include "check.h"

static const char POLICY[] = "{\"method\": \"moving_average\"}";

/* Receipts of 10 for 100.00 and of 10 for 140.00, an issue of 5, and a row that is none: 5 x 12.00 leave. */
static struct ArrowArrayStream movements(void) {
    static const int32_t dates[] = {19723, 19724, 19725, 19726};
    static const int32_t items[] = {0, 3, 6, 9, 12};
    static const int32_t kinds[] = {0, 7, 14, 19, 24};
    static const int64_t quantities[] = {10, 10, 5, 1};
    static const int64_t amounts[] = {100, 140, 0, 0};
    static const int64_t ids[] = {1, 2, 3, 4};
    static const struct field fields[] = {
        NUMBERS("movement_id", ids),
        {"at", "tdD", 2, {NULL, dates, NULL}},
        TEXTS("item", items, "mugmugmugmug"),
        TEXTS("kind", kinds, "receiptreceiptissueloose"),
        NUMBERS("quantity", quantities),
        NUMBERS("amount", amounts),
    };
    static struct table table;
    table_of(&table, 6, fields, 4);
    return stream_of(&table);
}

static struct comptoir_valuation *valued(void) {
    struct ArrowArrayStream stream = movements();
    struct comptoir_valuation *valuation = NULL;
    OK(comptoir_costing_value(POLICY, COMPTOIR_NTS, &stream, &valuation));
    CHECK(stream.release == NULL);
    return valuation;
}

/* The column with a name of a batch. */
static const struct ArrowArray *column(const struct ArrowSchema *schema, const struct ArrowArray *array,
                                       const char *name) {
    for (int64_t child = 0; child < schema->n_children; ++child) {
        if (strcmp(schema->children[child]->name, name) == 0) return array->children[child];
    }
    fprintf(stderr, "there is no column %s\n", name);
    exit(1);
}

static void test_balances(const struct comptoir_valuation *valuation) {
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray array;
    OK(comptoir_valuation_table(valuation, "{\"table\": \"balances\"}", COMPTOIR_NTS, NULL, &stream));
    read_batch(&stream, &schema, &array);
    CHECK(array.length == 1);
    /* Decimals have 128 bits, as two words. */
    const uint64_t *value = column(&schema, &array, "value")->buffers[1];
    CHECK(value[0] == 18000 && value[1] == 0);
    array.release(&array);
    schema.release(&schema);
    OK(comptoir_valuation_table(valuation, "{\"table\": \"rejected\"}", COMPTOIR_NTS, NULL, &stream));
    read_batch(&stream, &schema, &array);
    CHECK(array.length == 1);
    array.release(&array);
    schema.release(&schema);
}

void test_costing(void) {
    struct comptoir_valuation *valuation = valued();
    struct comptoir_costing_counts counts;
    OK(comptoir_valuation_counts(valuation, &counts));
    CHECK(counts.input == 4 && counts.accepted == 3 && counts.rejected == 1 && counts.duplicates == 0);
    test_balances(valuation);

    struct comptoir_text text;
    OK(comptoir_valuation_control(valuation, "\"ifrs\"", COMPTOIR_NTS, &text));
    CHECK(strstr(text.data, "\"balanced\":true") != NULL && strstr(text.data, "\"stock_value\":\"180.00\"") != NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_costing_policy(POLICY, COMPTOIR_NTS, &text));
    CHECK(strstr(text.data, "money_scale") != NULL);
    OK(comptoir_text_free(&text));

    struct ArrowArrayStream stream;
    FAILS(comptoir_valuation_table(valuation, "{\"table\": \"balance\"}", COMPTOIR_NTS, NULL, &stream),
          COMPTOIR_STATUS_CONFIG, "HOST_JSON");
    FAILS(comptoir_valuation_table(valuation, "{\"table\": \"ageing\", \"as_of\": \"2024-13-01\", \"buckets\": [30]}",
                                   COMPTOIR_NTS, NULL, &stream),
          COMPTOIR_STATUS_DATA, "TYPES_DATE_SYNTAX");
    OK(comptoir_valuation_free(valuation));

    stream = movements();
    FAILS(comptoir_costing_value("\"no such preset\"", COMPTOIR_NTS, &stream, &valuation), COMPTOIR_STATUS_CONFIG,
          "COSTING_POLICY");
    CHECK(stream.release == NULL);
    const int64_t values[] = {1};
    const struct field fields[] = {NUMBERS("item", values)};
    struct table table;
    table_of(&table, 1, fields, 1);
    stream = stream_of(&table);
    FAILS(comptoir_costing_value(POLICY, COMPTOIR_NTS, &stream, &valuation), COMPTOIR_STATUS_SCHEMA,
          "TYPES_COLUMN_MISSING");
    CHECK(table.array_released == 1);
}
