package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Eight threads and one handle. */
@Timeout(300)
class ConcurrencyTest {
    private static final int THREADS = 8;
    private static final int CALLS = 125_000;

    private static <T> List<T> onThreads(Callable<T> work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<T>> futures = new ArrayList<>();
            for (int thread = 0; thread < THREADS; thread++) {
                futures.add(threads.submit(work));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void aMillionCallsOfOneProgram() throws Exception {
        try (Program program = Program.compile("{\"variables\": {\"n\": \"int\", \"s\": \"string\"}}", "n % 3 == 0 && s == 'é'")) {
            List<Integer> trues = onThreads(() -> {
                Slots slots = program.newSlots().set("s", "é");
                int count = 0;
                for (int call = 0; call < CALLS; call++) {
                    count += program.test(slots.set(0, call)) ? 1 : 0;
                }
                return count;
            });
            trues.forEach(count -> assertEquals((CALLS + 2) / 3, count));
        }
    }

    @Test
    void aMillionDecisionsOfOneSet() throws Exception {
        try (RuleSet set = RuleSet.read(RulesTest.SET)) {
            List<Integer> fired = onThreads(() -> {
                Slots slots = set.newSlots().set("country", "FR");
                int count = 0;
                for (int call = 0; call < CALLS; call++) {
                    count += set.decide(slots.set(slots.place("amount"), call % 200)).fired().size();
                }
                return count;
            });
            fired.forEach(count -> assertEquals(CALLS / 200 * 99, count));
        }
    }

    @Test
    void aMillionRanksOfOneReader(@TempDir Path directory) throws Exception {
        try (BoardPublisher publisher = BoardPublisher.open(directory, 1); Board board = RankingTest.board(5, 9, 7)) {
            publisher.publish(board);
            try (BoardReader reader = BoardReader.open(directory)) {
                List<Long> sums = onThreads(() -> {
                    long sum = 0;
                    for (int call = 0; call < CALLS; call++) {
                        sum += reader.rankOf("items", List.of("a"), "p" + call % 3).orElseThrow();
                    }
                    return sum;
                });
                long whole = CALLS / 3 * 6L;
                sums.forEach(sum -> assertTrue(sum >= whole && sum <= whole + 6, "the sum is " + sum));
            }
        }
    }

    @Test
    void aCloseUnderLoadEndsCallsWithAnException() throws Exception {
        for (int round = 0; round < 50; round++) {
            Program program = Program.compile("{\"variables\": {\"n\": \"int\"}}", "n > 0");
            AtomicInteger working = new AtomicInteger();
            List<Boolean> ended = onThreads(() -> {
                Slots slots = program.newSlots().set("n", 1);
                boolean closer = working.incrementAndGet() == THREADS;
                try {
                    for (long call = 0; call < Long.MAX_VALUE; call++) {
                        assertTrue(program.test(slots));
                        if (closer && call == 200) {
                            program.close();
                        }
                    }
                } catch (IllegalStateException closed) {
                    return closed.getMessage().equals("the program is closed");
                }
                return false;
            });
            ended.forEach(closed -> assertTrue(closed));
        }
    }

    @Test
    void aHandleIsFreedOnceWhoeverClosesIt() throws Exception {
        AtomicLong freed = new AtomicLong();
        for (int round = 0; round < 200; round++) {
            NativeHandle handle = new NativeHandle("thing", 1, address -> freed.incrementAndGet()) { };
            AtomicInteger turn = new AtomicInteger();
            onThreads(() -> {
                boolean closes = turn.getAndIncrement() % 2 == 0;
                for (int call = 0; call < 50; call++) {
                    try {
                        handle.acquire();
                    } catch (IllegalStateException closed) {
                        break;
                    }
                    handle.release();
                }
                if (closes) {
                    handle.close();
                }
                return null;
            });
        }
        assertEquals(200, freed.get());
    }

    @Test
    void aForgottenHandleIsFreed() throws Exception {
        AtomicBoolean freed = new AtomicBoolean();
        forget(freed);
        for (int round = 0; round < 200 && !freed.get(); round++) {
            System.gc();
            Thread.sleep(10);
        }
        assertTrue(freed.get());
    }

    /** The lambda must not see the handle, just as those of the library do not. */
    private static void forget(AtomicBoolean freed) {
        assertFalse(handle(freed).isClosed());
    }

    private static NativeHandle handle(AtomicBoolean freed) {
        return new Forgotten(freed);
    }

    private static final class Forgotten extends NativeHandle {
        Forgotten(AtomicBoolean freed) {
            super("thing", 1, address -> freed.set(true));
        }
    }

    @Test
    void aLiveSetIsReplacedUnderLoad() throws Exception {
        try (RuleSet first = RuleSet.read(RulesTest.SET);
                RuleSet second = RuleSet.read(RulesTest.SET.replace("decimal(100)", "decimal(1)"));
                LiveRuleSet live = new LiveRuleSet(first)) {
            AtomicInteger turn = new AtomicInteger();
            List<Integer> fired = onThreads(() -> {
                int count = 0;
                if (turn.getAndIncrement() == 0) {
                    for (int call = 0; call < 2000; call++) {
                        live.replace(call % 2 == 0 ? second : first);
                    }
                    return -1;
                }
                Slots slots = live.newSlots().set("amount", 50).set("country", "FR");
                for (int call = 0; call < 20_000; call++) {
                    count += live.decide(slots).fired().size();
                }
                return count;
            });
            assertEquals(THREADS - 1, fired.stream().filter(count -> count >= 0 && count <= 20_000).count());
        }
    }
}
