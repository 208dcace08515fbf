// What the tests of the C++ face share.
#ifndef COMPTOIR_TESTS_CHECK_HPP
#define COMPTOIR_TESTS_CHECK_HPP

#include <comptoir/comptoir.hpp>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

// Ends the program where a condition does not hold.
#define CHECK(...)                                                                     \
    do {                                                                               \
        if (!(__VA_ARGS__)) {                                                          \
            std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #__VA_ARGS__); \
            std::exit(1);                                                              \
        }                                                                              \
    } while (false)

namespace check {

// The error that work throws.
template <class E = comptoir::Error, class Work>
E error_of(Work work) {
    try {
        work();
    } catch (const E &error) {
        return error;
    }
    std::fprintf(stderr, "nothing was thrown\n");
    std::exit(1);
}

// A column of a table that is made by hand.
struct Column {
    const char *name;
    const char *format;
    std::vector<const void *> buffers;
};

// A table of one batch over buffers that the caller lends. `released` counts how often it is released.
comptoir::Table table_of(const std::vector<Column> &columns, std::int64_t rows, int *released = nullptr);

// The only batch of a table.
struct Read {
    explicit Read(comptoir::Table table);
    Read(const Read &) = delete;
    Read &operator=(const Read &) = delete;
    ~Read();

    // The values of a column.
    template <class T>
    const T *values(const char *name) const {
        for (std::int64_t child = 0; child < schema.n_children; ++child) {
            if (std::strcmp(schema.children[child]->name, name) == 0) {
                return static_cast<const T *>(array.children[child]->buffers[1]);
            }
        }
        std::fprintf(stderr, "there is no column %s\n", name);
        std::exit(1);
    }

    ArrowSchema schema;
    ArrowArray array;
};

// A directory that goes with it.
class Directory {
public:
    Directory();
    Directory(const Directory &) = delete;
    Directory &operator=(const Directory &) = delete;
    ~Directory();
    const std::string &path() const { return path_; }

private:
    std::string path_;
};

}  // namespace check

void test_tables();
void test_costing();
void test_rules();
void test_ranking();
void test_executor();
void test_versions();
void test_threads();

#endif
