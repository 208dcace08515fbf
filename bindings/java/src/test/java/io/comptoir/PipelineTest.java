package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class PipelineTest {
    private static final String CONFIG = """
        {"pipeline": {"cpu_threads": 2}, "models": [{"spec": {"name": "double", "shapes":
         [[{"name": "x", "dtype": "float32", "shape": [2]}]], "warm_up": false}}]}""";
    private static final TensorSpec X = TensorSpec.of("x", ElementType.FLOAT32, 2);

    /** Doubles its input; a negative number fails its row. */
    private static List<Tensor> twice(Batch batch) {
        assertTrue(batch.data(0).isDirect());
        float[] numbers = new float[batch.rows() * 2];
        batch.data(0).asFloatBuffer().get(numbers);
        for (int index = 0; index < numbers.length; index++) {
            if (numbers[index] < 0) {
                throw new IllegalStateException("below zero");
            }
            numbers[index] *= 2;
        }
        return List.of(Tensor.of("y", new int[] {batch.rows(), 2}, numbers));
    }

    private static Tensor row(float... numbers) {
        return Tensor.of("x", new int[] {2}, numbers);
    }

    @Test
    void rowsGoThroughAModelOfJava() throws Exception {
        try (Pipeline pipeline = Pipeline.start(CONFIG, ModelCode.of(PipelineTest::twice))) {
            List<CompletableFuture<Prediction>> futures = new ArrayList<>();
            for (int request = 0; request < 500; request++) {
                futures.add(pipeline.submit(List.of(row(request, 1))));
            }
            for (int request = 0; request < 500; request++) {
                assertArrayEquals(new float[] {2f * request, 2}, futures.get(request).get().output("y").floats());
            }
            assertArrayEquals(new float[] {6, 8}, pipeline.run(List.of(row(3, 4)), "").output("y").floats());
            assertTrue(pipeline.stats().contains("double"), pipeline.stats());
            assertTrue(pipeline.prometheus().contains("# TYPE"), pipeline.prometheus());
            assertTrue(pipeline.close(Duration.ofSeconds(20)));
            assertThrows(IllegalStateException.class, () -> pipeline.submit(List.of(row(1, 2))));
        }
    }

    @Test
    void anExceptionOfTheModelIsTheCause() {
        try (Pipeline pipeline = Pipeline.start(CONFIG, ModelCode.of(PipelineTest::twice))) {
            CompletableFuture<Prediction> bad = pipeline.submit(List.of(row(-1, 2)));
            ComptoirException error =
                assertInstanceOf(ComptoirException.class, assertThrows(ExecutionException.class, bad::get).getCause());
            assertEquals("EXECUTOR_STAGE", error.code());
            assertEquals("below zero", assertInstanceOf(IllegalStateException.class, error.getCause()).getMessage());
            assertTrue(error.getMessage().contains("java.lang.IllegalStateException: below zero"), error.getMessage());
            ComptoirException waited =
                assertThrows(ComptoirException.class, () -> pipeline.run(List.of(row(-1, 2)), ""));
            assertInstanceOf(IllegalStateException.class, waited.getCause());
        }
    }

    @Test
    void anItemIsPreprocessedInJava() throws Exception {
        AtomicReference<Row> kept = new AtomicReference<>();
        IllegalArgumentException refusal = new IllegalArgumentException("no number");
        Preprocess stage = (item, row) -> {
            kept.set(row);
            if (!(item instanceof Float number)) {
                throw refusal;
            }
            ByteBuffer memory = row.reserve(X)[0];
            assertTrue(memory.isDirect());
            memory.putFloat(number).putFloat(-0f);
        };
        try (Pipeline pipeline = Pipeline.start(CONFIG, ModelCode.of(stage, PipelineTest::twice))) {
            assertArrayEquals(new float[] {5, -0f}, pipeline.submitItem(2.5f, "").get().output("y").floats());
            Throwable error = assertThrows(ExecutionException.class, () -> pipeline.submitItem("text", "").get()).getCause();
            assertSame(refusal, error.getCause());
            assertThrows(IllegalStateException.class, () -> kept.get().reserve(X));
            ComptoirException shape = assertThrows(ComptoirException.class,
                () -> pipeline.run(List.of(Tensor.of("x", new int[] {3}, 1, 2, 3)), ""));
            assertEquals("EXECUTOR_SHAPE", shape.code());
        }
    }

    @Test
    void buffersOfARowComeInTheOrderInWhichTheyWereAskedFor() throws Exception {
        String config = """
            {"models": [{"spec": {"name": "two", "warm_up": false, "shapes": [[
             {"name": "a", "dtype": "float32", "shape": [1]}, {"name": "b", "dtype": "float32", "shape": [1]}]]}}]}""";
        TensorSpec a = TensorSpec.of("a", ElementType.FLOAT32, 1);
        TensorSpec b = TensorSpec.of("b", ElementType.FLOAT32, 1);
        Preprocess backwards = (item, row) -> {
            ByteBuffer[] memory = row.reserve(b, a);
            memory[0].putFloat(2);
            memory[1].putFloat(1);
        };
        Infer both = batch -> {
            float[] numbers = new float[] {batch.data(0).getFloat(0), batch.data(1).getFloat(0)};
            return List.of(Tensor.of("y", new int[] {1, 2}, numbers));
        };
        try (Pipeline pipeline = Pipeline.start(config, ModelCode.of(backwards, both))) {
            assertArrayEquals(new float[] {1, 2}, pipeline.submitItem("item", "").get().output("y").floats());
        }
    }

    @Test
    void aCancelledFutureGivesItsRequestUp() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Infer slow = batch -> {
            entered.countDown();
            assertTrue(go.await(20, TimeUnit.SECONDS));
            return twice(batch);
        };
        String config = CONFIG.replace("\"cpu_threads\": 2", "\"cpu_threads\": 2, \"batch\": {\"max_size\": 1}");
        try (Pipeline pipeline = Pipeline.start(config, ModelCode.of(slow))) {
            CompletableFuture<Prediction> first = pipeline.submit(List.of(row(1, 2)));
            assertTrue(entered.await(20, TimeUnit.SECONDS));
            List<CompletableFuture<Prediction>> waiting = new ArrayList<>();
            for (int request = 0; request < 8; request++) {
                waiting.add(pipeline.submit(List.of(row(request, 2))));
            }
            CompletableFuture<Prediction> last = waiting.get(7);
            assertTrue(last.cancel(true));
            go.countDown();
            assertThrows(CancellationException.class, last::get);
            assertArrayEquals(new float[] {2, 4}, first.get().output("y").floats());
            waiting.get(6).get();
            assertTrue(pipeline.close(Duration.ofSeconds(20)));
        }
    }

    @Test
    void aPipelineIsNotClosedOnItsOwnThread() throws Exception {
        AtomicReference<Pipeline> own = new AtomicReference<>();
        Infer closing = batch -> {
            own.get().close();
            return twice(batch);
        };
        try (Pipeline pipeline = Pipeline.start(CONFIG, ModelCode.of(closing))) {
            own.set(pipeline);
            Throwable error =
                assertThrows(ExecutionException.class, () -> pipeline.submit(List.of(row(1, 2))).get()).getCause();
            assertInstanceOf(IllegalStateException.class, error.getCause());
        }
    }

    @Test
    void threadsOfThePipelineAreDaemons() throws Exception {
        AtomicReference<Boolean> daemon = new AtomicReference<>();
        Infer looking = batch -> {
            daemon.set(Thread.currentThread().isDaemon());
            return twice(batch);
        };
        try (Pipeline pipeline = Pipeline.start(CONFIG, ModelCode.of(looking))) {
            pipeline.submit(List.of(row(1, 2))).get();
            assertEquals(true, daemon.get());
        }
    }

    @Test
    void settingsThatCannotBeUsedAreNamed() {
        ComptoirException none = assertThrows(ComptoirException.class, () -> Pipeline.start(CONFIG));
        assertEquals("models[0]", none.path());
        assertThrows(ComptoirException.class, () -> Pipeline.start("{\"pipelin\": {}}"));
        try (Pipeline pipeline = Pipeline.start(CONFIG, ModelCode.of(PipelineTest::twice))) {
            assertThrows(DeadlineException.class, () -> pipeline.submit(List.of(row(1, 2)), "{\"deadline_ms\": -1}"));
            assertEquals("EXECUTOR_UNKNOWN_MODEL", assertThrows(ComptoirException.class,
                () -> pipeline.submit(List.of(row(1, 2)), "{\"model\": \"none\"}")).code());
        }
    }
}
