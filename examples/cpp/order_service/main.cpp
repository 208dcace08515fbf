// Guards orders and serves boards: order_service RULES BOARDS
//
// Reads commands by lines and answers each with a line:
//     order {"item": "22423", ...}     what the rule set decides
//     reload FILE                      another rule set, while others decide by the one before
//     page BOARD LIMIT                 the first places of a board without groups
//     boards                           the boards there are
#include <comptoir/ranking.hpp>
#include <comptoir/rules.hpp>

#include <chrono>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

namespace {

std::string content(const std::string &path) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error("cannot read `" + path + "`");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Service {
public:
    Service(const std::string &rules, const std::string &boards)
        : rules_(comptoir::rules::RuleSet::read(content(rules))), boards_(boards) {
        boards_.follow(std::chrono::milliseconds(200));
    }

    std::string answer(const std::string &line) {
        const std::size_t space = line.find(' ');
        const std::string command = line.substr(0, space);
        const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
        if (command == "order") return rules_.decide_json(rest);
        if (command == "reload") return reload(rest);
        if (command == "page") return page(rest);
        if (command == "boards") return boards_.boards();
        throw std::runtime_error("there is no command `" + command + "`");
    }

private:
    std::string reload(const std::string &file) {
        // A set that is wrong throws here, and the one before stays.
        rules_.replace(comptoir::rules::RuleSet::read(content(file)));
        return "reloaded";
    }

    std::string page(const std::string &request) {
        std::istringstream words(request);
        std::string board;
        std::size_t limit = 0;
        if (!(words >> board >> limit)) throw std::runtime_error("`page` takes a board and a limit");
        if (!boards_.page(board, {}, 0, limit, page_)) return "no such board";
        std::ostringstream places;
        for (std::size_t place = 0; place < page_.size(); ++place) {
            const comptoir::ranking::Entry entry = page_[place];
            places << (place > 0 ? " " : "") << entry.position() << ":" << entry.item() << ":" << entry.score();
        }
        return places.str();
    }

    comptoir::rules::LiveRuleSet rules_;
    comptoir::ranking::BoardReader boards_;
    comptoir::ranking::Page page_;
};

// A board of an hour's sales, published for the service to read.
void publish_sample(const std::string &directory, const std::string &table) {
    comptoir::ranking::Publisher publisher(directory);
    publisher.publish(comptoir::Table::read_file(table), R"({"board": "top", "item": "item", "score": "units"})");
}

}  // namespace

int main(int count, char **arguments) {
    const bool is_publishing = count == 4 && std::string(arguments[1]) == "publish";
    if (count != 3 && !is_publishing) {
        std::cerr << "usage: order_service RULES BOARDS, or order_service publish BOARDS TABLE.arrow\n";
        return 2;
    }
    try {
        if (is_publishing) {
            publish_sample(arguments[2], arguments[3]);
            return 0;
        }
        Service service(arguments[1], arguments[2]);
        for (std::string line; std::getline(std::cin, line);) {
            try {
                std::cout << service.answer(line) << std::endl;
            } catch (const comptoir::Error &error) {
                std::cout << "error " << error.code() << ": " << error.what() << std::endl;
            } catch (const std::exception &error) {
                std::cout << "error: " << error.what() << std::endl;
            }
        }
    } catch (const std::exception &error) {
        std::cerr << "order_service: " << error.what() << "\n";
        return 1;
    }
}
