/* Values a stock: value_stock HISTORY.arrow POLICY, where POLICY is JSON such as {"method": "fifo"} or "\"sap\"". */
#include <comptoir.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int failed(void) {
    const struct comptoir_error error = comptoir_last_error();
    fprintf(stderr, "value_stock: %s: %s\n", error.code, error.message);
    return 1;
}

/* Prints a cell of the types that these tables have. */
static void print_cell(const struct ArrowSchema *type, const struct ArrowArray *column, int64_t row) {
    const int64_t at = row + column->offset;
    const uint8_t *valid = column->n_buffers > 0 ? column->buffers[0] : NULL;
    if (valid != NULL && ((valid[at / 8] >> (at % 8)) & 1) == 0) {
        printf("-");
    } else if (strcmp(type->format, "u") == 0) {
        const int32_t *offsets = column->buffers[1];
        printf("%.*s", (int)(offsets[at + 1] - offsets[at]), (const char *)column->buffers[2] + offsets[at]);
    } else if (strcmp(type->format, "l") == 0 || strncmp(type->format, "ts", 2) == 0) {
        printf("%" PRId64, ((const int64_t *)column->buffers[1])[at]);
    } else if (strcmp(type->format, "L") == 0) {
        printf("%" PRIu64, ((const uint64_t *)column->buffers[1])[at]);
    } else if (strncmp(type->format, "d:", 2) == 0) {
        /* The low word is enough below 9.2 * 10^18 units. */
        printf("%" PRId64 "e-%s", ((const int64_t *)column->buffers[1])[2 * at], strchr(type->format, ',') + 1);
    } else {
        printf("?");
    }
}

static void print_batch(const struct ArrowSchema *schema, const struct ArrowArray *batch) {
    for (int64_t row = 0; row < batch->length; ++row) {
        for (int64_t child = 0; child < schema->n_children; ++child) {
            printf("%s%s=", child == 0 ? "" : " ", schema->children[child]->name);
            print_cell(schema->children[child], batch->children[child], row);
        }
        printf("\n");
    }
}

/* Prints one table of a valuation, batch by batch. */
static int print_table(const struct comptoir_valuation *valuation, const char *request) {
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    if (comptoir_valuation_table(valuation, request, COMPTOIR_NTS, NULL, &stream) != COMPTOIR_STATUS_OK) return failed();
    int status = stream.get_schema(&stream, &schema);
    if (status == 0) {
        for (status = stream.get_next(&stream, &batch); status == 0 && batch.release != NULL;
             status = stream.get_next(&stream, &batch)) {
            print_batch(&schema, &batch);
            batch.release(&batch);
        }
        schema.release(&schema);
    }
    stream.release(&stream);
    return status != 0;
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: value_stock HISTORY.arrow POLICY\n");
        return 2;
    }
    struct ArrowArrayStream history;
    struct comptoir_valuation *valuation = NULL;
    struct comptoir_costing_counts counts;
    if (comptoir_stream_read_file(arguments[1], COMPTOIR_NTS, &history) != COMPTOIR_STATUS_OK) return failed();
    if (comptoir_costing_value(arguments[2], COMPTOIR_NTS, &history, &valuation) != COMPTOIR_STATUS_OK) return failed();
    int status = comptoir_valuation_counts(valuation, &counts) == COMPTOIR_STATUS_OK ? 0 : failed();
    if (status == 0) {
        printf("rows: %" PRIu64 " accepted, %" PRIu64 " rejected\nbalances\n", counts.accepted, counts.rejected);
        status = print_table(valuation, "{\"table\": \"balances\"}");
    }
    if (status == 0) {
        printf("rejected\n");
        status = print_table(valuation, "{\"table\": \"rejected\"}");
    }
    comptoir_valuation_free(valuation);
    return status;
}
