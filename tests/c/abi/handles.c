/* Handles, and text across the border. */
#include "check.h"

static const char ENVIRONMENT[] = "{\"variables\": {\"amount\": \"int\"}}";

static struct comptoir_program *compiled(const char *source) {
    struct comptoir_program *program = NULL;
    OK(comptoir_program_compile(ENVIRONMENT, COMPTOIR_NTS, source, COMPTOIR_NTS, &program));
    return program;
}

void test_handles(void) {
    CHECK(comptoir_abi_version() == COMPTOIR_ABI_VERSION);
    CHECK(strlen(comptoir_version()) >= 5);
    CHECK(comptoir_last_error().status == COMPTOIR_STATUS_OK);

    struct comptoir_program *program = compiled("amount > 3");
    size_t count = 0;
    OK(comptoir_program_slot_count(program, &count));
    CHECK(count == 1);
    FAILS(comptoir_program_slot_count(NULL, &count), COMPTOIR_STATUS_UNAVAILABLE, "HOST_HANDLE");
    FAILS(comptoir_program_slot_count((struct comptoir_program *)((char *)program + 8), &count),
          COMPTOIR_STATUS_UNAVAILABLE, "HOST_HANDLE");
    FAILS(comptoir_rule_set_slot_count((struct comptoir_rule_set *)program, &count),
          COMPTOIR_STATUS_UNAVAILABLE, "HOST_HANDLE");
    FAILS(comptoir_rule_set_free((struct comptoir_rule_set *)program), COMPTOIR_STATUS_UNAVAILABLE, "HOST_HANDLE");
    FAILS(comptoir_program_slot_count(program, NULL), COMPTOIR_STATUS_CONFIG, "HOST_ARGUMENT");
    FAILS(comptoir_program_slot_count(program, (size_t *)((char *)&count + 1)), COMPTOIR_STATUS_CONFIG,
          "HOST_ARGUMENT");

    OK(comptoir_program_free(program));
    FAILS(comptoir_program_free(program), COMPTOIR_STATUS_UNAVAILABLE, "HOST_HANDLE");
    CHECK(strstr(comptoir_last_error().message, "freed") != NULL);
    FAILS(comptoir_program_slot_count(program, &count), COMPTOIR_STATUS_UNAVAILABLE, "HOST_HANDLE");
    OK(comptoir_program_free(NULL));
}

void test_text(void) {
    struct comptoir_program *program = NULL;
    /* A length instead of NUL, and text after it that is not read. */
    OK(comptoir_program_compile(ENVIRONMENT, strlen(ENVIRONMENT), "amount > 3 and more", 10, &program));
    struct comptoir_text result = {NULL, 0};
    OK(comptoir_program_eval_json(program, "{\"amount\": 4}", COMPTOIR_NTS, &result));
    CHECK(result.length == 4 && strcmp(result.data, "true") == 0);
    OK(comptoir_text_free(&result));
    CHECK(result.data == NULL && result.length == 0);
    OK(comptoir_text_free(&result));
    OK(comptoir_text_free(NULL));
    OK(comptoir_program_free(program));

    FAILS(comptoir_program_compile(ENVIRONMENT, COMPTOIR_NTS, "amount == '\xff'", COMPTOIR_NTS, &program),
          COMPTOIR_STATUS_DATA, "HOST_UTF8");
    FAILS(comptoir_program_compile(ENVIRONMENT, COMPTOIR_NTS, NULL, COMPTOIR_NTS, &program), COMPTOIR_STATUS_CONFIG,
          "HOST_ARGUMENT");
    FAILS(comptoir_program_compile(ENVIRONMENT, COMPTOIR_NTS, NULL, 7, &program), COMPTOIR_STATUS_CONFIG,
          "HOST_ARGUMENT");
    FAILS(comptoir_program_compile("{\"variable\": 1}", COMPTOIR_NTS, "true", COMPTOIR_NTS, &program),
          COMPTOIR_STATUS_CONFIG, "HOST_JSON");
    CHECK(comptoir_last_error().line == 1 && comptoir_last_error().column == 11);
    FAILS(comptoir_program_compile(ENVIRONMENT, COMPTOIR_NTS, "1 +\n  amout", COMPTOIR_NTS, &program),
          COMPTOIR_STATUS_CONFIG, "RULES_UNKNOWN_NAME");
    struct comptoir_error error = comptoir_last_error();
    CHECK(error.line == 2 && error.column == 3 && error.row == -1);
    CHECK(strchr(error.rendered, '^') != NULL && strstr(error.message, "did you mean `amount`?") != NULL);
}
