package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of README.md are compiled and run, one after the other. */
class TourTest {
    @Test
    void theExamplesOfTheReadmeRun(@TempDir Path directory) throws Exception {
        List<String> examples = examples();
        assertTrue(examples.size() >= 5, "there are " + examples.size() + " examples");
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        for (int number = 0; number < examples.size(); number++) {
            String name = "Example" + number;
            String source = "import io.comptoir.*; import java.math.*; import java.nio.*; import java.nio.file.*;"
                + " import java.time.*; import java.util.*; import java.util.concurrent.*;\npublic class " + name
                + " { public static void main(String[] arguments) throws Exception {\n" + examples.get(number) + "\n} }";
            StringWriter output = new StringWriter();
            boolean compiled = compiler.getTask(output, null, null,
                List.of("-d", directory.toString(), "-cp", System.getProperty("comptoir.jar")), null,
                List.of(file(name, source))).call();
            assertTrue(compiled, output + "\n" + source);
            try (URLClassLoader loader = new URLClassLoader(new URL[] {directory.toUri().toURL()})) {
                loader.loadClass(name).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
            }
        }
        assertEquals("0.1.0", Comptoir.version());
    }

    private static List<String> examples() throws IOException {
        Matcher blocks = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL).matcher(Files.readString(Path.of("README.md")));
        List<String> examples = new ArrayList<>();
        while (blocks.find()) {
            examples.add(blocks.group(1));
        }
        return examples;
    }

    private static JavaFileObject file(String name, String source) {
        return new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
    }
}
