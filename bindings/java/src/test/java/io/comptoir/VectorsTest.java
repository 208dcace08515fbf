package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Runs the cases that every host runs: see {@code tests/vectors/README.md}. */
class VectorsTest {
    @TestFactory
    Stream<DynamicTest> vectors() throws IOException {
        Path root = Path.of(System.getProperty("comptoir.vectors"));
        List<Path> cases = new ArrayList<>();
        if (Files.isDirectory(root)) {
            try (Stream<Path> files = Files.walk(root)) {
                files.filter(file -> file.getFileName().toString().equals("call")).map(Path::getParent).sorted()
                    .forEach(cases::add);
            }
        }
        assertFalse(cases.isEmpty() && "true".equals(System.getenv("CI")), "there are no cases in " + root);
        return cases.stream().map(path -> DynamicTest.dynamicTest(root.relativize(path).toString(), () -> check(path)));
    }

    private static void check(Path path) throws Exception {
        VectorCase given = new VectorCase(path);
        if (Files.exists(path.resolve("error"))) {
            checkError(given);
            return;
        }
        Map<String, byte[]> found = new TreeMap<>(given.run());
        List<String> expected;
        try (Stream<Path> files = Files.list(path)) {
            expected = files.map(file -> file.getFileName().toString())
                .filter(name -> name.startsWith("expected.") || name.equals("faults.arrows")).sorted().toList();
        }
        assertFalse(expected.isEmpty(), "nothing is expected");
        assertEquals(expected, List.copyOf(found.keySet()));
        for (String name : expected) {
            byte[] bytes = Files.readAllBytes(path.resolve(name));
            if (!name.endsWith(".arrows") && !name.endsWith(".bin")) {
                assertEquals(
                    new String(bytes, StandardCharsets.UTF_8), new String(found.get(name), StandardCharsets.UTF_8), name);
            }
            assertArrayEquals(bytes, found.get(name), name);
        }
    }

    private static void checkError(VectorCase given) throws Exception {
        String[] expected = given.text("error").split("\n", 7);
        try {
            given.run();
        } catch (ComptoirException error) {
            String[] found = {
                error.kind().name().toLowerCase(), error.code(), error.path(), number(error.line()), number(error.column()),
                error.row().isPresent() ? Long.toString(error.row().getAsLong()) : "", error.getMessage()};
            assertEquals(Arrays.asList(expected), Arrays.asList(found));
            return;
        }
        fail("expected the error " + expected[1]);
    }

    private static String number(long number) {
        return number == 0 ? "" : Long.toString(number);
    }
}
