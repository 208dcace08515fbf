// A driver and a compiler for tests: the parts of libcuda and NVRTC that comptoir-cuda calls, on the CPU.
//
// Work is done as late as the rules of streams allow: when somebody waits for it. So a copy that nobody waited for, a
// missing wait between streams and memory that goes too early show as wrong results or in `fake_faults`. Events are times in
// work done. `fake_fail` makes a later call of a function fail.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INVALID = 1, FULL = 2, CAPTURING = 900 };
enum { MANY = 4096 };

// What the kernel's source needs of CUDA.
struct dim { unsigned x, y; };
static __thread struct dim blockIdx, blockDim, threadIdx;
static float __fmul_rn(float a, float b) { return a * b; }
static float __fsub_rn(float a, float b) { return a - b; }
static float __fdiv_rn(float a, float b) { return a / b; }
static unsigned short half_of(float value) {
    _Float16 half = (_Float16)value;
    unsigned short bits;
    memcpy(&bits, &half, 2);
    return bits;
}
#define ON_HOST
#define __global__ static
#define __device__ static
#define SECOND 1
#define HALF 0
#define element element32
#define rounded rounded32
#define FIRST 0
#define THIRD 2
#define normalised normalised32rgb
#define normalise normalise32rgb
#include KERNEL
#undef FIRST
#undef THIRD
#undef normalised
#undef normalise
#undef element
#undef rounded
#define element element32b
#define rounded rounded32b
#define FIRST 2
#define THIRD 0
#define normalised normalised32bgr
#define normalise normalise32bgr
#include KERNEL
#undef element
#undef rounded
#undef HALF
#undef normalised
#undef normalise
#define HALF 1
#define element element16b
#define rounded rounded16b
#define normalised normalised16bgr
#define normalise normalise16bgr
#include KERNEL
#undef element
#undef rounded
#undef FIRST
#undef THIRD
#undef normalised
#undef normalise
#define element element16
#define rounded rounded16
#define FIRST 0
#define THIRD 2
#define normalised normalised16rgb
#define normalise normalise16rgb
#include KERNEL

typedef struct { uint64_t in, out; unsigned pixels, rows, threads; float numbers[7]; int half, bgr; } launch;
typedef struct stream stream;
typedef struct { stream *on; int at; long tick; } event;
typedef struct {
    enum { COPY, KERNEL_RUN, RECORD, WAIT } kind;
    void *to;
    const void *from;
    void *staged;
    size_t bytes;
    launch kernel;
    event *mark;
    stream *other;
    int at;
} op;
typedef struct { op *ops; int count; } list;
struct stream { list work; int done; int capturing; list recorded; };
typedef struct { char *start; size_t bytes; int pinned; } block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static block blocks[MANY];
static stream *streams[MANY];
static int copies_in, launches, hold_until;
// The device's memory is the host's, and is said to be: 1 as a driver says it, 2 is memory of a device.
static unsigned memory_kind = 1;
static int live_objects, faults, replays, staged, version = 12020, devices = 1;
static long ticks;
static __thread int capturing_here;
static char failing[64];
static int fail_after, fail_code;

int fake_live(void) { return live_objects; }
int fake_faults(void) { return faults; }
int fake_replays(void) { return replays; }
int fake_staged(void) { return staged; }
int fake_copies_in(void) { return copies_in; }
int fake_launches(void) { return launches; }
// Who waits for an event waits until so many kernels have been launched.
void fake_hold(int until) { hold_until = until; }
void fake_set(int new_version, int new_devices) { version = new_version, devices = new_devices; }
void fake_memory(unsigned kind) { memory_kind = kind; }
void fake_fail(const char *function, int after, int code) {
    snprintf(failing, sizeof failing, "%s", function);
    fail_after = after, fail_code = code;
}
static int fails(const char *function) {
    if (strcmp(failing, function) != 0 || fail_after-- > 0) return 0;
    failing[0] = 0;
    return fail_code;
}
#define ENTER                                   \
    pthread_mutex_lock(&lock);                  \
    int code = fails(__func__);                 \
    if (code) return pthread_mutex_unlock(&lock), code
#define LEAVE return pthread_mutex_unlock(&lock), code

static op *add(list *work) {
    work->ops = realloc(work->ops, sizeof(op) * (size_t)(work->count + 1));
    op *added = &work->ops[work->count++];
    memset(added, 0, sizeof *added);
    return added;
}
static op *schedule(stream *on) { return add(on->capturing ? &on->recorded : &on->work); }
static block *find(const void *at) {
    for (int i = 0; i < MANY; i++)
        if (blocks[i].start && (const char *)at >= blocks[i].start && (const char *)at < blocks[i].start + blocks[i].bytes)
            return &blocks[i];
    return NULL;
}
// Whether the bytes lie in one living block.
static int inside(const void *at, size_t bytes) {
    block *found = find(at);
    return found && (const char *)at + bytes <= found->start + found->bytes;
}
static void run_kernel(const launch *k) {
    size_t elements = (size_t)k->rows * 3 * k->pixels;
    if (!inside((void *)k->in, elements) || !inside((void *)k->out, elements * (k->half ? 2 : 4))) {
        faults++;
        return;
    }
    const float *n = k->numbers;
    for (unsigned row = 0; row < k->rows; row++)
        for (unsigned at = 0; at < (k->pixels + k->threads - 1) / k->threads * k->threads; at++) {
            blockDim.x = k->threads, blockIdx.x = at / k->threads, threadIdx.x = at % k->threads, blockIdx.y = row;
#define RUN(name, type) \
    name((const unsigned char *)k->in, (type *)k->out, k->pixels, n[0], n[1], n[2], n[3], n[4], n[5], n[6])
            if (k->half && k->bgr) RUN(normalise16bgr, unsigned short);
            else if (k->half) RUN(normalise16rgb, unsigned short);
            else if (k->bgr) RUN(normalise32bgr, float);
            else RUN(normalise32rgb, float);
        }
}
static void run(stream *on, int until) {
    while (on->done < until) {
        op work = on->work.ops[on->done];
        if (work.kind == WAIT) run(work.other, work.at);
        else if (work.kind == KERNEL_RUN) run_kernel(&work.kernel);
        else if (work.kind == RECORD) work.mark->tick = ++ticks;
        else if (!inside(work.to, work.bytes) || (!work.staged && !inside(work.from, work.bytes))) faults++;
        else memcpy(work.to, work.staged ? work.staged : work.from, work.bytes);
        free(work.staged);
        on->done++, ticks++;
    }
}
// Work that is not done and touches a block that goes.
static void check_gone(const block *gone) {
    for (int i = 0; i < MANY; i++)
        for (int at = streams[i] ? streams[i]->done : 0; streams[i] && at < streams[i]->work.count; at++) {
            const op *work = &streams[i]->work.ops[at];
            const char *touched[4] = {work->to, work->from, (char *)work->kernel.in, (char *)work->kernel.out};
            for (int one = 0; one < 4; one++)
                if (touched[one] >= gone->start && touched[one] < gone->start + gone->bytes) faults++;
        }
}
static int take(char **at, size_t bytes, int pinned) {
    if (capturing_here) return CAPTURING;
    for (int i = 0; i < MANY; i++)
        if (!blocks[i].start) {
            char *start = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
            memset(start, 0xA5, bytes);
            blocks[i] = (block){start, bytes, pinned};
            live_objects++;
            *at = start;
            return 0;
        }
    return FULL;
}
static int give(void *at) {
    block *found = find(at);
    if (!found || found->start != at) return faults++, INVALID;
    check_gone(found);
    memset(found->start, 0x5A, found->bytes);
    free(found->start);
    found->start = NULL;
    live_objects--;
    return 0;
}

int cuDriverGetVersion(int *to) { ENTER; *to = version; LEAVE; }
int cuInit(unsigned flags) { ENTER; (void)flags; code = devices ? 0 : 100; LEAVE; }
int cuGetErrorName(int error, const char **text) { *text = error == FULL ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_FAKE"; return 0; }
int cuGetErrorString(int error, const char **text) { (void)error; *text = "as the test wanted"; return 0; }
int cuDeviceGetCount(int *to) { ENTER; *to = devices; LEAVE; }
int cuDeviceGet(int *to, int number) { ENTER; *to = number; LEAVE; }
int cuDeviceGetName(char *to, int room, int device) { ENTER; snprintf(to, (size_t)room, "fake %d", device); LEAVE; }
int cuDeviceGetAttribute(int *to, int what, int device) { ENTER; (void)device; *to = what == 75 ? 9 : 0; LEAVE; }
int cuDeviceTotalMem_v2(size_t *to, int device) { ENTER; (void)device; *to = 1 << 30; LEAVE; }
int cuDevicePrimaryCtxRetain(void **to, int device) { ENTER; *to = (void *)(intptr_t)(device + 1); live_objects++; LEAVE; }
int cuDevicePrimaryCtxRelease_v2(int device) { ENTER; (void)device; live_objects--; LEAVE; }
static __thread void *current;
int cuCtxGetCurrent(void **to) { *to = current; return 0; }
int cuCtxSetCurrent(void *context) { current = context; return 0; }
int cuCtxSynchronize(void) {
    ENTER;
    for (int i = 0; i < MANY; i++) if (streams[i]) run(streams[i], streams[i]->work.count);
    LEAVE;
}
int cuStreamCreate(stream **to, unsigned flags) {
    ENTER;
    (void)flags;
    *to = calloc(1, sizeof **to);
    for (int i = 0; i < MANY; i++) if (!streams[i]) { streams[i] = *to; break; }
    live_objects++;
    LEAVE;
}
int cuStreamDestroy_v2(stream *on) {
    ENTER;
    run(on, on->work.count);
    for (int i = 0; i < MANY; i++) if (streams[i] == on) streams[i] = NULL;
    live_objects--;
    LEAVE;
}
int cuStreamSynchronize(stream *on) { ENTER; if (on->capturing) code = CAPTURING; else run(on, on->work.count); LEAVE; }
int cuStreamWaitEvent(stream *on, event *mark, unsigned flags) {
    ENTER;
    (void)flags;
    if (mark->on) {
        op *work = schedule(on);
        work->kind = WAIT, work->other = mark->on, work->at = mark->at;
    }
    LEAVE;
}
int cuStreamBeginCapture_v2(stream *on, int mode) { ENTER; (void)mode; on->capturing = capturing_here = 1; on->recorded = (list){0}; LEAVE; }
int cuStreamEndCapture(stream *on, list **graph) {
    // As on a device, the recording is over where its end fails, too.
    on->capturing = capturing_here = 0;
    ENTER;
    *graph = malloc(sizeof **graph);
    **graph = on->recorded;
    live_objects++;
    LEAVE;
}
int cuGraphInstantiateWithFlags(list **exec, list *graph, unsigned long long flags) {
    ENTER;
    (void)flags;
    *exec = malloc(sizeof **exec);
    **exec = (list){malloc(sizeof(op) * (size_t)graph->count + 1), graph->count};
    if (graph->count) memcpy((*exec)->ops, graph->ops, sizeof(op) * (size_t)graph->count);
    live_objects++;
    LEAVE;
}
int cuGraphLaunch(list *exec, stream *on) { ENTER; replays++; for (int i = 0; i < exec->count; i++) *schedule(on) = exec->ops[i]; LEAVE; }
int cuGraphDestroy(list *graph) { ENTER; free(graph->ops), free(graph); live_objects--; LEAVE; }
int cuGraphExecDestroy(list *exec) { ENTER; free(exec->ops), free(exec); live_objects--; LEAVE; }
int cuEventCreate(event **to, unsigned flags) { ENTER; (void)flags; *to = calloc(1, sizeof **to); live_objects++; LEAVE; }
int cuEventDestroy_v2(event *mark) { ENTER; if (mark->on) run(mark->on, mark->at); free(mark); live_objects--; LEAVE; }
int cuEventRecord(event *mark, stream *on) {
    ENTER;
    op *work = schedule(on);
    work->kind = RECORD, work->mark = mark;
    mark->on = on, mark->at = on->work.count;
    LEAVE;
}
int cuEventSynchronize(event *mark) {
    for (int waited = 0; __atomic_load_n(&launches, __ATOMIC_SEQ_CST) < hold_until; waited++) {
        if (waited > 5000) { faults++; break; }
        usleep(1000);
    }
    ENTER; if (mark->on) run(mark->on, mark->at); LEAVE; }
int cuEventElapsedTime(float *to, event *from, event *until) { ENTER; if (!from->tick || !until->tick) code = 600; *to = (float)(until->tick - from->tick); LEAVE; }
int cuMemAlloc_v2(uint64_t *to, size_t bytes) { ENTER; code = take((char **)to, bytes, 0); LEAVE; }
int cuMemFree_v2(uint64_t at) { ENTER; code = give((void *)at); LEAVE; }
int cuMemHostAlloc(void **to, size_t bytes, unsigned flags) { ENTER; (void)flags; code = take((char **)to, bytes, 1); LEAVE; }
int cuMemFreeHost(void *at) { ENTER; code = give(at); LEAVE; }
int cuPointerGetAttribute(void *to, int what, uint64_t at) { ENTER; if (what != 2 || !find((void *)at)) code = INVALID; else *(unsigned *)to = memory_kind; LEAVE; }
static int copy(void *to, const void *from, size_t bytes, stream *on) {
    op *work = schedule(on);
    work->kind = COPY, work->to = to, work->from = from, work->bytes = bytes;
    if (!find(from)) staged++, memcpy(work->staged = malloc(bytes + 1), from, bytes);
    return 0;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, stream *on) { ENTER; copies_in++; code = copy((void *)to, from, bytes, on); LEAVE; }
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, stream *on) { ENTER; code = copy(to, (void *)from, bytes, on); LEAVE; }
int cuModuleLoadData(char **to, const char *image) { ENTER; *to = strdup(image); live_objects++; LEAVE; }
int cuModuleGetFunction(char **to, char *module, const char *name) { ENTER; *to = module; if (strcmp(name, "normalise")) code = 500; LEAVE; }
int cuModuleUnload(char *module) { ENTER; free(module); live_objects--; LEAVE; }
int cuLaunchKernel(char *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, stream *on, void **given, void **extra) {
    ENTER;
    (void)shared, (void)extra;
    op *work = schedule(on);
    launch *k = &work->kernel;
    work->kind = KERNEL_RUN;
    __atomic_add_fetch(&launches, 1, __ATOMIC_SEQ_CST);
    k->in = *(uint64_t *)given[0], k->out = *(uint64_t *)given[1], k->pixels = *(unsigned *)given[2];
    for (int i = 0; i < 7; i++) k->numbers[i] = *(float *)given[3 + i];
    k->rows = gy, k->threads = bx, k->half = strstr(function, "HALF=1") != NULL, k->bgr = strstr(function, "FIRST=2") != NULL;
    if (gz != 1 || by != 1 || bz != 1 || (uint64_t)gx * bx < k->pixels) faults++;
    LEAVE;
}

// The compiler: its machine code is the list of its options.
int nvrtcVersion(int *major, int *minor) { *major = 0, *minor = 1; return 0; }
int nvrtcGetNumSupportedArchs(int *count) { *count = 1; return 0; }
int nvrtcGetSupportedArchs(int *found) { *found = 90; return 0; }
const char *nvrtcGetErrorString(int code) { (void)code; return "refused"; }
int nvrtcCreateProgram(char **to, const char *source, const char *name, int headers, void *a, void *b) {
    (void)source, (void)name, (void)headers, (void)a, (void)b;
    *to = calloc(1, 4096);
    return 0;
}
int nvrtcCompileProgram(char *program, int count, const char *const *options) {
    for (int i = 0; i < count; i++) strcat(strcat(program, options[i]), " ");
    return 0;
}
int nvrtcGetCUBINSize(char *program, size_t *bytes) { *bytes = strlen(program) + 1; return 0; }
int nvrtcGetCUBIN(char *program, char *to) { strcpy(to, program); return 0; }
int nvrtcDestroyProgram(char **program) { free(*program); return 0; }
