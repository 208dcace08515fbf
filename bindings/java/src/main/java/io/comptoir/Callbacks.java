package io.comptoir;

import java.nio.ByteBuffer;

/** What the native library calls. */
final class Callbacks {
    private static final ThreadLocal<Integer> DEPTH = ThreadLocal.withInitial(() -> 0);

    private Callbacks() {}

    /** Whether this thread is one of a pipeline that runs code of Java. */
    static boolean inside() {
        return DEPTH.get() > 0;
    }

    /** The exception for a failure. */
    static RuntimeException fault(byte[] packed, Throwable cause) {
        return ComptoirException.of(new Parts(packed), cause);
    }

    /** What an exception of a callback says; an exception whose text throws has none. */
    static byte[] describe(Throwable error) {
        try {
            return Parts.bytes(String.valueOf(error));
        } catch (RuntimeException wrong) {
            return Parts.bytes(error.getClass().getName());
        }
    }

    /** Lets a stage write an item into its row. */
    static void preprocess(Object code, long item, long slot) throws Exception {
        DEPTH.set(DEPTH.get() + 1);
        Row row = new Row(slot);
        try {
            ((ModelAdapter) code).preprocess(item, row);
        } finally {
            row.end();
            DEPTH.set(DEPTH.get() - 1);
        }
    }

    /** Lets a model run a batch. */
    static byte[] infer(Object code, byte[] specs, ByteBuffer[] inputs) throws Exception {
        DEPTH.set(DEPTH.get() + 1);
        try {
            return ((ModelAdapter) code).infer(new Parts(specs), inputs);
        } finally {
            DEPTH.set(DEPTH.get() - 1);
        }
    }

    /** Tells a future its outcome. */
    static void finished(Object future, byte[] prediction, RuntimeException error) {
        DEPTH.set(DEPTH.get() + 1);
        try {
            ((PredictionFuture) future).finish(prediction, error);
        } finally {
            DEPTH.set(DEPTH.get() - 1);
        }
    }
}
