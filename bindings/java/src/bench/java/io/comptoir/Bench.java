package io.comptoir;

import com.googlecode.aviator.AviatorEvaluator;
import com.googlecode.aviator.AviatorEvaluatorInstance;
import com.googlecode.aviator.Expression;
import com.ql.util.express.DefaultContext;
import com.ql.util.express.ExpressRunner;
import com.ql.util.express.InstructionSet;
import dev.cel.common.types.ListType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The price of the border, and rules beside other engines in Java. All engines get the same events as values of Java and fill
 * their own kind of input; all answers must be equal. Each is warmed, then timed in rounds, in turn; the median of rounds
 * counts.
 */
public final class Bench {
    private static final int EVENTS = 1_000;
    private static final int ROUNDS = 31;
    private static final List<String> BRANDS = IntStream.rangeClosed(1, 8).mapToObj(n -> "b" + n).toList();
    private static final List<String> WHITELIST = IntStream.range(0, 20).mapToObj(n -> "C" + n * 3).toList();
    private static final String P1 = "level >= 3 && brand in " + quoted(BRANDS) + " && price >= 100.0";
    private static final String P2 = "pay < cost * 0.9 && !(coupon in " + quoted(WHITELIST) + ")";

    /** Of a class whose methods QLExpress may call. */
    private static final List<String> BRAND_LIST = new ArrayList<>(BRANDS);
    private static final List<String> WHITE_LIST = new ArrayList<>(WHITELIST);

    private Bench() {}

    private record Event(long level, String brand, double price, double pay, double cost, String coupon) {}

    @FunctionalInterface
    private interface Engine {
        boolean test(Event event) throws Exception;
    }

    /**
     * Runs all.
     *
     * @param arguments none
     * @throws Exception if an engine fails
     */
    public static void main(String[] arguments) throws Exception {
        List<Event> events = events();
        border("P1", P1);
        border("P2", P2);
        compare("P1", events, engines(true));
        compare("P2", events, engines(false));
    }

    private static List<Event> events() {
        Random draw = new Random(7);
        List<Event> events = new ArrayList<>();
        for (int number = 0; number < EVENTS; number++) {
            double cost = 10 + draw.nextDouble() * 990;
            events.add(new Event(draw.nextInt(10), "b" + draw.nextInt(16), draw.nextDouble() * 1000,
                cost * (0.8 + 0.3 * draw.nextDouble()), cost, "C" + draw.nextInt(100)));
        }
        return events;
    }

    private static Program program(String source) {
        return Program.compile("{\"variables\": {\"level\": \"int\", \"brand\": \"string\", \"price\": \"double\","
            + " \"pay\": \"double\", \"cost\": \"double\", \"coupon\": \"string\"}}", source);
    }

    private static void border(String name, String source) {
        try (Program program = program(source)) {
            Slots slots = program.newSlots();
            fill(program, slots, new Event(9, "b8", 500, 1, 100, "C1"));
            int repeats = 200_000;
            double[] rust = new double[ROUNDS];
            double[] java = new double[ROUNDS];
            double[] empty = new double[ROUNDS];
            int trues = 0;
            for (int round = -5; round < ROUNDS; round++) {
                int place = Math.max(round, 0);
                rust[place] = BenchNative.loop(program.acquire(), slots.address(), slots.count(), repeats);
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
                throw new AssertionError(name + " is not true");
            }
            double over = median(java) - median(rust);
            System.out.printf("%s border: Java %.0f ns, Rust %.0f ns, over %.0f ns (bound 300: %s), empty native call %.0f ns%n",
                name, median(java), median(rust), over, over <= 300 ? "met" : "missed", median(empty));
        }
    }

    private static void fill(Program program, Slots slots, Event event) {
        for (int place = 0; place < program.inputs().size(); place++) {
            switch (program.inputs().get(place).name()) {
                case "level" -> slots.set(place, event.level);
                case "brand" -> slots.set(place, event.brand);
                case "price" -> slots.set(place, event.price);
                case "pay" -> slots.set(place, event.pay);
                case "cost" -> slots.set(place, event.cost);
                default -> slots.set(place, event.coupon);
            }
        }
    }

    private static Map<String, Engine> engines(boolean first) throws Exception {
        Map<String, Engine> engines = new LinkedHashMap<>();
        engines.put("comptoir", comptoir(first));
        engines.put("Aviator 5.4.3", aviator(first));
        engines.put("cel-java 0.13.1", cel(first));
        engines.put("QLExpress 3.3.4", qlexpress(first));
        return engines;
    }

    private static Engine comptoir(boolean first) {
        Program program = program(first ? P1 : P2);
        Slots slots = program.newSlots();
        if (first) {
            int level = slots.place("level");
            int brand = slots.place("brand");
            int price = slots.place("price");
            return event -> program.test(slots.set(level, event.level).set(brand, event.brand).set(price, event.price));
        }
        int pay = slots.place("pay");
        int cost = slots.place("cost");
        int coupon = slots.place("coupon");
        return event -> program.test(slots.set(pay, event.pay).set(cost, event.cost).set(coupon, event.coupon));
    }

    private static Engine aviator(boolean first) {
        AviatorEvaluatorInstance engine = AviatorEvaluator.newInstance();
        Expression compiled = engine.compile(first ? "level >= 3 && include(brands, brand) && price >= 100.0"
            : "pay < cost * 0.9 && !include(whitelist, coupon)", true);
        return event -> (Boolean) compiled.execute(map(first, event, true));
    }

    private static Engine cel(boolean first) throws Exception {
        var compiler = CelCompilerFactory.standardCelCompilerBuilder().addVar("level", SimpleType.INT)
            .addVar("brand", SimpleType.STRING).addVar("price", SimpleType.DOUBLE).addVar("pay", SimpleType.DOUBLE)
            .addVar("cost", SimpleType.DOUBLE).addVar("coupon", SimpleType.STRING)
            .addVar("list", ListType.create(SimpleType.STRING)).setResultType(SimpleType.BOOL).build();
        CelRuntime runtime = CelRuntimeFactory.standardCelRuntimeBuilder().build();
        CelRuntime.Program compiled = runtime.createProgram(compiler.compile(first ? P1 : P2).getAst());
        return event -> (Boolean) compiled.eval(map(first, event, false));
    }

    private static Engine qlexpress(boolean first) throws Exception {
        ExpressRunner runner = new ExpressRunner();
        InstructionSet compiled = runner.getInstructionSetFromLocalCache(
            first ? "level >= 3 && brands.contains(brand) && price >= 100.0"
                : "pay < cost * 0.9 && !(whitelist.contains(coupon))");
        return event -> {
            DefaultContext<String, Object> context = new DefaultContext<>();
            context.putAll(map(first, event, true));
            return (Boolean) runner.execute(compiled, context, null, true, false);
        };
    }

    private static Map<String, Object> map(boolean first, Event event, boolean lists) {
        Map<String, Object> map = new HashMap<>();
        if (first) {
            map.put("level", event.level);
            map.put("brand", event.brand);
            map.put("price", event.price);
        } else {
            map.put("pay", event.pay);
            map.put("cost", event.cost);
            map.put("coupon", event.coupon);
        }
        if (lists) {
            map.put(first ? "brands" : "whitelist", first ? BRAND_LIST : WHITE_LIST);
        }
        return map;
    }

    private static void compare(String name, List<Event> events, Map<String, Engine> engines) throws Exception {
        Map<String, double[]> times = new LinkedHashMap<>();
        int expected = -1;
        for (var entry : engines.entrySet()) {
            int trues = 0;
            for (Event event : events) {
                trues += entry.getValue().test(event) ? 1 : 0;
            }
            if (expected >= 0 && trues != expected) {
                throw new AssertionError(name + ": " + entry.getKey() + " says " + trues + " times yes, not " + expected);
            }
            expected = trues;
            times.put(entry.getKey(), new double[ROUNDS]);
        }
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

    private static String quoted(List<String> texts) {
        return texts.stream().map(text -> "'" + text + "'").collect(Collectors.joining(", ", "[", "]"));
    }
}
