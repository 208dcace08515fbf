// What runs the vectors through the C++ face: a case is a directory, and an operation gives the files that are expected.
#ifndef COMPTOIR_TESTS_RUNNER_HPP
#define COMPTOIR_TESTS_RUNNER_HPP

#include <comptoir/comptoir.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

// The files of a case.
class Case {
public:
    explicit Case(std::filesystem::path directory) : directory_(std::move(directory)) {}

    // A file as it is; empty where it is not there.
    std::string operator[](const std::string &name) const;
    // Whether there is a file.
    bool has(const std::string &name) const { return std::filesystem::exists(directory_ / name); }
    // The lines of a file; none where it is empty.
    std::vector<std::string> lines(const std::string &name) const;
    // The table in a file.
    comptoir::Table table(const std::string &name) const {
        return comptoir::Table::read_file((directory_ / name).string());
    }
    const std::filesystem::path &directory() const { return directory_; }

private:
    std::filesystem::path directory_;
};

// The parts of a line between tabs.
std::vector<std::string> split(const std::string &text, char at);
// The bits of a double as 16 hexadecimal digits.
std::string bits_of(double number);
// The double with these digits.
double of_bits(const std::string &digits);

// What an operation gave: files by name.
using Files = std::map<std::string, std::string>;
// Operations by name.
using Operations = std::map<std::string, std::function<Files(const Case &)>>;

void add_costing(Operations &operations);
void add_rules(Operations &operations);
void add_ranking(Operations &operations);
void add_executor(Operations &operations);

#endif
