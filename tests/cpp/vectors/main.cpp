// Runs tests/vectors through the C++ face: vectors DIRECTORY. Exits with 1 where a case gives other bytes or another error.
#include "runner.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

std::string Case::operator[](const std::string &name) const {
    std::ifstream file(directory_ / name, std::ios::binary);
    std::ostringstream all;
    all << file.rdbuf();
    return file ? all.str() : std::string();
}

std::vector<std::string> Case::lines(const std::string &name) const {
    const std::string text = (*this)[name];
    return text.empty() ? std::vector<std::string>() : split(text, '\n');
}

std::vector<std::string> split(const std::string &text, char at) {
    std::vector<std::string> parts(1);
    for (const char each : text) {
        if (each == at) {
            parts.emplace_back();
        } else {
            parts.back() += each;
        }
    }
    return parts;
}

std::string bits_of(double number) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &number, sizeof bits);
    char digits[17];
    std::snprintf(digits, sizeof digits, "%016" PRIx64, bits);
    return digits;
}

double of_bits(const std::string &digits) {
    const std::uint64_t bits = std::stoull(digits, nullptr, 16);
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    return number;
}

// An error in the form of a vector.
static std::string text_of(const comptoir::Error &error) {
    static const char *const kinds[] = {"ok",         "schema",  "data",      "config",      "limit",   "storage",
                                        "overloaded", "timeout", "cancelled", "unavailable", "internal"};
    const auto number = [](std::size_t known) { return known == 0 ? std::string() : std::to_string(known); };
    return std::string(kinds[static_cast<int>(error.kind())]) + "\n" + error.code() + "\n" + error.path() + "\n" +
           number(error.line()) + "\n" + number(error.column()) + "\n" +
           (error.row() ? std::to_string(*error.row()) : "") + "\n" + error.what();
}

static bool is_expected(const Case &given, const std::string &name, const std::string &found) {
    if (given.has(name) && given[name] == found) {
        return true;
    }
    std::fprintf(stderr, "%s/%s is not as expected\n", given.directory().c_str(), name.c_str());
    if (name.find(".arrows") == name.npos && name.find(".bin") == name.npos) {
        std::fprintf(stderr, "expected: %s\nfound:    %s\n", given[name].c_str(), found.c_str());
    }
    return false;
}

static bool run_case(const Operations &operations, const Case &given) {
    const auto operation = operations.find(given["call"]);
    if (operation == operations.end()) {
        std::fprintf(stderr, "%s: there is no operation %s\n", given.directory().c_str(), given["call"].c_str());
        return false;
    }
    Files files;
    try {
        files = operation->second(given);
    } catch (const comptoir::Error &error) {
        return is_expected(given, "error", text_of(error));
    }
    bool is_good = !given.has("error");
    if (!is_good) {
        std::fprintf(stderr, "%s: an error is expected\n", given.directory().c_str());
    }
    for (const auto &[name, bytes] : files) {
        is_good = is_expected(given, name, bytes) && is_good;
    }
    return is_good;
}

int main(int count, char **arguments) {
    if (count != 2) {
        std::fprintf(stderr, "usage: vectors DIRECTORY\n");
        return 2;
    }
    Operations operations;
    add_costing(operations);
    add_rules(operations);
    add_ranking(operations);
    add_executor(operations);
    std::size_t cases = 0, bad = 0;
    for (const auto &entry : std::filesystem::recursive_directory_iterator(arguments[1])) {
        if (entry.is_directory() && std::filesystem::exists(entry.path() / "call")) {
            ++cases;
            bad += run_case(operations, Case(entry.path())) ? 0 : 1;
        }
    }
    std::printf("%zu vectors, %zu of them not as expected\n", cases, bad);
    return cases == 0 || bad > 0 ? 1 : 0;
}
