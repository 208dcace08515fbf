/* What runs the vectors through the C ABI: a case is a directory, and an operation gives the files that are expected. */
#ifndef COMPTOIR_TESTS_RUNNER_H
#define COMPTOIR_TESTS_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include "comptoir.h"

/* Bytes that are freed with free(). */
struct bytes {
    char *data;
    size_t length;
};

/* What an operation gave: files by name, or the status of the call that failed. */
struct outcome {
    enum comptoir_status status;
    const char *names[3];
    struct bytes files[3];
    size_t count;
};

/* Ends an operation with the status of a call that fails. */
#define TRY(outcome, call)                                         \
    do {                                                           \
        if (((outcome)->status = (call)) != COMPTOIR_STATUS_OK) {  \
            goto end;                                              \
        }                                                          \
    } while (0)

/* The file of a case, with a NUL after it; empty where it is not there. */
struct bytes argument(const char *directory, const char *name);
/* Whether a case has a file. */
bool has(const char *directory, const char *name);
/* The table in a file of a case. */
enum comptoir_status table(const char *directory, const char *name, struct ArrowArrayStream *stream);
/* Adds a file to an outcome, and takes its bytes over. */
void add(struct outcome *outcome, const char *name, struct bytes bytes);
/* The same for text of the library, which is freed. */
void add_text(struct outcome *outcome, const char *name, struct comptoir_text text);
/* The same for a table, which is released. */
enum comptoir_status add_table(struct outcome *outcome, const char *name, struct ArrowArrayStream *stream);
/* Appends formatted text. */
void append(struct bytes *bytes, const char *format, ...);
/* The bits of a double as hexadecimal digits are those of this number. */
unsigned long long bits_of(double number);
/* The double with these hexadecimal digits. */
double of_bits(const char *digits);

/* The operations of a core: false for a call that it does not know. */
bool costing(const char *call, const char *directory, struct outcome *outcome);
bool rules(const char *call, const char *directory, struct outcome *outcome);
bool ranking(const char *call, const char *directory, struct outcome *outcome);
bool executor(const char *call, const char *directory, struct outcome *outcome);

#endif
