package io.comptoir;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Finds and loads the native library. */
final class NativeLibrary {
    /** The border that this jar speaks; {@link Native#abi} says which one the library speaks. */
    static final int ABI = 3;

    /** A file or directory that is used instead of the library in the jar. */
    static final String PROPERTY = "comptoir.library.path";

    private NativeLibrary() {}

    /** Loads the library: from the property, else from the jar. Called once, by the initialiser of {@link Native}. */
    static void load() {
        String given = System.getProperty(PROPERTY);
        if (given == null) {
            loadResource();
        } else {
            loadFile(Path.of(given));
        }
    }

    private static void loadFile(Path given) {
        String name = System.mapLibraryName("comptoir_java");
        Path file = Files.isDirectory(given) ? given.resolve(name) : given;
        if (!Files.isRegularFile(file)) {
            throw new UnsatisfiedLinkError(
                "comptoir: there is no file `" + file + "`, which system property `" + PROPERTY + "` names");
        }
        System.load(file.toAbsolutePath().toString());
    }

    private static void loadResource() {
        String name = System.mapLibraryName("comptoir_java");
        String resource = "/io/comptoir/native/" + platform() + "/" + name;
        try (InputStream content = NativeLibrary.class.getResourceAsStream(resource)) {
            if (content == null) {
                throw new UnsatisfiedLinkError("comptoir: this jar has no native library for this machine: looked for `"
                    + resource + "`; system property `" + PROPERTY + "` can name a file or directory");
            }
            unpack(content, name);
        } catch (IOException error) {
            UnsatisfiedLinkError link = new UnsatisfiedLinkError("comptoir: the native library `" + resource
                + "` cannot be unpacked to a temporary file: " + error + "; system property `" + PROPERTY
                + "` can name a file or directory");
            link.initCause(error);
            throw link;
        }
    }

    /** The directory is readable only for this user, so that nobody else can put another file there. */
    private static void unpack(InputStream content, String name) throws IOException {
        Path directory = Files.createTempDirectory("comptoir-");
        Path file = directory.resolve(name);
        try {
            Files.copy(content, file);
            System.load(file.toString());
        } finally {
            // A loaded library stays in memory without its file. Where files in use cannot be deleted, the exit does it.
            if (!file.toFile().delete()) {
                file.toFile().deleteOnExit();
            }
            if (!directory.toFile().delete()) {
                directory.toFile().deleteOnExit();
            }
        }
    }

    /** The directory of a machine's library, such as {@code linux-x86_64}. */
    static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String system = os.startsWith("mac") ? "macos" : os.startsWith("windows") ? "windows" : os.replace(' ', '_');
        return system + "-" + (arch.equals("amd64") ? "x86_64" : arch.equals("arm64") ? "aarch64" : arch);
    }
}
