package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Lists, structs and maps in slots. */
class SlotValuesTest {
    private static final String ORDER = """
        {"variables": {"items": "list(Item)", "tags": "list(string)", "rates": "map(string, double)", "names": "map(int, string)",
          "any": "dyn", "lines": "list(list(int))", "customers": "list(Customer)"},
         "types": {"Item": {"category": "string", "price": "double", "qty": "int", "sizes": "list(int)", "parts": "list(Item)"},
          "Customer": {"name": "string", "vat": "wrapper(string)", "best": "Item", "since": "timestamp", "limit": "decimal",
            "pause": "duration", "key": "bytes", "points": "uint", "vip": "bool"}}}""";

    private static Program compile(String source) {
        return Program.compile(ORDER, source);
    }

    @Test
    void aConditionOnTheItemsOfAnOrder() {
        try (Program program = compile("items.exists(i, i.price < 10.0 && i.qty > 100)")) {
            Slots slots = program.newSlots();
            int place = slots.place("items");
            for (int round = 0; round < 100; round++) {
                Elements items = slots.list(place, 5);
                assertEquals(5, items.size());
                for (int item = 0; item < 5; item++) {
                    items.struct(item).set("price", 9.99 + item).set("qty", item == 0 ? round : 1000).set("category", "ü".repeat(round));
                }
                // The price of the first one alone is below 10.
                assertEquals(round > 100, program.test(slots));
                items.struct(3).set("price", 1).set("qty", 101);
                assertTrue(program.test(slots));
            }
            assertFalse(program.test(slots.set(place, List.of())));
            assertThrows(ComptoirException.class, () -> program.test(slots.clear()));
        }
    }

    /** Each expression on values of Java, and on the same in JSON. */
    @Test
    void slotsAgreeWithJson() {
        Map<String, Object> items = Map.of("items", List.of(Map.of("price", 5.5, "qty", 101, "category", "Bücher", "sizes", List.of(1, 2)),
            Map.of("price", 7, "qty", 3, "category", "𝄞\u0000x", "parts", List.of(Map.of("price", 1.25, "qty", 2)))));
        String itemsJson = "{\"items\": [{\"price\": 5.5, \"qty\": 101, \"category\": \"Bücher\", \"sizes\": [1, 2]},"
            + " {\"price\": 7, \"qty\": 3, \"category\": \"𝄞\\u0000x\", \"parts\": [{\"price\": 1.25, \"qty\": 2}]}]}";
        same("items.exists(i, i.price < 10.0 && i.qty > 100)", items, itemsJson, true);
        same("items.all(i, i.qty > 3)", items, itemsJson, false);
        same("items[1].category == '𝄞\\u0000x' && items[0].category.size() == 6", items, itemsJson, true);
        same("items.map(i, i.price * double(i.qty)) == [555.5, 21.0]", items, itemsJson, true);
        same("items[1].parts[0].price == 1.25 && items.filter(i, has(i.sizes))[0].sizes == [1, 2]", items, itemsJson, true);
        same("items[0] == items[0] && items[0] != items[1]", items, itemsJson, true);
        same("items[0] == items[1].parts[0]", items, itemsJson, false);
        same("has(items[0].parts)", items, itemsJson, false);
        same("items[0].parts.size() == 1", items, itemsJson, null);
        same("items[2].qty == 1", items, itemsJson, null);
        Map<String, Object> rates = Map.of("rates", Map.of("FR", 0.2, "DE", 0.19, "été", 1));
        String ratesJson = "{\"rates\": {\"FR\": 0.2, \"DE\": 0.19, \"été\": 1}}";
        same("rates['FR'] > rates['DE'] && rates['été'] == 1.0 && rates.size() == 3", rates, ratesJson, true);
        same("'IT' in rates || rates.exists(k, rates[k] > 1.0)", rates, ratesJson, false);
        same("rates['IT'] == 0.0", rates, ratesJson, null);
        Map<String, Object> any = Map.of("any", Arrays.asList(1, 2.5, "x", null, true, List.of(Map.of("k", List.of()))));
        String anyJson = "{\"any\": [1, 2.5, \"x\", null, true, [{\"k\": []}]]}";
        same("any[0] == 1 && any[1] == 2.5 && any[2] == 'x' && any[3] == null && any[4] && any[5][0].k == []", any, anyJson, true);
        same("any.exists(a, a == {'k': []})", any, anyJson, false);
        same("any[2] > 1", any, anyJson, null);
        same("lines[1][0] + lines[0][1] == 5 && lines[2] == []", Map.of("lines", List.of(List.of(1, 2), List.of(3), List.of())),
            "{\"lines\": [[1, 2], [3], []]}", true);
    }

    private static void same(String source, Map<String, Object> values, String json, Boolean expected) {
        try (Program program = compile(source)) {
            Slots slots = program.newSlots();
            values.forEach(slots::setValue);
            if (expected == null) {
                String code = assertThrows(ComptoirException.class, () -> program.testJson(Parts.bytes(json)), source).code();
                assertEquals(code, assertThrows(ComptoirException.class, () -> program.test(slots), source).code(), source);
            } else {
                assertEquals(expected, program.testJson(Parts.bytes(json)), source);
                assertEquals(expected, program.test(slots), source);
            }
        }
    }

    @Test
    void everyKindInAStruct() {
        try (Program program = compile("customers.exists(c, c.name == 'Zoé' && c.vat == null && c.best.qty == 4"
                + " && c.since == timestamp('1960-01-31T15:59:59.5Z') && c.limit == decimal('-12345678901234567890.5')"
                + " && c.pause == duration('-1.5s') && c.key == b'\\xff\\x00' && c.vip"
                + " && c.points == 18446744073709551615u && c == customers[0])")) {
            Slots slots = program.newSlots();
            Fields customer = slots.list("customers", 1).struct(0).set("name", "Zoé").setNull("vat").set("since", Instant.parse("1960-01-31T15:59:59.5Z"))
                .set("limit", new BigDecimal("-12345678901234567890.5")).set("pause", Duration.ofMillis(-1500))
                .set("key", new byte[] {-1, 0}).set("vip", true).set("points", BigInteger.TWO.pow(64).subtract(BigInteger.ONE));
            customer.struct("best").set("qty", 4);
            assertTrue(program.test(slots));
            customer.set("vat", "FR1");
            assertThrows(IndexOutOfBoundsException.class, () -> customer.set(99, 1));
            assertFalse(program.test(slots));
        }
    }

    @Test
    void mapsEntryByEntry() {
        try (Program program = compile("names[7] == 'sept' && names[-1] == '' && rates['a'] == 2.0")) {
            Slots slots = program.newSlots();
            slots.map("names", 2).key(0, 7).set(0, "sept").key(1, -1).set(1, "");
            Entries rates = slots.map("rates", 1).key(0, "a").set(0, 2);
            assertEquals(1, rates.size());
            assertTrue(program.test(slots));
            assertEquals("key of input `rates{0}`: expected string, found a whole number",
                assertThrows(IllegalArgumentException.class, () -> rates.key(0, 3)).getMessage());
            assertThrows(IllegalArgumentException.class, () -> slots.map("names", 1).key(0, "x"));
            slots.map("names", 2).key(0, 7).set(0, "sept").key(1, 7).set(1, "");
            assertEquals("RULES_REPEATED_KEY", assertThrows(ComptoirException.class, () -> program.test(slots)).code());
            slots.map("names", 1).set(0, "no key");
            assertThrows(ComptoirException.class, () -> program.test(slots));
        }
    }

    @Test
    void valuesOfOtherTypesAreRefusedWithTheirPlace() {
        try (Program program = compile("items.size() > 0 && tags.size() > 0 && lines.size() > 0")) {
            Slots slots = program.newSlots();
            Elements items = slots.list("items", 2);
            assertEquals("input `items[1].qty`: expected int, found a text",
                assertThrows(IllegalArgumentException.class, () -> items.struct(1).set("qty", "3")).getMessage());
            assertEquals("input `items[1].sizes[0]`: expected int, found a floating-point number",
                assertThrows(IllegalArgumentException.class, () -> items.struct(1).list("sizes", 1).set(0, 3.5)).getMessage());
            assertEquals("input `items`: expected list(Item), found a whole number",
                assertThrows(IllegalArgumentException.class, () -> slots.set("items", 3)).getMessage());
            assertEquals("input `tags[0]`: expected string, found a list",
                assertThrows(IllegalArgumentException.class, () -> slots.list("tags", 1).list(0, 1)).getMessage());
            assertEquals("input `tags[0]`: expected string, found a struct",
                assertThrows(IllegalArgumentException.class, () -> slots.list("tags", 1).struct(0)).getMessage());
            assertThrows(IllegalArgumentException.class, () -> slots.set("tags", Map.of("a", 1)));
            assertThrows(IllegalArgumentException.class, () -> slots.set("tags", List.of(new StringBuilder("x"))));
            assertEquals("`items[0]` has no field `prize`: it has [category, parts, price, qty, sizes]",
                assertThrows(IllegalArgumentException.class, () -> items.struct(0).set("prize", 1)).getMessage());
            assertThrows(IllegalArgumentException.class, () -> slots.set("items", List.of(Map.of("prize", 1))));
            assertThrows(IllegalArgumentException.class, () -> slots.list("tags", -1));
            Elements tags = slots.list("tags", 2);
            assertThrows(IndexOutOfBoundsException.class, () -> tags.set(2, "x"));
            assertThrows(IndexOutOfBoundsException.class, () -> tags.set(-1, "x"));
            assertThrows(NullPointerException.class, () -> tags.set(0, (String) null));
        }
    }

    @Test
    void nullsAndElementsThatWereNotSet() {
        try (Program program = compile("tags[0] == 'a' && tags[1] == 'b'")) {
            Slots slots = program.newSlots();
            slots.list("tags", 2).set(0, "a");
            assertTrue(assertThrows(ComptoirException.class, () -> program.test(slots)).getMessage()
                .contains("element 1 of a list was not set"));
            slots.set("tags", Arrays.asList("a", null));
            assertFalse(program.test(slots));
            assertThrows(ComptoirException.class, () -> program.test(slots.setNull("tags")));
            assertTrue(program.test(slots.set("tags", List.of("a", "b"))));
        }
        try (Program program = Program.compile("{\"variables\": {\"o\": \"optional_type(list(int))\"}}", "o.orValue([]).size() == 2")) {
            Slots slots = program.newSlots();
            assertTrue(program.test(slots.set("o", List.of(1, 2))));
            assertFalse(program.test(slots.setNull("o")));
        }
    }

    @Test
    void placesOfAValueThatWasSetAgainAreNotValid() {
        try (Program program = compile("tags.size() == 1 && rates.size() == 0")) {
            Slots slots = program.newSlots();
            Elements old = slots.list("tags", 1).set(0, "x");
            slots.map("rates", 0);
            assertTrue(program.test(slots));
            Elements now = slots.list("tags", 1);
            assertThrows(IllegalStateException.class, () -> old.set(0, "y"));
            now.set(0, "z");
            assertTrue(program.test(slots));
            slots.clear();
            assertThrows(IllegalStateException.class, () -> now.set(0, "y"));
        }
    }

    @Test
    void tooDeep() {
        try (Program program = compile("type(any) == list")) {
            Slots slots = program.newSlots();
            Elements deep = slots.list("any", 1);
            for (int level = 1; level < Block.MAX_DEPTH; level++) {
                deep = deep.list(0, 1);
            }
            Elements deepest = deep.set(0, 1);
            assertTrue(program.test(slots));
            assertThrows(IllegalArgumentException.class, () -> deepest.list(0, 1));
            assertTrue(program.test(slots));
        }
    }

    @Test
    void aLiveSetTakesListsWhoseStructsAreTheSame() {
        String set = """
            {"name": "s", "version": "1", "environment": {"variables": {"items": "list(Item)", "tags": "list(string)"},
              "types": {"Item": {"qty": "int"}}}, "hit_policy": "all", "rules": [
              {"id": "many", "when": "items.exists(i, i.qty > 1)", "outputs": {"found": {"cel": "items"}}},
              {"id": "tagged", "when": "'x' in tags", "outputs": {}}]}""";
        try (RuleSet first = RuleSet.read(set); RuleSet same = RuleSet.read(set.replace("> 1", "> 2"));
                RuleSet other = RuleSet.read(set.replace("{\"qty\"", "{\"price\": \"int\", \"qty\""));
                LiveRuleSet live = new LiveRuleSet(first)) {
            Slots slots = live.newSlots().set("items", List.of(Map.of("qty", 3))).set("tags", List.of("x"));
            Decision decision = live.decide(slots);
            assertEquals(List.of("many", "tagged"), decision.fired());
            assertEquals(List.of(Map.of("qty", 3L)), decision.output("found"));
            live.replace(same);
            assertEquals(List.of("many", "tagged"), live.decide(slots).fired());
            live.replace(other);
            assertEquals(List.of("tagged"), live.decide(slots).fired());
            assertTrue(live.decide(slots).faults().containsKey("many"));
        }
    }

    @Test
    void nullIsNullWhateverIsDeclared() {
        try (Program number = Program.compile("{\"variables\": {\"a\": \"int\"}}", "a == null");
                Program element = Program.compile("{\"variables\": {\"l\": \"list(int)\"}}", "l.exists(i, i == null)")) {
            assertTrue(number.test(number.newSlots().setNull("a")));
            assertTrue(element.test(element.newSlots().set("l", Arrays.asList(1L, null))));
            assertFalse(element.test(element.newSlots().set("l", List.of(1L))));
        }
    }

    @Test
    void halfASurrogatePairIsNoText() {
        try (Program program = Program.compile("{\"variables\": {\"s\": \"string\"}}", "size(s) == 1")) {
            Slots slots = program.newSlots();
            assertTrue(program.test(slots.set("s", "\ud83d\ude00")));
            for (String half : List.of("\ud83d", "\ude00", "a\ud83dz", "\ude00\ud83d")) {
                assertEquals("HOST_UTF8", assertThrows(ComptoirException.class, () -> slots.set("s", half)).code());
            }
            assertEquals("HOST_ARGUMENT", assertThrows(ComptoirException.class, () -> program.testJson((byte[]) null)).code());
        }
    }

    /** Memory that nobody should have written gives an exception or any truth, and never the end of the JVM. */
    @Test
    void brokenMemoryIsNoCrash() {
        try (Program program = compile("items.exists(i, i.qty > 1) || size(any) == 3 || 'x' in tags || rates['a'] > 1.0")) {
            Random draw = new Random(11);
            int faults = 0;
            for (int round = 0; round < 20_000; round++) {
                Slots slots = program.newSlots();
                slots.list("items", 2).struct(0).set("qty", 1).list("parts", 2);
                slots.set("any", List.of(1, "text", List.of(2))).set("tags", List.of("a")).set("rates", Map.of("a", 0.5));
                SlotMemory memory = slots.memory();
                for (int writes = draw.nextInt(4); writes >= 0; writes--) {
                    int record = draw.nextInt(memory.size() / SlotMemory.RECORD) * SlotMemory.RECORD;
                    memory.write(record, draw.nextInt(16), draw.nextInt(40), word(draw), word(draw));
                }
                try {
                    program.test(slots);
                } catch (ComptoirException error) {
                    faults++;
                }
            }
            assertTrue(faults > 1000, faults + " faults");
        }
    }

    private static long word(Random draw) {
        return switch (draw.nextInt(4)) {
            case 0 -> draw.nextInt(10);
            case 1 -> draw.nextInt(40) * 24L;
            case 2 -> draw.nextLong();
            default -> Long.MAX_VALUE - draw.nextInt(3);
        };
    }
}
