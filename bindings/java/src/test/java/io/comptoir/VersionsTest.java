package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Versions of a model take over while requests go on; the timeline. */
class VersionsTest {
    private static final String CONFIG = """
        {"pipeline": {"cpu_threads": 2, "trace_events": 500, "batch": {"max_size": 4}}, "models": [{"version": "1",
         "spec": {"name": "number", "shapes": [[{"name": "x", "dtype": "float32", "shape": [1]}]]}}]}""";

    /** A model that gives its number for each row. */
    private static ModelCode numbered(int number) {
        return ModelCode.of(batch -> {
            float[] numbers = new float[batch.rows()];
            Arrays.fill(numbers, number);
            return List.of(Tensor.of("number", new int[] {batch.rows(), 1}, numbers));
        });
    }

    private static float answer(Pipeline pipeline) {
        return pipeline.run(List.of(Tensor.of("x", new int[] {1}, 7)), "").output("number").floats()[0];
    }

    @Test
    void noRequestIsLostWhileVersionsTakeOver() throws Exception {
        try (Pipeline pipeline = Pipeline.start(CONFIG, numbered(1))) {
            AtomicBoolean stopping = new AtomicBoolean();
            AtomicInteger answers = new AtomicInteger();
            List<CompletableFuture<Void>> load = new ArrayList<>();
            for (int thread = 0; thread < 3; thread++) {
                load.add(CompletableFuture.runAsync(() -> {
                    while (!stopping.get()) {
                        float number = answer(pipeline);
                        assertTrue(number >= 1 && number <= 9, () -> "version " + number);
                        answers.incrementAndGet();
                    }
                }, task -> new Thread(task).start()));
            }
            for (int number = 2; number <= 9; number++) {
                pipeline.swap("{\"version\": \"" + number + "\", \"share\": 0.5}", numbered(number));
                for (int until = answers.get() + 20; answers.get() < until;) {
                    load.forEach(one -> assertFalse(one.isDone()));
                    Thread.sleep(1);
                }
                pipeline.setShare(1, "number");
                assertTrue(pipeline.drain(Duration.ofSeconds(20)));
            }
            assertEquals(9, answer(pipeline));
            stopping.set(true);
            for (CompletableFuture<Void> one : load) {
                one.get();
            }
            assertTrue(pipeline.stats().contains("\"done\":" + (answers.get() + 1) + ","), pipeline.stats());
        }
    }

    @Test
    void theShareIsHonouredAndCanBeTakenBack() {
        try (Pipeline pipeline = Pipeline.start(CONFIG, numbered(1))) {
            pipeline.swap("{\"version\": \"2\", \"share\": 0.25}", numbered(2));
            int ofSecond = 0;
            for (int run = 0; run < 100; run++) {
                ofSecond += answer(pipeline) == 2 ? 1 : 0;
            }
            assertEquals(25, ofSecond, 1.0);
            pipeline.setShare(0);
            assertEquals(1, answer(pipeline));
            assertEquals("EXECUTOR_CONFIG",
                assertThrows(ComptoirException.class, () -> pipeline.setShare(1)).code());
        }
    }

    @Test
    void aVersionThatCannotTakeOverChangesNothing() {
        try (Pipeline pipeline = Pipeline.start(CONFIG, numbered(1))) {
            IllegalStateException broken = new IllegalStateException("it is broken");
            ComptoirException error = assertThrows(ComptoirException.class, () -> pipeline.swap("{\"version\": \"2\"}",
                ModelCode.of(batch -> {
                    throw broken;
                })));
            assertEquals("EXECUTOR_STAGE", error.code());
            assertEquals("it is broken", assertInstanceOf(IllegalStateException.class, error.getCause()).getMessage());
            assertThrows(ComptoirException.class,
                () -> pipeline.swap("{\"version\": \"2\", \"onnx\": {\"path\": \"/none.onnx\"}}"));
            assertEquals("HOST_ARGUMENT",
                assertThrows(ComptoirException.class, () -> pipeline.swap("{\"version\": \"2\"}")).code());
            assertEquals("HOST_JSON", assertThrows(ComptoirException.class, () -> pipeline.swap("{}")).code());
            assertEquals("share", assertThrows(ComptoirException.class,
                () -> pipeline.swap("{\"version\": \"2\", \"share\": 0}", numbered(2))).path());
            assertEquals(1, answer(pipeline));
        }
    }

    @Test
    void aModelMaySwapItself() throws Exception {
        AtomicReference<Pipeline> own = new AtomicReference<>();
        ModelCode first = ModelCode.of(batch -> {
            if (own.get() != null) {
                own.getAndSet(null).swap("{\"version\": \"2\"}", numbered(2));
            }
            return List.of(Tensor.of("number", new int[] {batch.rows(), 1}, new float[batch.rows()]));
        });
        try (Pipeline pipeline = Pipeline.start(CONFIG, first)) {
            own.set(pipeline);
            assertEquals(0, answer(pipeline));
            assertEquals(2, answer(pipeline));
        }
    }

    @Test
    void theTimelineHasEvents() {
        try (Pipeline pipeline = Pipeline.start(CONFIG, numbered(1))) {
            assertEquals(1, answer(pipeline));
            String trace = pipeline.trace();
            assertTrue(trace.startsWith("{") && trace.endsWith("}"), trace);
            assertTrue(trace.contains("\"traceEvents\":[") && trace.contains("\"ph\":\"X\""), trace);
        }
    }
}
