package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class RulesTest {
    static final String SET = """
        {"name": "checks", "version": "7", "environment": {"variables": {"amount": "decimal", "country": "string"}},
         "hit_policy": "all", "rules": [
          {"id": "large", "when": "amount > decimal(100)", "outputs": {"review": true, "twice": {"cel": "amount * decimal(2)"}}},
          {"id": "abroad", "when": "country != 'FR'", "outputs": {"note": "abroad", "n": 3}}]}""";

    @Test
    void slotsOfEveryKind() {
        String environment = """
            {"variables": {"b": "bool", "i": "int", "u": "uint", "d": "double", "s": "string", "m": "decimal",
             "t": "timestamp", "p": "duration"}}""";
        try (Program program = Program.compile(environment, "b && i == -7 && u == 18446744073709551615u && d == 0.25"
                + " && s == 'café' && m == decimal('-12345678901234567890.5') && t == timestamp('1960-01-31T15:59:59.5Z')"
                + " && p == duration('-1.5s')")) {
            Slots slots = program.newSlots().set("b", true).set("i", -7).set("u", BigInteger.TWO.pow(64).subtract(BigInteger.ONE))
                .set("d", 0.25).set("s", "café").set("m", new BigDecimal("-12345678901234567890.5"))
                .set("t", Instant.parse("1960-01-31T15:59:59.5Z")).set("p", Duration.ofMillis(-1500));
            assertTrue(program.test(slots));
            assertFalse(program.test(slots.set(slots.place("i"), 8)));
            assertEquals("bool", program.resultType());
            assertEquals(8, program.inputs().size());
            assertThrows(ComptoirException.class, () -> program.test(slots.clear()));
        }
    }

    @Test
    void slotsGrowWithTheirTexts() {
        try (Program program = Program.compile("{\"variables\": {\"a\": \"string\", \"b\": \"string\"}}", "a.size() == b.size()")) {
            Slots slots = program.newSlots();
            for (int size = 1; size < 100_000; size = size * 3 + 1) {
                assertTrue(program.test(slots.set("a", "x".repeat(size)).set("b", "ü".repeat(size))));
            }
            assertTrue(program.test(slots.set("a", "").set("b", "")));
        }
    }

    @Test
    void wholeNumbersBecomeTheDeclaredKind() {
        try (Program program = Program.compile("{\"variables\": {\"d\": \"double\", \"m\": \"decimal\", \"u\": \"uint\"}}",
                "d == -3.0 && m == decimal(-3) && u == 3u")) {
            assertTrue(program.test(program.newSlots().set("d", -3).set("m", -3).set("u", 3)));
        }
    }

    @Test
    void aValueOfAnotherTypeIsRefused() {
        try (Program program = Program.compile("{\"variables\": {\"n\": \"int\", \"m\": \"decimal\"}}", "n > 1 && m > decimal(1)")) {
            Slots slots = program.newSlots();
            assertEquals("input `n`: expected int, found a text",
                assertThrows(IllegalArgumentException.class, () -> slots.set("n", "3")).getMessage());
            assertThrows(IllegalArgumentException.class, () -> slots.set("n", 3.5));
            assertThrows(IllegalArgumentException.class, () -> slots.set("m", new BigDecimal("1e-19")));
            assertThrows(IllegalArgumentException.class, () -> slots.set("m", new BigDecimal("1e40")));
            assertThrows(IllegalArgumentException.class, () -> slots.set("x", 3));
            try (Program other = Program.compile("{\"variables\": {\"n\": \"int\"}}", "n > 1")) {
                assertThrows(IllegalArgumentException.class, () -> other.test(slots));
            }
        }
    }

    @Test
    void anExpressionThatDoesNotCompileHasItsPlace() {
        ComptoirException error = assertThrows(ComptoirException.class,
            () -> Program.compile("{\"variables\": {\"amount\": \"int\"}}", "1 <\n  amout"));
        assertEquals(ErrorKind.CONFIG, error.kind());
        assertEquals(2, error.line());
        assertEquals(3, error.column());
        assertEquals(OptionalLong.empty(), error.row());
        assertTrue(error.rendered().contains("^"), error.rendered());
    }

    @Test
    void anEvaluationWithoutAValueHasItsPlace() {
        try (Program program = Program.compile("{\"variables\": {\"n\": \"int\"}}", "10 / n == 2")) {
            assertTrue(program.testJson(Parts.bytes("{\"n\": 5}")));
            assertEquals("true", program.evalJson("{\"n\": 5}"));
            ComptoirException error =
                assertThrows(ComptoirException.class, () -> program.test(program.newSlots().set("n", 0)));
            assertEquals("RULES_DIVIDE_BY_ZERO", error.code());
            assertEquals(1, error.line());
            assertTrue(error.column() > 0);
            assertTrue(error.rendered().contains("10 / n == 2"), error.rendered());
            assertEquals("RULES_JSON", assertThrows(ComptoirException.class, () -> program.evalJson("[")).code());
            try (Table table = Table.builder().int64("n", TableTest.longs(5, 0, 1)).build();
                    BatchResult values = program.evalTable(table, ""); BatchResult rows = program.select(table, "")) {
                assertEquals(3, values.values().rows());
                assertEquals(1, values.faultCount());
                assertEquals(1, values.faults().rows());
                assertEquals(1, rows.values().rows());
                assertEquals(0, rows.values().column("row").data().getLong(0));
            }
            program.close();
            assertThrows(IllegalStateException.class, () -> program.evalJson("{}"));
        }
    }

    @Test
    void aSetDecides() {
        try (RuleSet set = RuleSet.read(SET)) {
            assertEquals("checks", set.name());
            assertEquals("7", set.version());
            assertTrue(set.describe().contains(set.hash()));
            Slots slots = set.newSlots().set("amount", new BigDecimal("100.01")).set("country", "DE");
            Decision decision = set.decide(slots);
            assertEquals(List.of("large", "abroad"), decision.fired());
            assertEquals(true, decision.output("review"));
            assertEquals(new BigDecimal("200.02"), decision.output("twice"));
            assertEquals("abroad", decision.output("note"));
            assertEquals(3L, decision.output("n"));
            assertNull(decision.output("none"));
            assertEquals(4, decision.outputs().size());
            assertEquals(List.of(), decision.shadow());
            Decision faulty = set.decide(slots.clear().set("country", "FR"));
            assertEquals(List.of(), faulty.fired());
            assertEquals(1, faulty.faults().size());
            assertTrue(set.decideJson("{\"amount\": 3, \"country\": \"FR\"}").contains("fired"));
            assertTrue(set.explainJson("{\"amount\": 3, \"country\": \"FR\"}").contains("large"));
        }
    }

    @Test
    void aSetThatIsRefusedSaysWhere() {
        ComptoirException error =
            assertThrows(ComptoirException.class, () -> RuleSet.read(SET.replace("amount > decimal(100)", "amount > nothing")));
        assertEquals("rules[0].when", error.path());
        assertEquals(1, error.line());
        assertEquals(10, error.column());
    }

    @Test
    void aLiveSetIsReplaced() {
        String other = SET.replace("\"7\"", "\"8\"").replace("decimal(100)", "decimal(1)")
            .replace("\"amount\": \"decimal\", ", "\"a\": \"int\", \"amount\": \"decimal\", ");
        try (RuleSet first = RuleSet.read(SET); RuleSet second = RuleSet.read(other)) {
            LiveRuleSet live = new LiveRuleSet(first);
            Slots slots = live.newSlots().set("amount", 5).set("country", "FR");
            assertEquals(List.of(), live.decide(slots).fired());
            live.replace(second);
            assertEquals(List.of("large"), live.decide(slots).fired());
            assertEquals(List.of("abroad"), live.decide(slots.set("amount", 1).set("country", "DE")).fired());
            try (RuleSet now = live.current()) {
                assertEquals("8", now.version());
            }
            live.close();
            assertEquals("the live rule set is closed",
                assertThrows(IllegalStateException.class, () -> live.decide(slots)).getMessage());
        }
    }
}
