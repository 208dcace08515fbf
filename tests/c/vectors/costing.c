/* Vectors of costing. */
#include "runner.h"

#include <stdlib.h>
#include <string.h>

/* The history that the policy and the movements of a case make. */
static enum comptoir_status valued(const char *directory, struct comptoir_valuation **valuation) {
    struct bytes policy = argument(directory, "policy");
    struct ArrowArrayStream movements;
    enum comptoir_status status = table(directory, "input.arrows", &movements);
    if (status == COMPTOIR_STATUS_OK) {
        status = comptoir_costing_value(policy.data, policy.length, &movements, valuation);
    }
    free(policy.data);
    return status;
}

static void policy(const char *directory, struct outcome *outcome) {
    struct bytes given = argument(directory, "policy");
    struct comptoir_text text;
    TRY(outcome, comptoir_costing_policy(given.data, given.length, &text));
    add_text(outcome, "expected.json", text);
end:
    free(given.data);
}

static void counts(const char *directory, struct outcome *outcome) {
    struct comptoir_valuation *valuation = NULL;
    struct comptoir_costing_counts counted;
    struct bytes json = {NULL, 0};
    TRY(outcome, valued(directory, &valuation));
    TRY(outcome, comptoir_valuation_counts(valuation, &counted));
    append(&json, "{\"input\":%llu,\"accepted\":%llu,\"rejected\":%llu,\"duplicates\":%llu,\"corrections\":%llu}",
           (unsigned long long)counted.input, (unsigned long long)counted.accepted,
           (unsigned long long)counted.rejected, (unsigned long long)counted.duplicates,
           (unsigned long long)counted.corrections);
    add(outcome, "expected.json", json);
end:
    comptoir_valuation_free(valuation);
}

static void report(const char *directory, struct outcome *outcome) {
    struct bytes request = argument(directory, "request");
    struct comptoir_valuation *valuation = NULL;
    struct ArrowArrayStream booked, result;
    bool is_booked = has(directory, "booked.arrows");
    TRY(outcome, valued(directory, &valuation));
    if (is_booked) TRY(outcome, table(directory, "booked.arrows", &booked));
    TRY(outcome, comptoir_valuation_table(valuation, request.data, request.length, is_booked ? &booked : NULL, &result));
    TRY(outcome, add_table(outcome, "expected.arrows", &result));
end:
    comptoir_valuation_free(valuation);
    free(request.data);
}

static void control(const char *directory, struct outcome *outcome) {
    struct bytes given = argument(directory, "template");
    struct comptoir_valuation *valuation = NULL;
    struct comptoir_text text;
    TRY(outcome, valued(directory, &valuation));
    TRY(outcome, comptoir_valuation_control(valuation, given.data, given.length, &text));
    add_text(outcome, "expected.json", text);
end:
    comptoir_valuation_free(valuation);
    free(given.data);
}

bool costing(const char *call, const char *directory, struct outcome *outcome) {
    if (strcmp(call, "costing.policy") == 0) {
        policy(directory, outcome);
    } else if (strcmp(call, "costing.counts") == 0) {
        counts(directory, outcome);
    } else if (strcmp(call, "costing.table") == 0) {
        report(directory, outcome);
    } else if (strcmp(call, "costing.control") == 0) {
        control(directory, outcome);
    } else {
        return false;
    }
    return true;
}
