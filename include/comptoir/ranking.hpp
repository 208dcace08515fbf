/// @file
/// Ranking: boards from tables, published in a directory, read by services.
#ifndef COMPTOIR_RANKING_HPP
#define COMPTOIR_RANKING_HPP

#include <comptoir/span.hpp>
#include <comptoir/table.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace comptoir::ranking {

/// A finished board. Any number of threads may read it at once.
class Board {
public:
    /// The places.
    Table table() const {
        Table result;
        detail::check(comptoir_board_table(handle_.get(), result.get()));
        return result;
    }
    /// What became of the rows, as JSON.
    std::string report() const {
        detail::Text text;
        detail::check(comptoir_board_report(handle_.get(), text.out()));
        return text.str();
    }
    /// Why an item stands where it does, as JSON; `group` is a JSON list of texts, or empty for all groups.
    std::string explain(std::string_view item, std::string_view group = {}) const {
        detail::Text text;
        detail::check(comptoir_board_explain(handle_.get(), item.data(), item.size(), group.data(), group.size(),
                                             text.out()));
        return text.str();
    }
    /// The handle for C.
    const comptoir_board *get() const noexcept { return handle_.get(); }

private:
    friend class BoardBuilder;
    explicit Board(comptoir_board *handle) noexcept : handle_(handle) {}

    detail::Handle<comptoir_board, comptoir_board_free> handle_;
};

/// Collects the rows of a board. Any number of threads may push at once; they take turns.
class BoardBuilder {
public:
    /// A collector for a spec in JSON or YAML; `context` is JSON.
    explicit BoardBuilder(std::string_view spec, std::string_view context = {}) {
        comptoir_board_builder *handle = nullptr;
        detail::check(comptoir_board_builder_new(spec.data(), spec.size(), context.data(), context.size(), &handle));
        handle_.reset(handle);
    }
    /// Adds rows, on so many threads or, for 0, on all cores.
    void push(Table rows, std::size_t threads = 0) {
        detail::check(comptoir_board_builder_push(handle_.get(), rows.get(), threads));
    }
    /// Adds what another collector of the same spec has seen.
    void merge(BoardBuilder other) { detail::check(comptoir_board_builder_merge(handle_.get(), other.handle_.get())); }
    /// The board of each group.
    Board finish() && {
        comptoir_board *board = nullptr;
        detail::check(comptoir_board_builder_finish(handle_.get(), &board));
        return Board(board);
    }

private:
    detail::Handle<comptoir_board_builder, comptoir_board_builder_free> handle_;
};

/// Publishes boards in a directory, one process at a time; readers in any process follow.
class Publisher {
public:
    /// Opens a directory, which is made if it is not there; `keep` of the newest versions stay.
    explicit Publisher(std::string_view directory, std::size_t keep = 3) {
        comptoir_publisher *handle = nullptr;
        detail::check(comptoir_publisher_open(directory.data(), directory.size(), keep, &handle));
        handle_.reset(handle);
    }
    /// Writes the next version and makes it the current one; its number. `watermark` is microseconds since 1970.
    std::uint64_t publish(const Board &board, std::int64_t watermark = 0) const {
        const comptoir_board *const boards[] = {board.get()};
        std::uint64_t version = 0;
        detail::check(comptoir_publisher_publish(handle_.get(), boards, 1, watermark, &version));
        return version;
    }
    /// The same for several boards.
    std::uint64_t publish(Span<const Board *const> all, std::int64_t watermark = 0) const {
        std::vector<const comptoir_board *> boards;
        for (const Board *board : all) {
            boards.push_back(board->get());
        }
        std::uint64_t version = 0;
        detail::check(comptoir_publisher_publish(handle_.get(), boards.data(), boards.size(), watermark, &version));
        return version;
    }
    /// The same for a table whose rows are places; `columns` is JSON: `{"board": "top", "item": "sku", "score": "units"}`.
    std::uint64_t publish(Table table, std::string_view columns, std::int64_t watermark = 0) const {
        std::uint64_t version = 0;
        detail::check(comptoir_publisher_publish_stream(handle_.get(), table.get(), columns.data(), columns.size(),
                                                        watermark, &version));
        return version;
    }
    /// Makes an earlier version the current one.
    void rollback(std::uint64_t version) const { detail::check(comptoir_publisher_rollback(handle_.get(), version)); }
    /// The versions that are there, ascending.
    std::vector<std::uint64_t> versions() const {
        std::vector<std::uint64_t> versions(16);
        std::size_t count = 0;
        detail::check(comptoir_publisher_versions(handle_.get(), versions.data(), versions.size(), &count));
        if (count > versions.size()) {
            versions.resize(count);
            detail::check(comptoir_publisher_versions(handle_.get(), versions.data(), versions.size(), &count));
        }
        versions.resize(count);
        return versions;
    }

private:
    detail::Handle<comptoir_publisher, comptoir_publisher_free> handle_;
};

/// A place on a board.
class Entry {
public:
    explicit Entry(const comptoir_entry &entry) noexcept : entry_(entry) {}

    /// From 1.
    std::uint64_t position() const noexcept { return entry_.position; }
    /// Its score.
    double score() const noexcept { return entry_.score; }
    /// The item where the boards have text; it stays as long as the page.
    std::string_view item() const noexcept { return detail::view(entry_.item); }
    /// The item where the boards have numbers.
    std::int64_t number() const noexcept { return entry_.number; }

private:
    comptoir_entry entry_;
};

/// A page, which `BoardReader::page` fills: made once a thread and used again. One thread at a time.
class Page {
public:
    /// One that is yet to be filled.
    Page() {
        comptoir_page *handle = nullptr;
        detail::check(comptoir_page_new(&handle));
        handle_.reset(handle);
    }
    /// Its places.
    Span<const comptoir_entry> entries() const {
        const comptoir_entry *entries = nullptr;
        std::size_t count = 0;
        detail::check(comptoir_page_entries(handle_.get(), &entries, &count));
        return {entries, count};
    }
    /// How many places it has.
    std::size_t size() const { return entries().size(); }
    /// A place, from 0.
    Entry operator[](std::size_t place) const { return Entry(entries()[place]); }
    /// How many places the board has.
    std::size_t total() const {
        std::size_t total = 0;
        detail::check(comptoir_page_facts(handle_.get(), nullptr, &total));
        return total;
    }
    /// The version that it shows.
    std::uint64_t version() const {
        std::uint64_t version = 0;
        detail::check(comptoir_page_facts(handle_.get(), &version, nullptr));
        return version;
    }
    /// Where the next page begins; empty after the last place.
    std::string next_cursor() const {
        detail::Text text;
        detail::check(comptoir_page_next_cursor(handle_.get(), text.out()));
        return text.str();
    }
    /// The handle for C.
    const comptoir_page *get() const noexcept { return handle_.get(); }

private:
    detail::Handle<comptoir_page, comptoir_page_free> handle_;
};

/// Reads the boards of a directory. Any number of threads may use it at once; reading takes no lock.
class BoardReader {
public:
    /// Opens a directory and verifies its current version.
    explicit BoardReader(std::string_view directory) {
        comptoir_board_reader *handle = nullptr;
        detail::check(comptoir_board_reader_open(directory.data(), directory.size(), &handle));
        handle_.reset(handle);
    }
    /// Fills a page of a board; false where there is no such board. The values of the group are texts.
    bool page(std::string_view board, Span<const std::string_view> group, std::size_t offset, std::size_t limit,
              Page &page) const {
        return fill(board, group, offset, {}, limit, page);
    }
    /// The same from the cursor of another page on, in the version of that one.
    bool page_at(std::string_view board, Span<const std::string_view> group, std::string_view cursor,
                 std::size_t limit, Page &page) const {
        return fill(board, group, 0, cursor, limit, page);
    }
    /// The position of an item, from 1.
    std::optional<std::size_t> rank_of(std::string_view board, Span<const std::string_view> group,
                                       std::string_view item) const {
        return rank(board, group, detail::view(item), 0);
    }
    /// The same where items are numbers.
    std::optional<std::size_t> rank_of(std::string_view board, Span<const std::string_view> group,
                                       std::int64_t item) const {
        return rank(board, group, {nullptr, 0}, item);
    }
    /// The boards of the current version, as JSON.
    std::string boards() const {
        detail::Text text;
        detail::check(comptoir_board_reader_boards(handle_.get(), text.out()));
        return text.str();
    }
    /// Version, age, watermark, number of boards and the last failure of following, as JSON.
    std::string status() const {
        detail::Text text;
        detail::check(comptoir_board_reader_status(handle_.get(), text.out()));
        return text.str();
    }
    /// Changes to the version that is current now; whether it is another one.
    bool refresh() const {
        bool changed = false;
        detail::check(comptoir_board_reader_refresh(handle_.get(), &changed));
        return changed;
    }
    /// Changes to new versions by itself, looking for them every `interval`; zero ends it.
    void follow(std::chrono::milliseconds interval) const {
        detail::check(comptoir_board_reader_follow(handle_.get(), static_cast<std::uint64_t>(interval.count())));
    }

private:
    /// Groups of so many values need no allocation.
    static constexpr std::size_t most = 8;

    /// The values of a group for C.
    class Group {
    public:
        explicit Group(Span<const std::string_view> group) : size_(group.size()) {
            if (size_ > most) {
                more_.resize(size_);
            }
            comptoir_string *to = data();
            for (const std::string_view value : group) {
                *to++ = detail::view(value);
            }
        }
        comptoir_string *data() noexcept { return size_ > most ? more_.data() : few_; }
        std::size_t size() const noexcept { return size_; }

    private:
        std::size_t size_;
        comptoir_string few_[most];
        std::vector<comptoir_string> more_;
    };

    bool fill(std::string_view board, Span<const std::string_view> group, std::size_t offset, std::string_view cursor,
              std::size_t limit, Page &page) const {
        Group values(group);
        const comptoir_page_request request{
            detail::view(board), values.data(), values.size(), offset, detail::view(cursor), limit};
        bool found = false;
        detail::check(comptoir_board_reader_page(handle_.get(), &request, page.get(), &found));
        return found;
    }

    std::optional<std::size_t> rank(std::string_view board, Span<const std::string_view> group, comptoir_string item,
                                    std::int64_t number) const {
        Group values(group);
        std::size_t position = 0;
        detail::check(comptoir_board_reader_rank_of(handle_.get(), detail::view(board), values.data(), values.size(),
                                                    item, number, &position));
        return position == 0 ? std::nullopt : std::optional<std::size_t>(position);
    }

    detail::Handle<comptoir_board_reader, comptoir_board_reader_free> handle_;
};

/// A live leaderboard of members by name. Any number of threads may use it at once; they take turns.
class Leaderboard {
public:
    Leaderboard() {
        comptoir_leaderboard *handle = nullptr;
        detail::check(comptoir_leaderboard_new(&handle));
        handle_.reset(handle);
    }
    /// Gives a member a score; the one that it had.
    std::optional<double> update(std::string_view member, double score) const {
        double before = 0;
        detail::check(comptoir_leaderboard_update(handle_.get(), member.data(), member.size(), score, &before));
        return known(before);
    }
    /// Takes a member off; the score that it had.
    std::optional<double> remove(std::string_view member) const {
        double before = 0;
        detail::check(comptoir_leaderboard_remove(handle_.get(), member.data(), member.size(), &before));
        return known(before);
    }
    /// The rank of a member, from 1.
    std::optional<std::size_t> rank_of(std::string_view member) const {
        std::size_t rank = 0;
        detail::check(comptoir_leaderboard_rank_of(handle_.get(), member.data(), member.size(), &rank, nullptr));
        return rank == 0 ? std::nullopt : std::optional<std::size_t>(rank);
    }
    /// The score of a member.
    std::optional<double> score_of(std::string_view member) const {
        std::size_t rank = 0;
        double score = 0;
        detail::check(comptoir_leaderboard_rank_of(handle_.get(), member.data(), member.size(), &rank, &score));
        return known(score);
    }
    /// The first members with their scores, the highest first.
    std::vector<std::pair<std::string, double>> top(std::size_t count) const {
        std::vector<std::pair<std::string, double>> members;
        members.reserve(count < 1024 ? count : 1024);
        detail::check(comptoir_leaderboard_top(handle_.get(), count, add, &members));
        return members;
    }
    /// How many members there are.
    std::size_t size() const {
        std::size_t count = 0;
        detail::check(comptoir_leaderboard_length(handle_.get(), &count));
        return count;
    }

private:
    static std::optional<double> known(double score) noexcept {
        return std::isnan(score) ? std::nullopt : std::optional<double>(score);
    }
    static void add(void *members, const char *member, std::size_t length, double score) {
        static_cast<std::vector<std::pair<std::string, double>> *>(members)->emplace_back(std::string(member, length),
                                                                                          score);
    }

    detail::Handle<comptoir_leaderboard, comptoir_leaderboard_free> handle_;
};

}  // namespace comptoir::ranking

#endif
