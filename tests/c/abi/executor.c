/* Executor: models of the library and of the host. */
#include "check.h"

#include <pthread.h>
#include <unistd.h>

static const char SIMULATED[] =
    "{\"models\": [{\"spec\": {\"name\": \"echo\"}, \"simulated\": {\"fixed_ms\": 1, \"per_row_ms\": 0, \"echo\": 2}}]}";
static const char HOST[] = "{\"pipeline\": {\"cpu_threads\": 2}, \"models\": [{\"spec\": {\"name\": \"double\"}}]}";

static const size_t SIDES[] = {2};

static struct comptoir_tensor pair(float *values) {
    struct comptoir_tensor tensor = {"", COMPTOIR_DTYPE_F32, SIDES, 1, values, 2 * sizeof *values};
    return tensor;
}

static void test_simulated(void) {
    struct comptoir_pipeline *pipeline = NULL;
    struct comptoir_prediction *prediction = NULL;
    float values[] = {1.5F, 2.5F};
    struct comptoir_tensor input = pair(values), output;
    size_t count = 0;
    OK(comptoir_pipeline_start(SIMULATED, COMPTOIR_NTS, NULL, 0, &pipeline));
    OK(comptoir_pipeline_run(pipeline, &input, 1, NULL, 0, &prediction));
    OK(comptoir_prediction_output_count(prediction, &count));
    OK(comptoir_prediction_output(prediction, 0, &output));
    CHECK(count == 1 && output.dtype == COMPTOIR_DTYPE_F32 && output.bytes == sizeof values);
    CHECK(memcmp(output.data, values, sizeof values) == 0);
    FAILS(comptoir_prediction_output(prediction, 1, &output), COMPTOIR_STATUS_CONFIG, "HOST_ARGUMENT");
    OK(comptoir_prediction_free(prediction));
    FAILS(comptoir_pipeline_run(pipeline, &input, 1, "{\"model\": \"eco\"}", COMPTOIR_NTS, &prediction),
          COMPTOIR_STATUS_CONFIG, "EXECUTOR_UNKNOWN_MODEL");
    FAILS(comptoir_pipeline_run(pipeline, &input, 1, "{\"deadline_ms\": 0}", COMPTOIR_NTS, &prediction),
          COMPTOIR_STATUS_TIMEOUT, "EXECUTOR_DEADLINE_EXCEEDED");
    input.dtype = 77;
    FAILS(comptoir_pipeline_run(pipeline, &input, 1, NULL, 0, &prediction), COMPTOIR_STATUS_CONFIG, "HOST_ARGUMENT");
    input.dtype = COMPTOIR_DTYPE_F64;
    FAILS(comptoir_pipeline_run(pipeline, &input, 1, NULL, 0, &prediction), COMPTOIR_STATUS_DATA, "EXECUTOR_DTYPE");
    struct comptoir_text text;
    OK(comptoir_pipeline_stats(pipeline, &text));
    CHECK(strstr(text.data, "\"echo\"") != NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_pipeline_prometheus(pipeline, &text));
    CHECK(strstr(text.data, "comptoir_") != NULL);
    OK(comptoir_text_free(&text));
    bool finished = false;
    OK(comptoir_pipeline_close(pipeline, 1000, &finished));
    CHECK(finished);
    input.dtype = COMPTOIR_DTYPE_F32;
    FAILS(comptoir_pipeline_run(pipeline, &input, 1, NULL, 0, &prediction), COMPTOIR_STATUS_UNAVAILABLE,
          "EXECUTOR_CLOSED");
    OK(comptoir_pipeline_free(pipeline));
}

/* What the callbacks of a model and of requests have seen. */
struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int released, done, failed, cancelled;
    float sum;
};

static int32_t write_row(void *user, void *item, struct comptoir_row *row) {
    (void)user;
    const float *pair_of = item;
    if (pair_of[0] < 0) {
        comptoir_callback_failed("a negative item", COMPTOIR_NTS);
        return 1;
    }
    struct comptoir_tensor described = {"", COMPTOIR_DTYPE_F32, SIDES, 1, NULL, 0};
    void *data = NULL;
    if (comptoir_row_reserve(row, &described, 1, &data) != COMPTOIR_STATUS_OK) return 1;
    memcpy(data, pair_of, 2 * sizeof *pair_of);
    return 0;
}

static int32_t infer(void *user, const struct comptoir_batch *batch, struct comptoir_outputs *outputs) {
    (void)user;
    const size_t shape[] = {batch->rows, 2};
    const struct comptoir_tensor described = {"twice", COMPTOIR_DTYPE_F32, shape, 2, NULL, 0};
    void *data = NULL;
    if (comptoir_outputs_add(outputs, &described, &data) != COMPTOIR_STATUS_OK) return 1;
    const float *from = batch->inputs[0].data;
    float *to = data;
    for (size_t place = 0; place < 2 * batch->rows; ++place) to[place] = 2 * from[place];
    return 0;
}

static void release(void *user) {
    ++((struct seen *)user)->released;
}

static void done(void *context, enum comptoir_status status, struct comptoir_prediction *prediction) {
    struct seen *seen = context;
    float sum = 0;
    if (status == COMPTOIR_STATUS_OK) {
        struct comptoir_tensor output;
        OK(comptoir_prediction_output(prediction, 0, &output));
        CHECK(strcmp(output.name, "twice") == 0);
        sum = ((float *)output.data)[0] + ((float *)output.data)[1];
        OK(comptoir_prediction_free(prediction));
    } else {
        CHECK(prediction == NULL && comptoir_last_error().status == status);
        if (status == COMPTOIR_STATUS_DATA) CHECK(strstr(comptoir_last_error().message, "a negative item") != NULL);
    }
    pthread_mutex_lock(&seen->lock);
    seen->done += status == COMPTOIR_STATUS_OK;
    seen->failed += status == COMPTOIR_STATUS_DATA;
    seen->cancelled += status == COMPTOIR_STATUS_CANCELLED;
    seen->sum += sum;
    pthread_cond_signal(&seen->changed);
    pthread_mutex_unlock(&seen->lock);
}

static void test_callbacks(void) {
    struct seen seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, 0};
    struct comptoir_model_code code = {&seen, write_row, infer, release};
    struct comptoir_pipeline *pipeline = NULL;
    FAILS(comptoir_pipeline_start("{\"models\": [{}, {}]}", COMPTOIR_NTS, &code, 1, &pipeline), COMPTOIR_STATUS_CONFIG,
          "HOST_ARGUMENT");
    CHECK(strcmp(comptoir_last_error().path, "models[1]") == 0);
    CHECK(seen.released == 1);
    OK(comptoir_pipeline_start(HOST, COMPTOIR_NTS, &code, 1, &pipeline));
    float items[3][2] = {{1, 2}, {-1, 0}, {3, 4}};
    struct comptoir_ticket *ticket = NULL;
    for (int item = 0; item < 3; ++item) {
        OK(comptoir_pipeline_submit_item(pipeline, items[item], NULL, 0, done, &seen, item == 2 ? &ticket : NULL));
    }
    bool was_open = false;
    OK(comptoir_ticket_cancel(ticket, &was_open));
    OK(comptoir_ticket_free(ticket));
    FAILS(comptoir_pipeline_submit_item(pipeline, items[0], NULL, 0, NULL, &seen, NULL), COMPTOIR_STATUS_CONFIG,
          "HOST_ARGUMENT");
    pthread_mutex_lock(&seen.lock);
    while (seen.done + seen.failed + seen.cancelled < 3) pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
    CHECK(seen.failed == 1 && seen.cancelled == (int)was_open);
    CHECK(seen.sum == (was_open ? 6 : 20));
    OK(comptoir_pipeline_free(pipeline));
    CHECK(seen.released == 2);
}

/* Gives the second input back, or nothing at all where that is negative. */
static int32_t second(void *user, const struct comptoir_batch *batch, struct comptoir_outputs *outputs) {
    (void)user;
    const float *from = batch->inputs[1].data;
    if (from[0] < 0) return 0;
    const size_t shape[] = {batch->rows, 2};
    const struct comptoir_tensor described = {"twice", COMPTOIR_DTYPE_F32, shape, 2, NULL, 0};
    void *data = NULL;
    if (comptoir_outputs_add(outputs, &described, &data) != COMPTOIR_STATUS_OK) return 1;
    memcpy(data, from, batch->inputs[1].bytes);
    return 0;
}

static int32_t write_two(void *user, void *item, struct comptoir_row *row) {
    (void)user;
    const struct comptoir_tensor none = {"", COMPTOIR_DTYPE_F32, SIDES, 1, NULL, 0};
    const struct comptoir_tensor described[] = {none, none};
    void *data[2] = {NULL, NULL};
    if (comptoir_row_reserve(row, described, 2, data) != COMPTOIR_STATUS_OK) return 1;
    for (int input = 0; input < 2; ++input) memcpy(data[input], (float *)item + 2 * input, 2 * sizeof(float));
    return 0;
}

/* Inputs without names are those at their places: none keeps what a request before it left there. */
static void test_places_of_inputs(void) {
    static const char TWO[] =
        "{\"models\": [{\"spec\": {\"name\": \"two\", \"warm_up\": false, \"shapes\": [["
        "{\"name\": \"a\", \"dtype\": \"float32\", \"shape\": [2]},"
        "{\"name\": \"b\", \"dtype\": \"float32\", \"shape\": [2]}]]}}]}";
    struct seen seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0, 0, 0, 0};
    struct comptoir_model_code code = {&seen, write_two, second, release};
    struct comptoir_pipeline *pipeline = NULL;
    struct comptoir_prediction *prediction = NULL;
    struct comptoir_tensor output;
    OK(comptoir_pipeline_start(TWO, COMPTOIR_NTS, &code, 1, &pipeline));
    float values[] = {1, 2, 3, 4};
    struct comptoir_tensor inputs[] = {pair(values), pair(values + 2)};
    OK(comptoir_pipeline_run(pipeline, inputs, 2, NULL, 0, &prediction));
    OK(comptoir_prediction_output(prediction, 0, &output));
    CHECK(memcmp(output.data, values + 2, 2 * sizeof *values) == 0);
    OK(comptoir_prediction_free(prediction));
    OK(comptoir_pipeline_submit_item(pipeline, values, NULL, 0, done, &seen, NULL));
    pthread_mutex_lock(&seen.lock);
    while (seen.done + seen.failed < 1) pthread_cond_wait(&seen.changed, &seen.lock);
    pthread_mutex_unlock(&seen.lock);
    CHECK(seen.done == 1 && seen.sum == 7);
    values[2] = -1;
    FAILS(comptoir_pipeline_run(pipeline, inputs, 2, NULL, 0, &prediction), COMPTOIR_STATUS_DATA, "EXECUTOR_STAGE");
    CHECK(strstr(comptoir_last_error().message, "there is no output for a batch of 1") != NULL);
    OK(comptoir_pipeline_free(pipeline));
    CHECK(seen.released == 1);
}

void test_executor(void) {
    test_simulated();
    test_callbacks();
    test_places_of_inputs();
}
