package io.comptoir;

/** Loops in the native library, which has them only with the feature {@code bench}. */
final class BenchNative {
    private BenchNative() {}

    static native double loop(long program, long address, int count, int size, int repeats);
}
