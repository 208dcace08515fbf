/* What the tests of the C ABI share. */
#ifndef COMPTOIR_TESTS_CHECK_H
#define COMPTOIR_TESTS_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comptoir.h"

/* Ends the program where a condition does not hold. */
#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (!(condition)) {                                                                  \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);    \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

/* Ends the program where a call fails, with its error. */
#define OK(call)                                                                             \
    do {                                                                                     \
        if ((call) != COMPTOIR_STATUS_OK) {                                                  \
            struct comptoir_error failed_ = comptoir_last_error();                           \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, failed_.code,  \
                    failed_.message);                                                        \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

/* Ends the program where a call does not fail with this status and code. */
#define FAILS(call, expected_status, expected_code)                                          \
    do {                                                                                     \
        enum comptoir_status status_ = (call);                                               \
        struct comptoir_error failed_ = comptoir_last_error();                               \
        if (status_ != (expected_status) || strcmp(failed_.code, (expected_code)) != 0) {    \
            fprintf(stderr, "%s:%d: %s: status %d, %s: %s\n", __FILE__, __LINE__, #call,     \
                    (int)status_, failed_.code, failed_.message);                            \
            exit(1);                                                                         \
        }                                                                                    \
    } while (0)

/* A column of a table that is made by hand, as any C program could: its Arrow format and buffers. */
struct field {
    const char *name;
    const char *format;
    int64_t n_buffers;
    const void *buffers[3];
};

/* A column of 64-bit integers without nulls. */
#define NUMBERS(name, values) {name, "l", 2, {NULL, values, NULL}}
/* A column of text without nulls. */
#define TEXTS(name, offsets, data) {name, "u", 3, {NULL, offsets, data}}

/* A table of one batch, which says how often it was released. */
struct table {
    struct ArrowSchema schema;
    struct ArrowArray array;
    int schema_released;
    int array_released;
};

/* Fills a table of columns with `rows` rows each, lent by the caller until it is released. */
void table_of(struct table *table, size_t columns, const struct field *fields, int64_t rows);

/* The same as a stream. */
struct ArrowArrayStream stream_of(struct table *table);

/* Reads the only batch of a stream and releases the stream. */
void read_batch(struct ArrowArrayStream *stream, struct ArrowSchema *schema, struct ArrowArray *array);

void test_handles(void);
void test_text(void);
void test_tables(void);
void test_costing(void);
void test_rules(void);
void test_rule_sets(void);
void test_ranking(void);
void test_executor(void);
void test_versions(void);
void test_threads(void);

#endif
