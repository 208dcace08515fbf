/* Ranking: a board from a table, published and read. */
#include "check.h"

#include <unistd.h>

static const char SPEC[] = "{\"id\": \"top\", \"group\": [\"country\"], \"item\": \"sku\", \"score\": \"units\", \"k\": 10}";

static const int32_t COUNTRIES[] = {0, 2, 4, 6};
static const int32_t ITEMS[] = {0, 3, 6, 9};
static const int64_t UNITS[] = {40, 70, 10};
static const struct field FIELDS[] = {
    TEXTS("country", COUNTRIES, "FRFRDE"),
    TEXTS("sku", ITEMS, "mugbagmug"),
    NUMBERS("units", UNITS),
};

static struct ArrowArrayStream rows(void) {
    static struct table table;
    table_of(&table, 3, FIELDS, 3);
    return stream_of(&table);
}

static struct comptoir_string string(const char *text) {
    struct comptoir_string string = {text, strlen(text)};
    return string;
}

static struct comptoir_board *finished(void) {
    struct comptoir_board_builder *builder = NULL, *other = NULL;
    struct comptoir_board *board = NULL;
    struct ArrowArrayStream stream = rows();
    OK(comptoir_board_builder_new(SPEC, COMPTOIR_NTS, NULL, 0, &builder));
    OK(comptoir_board_builder_push(builder, &stream, 1));
    OK(comptoir_board_builder_new(SPEC, COMPTOIR_NTS, "{}", COMPTOIR_NTS, &other));
    OK(comptoir_board_builder_merge(builder, other));
    stream = rows();
    FAILS(comptoir_board_builder_push(other, &stream, 1), COMPTOIR_STATUS_UNAVAILABLE, "HOST_CLOSED");
    CHECK(stream.release == NULL);
    OK(comptoir_board_builder_finish(builder, &board));
    FAILS(comptoir_board_builder_finish(builder, &board), COMPTOIR_STATUS_UNAVAILABLE, "HOST_CLOSED");
    OK(comptoir_board_builder_free(builder));
    OK(comptoir_board_builder_free(other));
    return board;
}

static void test_page(const struct comptoir_board_reader *reader) {
    struct comptoir_page *page = NULL;
    struct comptoir_string group[] = {string("FR")};
    struct comptoir_page_request request = {string("top"), group, 1, 0, {NULL, 0}, 1};
    const struct comptoir_entry *entries = NULL;
    struct comptoir_text cursor;
    size_t count = 0, total = 0, position = 0;
    uint64_t version = 0;
    bool found = false;
    OK(comptoir_page_new(&page));
    OK(comptoir_board_reader_page(reader, &request, page, &found));
    OK(comptoir_page_entries(page, &entries, &count));
    OK(comptoir_page_facts(page, &version, &total));
    CHECK(found && count == 1 && total == 2 && version == 1);
    CHECK(entries[0].position == 1 && entries[0].score == 70 && entries[0].item.length == 3);
    CHECK(memcmp(entries[0].item.data, "bag", 3) == 0);
    OK(comptoir_page_next_cursor(page, &cursor));
    request.cursor.data = cursor.data;
    request.cursor.length = cursor.length;
    OK(comptoir_board_reader_page(reader, &request, page, &found));
    OK(comptoir_page_entries(page, &entries, &count));
    CHECK(count == 1 && entries[0].position == 2 && memcmp(entries[0].item.data, "mug", 3) == 0);
    OK(comptoir_text_free(&cursor));
    request.cursor = string("no cursor");
    FAILS(comptoir_board_reader_page(reader, &request, page, &found), COMPTOIR_STATUS_DATA, "RANKING_CURSOR_SYNTAX");
    request.cursor = string("");
    request.board = string("flop");
    OK(comptoir_board_reader_page(reader, &request, page, &found));
    CHECK(!found);
    OK(comptoir_board_reader_rank_of(reader, string("top"), group, 1, string("mug"), 0, &position));
    CHECK(position == 2);
    OK(comptoir_board_reader_rank_of(reader, string("top"), group, 1, string("pen"), 0, &position));
    CHECK(position == 0);
    OK(comptoir_page_free(page));
}

static void test_published(const struct comptoir_board *board) {
    char directory[] = "/tmp/comptoir-c-XXXXXX";
    CHECK(mkdtemp(directory) != NULL);
    struct comptoir_publisher *publisher = NULL;
    struct comptoir_board_reader *reader = NULL;
    FAILS(comptoir_board_reader_open(directory, COMPTOIR_NTS, &reader), COMPTOIR_STATUS_STORAGE,
          "RANKING_SNAPSHOT_NONE");
    uint64_t version = 0, versions[1];
    size_t count = 0;
    OK(comptoir_publisher_open(directory, COMPTOIR_NTS, 3, &publisher));
    OK(comptoir_publisher_publish(publisher, &board, 1, 0, &version));
    OK(comptoir_board_reader_open(directory, COMPTOIR_NTS, &reader));
    test_page(reader);
    struct ArrowArrayStream stream = rows();
    OK(comptoir_publisher_publish_stream(
        publisher, &stream, "{\"board\": \"top\", \"group\": [\"country\"], \"item\": \"sku\", \"score\": \"units\"}",
        COMPTOIR_NTS, 0, &version));
    CHECK(version == 2);
    bool changed = false;
    OK(comptoir_board_reader_refresh(reader, &changed));
    CHECK(changed);
    OK(comptoir_publisher_versions(publisher, versions, 1, &count));
    CHECK(count == 2 && versions[0] == 1);
    OK(comptoir_publisher_rollback(publisher, 1));
    OK(comptoir_board_reader_follow(reader, 1));
    struct comptoir_text text = {NULL, 0};
    do {
        OK(comptoir_text_free(&text));
        usleep(2000);
        OK(comptoir_board_reader_status(reader, &text));
    } while (strstr(text.data, "\"version\":1,") == NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_board_reader_boards(reader, &text));
    CHECK(strstr(text.data, "{\"board\":\"top\",\"group\":[\"FR\"],\"places\":2}") != NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_board_reader_free(reader));
    OK(comptoir_publisher_free(publisher));
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", directory);
    CHECK(system(command) == 0);
}

static void add(void *user, const char *member, size_t length, double score) {
    char *all = user;
    sprintf(all + strlen(all), "%.*s=%g ", (int)length, member, score);
}

static void test_leaderboard(void) {
    struct comptoir_leaderboard *board = NULL;
    size_t rank = 0, length = 0;
    double score = 0, before = 0;
    char all[64] = "";
    OK(comptoir_leaderboard_new(&board));
    OK(comptoir_leaderboard_update(board, "ann", COMPTOIR_NTS, 30, &before));
    OK(comptoir_leaderboard_update(board, "bob", COMPTOIR_NTS, 50, NULL));
    OK(comptoir_leaderboard_rank_of(board, "ann", COMPTOIR_NTS, &rank, &score));
    CHECK(rank == 2 && score == 30 && before != before);
    OK(comptoir_leaderboard_top(board, 5, add, all));
    CHECK(strcmp(all, "bob=50 ann=30 ") == 0);
    OK(comptoir_leaderboard_remove(board, "bob", COMPTOIR_NTS, &before));
    OK(comptoir_leaderboard_length(board, &length));
    CHECK(before == 50 && length == 1);
    FAILS(comptoir_leaderboard_update(board, "cid", COMPTOIR_NTS, 0.0 / 0.0, NULL), COMPTOIR_STATUS_DATA,
          "RANKING_SCORE_NAN");
    OK(comptoir_leaderboard_free(board));
}

void test_ranking(void) {
    struct comptoir_board *board = finished();
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray array;
    struct comptoir_text text;
    OK(comptoir_board_table(board, &stream));
    read_batch(&stream, &schema, &array);
    CHECK(array.length == 3);
    array.release(&array);
    schema.release(&schema);
    OK(comptoir_board_report(board, &text));
    CHECK(text.data[0] == '{');
    OK(comptoir_text_free(&text));
    OK(comptoir_board_explain(board, "mug", COMPTOIR_NTS, "[\"FR\"]", COMPTOIR_NTS, &text));
    CHECK(strstr(text.data, "\"mug\"") != NULL);
    OK(comptoir_text_free(&text));
    test_published(board);
    OK(comptoir_board_free(board));
    test_leaderboard();
    struct comptoir_board_builder *builder = NULL;
    FAILS(comptoir_board_builder_new("{\"id\": \"top\"}", COMPTOIR_NTS, NULL, 0, &builder), COMPTOIR_STATUS_CONFIG,
          "RANKING_SPEC");
}
