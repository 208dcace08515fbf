// Vectors of ranking.
#include "runner.hpp"

#include <cstdlib>

namespace ranking = comptoir::ranking;

static ranking::Board finished(const Case &given) {
    ranking::BoardBuilder builder(given["spec"], given["context"]);
    for (const char *input : {"input.arrows", "input2.arrows"}) {
        if (given.has(input)) {
            builder.push(given.table(input));
        }
    }
    return std::move(builder).finish();
}

// The lines of the pages that a case asks for.
static std::string pages(const Case &given, const ranking::BoardReader &reader) {
    const std::string board = given["board"];
    const std::vector<std::string> values = given.lines("group");
    const std::vector<std::string_view> group(values.begin(), values.end());
    ranking::Page page;
    std::string cursor, lines;
    for (const std::string &line : given.lines("page")) {
        const std::vector<std::string> parts = split(line, '\t');
        const std::size_t limit = std::stoull(parts[1]);
        const bool is_there = parts[0] == "next" ? reader.page_at(board, group, cursor, limit, page)
                                                 : reader.page(board, group, std::stoull(parts[0]), limit, page);
        lines += lines.empty() ? "" : "\n";
        if (!is_there) {
            lines += "none";
            continue;
        }
        cursor = page.next_cursor();
        lines += std::to_string(page.total()) + "\t" + (cursor.empty() ? "no" : "yes");
        for (std::size_t place = 0; place < page.size(); ++place) {
            const ranking::Entry entry = page[place];
            const bool is_text = entry.item().data() != nullptr;
            lines += "\n" + std::to_string(entry.position()) + "\t" +
                     (is_text ? std::string(entry.item()) : std::to_string(entry.number())) + "\t" +
                     bits_of(entry.score());
        }
    }
    return lines;
}

static Files paged(const Case &given) {
    std::string directory = (std::filesystem::temp_directory_path() / "comptoir-XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) {
        std::abort();
    }
    const auto remove = [](const std::string *path) { std::filesystem::remove_all(*path); };
    const std::unique_ptr<std::string, decltype(remove)> removed(&directory, remove);
    const ranking::Board board = finished(given);
    const ranking::Publisher publisher(directory);
    publisher.publish(board);
    return {{"expected.txt", pages(given, ranking::BoardReader(directory))}};
}

static std::string shown(std::optional<double> score) {
    return score ? bits_of(*score) : "none";
}

static Files leaderboard(const Case &given) {
    const ranking::Leaderboard board;
    std::string lines;
    bool is_first = true;
    for (const std::string &line : given.lines("ops")) {
        const std::vector<std::string> parts = split(line, '\t');
        lines += is_first ? "" : "\n";
        is_first = false;
        if (parts[0] == "update") {
            lines += shown(board.update(parts[1], std::strtod(parts[2].c_str(), nullptr)));
        } else if (parts[0] == "remove") {
            lines += shown(board.remove(parts[1]));
        } else if (parts[0] == "rank") {
            const std::optional<std::size_t> rank = board.rank_of(parts[1]);
            lines += rank ? std::to_string(*rank) : "none";
        } else {
            std::string top;
            for (const auto &[member, score] : board.top(std::stoull(parts[1]))) {
                top += (top.empty() ? "" : "\t") + member + "\t" + bits_of(score);
            }
            lines += top;
        }
    }
    return {{"expected.txt", lines}};
}

void add_ranking(Operations &operations) {
    operations["ranking.board"] = [](const Case &given) {
        return Files{{"expected.arrows", finished(given).table().write_bytes()}};
    };
    operations["ranking.report"] = [](const Case &given) {
        return Files{{"expected.json", finished(given).report()}};
    };
    operations["ranking.explain"] = [](const Case &given) {
        return Files{{"expected.json", finished(given).explain(given["item"], given["group"])}};
    };
    operations["ranking.page"] = paged;
    operations["ranking.leaderboard"] = leaderboard;
}
