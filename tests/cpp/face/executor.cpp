// Executor: models of the library and of the host.
#include "check.hpp"

#include <array>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace executor = comptoir::executor;

static const char SIMULATED[] =
    R"({"models": [{"spec": {"name": "echo"}, "simulated": {"fixed_ms": 1, "per_row_ms": 0, "echo": 2}}]})";
static const char HOST[] = R"({"pipeline": {"cpu_threads": 2}, "models": [{"spec": {"name": "double"}}]})";

static executor::Tensor pair(const std::array<float, 2> &values) {
    return {"", {2}, comptoir::Span<const float>(values)};
}

static void test_simulated() {
    const executor::Pipeline pipeline = executor::Pipeline::start(SIMULATED);
    const std::array<float, 2> values = {1.5F, 2.5F};
    const executor::Tensor inputs[] = {pair(values)};
    const executor::Prediction prediction = pipeline.run(inputs);
    CHECK(prediction.size() == 1 && prediction[0].elements<float>()[1] == 2.5F && prediction[0].shape()[0] == 2);
    check::error_of<std::bad_cast>([&] { prediction[0].elements<double>(); });
    std::future<executor::Prediction> future = pipeline.submit(inputs);
    CHECK(future.get()[0].elements<float>()[0] == 1.5F);
    check::error_of<comptoir::DeadlineError>([&] { pipeline.run(inputs, R"({"deadline_ms": 0})"); });
    CHECK(check::error_of([&] { pipeline.submit(inputs, R"({"model": "eco"})"); }).code() == "EXECUTOR_UNKNOWN_MODEL");
    CHECK(pipeline.stats().find("echo") != std::string::npos && !pipeline.prometheus().empty());
    CHECK(pipeline.close(std::chrono::seconds(1)));
    CHECK(check::error_of([&] { pipeline.run(inputs); }).code() == "EXECUTOR_CLOSED");
}

static executor::ModelCode doubling() {
    executor::ModelCode code;
    code.preprocess = [](void *item, const executor::Row &row) {
        const auto *values = static_cast<const float *>(item);
        if (values[0] < 0) {
            throw std::runtime_error("a negative item");
        }
        std::memcpy(row.reserve<float>({2}), values, 2 * sizeof *values);
    };
    code.infer = [](const executor::Batch &batch, const executor::Outputs &outputs) {
        float *to = outputs.add<float>("twice", {batch.rows(), 2});
        for (const float from : batch[0].elements<float>()) {
            *to++ = 2 * from;
        }
    };
    return code;
}

static void test_callbacks() {
    std::vector<executor::ModelCode> code;
    code.push_back(doubling());
    const executor::Pipeline pipeline = executor::Pipeline::start(HOST, std::move(code));
    std::mutex lock;
    std::condition_variable changed;
    int told = 0;
    float sum = 0;
    std::string message;
    float items[][2] = {{1, 2}, {-1, 0}, {3, 4}};
    for (float *item : items) {
        pipeline.submit_item(item, {}, [&](executor::Result result) {
            const std::lock_guard<std::mutex> guard(lock);
            if (result.ok()) {
                const executor::Prediction prediction = std::move(result).get();
                CHECK(prediction[0].name() == "twice");
                sum += prediction[0].elements<float>()[0];
            } else {
                message = check::error_of([&] { std::move(result).get(); }).what();
            }
            ++told;
            changed.notify_one();
        });
    }
    std::unique_lock<std::mutex> guard(lock);
    changed.wait(guard, [&] { return told == 3; });
    CHECK(sum == 8 && message.find("a negative item") != std::string::npos);
}

static void test_cancelled() {
    const executor::Pipeline pipeline = executor::Pipeline::start(
        R"({"models": [{"simulated": {"fixed_ms": 300, "per_row_ms": 0}}]})");
    const std::array<float, 2> values = {1, 2};
    const executor::Tensor inputs[] = {pair(values)};
    std::promise<bool> cancelled;
    std::future<bool> is_cancelled = cancelled.get_future();
    const std::future<executor::Prediction> first = pipeline.submit(inputs);
    const executor::Ticket ticket = pipeline.submit(inputs, {}, [&](executor::Result result) {
        check::error_of<comptoir::CancelledError>([&] { std::move(result).get(); });
        cancelled.set_value(true);
    });
    CHECK(ticket.cancel() && is_cancelled.get() && !ticket.cancel());
}

void test_executor() {
    test_simulated();
    test_callbacks();
    test_cancelled();
    const comptoir::Error error = check::error_of([] { executor::Pipeline::start(R"({"models": [{}]})"); });
    CHECK(error.path() == "models[0]");
    CHECK(check::error_of([] { executor::Pipeline::start(R"({"models": [{"spec": {"nam": ""}}]})"); }).code() ==
          "HOST_JSON");
}
