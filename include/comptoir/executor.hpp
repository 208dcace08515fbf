/// @file
/// Executor: model inference whose CPU work is split from that of the device.
#ifndef COMPTOIR_EXECUTOR_HPP
#define COMPTOIR_EXECUTOR_HPP

#include <comptoir/tensor.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace comptoir::executor {

/// The host's code around and in a model; empty for what it does not have. Called on threads of the pipeline, several at
/// once. An exception becomes the error of the request, or of the batch, with its text.
struct ModelCode {
    /// Turns an item of `Pipeline::submit_item` into a row.
    std::function<void(void *item, const Row &row)> preprocess;
    /// Runs a batch. Where it fails, the rows are run again in halves, so that one bad row fails alone.
    std::function<void(const Batch &batch, const Outputs &outputs)> infer;
};

/// The outcome of a request.
class Result {
public:
    explicit Result(Prediction prediction) noexcept : prediction_(std::move(prediction)) {}
    explicit Result(std::exception_ptr error) noexcept : error_(std::move(error)) {}

    /// Whether there is a prediction.
    bool ok() const noexcept { return prediction_.has_value(); }
    /// The prediction, which is then the caller's; throws the error of the request.
    Prediction get() && {
        if (error_ != nullptr) {
            std::rethrow_exception(error_);
        }
        return std::move(*prediction_);
    }

private:
    std::optional<Prediction> prediction_;
    std::exception_ptr error_;
};

/// The right to give a request up.
class Ticket {
public:
    explicit Ticket(comptoir_ticket *handle) noexcept : handle_(handle) {}

    /// Gives the request up; whether its outcome was still open. It is then a `CancelledError`.
    bool cancel() const {
        bool was_open = false;
        comptoir::detail::check(comptoir_ticket_cancel(handle_.get(), &was_open));
        return was_open;
    }

private:
    comptoir::detail::Handle<comptoir_ticket, comptoir_ticket_free> handle_;
};

/// A pipeline. Any number of threads may use it at once. Callbacks must neither close nor destroy it.
class Pipeline {
public:
    /// Who is told of the outcome of a request, once, on a thread of the pipeline; it must be quick and must not throw.
    using Done = std::function<void(Result)>;

    /// Starts a pipeline. `config` is JSON: `{"pipeline": {...}, "models": [{"spec": {...}, "onnx": {...}}]}`; `code` is
    /// the host's code for the first models, in the same order.
    static Pipeline start(std::string_view config, std::vector<ModelCode> code = {}) {
        std::vector<comptoir_model_code> models;
        for (ModelCode &each : code) {
            models.push_back(for_c(std::move(each)));
        }
        comptoir_pipeline *handle = nullptr;
        comptoir::detail::check(
            comptoir_pipeline_start(config.data(), config.size(), models.data(), models.size(), &handle));
        return Pipeline(handle);
    }

    /// Takes a request whose inputs are ready; they are copied. `options` is JSON: `{"deadline_ms": 50, "priority": 2}`.
    /// Throws `OverloadedError` where the queue is full: it never waits for room.
    Ticket submit(Span<const Tensor> inputs, std::string_view options, Done done) const {
        const std::vector<comptoir_tensor> tensors = for_c(inputs);
        return submitted(std::move(done), [&](comptoir_done told, void *context, comptoir_ticket **ticket) {
            return comptoir_pipeline_submit(handle_.get(), tensors.data(), tensors.size(), options.data(),
                                            options.size(), told, context, ticket);
        });
    }
    /// The same with the outcome as a future.
    std::future<Prediction> submit(Span<const Tensor> inputs, std::string_view options = {}) const {
        auto promise = std::make_shared<std::promise<Prediction>>();
        std::future<Prediction> future = promise->get_future();
        submit(inputs, options, into(std::move(promise)));
        return future;
    }
    /// Takes an encoded picture, which is copied, for a model with `image`.
    Ticket submit_file(std::string_view file, std::string_view options, Done done) const {
        return submitted(std::move(done), [&](comptoir_done told, void *context, comptoir_ticket **ticket) {
            return comptoir_pipeline_submit_file(handle_.get(), file.data(), file.size(), options.data(),
                                                 options.size(), told, context, ticket);
        });
    }
    /// The same with the outcome as a future.
    std::future<Prediction> submit_file(std::string_view file, std::string_view options = {}) const {
        auto promise = std::make_shared<std::promise<Prediction>>();
        std::future<Prediction> future = promise->get_future();
        submit_file(file, options, into(std::move(promise)));
        return future;
    }
    /// Takes an object of the host, which the model's `preprocess` turns into a row. It must stay until the outcome was
    /// told and `preprocess`, if it runs then, has returned.
    Ticket submit_item(void *item, std::string_view options, Done done) const {
        return submitted(std::move(done), [&](comptoir_done told, void *context, comptoir_ticket **ticket) {
            return comptoir_pipeline_submit_item(handle_.get(), item, options.data(), options.size(), told, context,
                                                 ticket);
        });
    }

    /// Takes a request whose inputs are ready and waits for its outcome.
    Prediction run(Span<const Tensor> inputs, std::string_view options = {}) const {
        const std::vector<comptoir_tensor> tensors = for_c(inputs);
        comptoir_prediction *prediction = nullptr;
        comptoir::detail::check(comptoir_pipeline_run(handle_.get(), tensors.data(), tensors.size(), options.data(),
                                                      options.size(), &prediction));
        return Prediction(prediction);
    }
    /// The same for an encoded picture.
    Prediction run_file(std::string_view file, std::string_view options = {}) const {
        comptoir_prediction *prediction = nullptr;
        comptoir::detail::check(comptoir_pipeline_run_file(handle_.get(), file.data(), file.size(), options.data(),
                                                           options.size(), &prediction));
        return Prediction(prediction);
    }

    /// Lets a new version of a model take over, while requests go on; none is lost. It is loaded and warmed beside the
    /// old one first; where that throws, the old one goes on as before. `config` is JSON: `{"model": "faces", "version":
    /// "2", "share": 0.1, "onnx": {...}}`; without `model` it is the first one, without `share` all of its traffic. The
    /// version is one of `onnx`, `simulated` or, with neither, the `infer` of `code`; the stage before the model stays, so
    /// that `code` has no `preprocess`.
    void swap(std::string_view config, ModelCode code = {}) const {
        const comptoir_model_code version = for_c(std::move(code));
        comptoir::detail::check(comptoir_pipeline_swap(handle_.get(), config.data(), config.size(), &version));
    }
    /// Changes the share of the version that is taking over: 1 makes it the one that serves, 0 takes it back. An empty
    /// `model` is the first one.
    void set_share(double share, std::string_view model = {}) const {
        comptoir::detail::check(comptoir_pipeline_set_share(handle_.get(), model.data(), model.size(), share));
    }
    /// Waits until versions that serve no more have finished their last batch, at most for `limit`; whether they have.
    /// Not on a thread of the pipeline.
    bool drain(std::chrono::milliseconds limit) const {
        bool finished = false;
        comptoir::detail::check(
            comptoir_pipeline_drain(handle_.get(), static_cast<std::uint64_t>(limit.count()), &finished));
        return finished;
    }

    /// What has happened, as JSON.
    std::string stats() const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_pipeline_stats(handle_.get(), text.out()));
        return text.str();
    }
    /// What has happened, in the text format of Prometheus.
    std::string prometheus() const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_pipeline_prometheus(handle_.get(), text.out()));
        return text.str();
    }
    /// The timeline of the latest `trace_events` events, a setting of the pipeline, as JSON in Chrome's Trace Event Format.
    std::string trace() const {
        comptoir::detail::Text text;
        comptoir::detail::check(comptoir_pipeline_trace(handle_.get(), text.out()));
        return text.str();
    }
    /// Takes no more requests, waits for those inside for up to `grace`, ends the rest, and stops; whether all could
    /// finish.
    bool close(std::chrono::milliseconds grace) const {
        bool finished = false;
        comptoir::detail::check(
            comptoir_pipeline_close(handle_.get(), static_cast<std::uint64_t>(grace.count()), &finished));
        return finished;
    }

private:
    explicit Pipeline(comptoir_pipeline *handle) noexcept : handle_(handle) {}

    /// The code for the library, which releases it.
    static comptoir_model_code for_c(ModelCode code) {
        const bool has_preprocess = static_cast<bool>(code.preprocess), has_infer = static_cast<bool>(code.infer);
        return {new ModelCode(std::move(code)), has_preprocess ? preprocess : nullptr, has_infer ? infer : nullptr,
                release};
    }

    static std::vector<comptoir_tensor> for_c(Span<const Tensor> inputs) {
        std::vector<comptoir_tensor> tensors;
        tensors.reserve(inputs.size());
        for (const Tensor &input : inputs) {
            tensors.push_back(input.get());
        }
        return tensors;
    }

    static Done into(std::shared_ptr<std::promise<Prediction>> promise) {
        return [promise = std::move(promise)](Result result) {
            try {
                promise->set_value(std::move(result).get());
            } catch (...) {
                promise->set_exception(std::current_exception());
            }
        };
    }

    /// Submits by `call`; `done` belongs to the pipeline once that succeeds.
    template <class Call>
    static Ticket submitted(Done done, Call call) {
        auto context = std::make_unique<Done>(std::move(done));
        comptoir_ticket *ticket = nullptr;
        comptoir::detail::check(call(tell, context.get(), &ticket));
        static_cast<void>(context.release());
        return Ticket(ticket);
    }

    static void tell(void *context, comptoir_status status, comptoir_prediction *prediction) {
        const std::unique_ptr<Done> done(static_cast<Done *>(context));
        if (status == COMPTOIR_STATUS_OK) {
            (*done)(Result(Prediction(prediction)));
            return;
        }
        try {
            comptoir::detail::raise();
        } catch (...) {
            (*done)(Result(std::current_exception()));
        }
    }

    /// Runs a callback; an exception becomes its failure.
    template <class Work>
    static std::int32_t guarded(Work work) {
        try {
            work();
            return 0;
        } catch (const std::exception &error) {
            const std::string_view what = error.what();
            comptoir_callback_failed(what.data(), what.size());
        } catch (...) {
            comptoir_callback_failed("an exception that is no std::exception", COMPTOIR_NTS);
        }
        return 1;
    }

    static std::int32_t preprocess(void *user, void *item, comptoir_row *row) {
        return guarded([&] { static_cast<ModelCode *>(user)->preprocess(item, Row(row)); });
    }

    static std::int32_t infer(void *user, const comptoir_batch *batch, comptoir_outputs *outputs) {
        return guarded([&] { static_cast<ModelCode *>(user)->infer(Batch(*batch), Outputs(outputs)); });
    }

    static void release(void *user) { delete static_cast<ModelCode *>(user); }

    comptoir::detail::Handle<comptoir_pipeline, comptoir_pipeline_free> handle_;
};

}  // namespace comptoir::executor

#endif
