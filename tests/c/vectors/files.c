/* Files of cases, and bytes. */
#include "runner.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *opened(const char *directory, const char *name) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return fopen(path, "rb");
}

struct bytes argument(const char *directory, const char *name) {
    struct bytes bytes = {calloc(1, 1), 0};
    FILE *file = opened(directory, name);
    if (file == NULL) return bytes;
    size_t got = 0;
    do {
        bytes.data = realloc(bytes.data, bytes.length + 65537);
        got = fread(bytes.data + bytes.length, 1, 65536, file);
        bytes.length += got;
    } while (got > 0);
    fclose(file);
    bytes.data[bytes.length] = 0;
    return bytes;
}

bool has(const char *directory, const char *name) {
    FILE *file = opened(directory, name);
    if (file == NULL) return false;
    fclose(file);
    return true;
}

enum comptoir_status table(const char *directory, const char *name, struct ArrowArrayStream *stream) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return comptoir_stream_read_file(path, COMPTOIR_NTS, stream);
}

void add(struct outcome *outcome, const char *name, struct bytes bytes) {
    outcome->names[outcome->count] = name;
    outcome->files[outcome->count++] = bytes;
}

void add_text(struct outcome *outcome, const char *name, struct comptoir_text text) {
    struct bytes bytes = {malloc(text.length + 1), text.length};
    memcpy(bytes.data, text.data, text.length + 1);
    comptoir_text_free(&text);
    add(outcome, name, bytes);
}

enum comptoir_status add_table(struct outcome *outcome, const char *name, struct ArrowArrayStream *stream) {
    struct comptoir_text text;
    enum comptoir_status status = comptoir_stream_write_bytes(stream, &text);
    if (status == COMPTOIR_STATUS_OK) add_text(outcome, name, text);
    return status;
}

void append(struct bytes *bytes, const char *format, ...) {
    va_list first, second;
    va_start(first, format);
    va_copy(second, first);
    size_t length = (size_t)vsnprintf(NULL, 0, format, first);
    bytes->data = realloc(bytes->data, bytes->length + length + 1);
    vsnprintf(bytes->data + bytes->length, length + 1, format, second);
    bytes->length += length;
    va_end(first);
    va_end(second);
}

unsigned long long bits_of(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

double of_bits(const char *digits) {
    uint64_t bits = strtoull(digits, NULL, 16);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}
