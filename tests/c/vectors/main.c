/* Runs tests/vectors through the C ABI: vectors DIRECTORY. Exits with 1 where a case gives other bytes or another error. */
#include "runner.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const KINDS[] = {"ok",         "schema",  "data",      "config",      "limit",   "storage",
                                    "overloaded", "timeout", "cancelled", "unavailable", "internal"};

/* The last error in the form of a vector. */
static struct bytes error_text(void) {
    struct comptoir_error error = comptoir_last_error();
    struct bytes text = {NULL, 0};
    append(&text, "%s\n%s\n%s\n", KINDS[error.status], error.code, error.path);
    append(&text, error.line == 0 ? "\n" : "%zu\n", error.line);
    append(&text, error.column == 0 ? "\n" : "%zu\n", error.column);
    append(&text, error.row < 0 ? "\n" : "%lld\n", (long long)error.row);
    append(&text, "%s", error.message);
    return text;
}

/* Whether bytes are those of a file of the case; says where they are not. */
static bool is_expected(const char *directory, const char *name, struct bytes found) {
    struct bytes expected = argument(directory, name);
    size_t place = 0, least = found.length < expected.length ? found.length : expected.length;
    while (place < least && found.data[place] == expected.data[place]) ++place;
    bool is_equal = place == least && found.length == expected.length && has(directory, name);
    if (!is_equal) {
        fprintf(stderr, "%s/%s: %zu bytes expected, %zu found, other from byte %zu\n", directory, name,
                expected.length, found.length, place);
        if (strstr(name, ".arrows") == NULL && strstr(name, ".bin") == NULL) {
            fprintf(stderr, "expected: %s\nfound:    %s\n", expected.data, found.data);
        }
    }
    free(expected.data);
    return is_equal;
}

static bool run_case(const char *directory) {
    struct bytes call = argument(directory, "call");
    struct outcome outcome = {COMPTOIR_STATUS_OK, {NULL}, {{NULL, 0}}, 0};
    bool is_known = costing(call.data, directory, &outcome) || rules(call.data, directory, &outcome) ||
                    ranking(call.data, directory, &outcome) || executor(call.data, directory, &outcome);
    bool is_good = is_known;
    if (!is_known) {
        fprintf(stderr, "%s: there is no operation %s\n", directory, call.data);
    } else if (outcome.status != COMPTOIR_STATUS_OK) {
        struct bytes text = error_text();
        is_good = is_expected(directory, "error", text);
        free(text.data);
    } else {
        is_good = !has(directory, "error");
        if (!is_good) fprintf(stderr, "%s: an error is expected\n", directory);
        for (size_t file = 0; file < outcome.count; ++file) {
            is_good &= is_expected(directory, outcome.names[file], outcome.files[file]);
        }
    }
    for (size_t file = 0; file < outcome.count; ++file) free(outcome.files[file].data);
    free(call.data);
    return is_good;
}

/* Runs each case of a directory; counts them, and those that fail. */
static void run_all(const char *directory, int depth, size_t *cases, size_t *bad) {
    DIR *entries = opendir(directory);
    if (entries == NULL) return;
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        char path[2048];
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        if (depth < 1) {
            run_all(path, depth + 1, cases, bad);
        } else if (has(path, "call")) {
            ++*cases;
            *bad += !run_case(path);
        }
    }
    closedir(entries);
}

int main(int count, char **arguments) {
    size_t cases = 0, bad = 0;
    if (count != 2) {
        fprintf(stderr, "usage: vectors DIRECTORY\n");
        return 2;
    }
    run_all(arguments[1], 0, &cases, &bad);
    printf("%zu vectors, %zu of them not as expected\n", cases, bad);
    return cases == 0 || bad > 0;
}
