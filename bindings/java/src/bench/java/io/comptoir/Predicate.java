package io.comptoir;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The conditions that are measured, as CEL. */
enum Predicate {
    P1("level >= 3 && brand in " + quoted(Lists.BRANDS) + " && price >= 100.0"),
    P2("pay < cost * 0.9 && !(coupon in " + quoted(Lists.WHITELIST) + ")"),
    P4("items.all(i, i.qty > 0 && i.price <= 900.0) && items.exists(i, i.category == 'electronics' && i.price > 500.0)");

    final String cel;

    Predicate(String cel) {
        this.cel = cel;
    }

    /** An engine's answer for an event, the filling of its inputs included. */
    @FunctionalInterface
    interface Engine {
        boolean test(Event event) throws Exception;
    }

    /** Of a class whose methods QLExpress may call. */
    static final class Lists {
        static final List<String> BRANDS = new ArrayList<>(IntStream.rangeClosed(1, 8).mapToObj(n -> "b" + n).toList());
        static final List<String> WHITELIST = new ArrayList<>(IntStream.range(0, 20).mapToObj(n -> "C" + n * 3).toList());

        private Lists() {}
    }

    /** The inputs of the predicate by name; the items as they are. */
    Map<String, Object> inputs(Event event) {
        Map<String, Object> map = new HashMap<>();
        switch (this) {
            case P1 -> {
                map.put("level", event.level());
                map.put("brand", event.brand());
                map.put("price", event.price());
            }
            case P2 -> {
                map.put("pay", event.pay());
                map.put("cost", event.cost());
                map.put("coupon", event.coupon());
            }
            case P4 -> map.put("items", event.items());
        }
        return map;
    }

    private static String quoted(List<String> texts) {
        return texts.stream().map(text -> "'" + text + "'").collect(Collectors.joining(", ", "[", "]"));
    }
}
