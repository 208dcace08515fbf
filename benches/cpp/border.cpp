// What the C++ face costs over the C ABI: the same decision by both, on the same values.
//
// `make bench-cpp`, beside `cargo bench -p comptoir-c --bench border` for the C ABI over Rust. Prints medians of rounds.
#include <comptoir/comptoir.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

static const char ENVIRONMENT[] =
    R"({"variables": {"level": "int", "brand": "string", "price": "double", "pay": "double", "cost": "double", "coupon": "string"}})";
static const struct {
    const char *name, *source;
} PREDICATES[] = {
    {"P0", "level >= 3"},
    {"P1", "level >= 3 && brand in ['apple', 'nokia', 'sony', 'huawei'] && price >= 100.0"},
    {"P2", "pay < cost * 0.9 && !(coupon in ['a1', 'b2', 'c3', 'd4', 'e5', 'f6', 'g7', 'h8'])"},
};

enum { CALLS = 20'000, ROUNDS = 101 };

template <class Call>
static double nanoseconds(Call call) {
    const auto start = std::chrono::steady_clock::now();
    for (int each = 0; each < CALLS; ++each) {
        if (!call()) std::abort();
    }
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / CALLS;
}

static double median(std::vector<double> times) {
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

int main() {
    std::printf("%-4s %10s %10s %10s\n", "", "C ABI ns", "C++ ns", "over ns");
    for (const auto &predicate : PREDICATES) {
        const auto program = comptoir::rules::Program::compile(ENVIRONMENT, predicate.source);
        comptoir_program *handle = nullptr;
        comptoir_program_compile(ENVIRONMENT, COMPTOIR_NTS, predicate.source, COMPTOIR_NTS, &handle);
        auto slots = program.slots();
        const auto set = [&](const char *name, const comptoir::rules::Value &value) {
            try {
                slots.set(name, value);
            } catch (const std::out_of_range &) {
                // The predicate does not read it.
            }
        };
        set("level", 4);
        set("brand", "sony");
        set("price", 120.0);
        set("pay", 80.0);
        set("cost", 120.0);
        set("coupon", "z9");
        std::vector<double> c, cpp;
        for (int round = 0; round < ROUNDS; ++round) {
            c.push_back(nanoseconds([&] {
                bool truth = false;
                return comptoir_program_test(handle, slots.data(), slots.size(), &truth) == COMPTOIR_STATUS_OK && truth;
            }));
            cpp.push_back(nanoseconds([&] { return program.test(slots); }));
        }
        comptoir_program_free(handle);
        std::printf("%-4s %10.1f %10.1f %10.1f\n", predicate.name, median(c), median(cpp), median(cpp) - median(c));
    }
}
