// Executor: versions of a model take over while requests go on; the timeline.
#include "check.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

namespace executor = comptoir::executor;

static const char CONFIG[] =
    R"({"pipeline": {"cpu_threads": 2, "trace_events": 500, "batch": {"max_size": 4}}, "models": [{"version": "1",
        "spec": {"name": "number", "shapes": [[{"name": "x", "dtype": "float32", "shape": [1]}]]}}]})";

// A model that gives its number for each row; it holds `alive` for as long as it is.
static executor::ModelCode numbered(float number, std::shared_ptr<int> alive = nullptr) {
    executor::ModelCode code;
    code.infer = [number, alive](const executor::Batch &batch, const executor::Outputs &outputs) {
        float *to = outputs.add<float>("number", {batch.rows(), 1});
        std::fill(to, to + batch.rows(), number);
    };
    return code;
}

static executor::Pipeline started(std::shared_ptr<int> alive = nullptr) {
    std::vector<executor::ModelCode> code;
    code.push_back(numbered(1, std::move(alive)));
    return executor::Pipeline::start(CONFIG, std::move(code));
}

static float answer(const executor::Pipeline &pipeline) {
    const std::array<float, 1> value = {7};
    const executor::Tensor inputs[] = {{"x", {1}, comptoir::Span<const float>(value)}};
    return pipeline.run(inputs)[0].elements<float>()[0];
}

// Each version takes over half of the load, then all of it; every request has an answer.
static void test_under_load() {
    const auto alive = std::make_shared<int>(0);
    {
        const executor::Pipeline pipeline = started(alive);
        std::atomic<bool> stopping = false;
        std::atomic<int> answers = 0;
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 3; ++thread) {
            threads.emplace_back([&] {
                while (!stopping) {
                    const float number = answer(pipeline);
                    CHECK(number >= 1 && number <= 9);
                    ++answers;
                }
            });
        }
        for (int number = 2; number <= 9; ++number) {
            pipeline.swap(R"({"version": ")" + std::to_string(number) + R"(", "share": 0.5})",
                          numbered(static_cast<float>(number), alive));
            for (const int until = answers + 20; answers < until;) {
                std::this_thread::sleep_for(std::chrono::microseconds(500));
            }
            pipeline.set_share(1, "number");
            CHECK(pipeline.drain(std::chrono::seconds(20)));
        }
        CHECK(answer(pipeline) == 9);
        stopping = true;
        for (std::thread &thread : threads) {
            thread.join();
        }
        CHECK(pipeline.stats().find("\"done\":" + std::to_string(answers + 1) + ",") != std::string::npos);
    }
    CHECK(alive.use_count() == 1);
}

static void test_share() {
    const executor::Pipeline pipeline = started();
    pipeline.swap(R"({"version": "2", "share": 0.25})", numbered(2));
    int of_second = 0;
    for (int run = 0; run < 100; ++run) {
        of_second += answer(pipeline) == 2 ? 1 : 0;
    }
    CHECK(of_second >= 24 && of_second <= 26);
    pipeline.set_share(0);
    CHECK(answer(pipeline) == 1);
    CHECK(check::error_of([&] { pipeline.set_share(1); }).code() == "EXECUTOR_CONFIG");
    pipeline.swap(R"({"version": "3", "simulated": {"fixed_ms": 0, "per_row_ms": 0}})");
    CHECK(answer(pipeline) == 7);
}

// A version that cannot take over changes nothing.
static void test_refused() {
    const executor::Pipeline pipeline = started();
    executor::ModelCode broken, staged = numbered(2);
    broken.infer = [](const executor::Batch &, const executor::Outputs &) { throw std::runtime_error("it is broken"); };
    staged.preprocess = [](void *, const executor::Row &) {};
    const comptoir::Error error =
        check::error_of([&] { pipeline.swap(R"({"version": "2"})", std::move(broken)); });
    CHECK(error.code() == "EXECUTOR_STAGE" && std::strstr(error.what(), "it is broken") != nullptr);
    CHECK(check::error_of([&] { pipeline.swap(R"({"version": "2"})", std::move(staged)); }).code() == "HOST_ARGUMENT");
    check::error_of([&] { pipeline.swap(R"({"version": "2", "onnx": {"path": "/none.onnx"}})"); });
    CHECK(check::error_of([&] { pipeline.swap(R"({"version": "2", "share": 2})", numbered(2)); }).path() == "share");
    CHECK(answer(pipeline) == 1);
}

static void test_trace() {
    const executor::Pipeline pipeline = started();
    CHECK(answer(pipeline) == 1);
    const std::string trace = pipeline.trace();
    CHECK(trace.front() == '{' && trace.back() == '}');
    CHECK(trace.find(R"("traceEvents":[)") != std::string::npos && trace.find(R"("ph":"X")") != std::string::npos);
}

void test_versions() {
    test_under_load();
    test_share();
    test_refused();
    test_trace();
}
