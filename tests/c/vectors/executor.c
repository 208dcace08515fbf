/* Vectors of the executor. */
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 8, MOST_SIDES = 8 };

/* The inputs of a row, and what they point to. */
struct inputs {
    struct comptoir_tensor tensors[MOST_INPUTS];
    size_t shapes[MOST_INPUTS][MOST_SIDES];
    struct bytes texts[MOST_INPUTS];
    struct bytes data[MOST_INPUTS];
    size_t count;
};

static void read_inputs(const char *directory, struct inputs *inputs) {
    static const char *const names[] = {"", "uint8", "int32", "int64", "float16", "float32", "float64"};
    char name[32];
    for (;; ++inputs->count) {
        size_t place = inputs->count;
        snprintf(name, sizeof name, "tensor.%zu.txt", place);
        if (!has(directory, name)) return;
        struct comptoir_tensor *tensor = &inputs->tensors[place];
        inputs->texts[place] = argument(directory, name);
        snprintf(name, sizeof name, "tensor.%zu.bin", place);
        inputs->data[place] = argument(directory, name);
        char *type = strchr(inputs->texts[place].data, '\t');
        *type++ = 0;
        char *sides = strchr(type, '\t');
        *sides++ = 0;
        tensor->name = inputs->texts[place].data;
        while (strcmp(names[tensor->dtype], type) != 0) ++tensor->dtype;
        tensor->shape = inputs->shapes[place];
        while (*sides != 0) inputs->shapes[place][tensor->rank++] = strtoull(sides, &sides, 10);
        tensor->data = inputs->data[place].data;
        tensor->bytes = inputs->data[place].length;
    }
}

static void run(const char *directory, struct outcome *outcome) {
    struct bytes config = argument(directory, "config"), options = argument(directory, "options");
    struct bytes file = argument(directory, "file.bin"), result = {calloc(1, 1), 0};
    struct comptoir_pipeline *pipeline = NULL;
    struct comptoir_prediction *prediction = NULL;
    struct inputs inputs;
    size_t count = 0;
    memset(&inputs, 0, sizeof inputs);
    read_inputs(directory, &inputs);
    TRY(outcome, comptoir_pipeline_start(config.data, config.length, NULL, 0, &pipeline));
    if (has(directory, "file.bin")) {
        TRY(outcome, comptoir_pipeline_run_file(pipeline, file.data, file.length, options.data, options.length,
                                                &prediction));
    } else {
        TRY(outcome, comptoir_pipeline_run(pipeline, inputs.tensors, inputs.count, options.data, options.length,
                                           &prediction));
    }
    TRY(outcome, comptoir_prediction_output_count(prediction, &count));
    for (size_t place = 0; place < count; ++place) {
        struct comptoir_tensor output;
        TRY(outcome, comptoir_prediction_output(prediction, place, &output));
        result.data = realloc(result.data, result.length + output.bytes + 1);
        memcpy(result.data + result.length, output.data, output.bytes);
        result.length += output.bytes;
    }
    add(outcome, "expected.bin", result);
    result.data = NULL;
end:
    comptoir_prediction_free(prediction);
    comptoir_pipeline_free(pipeline);
    for (size_t place = 0; place < inputs.count; ++place) {
        free(inputs.texts[place].data);
        free(inputs.data[place].data);
    }
    free(config.data);
    free(options.data);
    free(file.data);
    free(result.data);
}

bool executor(const char *call, const char *directory, struct outcome *outcome) {
    if (strcmp(call, "executor.run") != 0) return false;
    run(directory, outcome);
    return true;
}
