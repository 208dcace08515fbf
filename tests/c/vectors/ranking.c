/* Vectors of ranking. */
#include "runner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 8 };

/* The finished board of a case. */
static enum comptoir_status finished(const char *directory, struct comptoir_board **board) {
    struct bytes spec = argument(directory, "spec"), context = argument(directory, "context");
    struct comptoir_board_builder *builder = NULL;
    struct ArrowArrayStream rows;
    enum comptoir_status status =
        comptoir_board_builder_new(spec.data, spec.length, context.data, context.length, &builder);
    const char *const inputs[] = {"input.arrows", "input2.arrows"};
    for (size_t input = 0; input < 2 && status == COMPTOIR_STATUS_OK; ++input) {
        if (!has(directory, inputs[input])) continue;
        status = table(directory, inputs[input], &rows);
        if (status == COMPTOIR_STATUS_OK) status = comptoir_board_builder_push(builder, &rows, 2);
    }
    if (status == COMPTOIR_STATUS_OK) status = comptoir_board_builder_finish(builder, board);
    comptoir_board_builder_free(builder);
    free(spec.data);
    free(context.data);
    return status;
}

static void of_board(const char *call, const char *directory, struct outcome *outcome) {
    struct bytes item = argument(directory, "item"), group = argument(directory, "group");
    struct comptoir_board *board = NULL;
    struct ArrowArrayStream places;
    struct comptoir_text text;
    TRY(outcome, finished(directory, &board));
    if (strcmp(call, "ranking.board") == 0) {
        TRY(outcome, comptoir_board_table(board, &places));
        TRY(outcome, add_table(outcome, "expected.arrows", &places));
    } else if (strcmp(call, "ranking.report") == 0) {
        TRY(outcome, comptoir_board_report(board, &text));
        add_text(outcome, "expected.json", text);
    } else {
        TRY(outcome, comptoir_board_explain(board, item.data, item.length, group.data, group.length, &text));
        add_text(outcome, "expected.json", text);
    }
end:
    comptoir_board_free(board);
    free(item.data);
    free(group.data);
}

/* Appends the lines of a page. */
static enum comptoir_status append_page(struct bytes *lines, const struct comptoir_page *page, bool found,
                                        struct comptoir_text *cursor) {
    const struct comptoir_entry *entries = NULL;
    size_t count = 0, total = 0;
    if (lines->length > 0) append(lines, "\n");
    if (!found) {
        append(lines, "none");
        return COMPTOIR_STATUS_OK;
    }
    comptoir_text_free(cursor);
    enum comptoir_status status = comptoir_page_entries(page, &entries, &count);
    if (status == COMPTOIR_STATUS_OK) status = comptoir_page_facts(page, NULL, &total);
    if (status == COMPTOIR_STATUS_OK) status = comptoir_page_next_cursor(page, cursor);
    if (status != COMPTOIR_STATUS_OK) return status;
    append(lines, "%zu\t%s", total, cursor->length > 0 ? "yes" : "no");
    for (const struct comptoir_entry *entry = entries; entry < entries + count; ++entry) {
        append(lines, "\n%llu\t", (unsigned long long)entry->position);
        if (entry->item.data == NULL) {
            append(lines, "%lld", (long long)entry->number);
        } else {
            append(lines, "%.*s", (int)entry->item.length, entry->item.data);
        }
        append(lines, "\t%016llx", bits_of(entry->score));
    }
    return COMPTOIR_STATUS_OK;
}

/* Reads the pages that a case asks for. */
static enum comptoir_status read_pages(const char *directory, const char *published, struct bytes *lines) {
    struct bytes board = argument(directory, "board"), group = argument(directory, "group");
    struct bytes pages = argument(directory, "page");
    struct comptoir_board_reader *reader = NULL;
    struct comptoir_page *page = NULL;
    struct comptoir_text cursor = {NULL, 0};
    struct comptoir_string values[MOST_VALUES];
    size_t count = 0;
    for (char *value = group.length == 0 ? NULL : group.data; value != NULL; ++count) {
        char *end = strchr(value, '\n');
        values[count].data = value;
        values[count].length = end == NULL ? strlen(value) : (size_t)(end - value);
        value = end == NULL ? NULL : end + 1;
    }
    enum comptoir_status status = comptoir_board_reader_open(published, COMPTOIR_NTS, &reader);
    if (status == COMPTOIR_STATUS_OK) status = comptoir_page_new(&page);
    for (char *line = pages.data; line != NULL && status == COMPTOIR_STATUS_OK;) {
        struct comptoir_page_request request = {{board.data, board.length}, values, count, 0, {NULL, 0}, 0};
        bool is_next = strncmp(line, "next", 4) == 0, found = false;
        if (is_next) {
            request.cursor.data = cursor.data;
            request.cursor.length = cursor.length;
        } else {
            request.offset = strtoull(line, NULL, 10);
        }
        request.limit = strtoull(strchr(line, '\t') + 1, NULL, 10);
        status = comptoir_board_reader_page(reader, &request, page, &found);
        if (status == COMPTOIR_STATUS_OK) status = append_page(lines, page, found, &cursor);
        line = strchr(line, '\n');
        if (line != NULL) ++line;
    }
    comptoir_text_free(&cursor);
    comptoir_page_free(page);
    comptoir_board_reader_free(reader);
    free(board.data);
    free(group.data);
    free(pages.data);
    return status;
}

static void paged(const char *directory, struct outcome *outcome) {
    char published[] = "/tmp/comptoir-vector-XXXXXX", command[64];
    struct comptoir_publisher *publisher = NULL;
    struct comptoir_board *board = NULL;
    struct bytes lines = {calloc(1, 1), 0};
    uint64_t version = 0;
    if (mkdtemp(published) == NULL) abort();
    TRY(outcome, finished(directory, &board));
    TRY(outcome, comptoir_publisher_open(published, COMPTOIR_NTS, 3, &publisher));
    TRY(outcome, comptoir_publisher_publish(publisher, (const struct comptoir_board *const *)&board, 1, 0, &version));
    TRY(outcome, read_pages(directory, published, &lines));
    add(outcome, "expected.txt", lines);
    lines.data = NULL;
end:
    free(lines.data);
    comptoir_publisher_free(publisher);
    comptoir_board_free(board);
    snprintf(command, sizeof command, "rm -r %s", published);
    if (system(command) != 0) abort();
}

static void append_score(struct bytes *lines, double score) {
    if (isnan(score)) {
        append(lines, "none");
    } else {
        append(lines, "%016llx", bits_of(score));
    }
}

static void append_member(void *user, const char *member, size_t length, double score) {
    struct bytes *line = user;
    append(line, "%s%.*s\t%016llx", line->length > 0 ? "\t" : "", (int)length, member, bits_of(score));
}

/* One operation on a leaderboard, whose parts are between tabs. */
static enum comptoir_status operate(const struct comptoir_leaderboard *board, char *line, struct bytes *lines) {
    char *member = strchr(line, '\t');
    *member++ = 0;
    char *number = strchr(member, '\t');
    if (number != NULL) *number++ = 0;
    double before = 0;
    size_t rank = 0;
    struct bytes top = {calloc(1, 1), 0};
    enum comptoir_status status = COMPTOIR_STATUS_OK;
    if (strcmp(line, "update") == 0) {
        status = comptoir_leaderboard_update(board, member, COMPTOIR_NTS, strtod(number, NULL), &before);
        if (status == COMPTOIR_STATUS_OK) append_score(lines, before);
    } else if (strcmp(line, "remove") == 0) {
        status = comptoir_leaderboard_remove(board, member, COMPTOIR_NTS, &before);
        if (status == COMPTOIR_STATUS_OK) append_score(lines, before);
    } else if (strcmp(line, "rank") == 0) {
        status = comptoir_leaderboard_rank_of(board, member, COMPTOIR_NTS, &rank, NULL);
        append(lines, rank == 0 ? "none" : "%zu", rank);
    } else {
        status = comptoir_leaderboard_top(board, strtoull(member, NULL, 10), append_member, &top);
        append(lines, "%s", top.data);
    }
    free(top.data);
    return status;
}

static void leaderboard(const char *directory, struct outcome *outcome) {
    struct bytes ops = argument(directory, "ops"), lines = {calloc(1, 1), 0};
    struct comptoir_leaderboard *board = NULL;
    TRY(outcome, comptoir_leaderboard_new(&board));
    for (char *line = ops.data; line != NULL;) {
        char *next = strchr(line, '\n');
        if (next != NULL) *next++ = 0;
        if (line != ops.data) append(&lines, "\n");
        TRY(outcome, operate(board, line, &lines));
        line = next;
    }
    add(outcome, "expected.txt", lines);
    lines.data = NULL;
end:
    comptoir_leaderboard_free(board);
    free(lines.data);
    free(ops.data);
}

bool ranking(const char *call, const char *directory, struct outcome *outcome) {
    if (strcmp(call, "ranking.board") == 0 || strcmp(call, "ranking.report") == 0 ||
        strcmp(call, "ranking.explain") == 0) {
        of_board(call, directory, outcome);
    } else if (strcmp(call, "ranking.page") == 0) {
        paged(directory, outcome);
    } else if (strcmp(call, "ranking.leaderboard") == 0) {
        leaderboard(directory, outcome);
    } else {
        return false;
    }
    return true;
}
