package io.comptoir;

import com.googlecode.aviator.AviatorEvaluator;
import com.googlecode.aviator.AviatorEvaluatorInstance;
import com.googlecode.aviator.Expression;
import com.ql.util.express.DefaultContext;
import com.ql.util.express.ExpressRunner;
import com.ql.util.express.InstructionSet;
import dev.cel.common.types.ListType;
import dev.cel.common.types.MapType;
import dev.cel.common.types.SimpleType;
import dev.cel.compiler.CelCompilerFactory;
import dev.cel.runtime.CelRuntime;
import dev.cel.runtime.CelRuntimeFactory;
import io.comptoir.Predicate.Engine;
import io.comptoir.Predicate.Lists;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The engines, each with a predicate that it has compiled. */
final class Engines {
    private static final String ENVIRONMENT = "{\"variables\": {\"level\": \"int\", \"brand\": \"string\", \"price\": \"double\","
        + " \"pay\": \"double\", \"cost\": \"double\", \"coupon\": \"string\", \"items\": \"list(Item)\"},"
        + " \"types\": {\"Item\": {\"category\": \"string\", \"price\": \"double\", \"qty\": \"int\"}}}";

    private Engines() {}

    static Map<String, Engine> of(Predicate predicate) throws Exception {
        Map<String, Engine> engines = new LinkedHashMap<>();
        engines.put("comptoir", comptoir(predicate));
        engines.put("Aviator 5.4.3", aviator(predicate));
        engines.put("cel-java 0.13.1", cel(predicate));
        engines.put("QLExpress 3.3.4", qlexpress(predicate));
        engines.put("Drools 10.2.0, stateful session", Drools.stateful(predicate));
        engines.put("Drools 10.2.0, stateless session", Drools.stateless(predicate));
        return engines;
    }

    static Program program(Predicate predicate) {
        return Program.compile(ENVIRONMENT, predicate.cel);
    }

    private static Engine comptoir(Predicate predicate) {
        Program program = program(predicate);
        Slots slots = program.newSlots();
        return switch (predicate) {
            case P1 -> {
                int level = slots.place("level");
                int brand = slots.place("brand");
                int price = slots.place("price");
                yield event ->
                    program.test(slots.set(level, event.level()).set(brand, event.brand()).set(price, event.price()));
            }
            case P2 -> {
                int pay = slots.place("pay");
                int cost = slots.place("cost");
                int coupon = slots.place("coupon");
                yield event -> program.test(slots.set(pay, event.pay()).set(cost, event.cost()).set(coupon, event.coupon()));
            }
            case P4 -> event -> program.test(items(slots, event));
        };
    }

    /** The items of an event by the places of their fields, which are in the order of the names. */
    static Slots items(Slots slots, Event event) {
        Elements items = slots.list(0, event.items().size());
        int place = 0;
        for (Event.Item item : event.items()) {
            items.struct(place++).set(0, item.category()).set(1, item.price()).set(2, item.qty());
        }
        return slots;
    }

    private static Engine aviator(Predicate predicate) {
        AviatorEvaluatorInstance engine = AviatorEvaluator.newInstance();
        Expression compiled = engine.compile(switch (predicate) {
            case P1 -> "level >= 3 && include(brands, brand) && price >= 100.0";
            case P2 -> "pay < cost * 0.9 && !include(whitelist, coupon)";
            case P4 -> "seq.every(items, lambda(i) -> i.qty > 0 && i.price <= 900.0 end)"
                + " && seq.some(items, lambda(i) -> i.category == 'electronics' && i.price > 500.0 end) != nil";
        }, true);
        return event -> (Boolean) compiled.execute(withLists(predicate, event));
    }

    private static Engine cel(Predicate predicate) throws Exception {
        var compiler = CelCompilerFactory.standardCelCompilerBuilder().addVar("level", SimpleType.INT)
            .setStandardMacros(dev.cel.parser.CelStandardMacro.STANDARD_MACROS)
            .addVar("brand", SimpleType.STRING).addVar("price", SimpleType.DOUBLE).addVar("pay", SimpleType.DOUBLE)
            .addVar("cost", SimpleType.DOUBLE).addVar("coupon", SimpleType.STRING)
            .addVar("items", ListType.create(MapType.create(SimpleType.STRING, SimpleType.DYN)))
            .setResultType(SimpleType.BOOL).build();
        CelRuntime runtime = CelRuntimeFactory.standardCelRuntimeBuilder().build();
        CelRuntime.Program compiled = runtime.createProgram(compiler.compile(predicate.cel).getAst());
        return event -> {
            Map<String, Object> inputs = predicate.inputs(event);
            inputs.computeIfPresent("items", (name, items) -> maps(event.items()));
            return (Boolean) compiled.eval(inputs);
        };
    }

    /** What CEL reads: it knows messages of protocol buffers and maps, and no classes. */
    private static List<Map<String, Object>> maps(List<Event.Item> items) {
        List<Map<String, Object>> maps = new ArrayList<>(items.size());
        for (Event.Item item : items) {
            maps.add(Map.of("category", item.category(), "price", item.price(), "qty", item.qty()));
        }
        return maps;
    }

    private static Engine qlexpress(Predicate predicate) throws Exception {
        ExpressRunner runner = new ExpressRunner();
        InstructionSet compiled = runner.getInstructionSetFromLocalCache(switch (predicate) {
            case P1 -> "level >= 3 && brands.contains(brand) && price >= 100.0";
            case P2 -> "pay < cost * 0.9 && !(whitelist.contains(coupon))";
            case P4 -> """
                found = false;
                for (n = 0; n < items.size(); n++) {
                  i = items.get(n);
                  if (i.qty <= 0 || i.price > 900.0) { return false; }
                  if (i.category == 'electronics' && i.price > 500.0) { found = true; }
                }
                return found;""";
        });
        return event -> {
            DefaultContext<String, Object> context = new DefaultContext<>();
            context.putAll(withLists(predicate, event));
            return (Boolean) runner.execute(compiled, context, null, true, false);
        };
    }

    private static Map<String, Object> withLists(Predicate predicate, Event event) {
        Map<String, Object> inputs = predicate.inputs(event);
        switch (predicate) {
            case P1 -> inputs.put("brands", Lists.BRANDS);
            case P2 -> inputs.put("whitelist", Lists.WHITELIST);
            case P4 -> { }
        }
        return inputs;
    }
}
