package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComptoirTest {
    @TempDir
    Path directory;

    @Test
    void theVersionIsThatOfTheJar() {
        assertEquals("0.1.0", Comptoir.version());
        assertEquals(Comptoir.abi(), Native.abi());
    }

    @Test
    void theLibraryIsUnpackedFromTheJarAndLeavesNothing() throws Exception {
        Run run = run("-Djava.io.tmpdir=" + directory, "-cp", System.getProperty("comptoir.jar"), main().toString());
        assertEquals("0.1.0\n", run.output, run.output);
        assertEquals(0, run.status);
        try (var left = Files.list(directory)) {
            assertEquals(List.of("Main.java"), left.map(file -> file.getFileName().toString())
                .filter(name -> !name.startsWith("hsperfdata")).toList());
        }
    }

    @Test
    void aLibraryThatIsNotThereIsNamed() throws Exception {
        Path missing = directory.resolve("none.so");
        Run run = run("-Dcomptoir.library.path=" + missing, "-cp", System.getProperty("comptoir.jar"), main().toString());
        assertTrue(run.output.contains("there is no file `" + missing + "`"), run.output);
        assertTrue(run.status != 0);
    }

    @Test
    void aLibraryIsTakenFromADirectory() throws Exception {
        String name = System.mapLibraryName("comptoir_java");
        try (var library = Comptoir.class.getResourceAsStream("/io/comptoir/native/" + NativeLibrary.platform() + "/" + name)) {
            Files.copy(library, directory.resolve(name));
        }
        Run run = run("-Dcomptoir.library.path=" + directory, "-cp", System.getProperty("comptoir.jar"), main().toString());
        assertEquals("0.1.0\n", run.output);
    }

    private Path main() throws IOException {
        Path file = directory.resolve("Main.java");
        return Files.writeString(file, "class Main { public static void main(String[] a) {"
            + " System.out.print(io.comptoir.Comptoir.version() + \"\\n\"); } }");
    }

    private record Run(int status, String output) {}

    private static Run run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Run(process.waitFor(), output);
    }
}
