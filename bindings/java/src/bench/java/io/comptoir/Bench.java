package io.comptoir;

import io.comptoir.Predicate.Engine;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The price of the border, and rules beside other engines in Java. All engines get the same events as values of Java and fill
 * their own kind of input; all answers must be equal. Each is warmed, then timed in rounds, in turn; the median of rounds
 * counts.
 */
public final class Bench {
    private static final int EVENTS = 1_000;
    private static final int ROUNDS = 31;
    /** For which every predicate is true, so that each reads all that it can. */
    private static final Event TRUE = new Event(9, "b8", 500, 1, 100, "C1", List.of(new Event.Item("books", 10, 1),
        new Event.Item("garden", 20, 2), new Event.Item("toys", 30, 3), new Event.Item("books", 40, 4),
        new Event.Item("electronics", 550, 5)));

    private Bench() {}

    /**
     * Runs all.
     *
     * @param arguments none
     * @throws Exception if an engine fails
     */
    public static void main(String[] arguments) throws Exception {
        List<Event> events = Event.draw(EVENTS);
        for (Predicate predicate : Predicate.values()) {
            border(predicate);
        }
        for (Predicate predicate : Predicate.values()) {
            compare(predicate.name(), events, Engines.of(predicate));
        }
    }

    private static void border(Predicate predicate) {
        try (Program program = Engines.program(predicate)) {
            Slots slots = program.newSlots();
            fill(program, slots, TRUE);
            int repeats = 200_000;
            double[] rust = new double[ROUNDS];
            double[] java = new double[ROUNDS];
            double[] empty = new double[ROUNDS];
            int trues = 0;
            for (int round = -5; round < ROUNDS; round++) {
                int place = Math.max(round, 0);
                rust[place] = BenchNative.loop(program.acquire(), slots.address(), slots.count(), slots.size(), repeats);
                program.release();
                long start = System.nanoTime();
                for (int call = 0; call < repeats; call++) {
                    trues += program.test(slots) ? 1 : 0;
                }
                java[place] = (System.nanoTime() - start) / (double) repeats;
                start = System.nanoTime();
                for (int call = 0; call < repeats; call++) {
                    Native.nothing();
                }
                empty[place] = (System.nanoTime() - start) / (double) repeats;
            }
            if (trues != repeats * (ROUNDS + 5)) {
                throw new AssertionError(predicate + " is not true");
            }
            double over = median(java) - median(rust);
            System.out.printf("%s border: Java %.0f ns, Rust %.0f ns, over %.0f ns (bound 300: %s), empty native call %.0f ns%n",
                predicate, median(java), median(rust), over, over <= 300 ? "met" : "missed", median(empty));
        }
    }

    private static void fill(Program program, Slots slots, Event event) {
        for (int place = 0; place < program.inputs().size(); place++) {
            switch (program.inputs().get(place).name()) {
                case "items" -> Engines.items(slots, event);
                case "level" -> slots.set(place, event.level());
                case "brand" -> slots.set(place, event.brand());
                case "price" -> slots.set(place, event.price());
                case "pay" -> slots.set(place, event.pay());
                case "cost" -> slots.set(place, event.cost());
                default -> slots.set(place, event.coupon());
            }
        }
    }

    private static void compare(String name, List<Event> events, Map<String, Engine> engines) throws Exception {
        Map<String, double[]> times = new LinkedHashMap<>();
        BitSet answers = null;
        for (var entry : engines.entrySet()) {
            BitSet own = new BitSet();
            for (int number = 0; number < events.size(); number++) {
                own.set(number, entry.getValue().test(events.get(number)));
            }
            if (answers != null && !own.equals(answers)) {
                own.xor(answers);
                throw new AssertionError(name + ": " + entry.getKey() + " gives other answers for the events " + own);
            }
            answers = answers == null ? own : answers;
            times.put(entry.getKey(), new double[ROUNDS]);
        }
        int expected = answers.cardinality();
        for (int round = -20; round < ROUNDS; round++) {
            for (var entry : engines.entrySet()) {
                times.get(entry.getKey())[Math.max(round, 0)] = time(events, entry.getValue(), expected);
            }
        }
        double ours = median(times.get("comptoir"));
        times.forEach((engine, rounds) -> System.out.printf("%s %s: %.0f ns, %.2f times comptoir%n", name, engine,
            median(rounds), median(rounds) / ours));
    }

    private static double time(List<Event> events, Engine engine, int expected) throws Exception {
        int passes = 20;
        int trues = 0;
        long start = System.nanoTime();
        for (int pass = 0; pass < passes; pass++) {
            for (Event event : events) {
                trues += engine.test(event) ? 1 : 0;
            }
        }
        long nanos = System.nanoTime() - start;
        if (trues != expected * passes) {
            throw new AssertionError("the answers changed");
        }
        return nanos / (double) (passes * events.size());
    }

    private static double median(double[] rounds) {
        double[] sorted = rounds.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
