/* Executor: versions of a model take over while requests go on; the timeline. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { THREADS = 3, SWAPS = 12 };

static const char CONFIG[] =
    "{\"pipeline\": {\"cpu_threads\": 2, \"trace_events\": 500, \"batch\": {\"max_size\": 4}}, \"models\": "
    "[{\"spec\": {\"name\": \"times\", \"shapes\": [[{\"name\": \"x\", \"dtype\": \"float32\", \"shape\": [1]}]]}, "
    "\"version\": \"1\"}]}";

/* A model that gives its version for each row. */
struct version {
    int number;
    bool fails;
    atomic_int released;
};

static int32_t infer(void *user, const struct comptoir_batch *batch, struct comptoir_outputs *outputs) {
    const struct version *version = user;
    const size_t shape[] = {batch->rows, 1};
    const struct comptoir_tensor described = {"version", COMPTOIR_DTYPE_F32, shape, 2, NULL, 0};
    void *data = NULL;
    if (version->fails) {
        comptoir_callback_failed("it is broken", COMPTOIR_NTS);
        return 1;
    }
    if (comptoir_outputs_add(outputs, &described, &data) != COMPTOIR_STATUS_OK) return 1;
    for (size_t row = 0; row < batch->rows; ++row) ((float *)data)[row] = (float)version->number;
    return 0;
}

static int32_t write_row(void *user, void *item, struct comptoir_row *row) {
    (void)user, (void)item, (void)row;
    return 1;
}

static void release(void *user) {
    ++((struct version *)user)->released;
}

static struct comptoir_pipeline *started(struct version *version) {
    struct comptoir_pipeline *pipeline = NULL;
    struct comptoir_model_code code = {version, NULL, infer, release};
    OK(comptoir_pipeline_start(CONFIG, COMPTOIR_NTS, &code, 1, &pipeline));
    return pipeline;
}

static enum comptoir_status swap(struct comptoir_pipeline *pipeline, struct version *version, double share) {
    struct comptoir_model_code code = {version, NULL, infer, release};
    char config[80];
    snprintf(config, sizeof config, "{\"version\": \"%d\", \"share\": %g}", version->number, share);
    return comptoir_pipeline_swap(pipeline, config, COMPTOIR_NTS, &code);
}

/* The version that answers a request. */
static int answer(struct comptoir_pipeline *pipeline) {
    static const size_t SIDES[] = {1};
    float value = 7;
    struct comptoir_tensor input = {"x", COMPTOIR_DTYPE_F32, SIDES, 1, &value, sizeof value}, output;
    struct comptoir_prediction *prediction = NULL;
    OK(comptoir_pipeline_run(pipeline, &input, 1, NULL, 0, &prediction));
    OK(comptoir_prediction_output(prediction, 0, &output));
    int version = (int)*(const float *)output.data;
    OK(comptoir_prediction_free(prediction));
    return version;
}

static bool stats_have(struct comptoir_pipeline *pipeline, const char *part) {
    struct comptoir_text text;
    OK(comptoir_pipeline_stats(pipeline, &text));
    bool found = strstr(text.data, part) != NULL;
    OK(comptoir_text_free(&text));
    return found;
}

static atomic_bool stopping;
static atomic_int answers;

static void *load(void *pipeline) {
    while (!stopping) {
        int version = answer(pipeline);
        CHECK(version >= 1 && version <= SWAPS + 1);
        ++answers;
    }
    return NULL;
}

/* Waits until so many more requests have an answer, which they have on the versions that serve meanwhile. */
static void wait_for(int more) {
    for (int until = answers + more; answers < until;) usleep(500);
}

/* Each version takes over half of the load, then all of it; every request has an answer. */
static void test_under_load(void) {
    struct version versions[SWAPS + 1] = {{0, false, 0}};
    for (int place = 0; place <= SWAPS; ++place) versions[place].number = place + 1;
    struct comptoir_pipeline *pipeline = started(&versions[0]);
    pthread_t threads[THREADS];
    for (int thread = 0; thread < THREADS; ++thread) {
        CHECK(pthread_create(&threads[thread], NULL, load, pipeline) == 0);
    }
    bool finished = false;
    for (int place = 1; place <= SWAPS; ++place) {
        OK(swap(pipeline, &versions[place], 0.5));
        wait_for(20);
        OK(comptoir_pipeline_set_share(pipeline, "times", COMPTOIR_NTS, 1));
        OK(comptoir_pipeline_drain(pipeline, 20000, &finished));
        CHECK(finished);
    }
    wait_for(20);
    CHECK(answer(pipeline) == SWAPS + 1);
    stopping = true;
    for (int thread = 0; thread < THREADS; ++thread) CHECK(pthread_join(threads[thread], NULL) == 0);
    char counted[40];
    snprintf(counted, sizeof counted, "\"done\":%d,", answers + 1);
    CHECK(stats_have(pipeline, counted));
    OK(comptoir_pipeline_free(pipeline));
    for (int place = 0; place <= SWAPS; ++place) CHECK(versions[place].released == 1);
}

static void test_share(void) {
    struct version first = {1, false, 0}, second = {2, false, 0}, third = {3, false, 0};
    struct comptoir_pipeline *pipeline = started(&first);
    int of_second = 0;
    OK(swap(pipeline, &second, 0.1));
    for (int run = 0; run < 200; ++run) of_second += answer(pipeline) == 2;
    CHECK(of_second >= 19 && of_second <= 21);
    CHECK(stats_have(pipeline, "\"name\":\"2\",\"share\":0.1"));
    /* It is taken back, and no other is taking over. */
    OK(comptoir_pipeline_set_share(pipeline, NULL, 0, 0));
    CHECK(answer(pipeline) == 1 && second.released == 1);
    FAILS(comptoir_pipeline_set_share(pipeline, NULL, 0, 0.5), COMPTOIR_STATUS_CONFIG, "EXECUTOR_CONFIG");
    FAILS(comptoir_pipeline_set_share(pipeline, "time", COMPTOIR_NTS, 0.5), COMPTOIR_STATUS_CONFIG,
          "EXECUTOR_UNKNOWN_MODEL");
    OK(swap(pipeline, &third, 1));
    CHECK(answer(pipeline) == 3);
    /* A model of the library in the place of one of the host. */
    OK(comptoir_pipeline_swap(pipeline, "{\"version\": \"4\", \"simulated\": {\"fixed_ms\": 0, \"per_row_ms\": 0}}",
                              COMPTOIR_NTS, NULL));
    CHECK(answer(pipeline) == 7);
    OK(comptoir_pipeline_drain(pipeline, 1000, NULL));
    OK(comptoir_pipeline_free(pipeline));
    CHECK(first.released == 1 && third.released == 1);
}

/* A version that cannot take over changes nothing. */
static void test_refused(void) {
    struct version first = {1, false, 0}, broken = {2, true, 0}, other = {3, false, 0};
    struct comptoir_pipeline *pipeline = started(&first);
    struct comptoir_model_code stage = {&other, write_row, infer, release};
    FAILS(swap(pipeline, &broken, 1), COMPTOIR_STATUS_DATA, "EXECUTOR_STAGE");
    CHECK(strstr(comptoir_last_error().message, "it is broken") != NULL && broken.released == 1);
    FAILS(swap(pipeline, &other, 0), COMPTOIR_STATUS_CONFIG, "EXECUTOR_CONFIG");
    CHECK(strcmp(comptoir_last_error().path, "share") == 0 && other.released == 1);
    FAILS(comptoir_pipeline_swap(pipeline, "{\"version\": \"3\"}", COMPTOIR_NTS, &stage), COMPTOIR_STATUS_CONFIG,
          "HOST_ARGUMENT");
    CHECK(other.released == 2);
    FAILS(comptoir_pipeline_swap(pipeline, "{}", COMPTOIR_NTS, &stage), COMPTOIR_STATUS_CONFIG, "HOST_JSON");
    CHECK(other.released == 3);
    FAILS(comptoir_pipeline_swap(pipeline, "{\"version\": \"3\"}", COMPTOIR_NTS, NULL), COMPTOIR_STATUS_CONFIG,
          "HOST_ARGUMENT");
    FAILS(comptoir_pipeline_swap(pipeline, "{\"version\": \"3\", \"model\": \"no\", \"simulated\": {}}", COMPTOIR_NTS, NULL),
          COMPTOIR_STATUS_CONFIG, "EXECUTOR_UNKNOWN_MODEL");
    CHECK(comptoir_pipeline_swap(pipeline, "{\"version\": \"3\", \"onnx\": {\"path\": \"/none.onnx\"}}", COMPTOIR_NTS, NULL) !=
          COMPTOIR_STATUS_OK);
    FAILS(swap(NULL, &other, 1), COMPTOIR_STATUS_UNAVAILABLE, "HOST_HANDLE");
    CHECK(other.released == 4);
    CHECK(answer(pipeline) == 1 && stats_have(pipeline, "\"name\":\"1\",\"share\":1.0"));
    OK(comptoir_pipeline_free(pipeline));
    CHECK(first.released == 1);
}

static void test_trace(void) {
    struct version first = {1, false, 0};
    struct comptoir_pipeline *pipeline = started(&first);
    struct comptoir_text text;
    CHECK(answer(pipeline) == 1);
    OK(comptoir_pipeline_trace(pipeline, &text));
    CHECK(text.data[0] == '{' && text.data[text.length - 1] == '}');
    CHECK(strstr(text.data, "\"traceEvents\":[") != NULL && strstr(text.data, "\"ph\":\"X\"") != NULL);
    OK(comptoir_text_free(&text));
    OK(comptoir_pipeline_free(pipeline));
}

void test_versions(void) {
    test_under_load();
    test_share();
    test_refused();
    test_trace();
}
