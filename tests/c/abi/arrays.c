/* Tables by Arrow's C data interface. */
#include "check.h"

static void release_child_schema(struct ArrowSchema *schema) {
    schema->release = NULL;
}

static void release_child_array(struct ArrowArray *array) {
    free(array->private_data);
    array->release = NULL;
}

static void release_schema(struct ArrowSchema *schema) {
    ++*(int *)schema->private_data;
    for (int64_t child = 0; child < schema->n_children; ++child) {
        if (schema->children[child]->release != NULL) schema->children[child]->release(schema->children[child]);
        free(schema->children[child]);
    }
    free(schema->children);
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
    ++*(int *)array->private_data;
    for (int64_t child = 0; child < array->n_children; ++child) {
        if (array->children[child]->release != NULL) array->children[child]->release(array->children[child]);
        free(array->children[child]);
    }
    free(array->children);
    free(array->buffers);
    array->release = NULL;
}

void table_of(struct table *table, size_t columns, const struct field *fields, int64_t rows) {
    memset(table, 0, sizeof *table);
    table->schema.format = "+s";
    table->schema.n_children = (int64_t)columns;
    table->schema.children = calloc(columns, sizeof *table->schema.children);
    table->schema.release = release_schema;
    table->schema.private_data = &table->schema_released;
    table->array.length = rows;
    table->array.n_buffers = 1;
    table->array.buffers = calloc(1, sizeof *table->array.buffers);
    table->array.n_children = (int64_t)columns;
    table->array.children = calloc(columns, sizeof *table->array.children);
    table->array.release = release_array;
    table->array.private_data = &table->array_released;
    for (size_t child = 0; child < columns; ++child) {
        struct ArrowSchema *schema = calloc(1, sizeof *schema);
        struct ArrowArray *array = calloc(1, sizeof *array);
        const void **buffers = calloc(3, sizeof *buffers);
        memcpy(buffers, fields[child].buffers, sizeof fields[child].buffers);
        schema->format = fields[child].format;
        schema->name = fields[child].name;
        schema->release = release_child_schema;
        array->length = rows;
        array->n_buffers = fields[child].n_buffers;
        array->buffers = buffers;
        array->release = release_child_array;
        array->private_data = buffers;
        table->schema.children[child] = schema;
        table->array.children[child] = array;
    }
}

struct ArrowArrayStream stream_of(struct table *table) {
    struct ArrowArrayStream stream;
    OK(comptoir_stream_of_array(&table->schema, &table->array, &stream));
    CHECK(table->array.release == NULL);
    table->schema.release(&table->schema);
    return stream;
}

void read_batch(struct ArrowArrayStream *stream, struct ArrowSchema *schema, struct ArrowArray *array) {
    CHECK(stream->get_schema(stream, schema) == 0);
    CHECK(stream->get_next(stream, array) == 0);
    CHECK(array->release != NULL);
    stream->release(stream);
    CHECK(stream->release == NULL);
}
