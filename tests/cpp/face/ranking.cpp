// Ranking: a board from a table, published and read.
#include "check.hpp"

#include <cmath>

namespace ranking = comptoir::ranking;

static const char SPEC[] = R"({"id": "top", "group": ["country"], "item": "sku", "score": "units", "k": 10})";

static comptoir::Table rows() {
    static const std::int32_t countries[] = {0, 2, 4, 6}, items[] = {0, 3, 6, 9};
    static const std::int64_t units[] = {40, 70, 10};
    return check::table_of({{"country", "u", {nullptr, countries, "FRFRDE"}},
                            {"sku", "u", {nullptr, items, "mugbagmug"}},
                            {"units", "l", {nullptr, units}}},
                           3);
}

static void test_reader(const ranking::BoardReader &reader) {
    const std::string_view france[] = {"FR"};
    ranking::Page page;
    CHECK(page.size() == 0 && page.total() == 0);
    CHECK(reader.page("top", france, 0, 1, page));
    CHECK(page.size() == 1 && page.total() == 2 && page.version() == 1);
    CHECK(page[0].item() == "bag" && page[0].score() == 70 && page[0].position() == 1);
    const std::string cursor = page.next_cursor();
    CHECK(reader.page_at("top", france, cursor, 1, page));
    CHECK(page[0].item() == "mug" && page.next_cursor().empty());
    CHECK(!reader.page("flop", france, 0, 1, page) && page.size() == 0);
    CHECK(reader.rank_of("top", france, "mug") == std::size_t{2});
    CHECK(!reader.rank_of("top", france, "pen") && !reader.rank_of("top", {}, std::int64_t{7}));
    const std::vector<std::string_view> many(20, "x");
    CHECK(!reader.page("top", many, 0, 1, page));
    CHECK(check::error_of([&] { reader.page_at("top", france, "no cursor", 1, page); }).kind() ==
          comptoir::ErrorKind::data);
}

static void test_published() {
    const check::Directory directory;
    CHECK(check::error_of([&] { ranking::BoardReader reader(directory.path()); }).code() == "RANKING_SNAPSHOT_NONE");
    ranking::BoardBuilder builder(SPEC), other(SPEC);
    builder.push(rows());
    builder.merge(std::move(other));
    const ranking::Board board = std::move(builder).finish();
    CHECK(check::Read(board.table()).array.length == 3);
    CHECK(board.explain("mug", R"(["FR"])").find("mug") != std::string::npos && board.report()[0] == '{');

    const ranking::Publisher publisher(directory.path(), 3);
    CHECK(publisher.publish(board) == 1);
    const ranking::BoardReader reader(directory.path());
    test_reader(reader);
    const ranking::Board *const all[] = {&board};
    CHECK(publisher.publish(all) == 2 && reader.refresh() && !reader.refresh());
    CHECK(publisher.publish(rows(), R"({"board": "top", "group": ["country"], "item": "sku", "score": "units"})") == 3);
    CHECK(publisher.versions() == std::vector<std::uint64_t>({1, 2, 3}));
    publisher.rollback(1);
    reader.follow(std::chrono::milliseconds(1));
    while (reader.status().find(R"("version":1,)") == std::string::npos) {
    }
    CHECK(reader.boards().find(R"("places":2)") != std::string::npos);
    CHECK(check::error_of([&] { ranking::Publisher second(directory.path()); }).code() == "RANKING_PUBLISHER_BUSY");
}

void test_ranking() {
    test_published();
    const ranking::Leaderboard board;
    CHECK(!board.update("ann", 30) && board.update("ann", 20) == 30.0);
    board.update("bob", 50);
    CHECK(board.rank_of("ann") == std::size_t{2} && board.score_of("bob") == 50.0 && !board.rank_of("cid"));
    CHECK(board.top(1) == std::vector<std::pair<std::string, double>>({{"bob", 50.0}}));
    CHECK(board.remove("bob") == 50.0 && !board.remove("bob") && board.size() == 1);
    CHECK(check::error_of([&] { board.update("cid", std::nan("")); }).code() == "RANKING_SCORE_NAN");
    const comptoir::Error error = check::error_of([] { ranking::BoardBuilder("{\"id\": \"top\"}"); });
    CHECK(error.kind() == comptoir::ErrorKind::config);
}
