// Many threads with one handle.
#include "check.hpp"

#include <atomic>
#include <functional>
#include <thread>

namespace rules = comptoir::rules;

enum { THREADS = 8, CALLS = 125'000 };

static void run(const std::function<void(int)> &work) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < THREADS; ++thread) {
        threads.emplace_back(work, thread);
    }
    for (std::thread &thread : threads) {
        thread.join();
    }
}

// Eight threads, a million calls on one program, and as many on one rule set.
static void test_one_handle() {
    const rules::Program program = rules::Program::compile(R"({"variables": {"n": "int"}})", "n % 2 == 0");
    const rules::RuleSet set =
        rules::RuleSet::read("environment: {variables: {n: int}}\nrules: [{id: even, when: n % 2 == 0}]");
    std::atomic<int> trues = 0, fired = 0;
    run([&](int thread) {
        rules::Slots slots = program.slots(), inputs = set.slots();
        rules::Decision decision;
        int own = 0, decided = 0;
        for (int call = 0; call < CALLS; ++call) {
            own += program.test(slots.set(0, thread + call)) ? 1 : 0;
            set.decide(inputs.set(0, thread + call), decision);
            decided += static_cast<int>(decision.fired_count());
        }
        trues += own;
        fired += decided;
    });
    CHECK(trues == THREADS * CALLS / 2 && fired == THREADS * CALLS / 2);
}

// A rule set is replaced again and again while others decide.
static void test_reload() {
    const rules::RuleSet sets[] = {rules::RuleSet::read("version: 1\nrules: [{id: one, when: 'true'}]"),
                                   rules::RuleSet::read("version: 2\nrules: [{id: two, when: 'true'}]")};
    const rules::LiveRuleSet live(sets[0]);
    std::atomic<bool> is_over = false;
    std::thread writer([&] {
        for (std::size_t round = 0; !is_over; ++round) {
            live.replace(sets[round % 2]);
        }
    });
    run([&](int) {
        for (int call = 0; call < 2000; ++call) {
            const std::string text = live.decide_json("{}");
            const bool is_first = text.find(R"("version":"1")") != text.npos && text.find(R"(["one"])") != text.npos;
            const bool is_second = text.find(R"("version":"2")") != text.npos && text.find(R"(["two"])") != text.npos;
            CHECK(is_first != is_second);
        }
    });
    is_over = true;
    writer.join();
}

// Pages are read while versions are published.
static void test_boards() {
    namespace ranking = comptoir::ranking;
    const check::Directory directory;
    const ranking::Publisher publisher(directory.path(), 2);
    const std::int64_t items[] = {7, 8, 9}, scores[] = {3, 2, 1};
    const auto publish = [&] {
        publisher.publish(check::table_of({{"item", "l", {nullptr, items}}, {"score", "l", {nullptr, scores}}}, 3),
                          R"({"board": "top", "item": "item", "score": "score"})");
    };
    publish();
    const ranking::BoardReader reader(directory.path());
    reader.follow(std::chrono::milliseconds(1));
    std::atomic<bool> is_over = false;
    std::thread writer([&] {
        while (!is_over) {
            publish();
        }
    });
    run([&](int) {
        ranking::Page page;
        for (int call = 0; call < CALLS; ++call) {
            CHECK(reader.page("top", {}, 0, 2, page) && page.size() == 2 && page[1].number() == 8);
        }
    });
    is_over = true;
    writer.join();
}

void test_threads() {
    test_one_handle();
    test_reload();
    test_boards();
}
