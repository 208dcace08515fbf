package io.comptoir;

import java.nio.charset.StandardCharsets;

/** What this library is: its version, and whether its native part can be loaded here. */
public final class Comptoir {
    private Comptoir() {}

    /**
     * The version of the native library, such as {@code 0.1.0}. Loads it, so that a service can fail early where it cannot be
     * loaded.
     *
     * @return the version
     * @throws UnsatisfiedLinkError if there is no native library for this machine, with what was looked for
     */
    public static String version() {
        return new String(Native.version(), StandardCharsets.UTF_8);
    }

    /**
     * The number of the border between this jar and its native library. Both are built together; a native library with
     * another number is refused when it is loaded.
     *
     * @return the number
     */
    public static int abi() {
        return NativeLibrary.ABI;
    }
}
