package io.comptoir;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Model inference: requests in, batches through a model of the library or of Java, predictions out. Any number of threads may
 * use it at once.
 *
 * <p>Code of Java runs on threads of the pipeline, which are daemon threads of the JVM: {@link Preprocess} and {@link Infer},
 * and what is chained to the futures of {@link #submit} without an executor of its own. It must not wait for long, and cannot
 * close the pipeline, which would wait for that very thread: {@link #close} throws {@link IllegalStateException} there.
 */
public final class Pipeline extends NativeHandle {
    private static final int TENSORS = 0;
    private static final int FILE = 1;
    private static final int OBJECT = 2;
    private static final byte[] NOTHING = {};

    private final ConcurrentHashMap<Long, Object> items;
    private final AtomicLong next = new AtomicLong(1);

    private Pipeline(long address, ConcurrentHashMap<Long, Object> items) {
        super("pipeline", address, Pipeline::free);
        this.items = items;
    }

    /**
     * Starts a pipeline.
     *
     * @param configJson JSON text: {@code {"pipeline": {...}, "models": [{"spec": {...}, "onnx": {...}, "image": {...}}]}}
     * @param code Java's code for each model, in the same order; may be shorter
     * @return the pipeline
     * @throws ComptoirException for settings that cannot be used, with the field, and models that cannot be loaded
     */
    public static Pipeline start(String configJson, ModelCode... code) {
        ConcurrentHashMap<Long, Object> items = new ConcurrentHashMap<>();
        ModelAdapter[] adapters = new ModelAdapter[code.length];
        byte[] flags = new byte[code.length];
        for (int index = 0; index < code.length; index++) {
            adapters[index] = new ModelAdapter(code[index], items);
            flags[index] = adapters[index].flags();
        }
        return new Pipeline(Native.pipelineStart(Parts.bytes(configJson), flags, adapters), items);
    }

    /**
     * Takes a row of tensors.
     *
     * @param tensors the inputs of the row
     * @return the outcome; to cancel it gives the request up
     * @throws OverloadedException if too many requests wait
     * @throws ComptoirException if the request cannot be taken
     */
    public CompletableFuture<Prediction> submit(List<Tensor> tensors) {
        return submit(tensors, "");
    }

    /**
     * Takes a row of tensors.
     *
     * @param tensors the inputs of the row
     * @param optionsJson {@code {"model": "faces", "deadline_ms": 50, "priority": 2}}; each may be left out, or all
     * @return the outcome; to cancel it gives the request up
     * @throws OverloadedException if too many requests wait
     * @throws DeadlineException if the deadline has passed
     * @throws ComptoirException if the request cannot be taken
     */
    public CompletableFuture<Prediction> submit(List<Tensor> tensors, String optionsJson) {
        return submit(TENSORS, pack(tensors), null, optionsJson);
    }

    /**
     * Takes an encoded picture, for models with {@code image}.
     *
     * @param file the file's content
     * @param optionsJson as in {@link #submit(List, String)}
     * @return the outcome; to cancel it gives the request up
     * @throws ComptoirException as in {@link #submit(List, String)}
     */
    public CompletableFuture<Prediction> submitFile(byte[] file, String optionsJson) {
        return submit(FILE, file, null, optionsJson);
    }

    /**
     * Takes an item for a model with a {@link Preprocess}.
     *
     * @param item the item
     * @param optionsJson as in {@link #submit(List, String)}
     * @return the outcome; to cancel it gives the request up
     * @throws ComptoirException as in {@link #submit(List, String)}
     */
    public CompletableFuture<Prediction> submitItem(Object item, String optionsJson) {
        return submit(OBJECT, NOTHING, item, optionsJson);
    }

    /**
     * Takes a row of tensors and waits for its outcome.
     *
     * @param tensors the inputs of the row
     * @param optionsJson as in {@link #submit(List, String)}
     * @return the predictions
     * @throws ComptoirException as in {@link #submit(List, String)}, and what the stages and the model say
     */
    public Prediction run(List<Tensor> tensors, String optionsJson) {
        return run(TENSORS, pack(tensors), optionsJson);
    }

    /**
     * Takes an encoded picture and waits for its outcome.
     *
     * @param file the file's content
     * @param optionsJson as in {@link #submit(List, String)}
     * @return the predictions
     * @throws ComptoirException as in {@link #run(List, String)}
     */
    public Prediction runFile(byte[] file, String optionsJson) {
        return run(FILE, file, optionsJson);
    }

    /**
     * Lets a new version of a model take over, while requests go on; none is lost.
     *
     * @param configJson as in {@link #swap(String, ModelCode)}, with {@code onnx} or {@code simulated}
     * @throws ComptoirException as in {@link #swap(String, ModelCode)}
     */
    public void swap(String configJson) {
        swap(configJson, ModelCode.none());
    }

    /**
     * Lets a new version of a model take over, while requests go on; none is lost. The version is loaded and warmed beside the
     * old one, on this thread. The stage before the model stays.
     *
     * @param configJson JSON text: {@code {"model": "faces", "version": "2", "share": 0.1, "onnx": {...}}}; without
     *     {@code model} the first one, without {@code share} all of its traffic; below 1 both versions serve, until
     *     {@link #setShare}
     * @param code Java's own model, without a {@link Preprocess}, where the text has none of {@code onnx} and
     *     {@code simulated}
     * @throws ComptoirException for settings that cannot be used and versions that cannot be loaded or warmed; the old
     *     version then goes on as before
     */
    public void swap(String configJson, ModelCode code) {
        byte[] config = Parts.bytes(configJson);
        ModelAdapter adapter = new ModelAdapter(code, items);
        long address = acquire();
        try {
            Native.pipelineSwap(address, config, adapter.flags(), adapter);
        } finally {
            release();
        }
    }

    /**
     * Changes the share of the version of the first model that is taking over.
     *
     * @param share as in {@link #setShare(double, String)}
     * @throws ComptoirException as in {@link #setShare(double, String)}
     */
    public void setShare(double share) {
        setShare(share, "");
    }

    /**
     * Changes the share of the version that is taking over.
     *
     * @param share from 0 to 1: 1 makes it the one that serves, 0 takes it back
     * @param model name of the model; empty for the first
     * @throws ComptoirException if no version is taking over, or for another share
     */
    public void setShare(double share, String model) {
        byte[] name = Parts.bytes(model);
        long address = acquire();
        try {
            Native.pipelineSetShare(address, name, share);
        } finally {
            release();
        }
    }

    /**
     * Waits until versions that serve no more have finished their last batch. On a thread of the pipeline it would wait for
     * itself, in vain.
     *
     * @param limit how long it waits
     * @return whether they have
     */
    public boolean drain(Duration limit) {
        long address = acquire();
        try {
            return Native.pipelineDrain(address, limit.toNanos());
        } finally {
            release();
        }
    }

    /**
     * What has happened.
     *
     * @return JSON text
     */
    public String stats() {
        long address = acquire();
        try {
            return Parts.text(Native.pipelineStats(address));
        } finally {
            release();
        }
    }

    /**
     * What has happened, in the text format of Prometheus.
     *
     * @return the text
     */
    public String prometheus() {
        long address = acquire();
        try {
            return Parts.text(Native.pipelinePrometheus(address));
        } finally {
            release();
        }
    }

    /**
     * The timeline of the latest {@code trace_events} events, a setting of the pipeline.
     *
     * @return JSON text in Chrome's Trace Event Format, for Perfetto or {@code chrome://tracing}; without events where that
     *     setting is 0
     */
    public String trace() {
        long address = acquire();
        try {
            return Parts.text(Native.pipelineTrace(address));
        } finally {
            release();
        }
    }

    /**
     * Takes no more requests, waits for those inside, and stops. The pipeline is closed afterwards.
     *
     * @param grace how long it waits; requests that are inside longer fail with {@code EXECUTOR_CLOSED}
     * @return whether all could finish
     * @throws IllegalStateException on a thread of a pipeline, and once it is closed
     */
    public boolean close(Duration grace) {
        refuseInside();
        boolean finished;
        long address = acquire();
        try {
            finished = Native.pipelineClose(address, grace.toNanos());
        } finally {
            release();
        }
        super.close();
        return finished;
    }

    /**
     * Stops without waiting for requests that are inside: they fail with {@code EXECUTOR_CLOSED}. A second time does nothing.
     *
     * @throws IllegalStateException on a thread of a pipeline
     */
    @Override
    public void close() {
        refuseInside();
        if (!isClosed()) {
            try {
                close(Duration.ZERO);
            } catch (IllegalStateException closed) {
                // Another thread was first.
                super.close();
            }
        }
    }

    private static void refuseInside() {
        if (Callbacks.inside()) {
            throw new IllegalStateException(
                "a pipeline cannot be closed on a thread of a pipeline, for which it would wait: close it elsewhere");
        }
    }

    /** The last use may end on a thread of the pipeline, which cannot wait for itself. */
    private static void free(long address) {
        if (Callbacks.inside()) {
            Thread closer = new Thread(() -> Native.pipelineFree(address), "comptoir-close");
            closer.setDaemon(true);
            closer.start();
        } else {
            Native.pipelineFree(address);
        }
    }

    private CompletableFuture<Prediction> submit(int kind, byte[] content, Object item, String optionsJson) {
        byte[] options = Parts.bytes(optionsJson);
        long number = next.getAndIncrement();
        PredictionFuture future = new PredictionFuture(() -> items.remove(number));
        long address = acquire();
        try {
            if (item != null) {
                items.put(number, item);
            }
            future.taken(Native.pipelineSubmit(address, kind, content, number, options, future));
        } catch (RuntimeException error) {
            items.remove(number);
            throw error;
        } finally {
            release();
        }
        return future;
    }

    private Prediction run(int kind, byte[] content, String optionsJson) {
        byte[] options = Parts.bytes(optionsJson);
        long address = acquire();
        try {
            return Prediction.read(Native.pipelineRun(address, kind, content, 0, options));
        } finally {
            release();
        }
    }

    private static byte[] pack(List<Tensor> tensors) {
        Parts.Writer parts = new Parts.Writer();
        tensors.forEach(tensor -> tensor.write(parts));
        return parts.finish();
    }
}
