/* comptoir: embeddable computation cores for e-commerce back ends. The C ABI.
 *
 * This file is written by bindings/c/tests/header.rs from the Rust source; do not edit it.
 *
 * Every function that may fail gives a comptoir_status; comptoir_last_error() has the code, the message and the place.
 * Results are written through pointers, and only where the status is COMPTOIR_STATUS_OK. Text is UTF-8, given by its
 * first byte and its length, or COMPTOIR_NTS for text that ends with NUL. Configuration is JSON, tables cross by Arrow's
 * C stream interface without a copy.
 *
 * Handles are freed by their *_free function. A handle that is null, freed, freed twice or of another kind gives
 * COMPTOIR_STATUS_UNAVAILABLE with the code HOST_HANDLE. Not detected: a pointer that never was a handle, a handle that is
 * freed while another thread uses it, and one that is used after many thousand others were freed since.
 *
 * Threads: every function says who may call it. "Any thread" means any number of threads at once, also with one handle.
 */

#ifndef COMPTOIR_H
#define COMPTOIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Given as the length of text that ends with NUL. */
#define COMPTOIR_NTS ((size_t)-1)

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif


// The version of the ABI: it grows when a function or structure changes in a way that programs notice.
#define COMPTOIR_ABI_VERSION 1



// How a call ended: the family of the error. Which error it was says `comptoir_last_error`.
enum comptoir_status {
    // It did what was asked.
    COMPTOIR_STATUS_OK = 0,
    // Columns are missing or have the wrong type, or an Arrow structure is not usable.
    COMPTOIR_STATUS_SCHEMA = 1,
    // A value is wrong.
    COMPTOIR_STATUS_DATA = 2,
    // A policy, expression, template, setting or argument is wrong.
    COMPTOIR_STATUS_CONFIG = 3,
    // The input is larger than what is supported, or a budget is spent.
    COMPTOIR_STATUS_LIMIT = 4,
    // A file or directory cannot be written or read, or its content is not what was written.
    COMPTOIR_STATUS_STORAGE = 5,
    // More work is waiting than is taken; try again later.
    COMPTOIR_STATUS_OVERLOADED = 6,
    // A deadline has passed.
    COMPTOIR_STATUS_TIMEOUT = 7,
    // The caller gave the work up.
    COMPTOIR_STATUS_CANCELLED = 8,
    // Something needed is not there or not there any more: a closed pipeline, a freed handle, a missing run time.
    COMPTOIR_STATUS_UNAVAILABLE = 9,
    // A defect of the library itself.
    COMPTOIR_STATUS_INTERNAL = 10,
};

// What a value is. The numbers are stable.
enum comptoir_value_kind {
    // Nothing is there: `has` is false, and a read is an error. A value of zeros is this.
    COMPTOIR_VALUE_KIND_ABSENT = 0,
    // `null`
    COMPTOIR_VALUE_KIND_NULL = 1,
    // `as.boolean`
    COMPTOIR_VALUE_KIND_BOOL = 2,
    // `as.integer`
    COMPTOIR_VALUE_KIND_INT = 3,
    // `as.unsigned_integer`
    COMPTOIR_VALUE_KIND_UINT = 4,
    // `as.number`
    COMPTOIR_VALUE_KIND_DOUBLE = 5,
    // `as.text`, in UTF-8.
    COMPTOIR_VALUE_KIND_STRING = 6,
    // `as.text`, any bytes.
    COMPTOIR_VALUE_KIND_BYTES = 7,
    // `as.decimal`, an exact number.
    COMPTOIR_VALUE_KIND_DECIMAL = 8,
    // `as.timestamp`
    COMPTOIR_VALUE_KIND_TIMESTAMP = 9,
    // `as.duration`
    COMPTOIR_VALUE_KIND_DURATION = 10,
    // `as.text`: JSON. As a result: a list, a map or another value without a form of its own. As an input: any value.
    COMPTOIR_VALUE_KIND_JSON = 11,
};

// Types of elements. The numbers are stable.
enum comptoir_dtype {
    // 8-bit unsigned.
    COMPTOIR_DTYPE_U8 = 1,
    // 32-bit signed.
    COMPTOIR_DTYPE_I32 = 2,
    // 64-bit signed.
    COMPTOIR_DTYPE_I64 = 3,
    // IEEE half precision.
    COMPTOIR_DTYPE_F16 = 4,
    // IEEE single precision.
    COMPTOIR_DTYPE_F32 = 5,
    // IEEE double precision.
    COMPTOIR_DTYPE_F64 = 6,
};

// A finished board. Any number of threads may read it at once.
struct comptoir_board;

// Collects the rows of a board. Any number of threads may push at once; they take turns.
struct comptoir_board_builder;

// Reads the boards of a directory. Any number of threads may use it at once; reading takes no lock.
struct comptoir_board_reader;

// A decision, which `comptoir_rule_set_decide` fills. One thread at a time; a thread keeps one and uses it for each
// event. What is read from it stays until it is filled again or freed.
struct comptoir_decision;

// A live leaderboard of members by name. Any number of threads may use it at once; they take turns.
struct comptoir_leaderboard;

// A place for the rule set that counts now. Any number of threads may read and replace it at once.
struct comptoir_live_rule_set;

// Where `infer` puts its predictions; lent for the call.
struct comptoir_outputs;

// A page, which `comptoir_board_reader_page` fills. One thread at a time; a thread keeps one and uses it for each
// request. What is read from it stays until it is filled again or freed, whatever is published meanwhile.
struct comptoir_page;

// A pipeline. Any number of threads may use it at once.
struct comptoir_pipeline;

// The prediction for one request: a row of each output of the model. Any number of threads may read it at once.
struct comptoir_prediction;

// A compiled expression. Any number of threads may evaluate it at once.
struct comptoir_program;

// Publishes boards in a directory. Any number of threads may use it at once; they take turns.
struct comptoir_publisher;

// The row of the forming batch that `preprocess` writes; lent for the call.
struct comptoir_row;

// A compiled rule set, which never changes. Any number of threads may decide with it at once.
struct comptoir_rule_set;

// The right to give a request up.
struct comptoir_ticket;

// A valued history. Any number of threads may read it at once.
struct comptoir_valuation;

// Text or bytes that the caller owns; `comptoir_text_free` frees it.
struct comptoir_text {
    // Its first byte; a NUL follows the last one.
    char *data;
    // Bytes, without that NUL.
    size_t length;
};

// What became of the rows of a history: accepted and rejected make the input.
struct comptoir_costing_counts {
    // Rows of the input.
    uint64_t input;
    // Rows in the books.
    uint64_t accepted;
    // Rows that are not; `{"table": "rejected"}` has each with its code.
    uint64_t rejected;
    // Those of the rejected that came before.
    uint64_t duplicates;
    // Rows that correct others.
    uint64_t corrections;
};

// Text that the caller lends: UTF-8 without NUL at its end, or with one and `COMPTOIR_NTS` as its length. No text is null
// with length 0.
struct comptoir_string {
    // Its first byte.
    const char *data;
    // Bytes.
    size_t length;
};

// An integer of 128 bits in two's complement, as two words.
struct comptoir_decimal128 {
    // The low 64 bits.
    uint64_t low;
    // The high 64 bits, with the sign.
    int64_t high;
};

// A moment since 1970-01-01T00:00:00Z.
struct comptoir_moment {
    // Seconds, negative before 1970.
    int64_t seconds;
    // Nanoseconds in that second, below 10^9.
    uint32_t nanos;
};

// The members of a value.
union comptoir_value_as {
    // A truth value: 0 is false.
    uint8_t boolean;
    // A signed integer.
    int64_t integer;
    // An unsigned integer.
    uint64_t unsigned_integer;
    // A floating-point number.
    double number;
    // Text, bytes or JSON.
    struct comptoir_string text;
    // Units of an exact decimal: the number times ten to the power of `scale`.
    struct comptoir_decimal128 decimal;
    // A moment.
    struct comptoir_moment timestamp;
    // A span of time, in nanoseconds.
    int64_t duration;
};

// A value: `kind` says which member of `as` it is in.
struct comptoir_value {
    // One of `comptoir_value_kind`.
    uint32_t kind;
    // Decimal places of a decimal, from 0 to 18; else 0.
    uint32_t scale;
    // The value.
    union comptoir_value_as as;
};

// An output of a rule that fired.
struct comptoir_output {
    // Its name, in `name_length` bytes without NUL at the end.
    const char *name;
    // Bytes of the name.
    size_t name_length;
    // The place of its rule among the fired ones.
    size_t rule;
    // Its value.
    struct comptoir_value value;
};

// A rule without a truth, or an output without a value. It stopped no other rule.
struct comptoir_rule_fault {
    // The id of the rule.
    const char *rule;
    // The stable code.
    const char *code;
    // What happened.
    const char *message;
};

// The last error of a thread. Text is UTF-8 and ends with NUL; what is not known is empty, 0 or, for the row, -1.
struct comptoir_error {
    // The family of the error; `COMPTOIR_STATUS_OK` if no call on this thread has failed yet.
    enum comptoir_status status;
    // The stable code, such as `COSTING_NEGATIVE_STOCK`; the same in every host.
    const char *code;
    // What happened.
    const char *message;
    // The field of the configuration, such as `rules[3].when`, or the column of the table.
    const char *path;
    // The message with the line of an expression and a caret under the place.
    const char *rendered;
    // Line in the expression or text, from 1.
    size_t line;
    // Character in the line, from 1.
    size_t column;
    // Row of the table, from 0.
    int64_t row;
};

// A tensor, or the description of one. Who lends it says for how long.
struct comptoir_tensor {
    // Name of the model's input or output; null or empty where the model has one input.
    const char *name;
    // One of `comptoir_dtype`.
    uint32_t dtype;
    // Sides of the tensor.
    const size_t *shape;
    // How many sides.
    size_t rank;
    // The elements, row by row; null in a description.
    void *data;
    // Bytes of the elements.
    size_t bytes;
};

// A batch that a model is to run; lent for the call.
struct comptoir_batch {
    // Rows; the first side of each tensor.
    size_t rows;
    // The inputs of the model, in the order of its shapes.
    const struct comptoir_tensor *inputs;
    // How many.
    size_t input_count;
};

// The host's code around and in a model; null for what it does not have. Callbacks are called on threads of the pipeline,
// several at once, and must not free the pipeline. They return 0, or another number for a failure, whose message
// `comptoir_callback_failed` sets.
struct comptoir_model_code {
    // Given to each callback.
    void *user;
    // Turns an item of `comptoir_pipeline_submit_item` into a row. Its failure is one of that request.
    int32_t (*preprocess)(void *user, void *item, struct comptoir_row *row);
    // Runs a batch. Where it fails, the rows are run again in halves, so that one bad row fails alone.
    int32_t (*infer)(void *user, const struct comptoir_batch *batch, struct comptoir_outputs *outputs);
    // Called once, when nothing calls the others any more; also where the pipeline could not be started or the
    // version could not take over.
    void (*release)(void *user);
};

// Who is told of the outcome of a request, once, on a thread of the pipeline; it must be quick. With
// `COMPTOIR_STATUS_OK` there is a prediction, which the callee frees; else there is none, and `comptoir_last_error` on
// that thread has the rest.
typedef void (*comptoir_done)(void *context,
                              enum comptoir_status status,
                              struct comptoir_prediction *prediction);

// An input of a program or rule set. The texts live as long as its handle.
struct comptoir_slot {
    // Its name, with dots for fields: `user.age`.
    const char *name;
    // Its type: `int`, `list(string)`.
    const char *type_;
};

// What page of which board.
struct comptoir_page_request {
    // Name of the board.
    struct comptoir_string board;
    // Values of its group as texts; null for a board without groups.
    const struct comptoir_string *group;
    // How many.
    size_t group_length;
    // Places to skip.
    size_t offset;
    // The cursor of another page in place of an offset; empty for none. The page is then of the version of that one.
    struct comptoir_string cursor;
    // Places at most.
    size_t limit;
};

// A place on a board.
struct comptoir_entry {
    // From 1.
    uint64_t position;
    // Its score.
    double score;
    // The item where the boards have text; null where they have numbers.
    struct comptoir_string item;
    // The item where the boards have numbers.
    int64_t number;
};

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The version of the ABI that the library has; compare it with `COMPTOIR_ABI_VERSION` of the header. Any thread.
uint32_t comptoir_abi_version(void);

// The version of the library, such as `0.1.0`. It is never freed. Any thread.
const char *comptoir_version(void);

// What is left of a program where a part of the event is not known yet, as JSON: `{"value": false}` where the unknown
// parts do not matter, else `{"expression": "score > 0.5"}`. `event` is what is known, a JSON object; `unknown` a JSON
// list of patterns of what is not: `["user.score", "items[*].price"]`. A program that is an error whatever the unknown
// parts are gives that error. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `event` has `event_length` bytes or ends with NUL; `unknown` has
// `unknown_length` bytes of UTF-8 or ends with NUL; `result` may be written.
enum comptoir_status comptoir_program_partial_json(const struct comptoir_program *program,
                                                   const char *event,
                                                   size_t event_length,
                                                   const char *unknown,
                                                   size_t unknown_length,
                                                   struct comptoir_text *result);

// Bounds on the cost of an evaluation in the units of the budget, as JSON: `[2, 120]`, with null where there is no upper
// one. `sizes` is a JSON object of the sizes of inputs by path, exact or as least and greatest: `{"tags": [0, 20],
// "tags[]": 10}`, where `tags[]` is each element of `tags`; it may be empty. A size is bytes of text, elements of a list,
// entries of a map. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `sizes` has `length` bytes of UTF-8 or ends with NUL; `result` may be
// written.
enum comptoir_status comptoir_program_cost(const struct comptoir_program *program,
                                           const char *sizes,
                                           size_t length,
                                           struct comptoir_text *result);

// Makes a stream of one struct array, which is a table of one batch. The array is moved out of the caller's memory,
// whatever else goes wrong; the schema is only read. No buffer is copied. Any thread.
//
// The caller promises:
// Each pointer is null, misaligned, or points to a structure as Arrow's C data interface says; `result` may be written.
enum comptoir_status comptoir_stream_of_array(const struct ArrowSchema *schema,
                                              struct ArrowArray *array,
                                              struct ArrowArrayStream *result);

// Opens a file in Arrow's IPC format, with or without a footer (`.arrow`, `.arrows`, Feather 2), as a stream. It is read
// whole. Any thread.
//
// The caller promises:
// `path` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
enum comptoir_status comptoir_stream_read_file(const char *path,
                                               size_t length,
                                               struct ArrowArrayStream *result);

// Reads bytes in Arrow's IPC format as a stream. Any thread.
//
// The caller promises:
// `data` has `length` bytes; `result` may be written.
enum comptoir_status comptoir_stream_read_bytes(const char *data,
                                                size_t length,
                                                struct ArrowArrayStream *result);

// Writes the table of a stream as bytes of Arrow's IPC stream format: the same bytes in every host. The stream is moved
// out of the caller's memory, whatever else goes wrong. Any thread.
//
// The caller promises:
// `table` is null, misaligned, or a stream as Arrow's C stream interface says; `result` may be written.
enum comptoir_status comptoir_stream_write_bytes(struct ArrowArrayStream *table,
                                                 struct comptoir_text *result);

// Frees a board builder; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_board_builder_free(struct comptoir_board_builder *handle);

// Frees a board; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_board_free(struct comptoir_board *handle);

// Makes a collector. `spec` is JSON or YAML, JSON beginning with `{`; `context` is JSON, such as `{"now":
// "2024-11-11T00:00:00Z"}`, or empty. Any thread.
//
// The caller promises:
// The texts have their lengths in bytes of UTF-8 or end with NUL; `result` may be written.
enum comptoir_status comptoir_board_builder_new(const char *spec,
                                                size_t spec_length,
                                                const char *context,
                                                size_t context_length,
                                                struct comptoir_board_builder **result);

// Adds the rows of a stream, a part at a time, on so many threads or, for 0, on all cores; the board does not depend on
// the number. The stream is asked on this thread; its arrays are read, and may be released, on others before this returns.
// The stream is moved out of the caller's memory, whatever else goes wrong; a builder that is finished does not read it. Where it fails after rows were taken the builder refuses all further calls (`RANKING_PUSH_FAILED`). Any thread.
//
// The caller promises:
// `builder` is null or a handle of this library; `rows` is null, misaligned or a stream.
enum comptoir_status comptoir_board_builder_push(const struct comptoir_board_builder *builder,
                                                 struct ArrowArrayStream *rows,
                                                 size_t threads);

// Adds what another collector of the same spec has seen, which is then of no more use. Any thread.
//
// The caller promises:
// Both are null or handles of this library.
enum comptoir_status comptoir_board_builder_merge(const struct comptoir_board_builder *builder,
                                                  const struct comptoir_board_builder *other);

// Makes the board of each group. The collector is then of no more use, but is still to be freed. Any thread.
//
// The caller promises:
// `builder` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_board_builder_finish(const struct comptoir_board_builder *builder,
                                                   struct comptoir_board **result);

// The places of a board, as a stream that the caller releases. Any thread.
//
// The caller promises:
// `board` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_board_table(const struct comptoir_board *board,
                                          struct ArrowArrayStream *result);

// What became of the rows, as JSON. Any thread.
//
// The caller promises:
// `board` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_board_report(const struct comptoir_board *board, struct comptoir_text *result);

// Why an item stands where it does, as JSON, in each group or, where `group` is a JSON list of texts, in that one. Any
// thread.
//
// The caller promises:
// `board` is null or a handle of this library; the texts have their lengths in bytes of UTF-8 or end with NUL; `result`
// may be written.
enum comptoir_status comptoir_board_explain(const struct comptoir_board *board,
                                            const char *item,
                                            size_t item_length,
                                            const char *group,
                                            size_t group_length,
                                            struct comptoir_text *result);

// Says why the callback that runs on this thread is about to fail. The thread of a callback.
//
// The caller promises:
// `message` has `length` bytes of UTF-8 or ends with NUL.
enum comptoir_status comptoir_callback_failed(const char *message, size_t length);

// Frees a valuation; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_valuation_free(struct comptoir_valuation *handle);

// Values the movements of a stream under a policy. The stream is moved out of the caller's memory, whatever else goes
// wrong. Bad rows are no error: they are rejected, each with its code. Any thread.
//
// `policy` is JSON: a policy, such as `{"method": "fifo"}`, or the name of a preset in
// quotes, such as `"sap"`.
//
// The caller promises:
// `policy` has `length` bytes of UTF-8 or ends with NUL; `movements` is null, misaligned, or a stream as Arrow's C stream
// interface says; `result` may be written.
enum comptoir_status comptoir_costing_value(const char *policy,
                                            size_t length,
                                            struct ArrowArrayStream *movements,
                                            struct comptoir_valuation **result);

// Checks a policy and gives it back as JSON with every field. Any thread.
//
// The caller promises:
// `policy` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
enum comptoir_status comptoir_costing_policy(const char *policy, size_t length, struct comptoir_text *result);

// What became of the rows. Any thread.
//
// The caller promises:
// `valuation` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_valuation_counts(const struct comptoir_valuation *valuation,
                                               struct comptoir_costing_counts *result);

// A table of the valuation, as a stream that the caller releases. Any thread.
//
// `request` is JSON with the name of the table and its parameters: `{"table": "postings"}`, `layers`, `balances`,
// `rejected`; `{"table": "ageing", "as_of": "2024-12-31", "buckets": [30, 90]}`; `provision` with `rates` beside, and
// with the table of what is booked in `booked`; `voucher_entries`, `voucher_movements` with `template` and `by`;
// `trial_balance` with `template`; `{"table": "stock_card", "item": "mug"}`; `{"table": "summary", "period": "month"}`;
// `{"table": "turnover", "first": "2024-01-01", "last": "2024-12-31"}`.
//
// `booked` is null for every other table; where it is given it is moved out of the caller's memory.
//
// The caller promises:
// `valuation` is null or a handle of this library; `request` has `length` bytes of UTF-8 or ends with NUL; `booked` is
// null or a stream; `result` may be written.
enum comptoir_status comptoir_valuation_table(const struct comptoir_valuation *valuation,
                                              const char *request,
                                              size_t length,
                                              struct ArrowArrayStream *booked,
                                              struct ArrowArrayStream *result);

// Whether every voucher balances, and the inventory accounts beside the value of the stock, as JSON: `{"balanced": true,
// "accounts_total": "12.30", "stock_value": "12.30"}`. `template` is JSON: a voucher template, or the name of a preset in
// quotes, `"ifrs"` or `"cas"`. Any thread.
//
// The caller promises:
// `valuation` is null or a handle of this library; `template` has `length` bytes of UTF-8 or ends with NUL; `result` may
// be written.
enum comptoir_status comptoir_valuation_control(const struct comptoir_valuation *valuation,
                                                const char *template_,
                                                size_t length,
                                                struct comptoir_text *result);

// Frees a decision; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_decision_free(struct comptoir_decision *handle);

// Makes a decision that is yet to be filled. Any thread.
//
// The caller promises:
// `result` may be written.
enum comptoir_status comptoir_decision_new(struct comptoir_decision **result);

// How many rules fired, how many outputs they have, and how many rules had no truth. Each pointer may be null.
//
// The caller promises:
// `decision` is null or a handle of this library; the others may be written unless they are null.
enum comptoir_status comptoir_decision_counts(const struct comptoir_decision *decision,
                                              size_t *fired,
                                              size_t *outputs,
                                              size_t *faults);

// The id of a rule that fired, by its place from 0, in `length` bytes without NUL at the end.
//
// The caller promises:
// `decision` is null or a handle of this library; `id` and `length` may be written.
enum comptoir_status comptoir_decision_fired(const struct comptoir_decision *decision,
                                             size_t place,
                                             const char **id,
                                             size_t *length);

// An output, by its place from 0.
//
// The caller promises:
// `decision` is null or a handle of this library; `output` may be written.
enum comptoir_status comptoir_decision_output(const struct comptoir_decision *decision,
                                              size_t place,
                                              struct comptoir_output *output);

// The first value of an output with a name; absent where no rule that fired gives it.
//
// The caller promises:
// `decision` is null or a handle of this library; `name` has `length` bytes of UTF-8 or ends with NUL; `value` may be
// written.
enum comptoir_status comptoir_decision_value(const struct comptoir_decision *decision,
                                             const char *name,
                                             size_t length,
                                             struct comptoir_value *value);

// A rule without a truth, by its place from 0.
//
// The caller promises:
// `decision` is null or a handle of this library; `fault` may be written.
enum comptoir_status comptoir_decision_fault(const struct comptoir_decision *decision,
                                             size_t place,
                                             struct comptoir_rule_fault *fault);

// The error of the last call on this thread that failed; calls that succeed leave it. Its texts stay until the next call
// on this thread that fails, or the end of the thread. Any thread.
struct comptoir_error comptoir_last_error(void);

// Frees a leaderboard; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_leaderboard_free(struct comptoir_leaderboard *handle);

// Makes a leaderboard without members. Any thread.
//
// The caller promises:
// `result` may be written.
enum comptoir_status comptoir_leaderboard_new(struct comptoir_leaderboard **result);

// Gives a member a score; a new one is added. `before`, which may be null, gets the score that it had, NaN for a new one.
// Any thread.
//
// The caller promises:
// `leaderboard` is null or a handle of this library; `member` has `length` bytes of UTF-8 or ends with NUL; `before` may
// be written unless it is null.
enum comptoir_status comptoir_leaderboard_update(const struct comptoir_leaderboard *leaderboard,
                                                 const char *member,
                                                 size_t length,
                                                 double score,
                                                 double *before);

// Takes a member off. `before`, which may be null, gets the score that it had, NaN where it was not there. Any thread.
//
// The caller promises:
// As for `comptoir_leaderboard_update`.
enum comptoir_status comptoir_leaderboard_remove(const struct comptoir_leaderboard *leaderboard,
                                                 const char *member,
                                                 size_t length,
                                                 double *before);

// The rank of a member, from 1, and its score; rank 0 and NaN where it is not there. `score` may be null. Any thread.
//
// The caller promises:
// As for `comptoir_leaderboard_update`; `rank`, and `score` unless it is null, may be written.
enum comptoir_status comptoir_leaderboard_rank_of(const struct comptoir_leaderboard *leaderboard,
                                                  const char *member,
                                                  size_t length,
                                                  size_t *rank,
                                                  double *score);

// Calls `each` for the first `count` members, the highest score first. The name is lent for the call. Any thread.
//
// The caller promises:
// `leaderboard` is null or a handle of this library; `each` may be called with `user`.
enum comptoir_status comptoir_leaderboard_top(const struct comptoir_leaderboard *leaderboard,
                                              size_t count,
                                              void (*each)(void *user,
                                                           const char *member,
                                                           size_t length,
                                                           double score),
                                              void *user);

// How many members there are. Any thread.
//
// The caller promises:
// `leaderboard` is null or a handle of this library; `count` may be written.
enum comptoir_status comptoir_leaderboard_length(const struct comptoir_leaderboard *leaderboard,
                                                 size_t *count);

// Lets a new version of a model take over, while requests go on; none is lost. Any thread; returns when the version is
// loaded and warmed, which it is beside the old one.
//
// `config` is JSON: `{"model": "faces", "version": "2", "share": 0.1, "onnx": {"path": "faces-2.onnx"}}`. Without `model` it
// is the first one, without `share` all of its traffic; below 1 both versions serve, until
// `comptoir_pipeline_set_share`. The version is one of `onnx`, `simulated` or, with neither, the host's own `infer` in
// `code`, which may be null; the stage before the model stays, so that `code` has no `preprocess`. Where the call fails,
// the old version goes on as before.
//
// The caller promises:
// `pipeline` is null or a handle of this library; `config` has `length` bytes of UTF-8 or ends with NUL; `code` is null or
// has callbacks that may be called until they are released.
enum comptoir_status comptoir_pipeline_swap(const struct comptoir_pipeline *pipeline,
                                            const char *config,
                                            size_t length,
                                            const struct comptoir_model_code *code);

// Changes the share of the version that is taking over: 1 makes it the one that serves, 0 takes it back. An empty `model`
// is the first one. Any thread.
//
// The caller promises:
// `pipeline` is null or a handle of this library; `model` has `length` bytes of UTF-8 or ends with NUL.
enum comptoir_status comptoir_pipeline_set_share(const struct comptoir_pipeline *pipeline,
                                                 const char *model,
                                                 size_t length,
                                                 double share);

// Waits until versions that serve no more have finished their last batch, at most for `limit_ms`; `finished`, which may be
// null, says whether they have. Any thread but those of the pipeline.
//
// The caller promises:
// `pipeline` is null or a handle of this library; `finished` may be written unless it is null.
enum comptoir_status comptoir_pipeline_drain(const struct comptoir_pipeline *pipeline,
                                             uint64_t limit_ms,
                                             bool *finished);

// What has happened, as JSON. Any thread.
//
// The caller promises:
// `pipeline` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_pipeline_stats(const struct comptoir_pipeline *pipeline,
                                             struct comptoir_text *result);

// What has happened, in the text format of Prometheus. Any thread.
//
// The caller promises:
// As for `comptoir_pipeline_stats`.
enum comptoir_status comptoir_pipeline_prometheus(const struct comptoir_pipeline *pipeline,
                                                  struct comptoir_text *result);

// The timeline of the latest `trace_events` events, a setting of the pipeline, as JSON in Chrome's Trace Event Format, for
// ui.perfetto.dev or chrome://tracing; without events where that is 0. Any thread.
//
// The caller promises:
// As for `comptoir_pipeline_stats`.
enum comptoir_status comptoir_pipeline_trace(const struct comptoir_pipeline *pipeline,
                                             struct comptoir_text *result);

// Frees a pipeline; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_pipeline_free(struct comptoir_pipeline *handle);

// Frees a ticket; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_ticket_free(struct comptoir_ticket *handle);

// Starts a pipeline. Any thread.
//
// `config` is JSON: `{"pipeline": {...}, "models": [{"spec": {"name": "faces", ...}, "version": "1", "onnx": {"path":
// "faces.onnx"}, "image": {...}}]}`. Each model is one of `onnx`, `simulated` or, with neither, the host's own `infer`;
// `image` turns encoded pictures into rows. `code` is the host's code for the first `count` models, in the same order.
//
// The caller promises:
// `config` has `length` bytes of UTF-8 or ends with NUL; `code` has `count` elements, whose callbacks may be called until
// they are released; `result` may be written.
enum comptoir_status comptoir_pipeline_start(const char *config,
                                             size_t length,
                                             const struct comptoir_model_code *code,
                                             size_t count,
                                             struct comptoir_pipeline **result);

// Takes a request whose inputs are ready; they are copied. `done` is told the outcome, unless the call fails. `options`
// is JSON, `{"model": "faces", "deadline_ms": 50, "priority": 2}`, or empty. `ticket` gets the right to give the request
// up, which the caller frees; it may be null. Never waits for room: `COMPTOIR_STATUS_OVERLOADED` where the queue is full.
// Any thread.
//
// The caller promises:
// `pipeline` is null or a handle of this library; `inputs` has `count` tensors; `options` has `length` bytes of UTF-8 or
// ends with NUL; `done` may be called once with `context` on another thread; `ticket` may be written unless it is null.
enum comptoir_status comptoir_pipeline_submit(const struct comptoir_pipeline *pipeline,
                                              const struct comptoir_tensor *inputs,
                                              size_t count,
                                              const char *options,
                                              size_t length,
                                              comptoir_done done,
                                              void *context,
                                              struct comptoir_ticket **ticket);

// Takes an encoded picture, which is copied, for a model with `image`; else as `comptoir_pipeline_submit`.
//
// The caller promises:
// As for `comptoir_pipeline_submit`; `file` has `file_length` bytes.
enum comptoir_status comptoir_pipeline_submit_file(const struct comptoir_pipeline *pipeline,
                                                   const char *file,
                                                   size_t file_length,
                                                   const char *options,
                                                   size_t length,
                                                   comptoir_done done,
                                                   void *context,
                                                   struct comptoir_ticket **ticket);

// Takes an object of the host, which its `preprocess` turns into a row; else as `comptoir_pipeline_submit`. The object
// must stay until `done` was called and `preprocess`, if it runs then, has returned.
//
// The caller promises:
// As for `comptoir_pipeline_submit`; `item` may be given to the model's `preprocess` on another thread.
enum comptoir_status comptoir_pipeline_submit_item(const struct comptoir_pipeline *pipeline,
                                                   void *item,
                                                   const char *options,
                                                   size_t length,
                                                   comptoir_done done,
                                                   void *context,
                                                   struct comptoir_ticket **ticket);

// Takes a request whose inputs are ready and waits for its outcome; `prediction` is the caller's to free. Any thread but
// those of the pipeline.
//
// The caller promises:
// `pipeline` is null or a handle of this library; `inputs` has `count` tensors; `options` has `length` bytes of UTF-8 or
// ends with NUL; `prediction` may be written.
enum comptoir_status comptoir_pipeline_run(const struct comptoir_pipeline *pipeline,
                                           const struct comptoir_tensor *inputs,
                                           size_t count,
                                           const char *options,
                                           size_t length,
                                           struct comptoir_prediction **prediction);

// As `comptoir_pipeline_run`, for an encoded picture.
//
// The caller promises:
// As for `comptoir_pipeline_run`; `file` has `file_length` bytes.
enum comptoir_status comptoir_pipeline_run_file(const struct comptoir_pipeline *pipeline,
                                                const char *file,
                                                size_t file_length,
                                                const char *options,
                                                size_t length,
                                                struct comptoir_prediction **prediction);

// Gives a request up; `cancelled`, which may be null, says whether its outcome was still open, and then it is
// `COMPTOIR_STATUS_CANCELLED`. Any thread.
//
// The caller promises:
// `ticket` is null or a handle of this library; `cancelled` may be written unless it is null.
enum comptoir_status comptoir_ticket_cancel(const struct comptoir_ticket *ticket, bool *cancelled);

// Takes no more requests, waits for those inside for up to `grace_ms`, ends the rest, and stops; `finished`, which may be
// null, says whether all could finish. The handle is still to be freed. Any thread but those of the pipeline.
//
// The caller promises:
// `pipeline` is null or a handle of this library; `finished` may be written unless it is null.
enum comptoir_status comptoir_pipeline_close(const struct comptoir_pipeline *pipeline,
                                             uint64_t grace_ms,
                                             bool *finished);

// Frees a prediction; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_prediction_free(struct comptoir_prediction *handle);

// How many outputs there are. Any thread.
//
// The caller promises:
// `prediction` is null or a handle of this library; `count` may be written.
enum comptoir_status comptoir_prediction_output_count(const struct comptoir_prediction *prediction,
                                                      size_t *count);

// The row of an output, by its place from 0. What it points to is only read, and stays until the prediction is freed. Any
// thread.
//
// The caller promises:
// `prediction` is null or a handle of this library; `output` may be written.
enum comptoir_status comptoir_prediction_output(const struct comptoir_prediction *prediction,
                                                size_t place,
                                                struct comptoir_tensor *output);

// Frees a program; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_program_free(struct comptoir_program *handle);

// Compiles an expression. Any thread.
//
// `environment` is JSON: `{"variables": {"amount": "decimal", "user": "User"}, "types": {"User": {"age": "int"}},
// "container": "", "budget": 100000}`; each field may be left out. An expression that is wrong gives
// `COMPTOIR_STATUS_CONFIG`, and the last error has line, column and a rendered message.
//
// The caller promises:
// The texts have their lengths in bytes of UTF-8 or end with NUL; `result` may be written.
enum comptoir_status comptoir_program_compile(const char *environment,
                                              size_t environment_length,
                                              const char *source,
                                              size_t source_length,
                                              struct comptoir_program **result);

// How many inputs a program has. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `count` may be written.
enum comptoir_status comptoir_program_slot_count(const struct comptoir_program *program, size_t *count);

// The layout of a program's inputs: a number that another program or rule set has too only if the same names and types are
// in the same places. Values that were put in places of one layout mean something else in another, which nobody would notice.
// It differs from version to version of the library. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `layout` may be written.
enum comptoir_status comptoir_program_layout(const struct comptoir_program *program,
                                             uint64_t *layout);

// An input of a program, by its place from 0. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `slot` may be written.
enum comptoir_status comptoir_program_slot(const struct comptoir_program *program,
                                           size_t place,
                                           struct comptoir_slot *slot);

// The truth of a program of type bool for the values of its inputs, in the order of its slots: the fastest way. Values
// that are missing at the end are absent. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `slots` has `count` values; `truth` may be written.
enum comptoir_status comptoir_program_test(const struct comptoir_program *program,
                                           const struct comptoir_value *slots,
                                           size_t count,
                                           bool *truth);

// The value of a program for the values of its inputs, in the order of its slots. Text of the result stays until the next
// evaluation on this thread. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `slots` has `count` values; `result` may be written.
enum comptoir_status comptoir_program_eval(const struct comptoir_program *program,
                                           const struct comptoir_value *slots,
                                           size_t count,
                                           struct comptoir_value *result);

// The value of a program for an event in JSON, as JSON. Any thread.
//
// The caller promises:
// `program` is null or a handle of this library; `event` has `length` bytes or ends with NUL; `result` may be written.
enum comptoir_status comptoir_program_eval_json(const struct comptoir_program *program,
                                                const char *event,
                                                size_t length,
                                                struct comptoir_text *result);

// The truth of a program of type bool for an event in JSON. Any thread.
//
// The caller promises:
// As for `comptoir_program_eval_json`.
enum comptoir_status comptoir_program_test_json(const struct comptoir_program *program,
                                                const char *event,
                                                size_t length,
                                                bool *truth);

// The value of a program for each row of a stream, as column `value`, null where there is none. Any thread.
//
// `shared` is a JSON object of variables without a column. `faults` gets the first rows without a value with `row`, `code`
// and `message`; `fault_count` how many there are in all. Either may be null. The stream is moved out of the caller's
// memory, whatever else goes wrong.
//
// The caller promises:
// `program` is null or a handle of this library; `table` is null, misaligned or a stream; `shared` has `length` bytes of
// UTF-8 or ends with NUL; `values`, and `faults` and `fault_count` unless they are null, may be written.
enum comptoir_status comptoir_program_eval_stream(const struct comptoir_program *program,
                                                  struct ArrowArrayStream *table,
                                                  const char *shared,
                                                  size_t length,
                                                  struct ArrowArrayStream *values,
                                                  struct ArrowArrayStream *faults,
                                                  size_t *fault_count);

// The numbers of the rows of a stream for which a program is true, as column `row`. Any thread.
//
// The caller promises:
// As for `comptoir_program_eval_stream`, with `rows` in the place of `values`.
enum comptoir_status comptoir_program_select_stream(const struct comptoir_program *program,
                                                    struct ArrowArrayStream *table,
                                                    const char *shared,
                                                    size_t length,
                                                    struct ArrowArrayStream *rows,
                                                    struct ArrowArrayStream *faults,
                                                    size_t *fault_count);

// Frees a publisher; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_publisher_free(struct comptoir_publisher *handle);

// Opens a directory for publishing, which is made if it is not there; `keep` of the newest versions stay. One publisher
// has a directory at a time, until it is freed. Any thread.
//
// The caller promises:
// `directory` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
enum comptoir_status comptoir_publisher_open(const char *directory,
                                             size_t length,
                                             size_t keep,
                                             struct comptoir_publisher **result);

// Writes the next version of finished boards, each under the id of its spec, and makes it the current one. When it
// returns, the version has reached the disk; where it fails, the current version is what it was. Any thread.
//
// `watermark` is the moment up to which the input is complete, in microseconds since 1970, 0 where it is not known.
//
// The caller promises:
// `publisher` is null or a handle of this library; `boards` has `count` handles; `version` may be written.
enum comptoir_status comptoir_publisher_publish(const struct comptoir_publisher *publisher,
                                                const struct comptoir_board *const *boards,
                                                size_t count,
                                                int64_t watermark,
                                                uint64_t *version);

// Writes the next version from a table whose rows are places, and makes it the current one. `columns` is JSON: `{"board":
// "top", "group": ["country"], "item": "sku", "score": "units"}`, and `position` where the table has one; without, items
// stand by score, the highest first, then by item. The stream is moved out of the caller's memory, whatever else goes
// wrong. Any thread.
//
// The caller promises:
// `publisher` is null or a handle of this library; `table` is null, misaligned or a stream; `columns` has `length` bytes
// of UTF-8 or ends with NUL; `version` may be written.
enum comptoir_status comptoir_publisher_publish_stream(const struct comptoir_publisher *publisher,
                                                       struct ArrowArrayStream *table,
                                                       const char *columns,
                                                       size_t length,
                                                       int64_t watermark,
                                                       uint64_t *version);

// Makes an earlier version the current one, after verifying it. Any thread.
//
// The caller promises:
// `publisher` is null or a handle of this library.
enum comptoir_status comptoir_publisher_rollback(const struct comptoir_publisher *publisher,
                                                 uint64_t version);

// The versions that are there, ascending: as many as fit into `capacity` places, and in `count` how many there are. Any
// thread.
//
// The caller promises:
// `publisher` is null or a handle of this library; `versions` has `capacity` places; `count` may be written.
enum comptoir_status comptoir_publisher_versions(const struct comptoir_publisher *publisher,
                                                 uint64_t *versions,
                                                 size_t capacity,
                                                 size_t *count);

// Frees a board reader; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_board_reader_free(struct comptoir_board_reader *handle);

// Frees a page; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_page_free(struct comptoir_page *handle);

// Opens a directory and verifies its current version. Any thread.
//
// The caller promises:
// `directory` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
enum comptoir_status comptoir_board_reader_open(const char *directory,
                                                size_t length,
                                                struct comptoir_board_reader **result);

// Makes a page that is yet to be filled. Any thread.
//
// The caller promises:
// `result` may be written.
enum comptoir_status comptoir_page_new(struct comptoir_page **result);

// Fills a page; `found` says whether there is such a board. Any thread, each with a page of its own.
//
// The caller promises:
// `reader` and `page` are null or handles of this library; the texts of `request` are readable; `found` may be written.
enum comptoir_status comptoir_board_reader_page(const struct comptoir_board_reader *reader,
                                                const struct comptoir_page_request *request,
                                                const struct comptoir_page *page,
                                                bool *found);

// The places of a page: an array of `count` that belongs to the page.
//
// The caller promises:
// `page` is null or a handle of this library; `entries` and `count` may be written.
enum comptoir_status comptoir_page_entries(const struct comptoir_page *page,
                                           const struct comptoir_entry **entries,
                                           size_t *count);

// The version that a page shows, and how many places its board has; 0 where it is not filled. Each pointer may be null.
//
// The caller promises:
// `page` is null or a handle of this library; the others may be written unless they are null.
enum comptoir_status comptoir_page_facts(const struct comptoir_page *page,
                                         uint64_t *version,
                                         size_t *total);

// Where the next page begins; empty after the last place.
//
// The caller promises:
// `page` is null or a handle of this library; `cursor` may be written.
enum comptoir_status comptoir_page_next_cursor(const struct comptoir_page *page,
                                               struct comptoir_text *cursor);

// The position of an item on a board, from 1; 0 where the item or the board is not there. `item` is text; where its data
// is null, it is `number`. Any thread.
//
// The caller promises:
// `reader` is null or a handle of this library; the texts are readable; `group` has `group_length` texts; `position` may
// be written.
enum comptoir_status comptoir_board_reader_rank_of(const struct comptoir_board_reader *reader,
                                                   struct comptoir_string board,
                                                   const struct comptoir_string *group,
                                                   size_t group_length,
                                                   struct comptoir_string item,
                                                   int64_t number,
                                                   size_t *position);

// The boards of the current version, as JSON: `[{"board": "top", "group": ["FR"], "places": 20}]`. Any thread.
//
// The caller promises:
// `reader` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_board_reader_boards(const struct comptoir_board_reader *reader,
                                                  struct comptoir_text *result);

// Version, age in seconds, watermark, number of boards and the last failure of following, as JSON. Any thread.
//
// The caller promises:
// As for `comptoir_board_reader_boards`.
enum comptoir_status comptoir_board_reader_status(const struct comptoir_board_reader *reader,
                                                  struct comptoir_text *result);

// Changes to the version that is current now; `changed`, which may be null, says whether it is another one. Where it
// fails, the version so far stays. Any thread.
//
// The caller promises:
// `reader` is null or a handle of this library; `changed` may be written unless it is null.
enum comptoir_status comptoir_board_reader_refresh(const struct comptoir_board_reader *reader,
                                                   bool *changed);

// Changes to new versions by itself, on a thread that looks for them every `interval_ms`; 0 ends it, and so does freeing
// the reader. Any thread.
//
// The caller promises:
// `reader` is null or a handle of this library.
enum comptoir_status comptoir_board_reader_follow(const struct comptoir_board_reader *reader,
                                                  uint64_t interval_ms);

// Frees a rule set; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_rule_set_free(struct comptoir_rule_set *handle);

// Frees a live rule set; null is nothing to free. No thread may use it any more.
//
// The caller promises:
// It is null or a handle of this library.
enum comptoir_status comptoir_live_rule_set_free(struct comptoir_live_rule_set *handle);

// Reads and compiles a rule set from JSON or YAML; JSON begins with `{`. Any thread.
//
// The caller promises:
// `text` has `length` bytes of UTF-8 or ends with NUL; `result` may be written.
enum comptoir_status comptoir_rule_set_read(const char *text,
                                            size_t length,
                                            struct comptoir_rule_set **result);

// Name, version, hash, inputs, outputs and rules of a set, as JSON. Any thread.
//
// The caller promises:
// `set` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_rule_set_describe(const struct comptoir_rule_set *set,
                                                struct comptoir_text *result);

// How many inputs a rule set has. Any thread.
//
// The caller promises:
// `set` is null or a handle of this library; `count` may be written.
enum comptoir_status comptoir_rule_set_slot_count(const struct comptoir_rule_set *set, size_t *count);

// The layout of a rule set's inputs, as `comptoir_program_layout`: ask again after another set took over. Any thread.
//
// The caller promises:
// `set` is null or a handle of this library; `layout` may be written.
enum comptoir_status comptoir_rule_set_layout(const struct comptoir_rule_set *set,
                                              uint64_t *layout);

// An input of a rule set, by its place from 0. Any thread.
//
// The caller promises:
// `set` is null or a handle of this library; `slot` may be written.
enum comptoir_status comptoir_rule_set_slot(const struct comptoir_rule_set *set,
                                            size_t place,
                                            struct comptoir_slot *slot);

// Decides an event by the values of the inputs, in the order of the slots: the fastest way. The decision that was in
// `decision` before is gone. Any thread, each with a decision of its own.
//
// The caller promises:
// `set` and `decision` are null or handles of this library; `slots` has `count` values.
enum comptoir_status comptoir_rule_set_decide(const struct comptoir_rule_set *set,
                                              const struct comptoir_value *slots,
                                              size_t count,
                                              const struct comptoir_decision *decision);

// Decides an event in JSON, as JSON: `version`, `hash`, `fired`, `outputs`, `shadow`, `shadow_outputs`, `faults`. Any
// thread.
//
// The caller promises:
// `set` is null or a handle of this library; `event` has `length` bytes or ends with NUL; `result` may be written.
enum comptoir_status comptoir_rule_set_decide_json(const struct comptoir_rule_set *set,
                                                   const char *event,
                                                   size_t length,
                                                   struct comptoir_text *result);

// What each rule came to for an event in JSON, clause by clause, as JSON. Any thread.
//
// The caller promises:
// As for `comptoir_rule_set_decide_json`.
enum comptoir_status comptoir_rule_set_explain_json(const struct comptoir_rule_set *set,
                                                    const char *event,
                                                    size_t length,
                                                    struct comptoir_text *result);

// Decides each row of a stream: fired rules and outputs by row. Any thread.
//
// `shared` is a JSON object of inputs without a column. `faults` gets the first rules without a truth with `row`, `rule`,
// `code` and `message`; `fault_count` how many there are in all. Either may be null. The stream is moved out of the
// caller's memory, whatever else goes wrong.
//
// The caller promises:
// `set` is null or a handle of this library; `table` is null, misaligned or a stream; `shared` has `length` bytes of UTF-8
// or ends with NUL; `decisions`, and `faults` and `fault_count` unless they are null, may be written.
enum comptoir_status comptoir_rule_set_decide_stream(const struct comptoir_rule_set *set,
                                                     struct ArrowArrayStream *table,
                                                     const char *shared,
                                                     size_t length,
                                                     struct ArrowArrayStream *decisions,
                                                     struct ArrowArrayStream *faults,
                                                     size_t *fault_count);

// The numbers of the rows of a stream for which a rule counts, as column `row`. Any thread.
//
// The caller promises:
// As for `comptoir_rule_set_decide_stream`, with `rows` in the place of `decisions`.
enum comptoir_status comptoir_rule_set_select_stream(const struct comptoir_rule_set *set,
                                                     struct ArrowArrayStream *table,
                                                     const char *shared,
                                                     size_t length,
                                                     struct ArrowArrayStream *rows,
                                                     struct ArrowArrayStream *faults,
                                                     size_t *fault_count);

// Makes a place for a rule set, with a first one. The set's own handle stays the caller's. Any thread.
//
// The caller promises:
// `set` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_live_rule_set_new(const struct comptoir_rule_set *set,
                                                struct comptoir_live_rule_set **result);

// The set that counts now, as a handle that the caller frees; it stays as it is for as long as it is held. Any thread.
//
// The caller promises:
// `live` is null or a handle of this library; `result` may be written.
enum comptoir_status comptoir_live_rule_set_current(const struct comptoir_live_rule_set *live,
                                                    struct comptoir_rule_set **result);

// Puts another set in the place of the one before. Whoever decides at that moment ends with the set that it began with,
// and nobody waits. Any thread.
//
// The caller promises:
// `live` and `set` are null or handles of this library.
enum comptoir_status comptoir_live_rule_set_replace(const struct comptoir_live_rule_set *live,
                                                    const struct comptoir_rule_set *set);

// Decides an event in JSON by the set that counts now. Any thread.
//
// The caller promises:
// As for `comptoir_rule_set_decide_json`, with `live` in the place of `set`.
enum comptoir_status comptoir_live_rule_set_decide_json(const struct comptoir_live_rule_set *live,
                                                        const char *event,
                                                        size_t length,
                                                        struct comptoir_text *result);

// Takes the row of the forming batch for inputs of these types and shapes; `data` gets where the elements of each are to be
// written before `preprocess` returns. Best called just before they are written, since rows behind wait for this one.
// The thread of `preprocess`, once a call.
//
// The caller promises:
// `row` is what `preprocess` was given; `inputs` has `count` descriptions and `data` as many places.
enum comptoir_status comptoir_row_reserve(struct comptoir_row *row,
                                          const struct comptoir_tensor *inputs,
                                          size_t count,
                                          void **data);

// Adds an output of zeros; `data` gets where its elements are to be written before `infer` returns. Its first side is the
// number of rows of the batch. The thread of `infer`.
//
// The caller promises:
// `outputs` is what `infer` was given; `output` is a description; `data` may be written.
enum comptoir_status comptoir_outputs_add(struct comptoir_outputs *outputs,
                                          const struct comptoir_tensor *output,
                                          void **data);

// Frees a text and empties it; an empty one, and null, is nothing to free. Any thread.
//
// The caller promises:
// `text` is null, or was written by this library and not changed since.
enum comptoir_status comptoir_text_free(struct comptoir_text *text);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* COMPTOIR_H */
