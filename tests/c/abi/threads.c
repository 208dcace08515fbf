/* Many threads with one handle. */
#include "check.h"

#include <pthread.h>

enum { THREADS = 8, CALLS = 125000 };

static struct comptoir_program *program;
static struct comptoir_live_rule_set *live;

static void *test_all(void *argument) {
    int64_t first = (int64_t)(size_t)argument;
    int64_t trues = 0;
    struct comptoir_value slot = {COMPTOIR_VALUE_KIND_INT, 0, {0}};
    for (int64_t call = 0; call < CALLS; ++call) {
        bool truth = false;
        slot.as.integer = first + call;
        OK(comptoir_program_test(program, &slot, 1, &truth));
        trues += truth;
    }
    return (void *)(size_t)trues;
}

static void *decide_all(void *argument) {
    (void)argument;
    for (int call = 0; call < CALLS / 25; ++call) {
        struct comptoir_text text;
        OK(comptoir_live_rule_set_decide_json(live, "{}", COMPTOIR_NTS, &text));
        /* Whole, of one version or the other. */
        int is_first = strstr(text.data, "\"version\":\"1\"") != NULL && strstr(text.data, "\"fired\":[\"one\"]") != NULL;
        int is_second = strstr(text.data, "\"version\":\"2\"") != NULL && strstr(text.data, "\"fired\":[\"two\"]") != NULL;
        CHECK(is_first + is_second == 1);
        OK(comptoir_text_free(&text));
    }
    return NULL;
}

/* One handle, eight threads, a million calls. */
static void test_one_handle(void) {
    pthread_t threads[THREADS];
    OK(comptoir_program_compile("{\"variables\": {\"n\": \"int\"}}", COMPTOIR_NTS, "n % 2 == 0", COMPTOIR_NTS, &program));
    for (size_t thread = 0; thread < THREADS; ++thread) {
        CHECK(pthread_create(&threads[thread], NULL, test_all, (void *)thread) == 0);
    }
    for (size_t thread = 0; thread < THREADS; ++thread) {
        void *trues = NULL;
        CHECK(pthread_join(threads[thread], &trues) == 0);
        CHECK((size_t)trues == CALLS / 2);
    }
    OK(comptoir_program_free(program));
}

/* A rule set is replaced again and again while eight threads decide. */
static void test_reload(void) {
    const char *texts[] = {"version: 1\nrules: [{id: one, when: 'true'}]", "version: 2\nrules: [{id: two, when: 'true'}]"};
    struct comptoir_rule_set *sets[2];
    pthread_t threads[THREADS];
    for (int set = 0; set < 2; ++set) OK(comptoir_rule_set_read(texts[set], COMPTOIR_NTS, &sets[set]));
    OK(comptoir_live_rule_set_new(sets[0], &live));
    for (int thread = 0; thread < THREADS; ++thread) {
        CHECK(pthread_create(&threads[thread], NULL, decide_all, NULL) == 0);
    }
    for (int round = 0; round < 2000; ++round) OK(comptoir_live_rule_set_replace(live, sets[round % 2]));
    for (int thread = 0; thread < THREADS; ++thread) CHECK(pthread_join(threads[thread], NULL) == 0);
    OK(comptoir_live_rule_set_free(live));
    for (int set = 0; set < 2; ++set) OK(comptoir_rule_set_free(sets[set]));
}

void test_threads(void) {
    test_one_handle();
    test_reload();
}
