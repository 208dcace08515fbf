package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class HistoryTest {
    /** Two receipts of 10 at 4.00 and 6.00, and an issue of 12. */
    static Table movements() {
        byte[] ids = "r1r2s1".getBytes(StandardCharsets.UTF_8);
        byte[] items = "mugmugmug".getBytes(StandardCharsets.UTF_8);
        byte[] pools = "paris".repeat(3).getBytes(StandardCharsets.UTF_8);
        byte[] kinds = "receiptreceiptissue".getBytes(StandardCharsets.UTF_8);
        int day = (int) LocalDate.of(2026, 1, 5).toEpochDay();
        var amounts = TableTest.direct(48).putLong(0, 4000).putLong(16, 6000);
        return Table.builder().utf8("movement_id", TableTest.ints(0, 2, 4, 6), TableTest.raw(ids), null)
            .utf8("item", TableTest.ints(0, 3, 6, 9), TableTest.raw(items), null)
            .utf8("pool", TableTest.ints(0, 5, 10, 15), TableTest.raw(pools), null)
            .date32("at", TableTest.ints(day, day + 4, day + 15), null)
            .utf8("kind", TableTest.ints(0, 7, 14, 19), TableTest.raw(kinds), null)
            .int64("quantity", TableTest.longs(10, 10, 12))
            .decimal128("amount", amounts, 18, 2, TableTest.raw(new byte[] {0b011})).build();
    }

    @Test
    void aHistoryIsValued() {
        try (Table movements = movements(); History history = History.value("{\"method\": \"fifo\"}", movements)) {
            assertEquals(new Counts(3, 3, 0, 0, 0), history.counts());
            assertEquals(LocalDate.of(2026, 1, 20), history.lastDay());
            assertEquals("{\"balanced\":true,\"accounts_total\":\"48.00\",\"stock_value\":\"48.00\"}",
                history.control("\"ifrs\""));
            try (Table layers = history.layers()) {
                assertEquals(1, layers.rows());
            }
        }
    }

    @Test
    void theReportsAreThoseOfTheirRequests() {
        try (Table movements = movements(); History history = History.value("\"odoo\"", movements)) {
            LocalDate day = LocalDate.of(2026, 2, 1);
            same(history, "{\"table\":\"postings\"}", history::postings);
            same(history, "{\"table\":\"balances\"}", history::balances);
            same(history, "{\"table\":\"rejected\"}", history::rejected);
            same(history, "{\"table\":\"ageing\",\"as_of\":\"2026-02-01\",\"buckets\":[30,90]}",
                () -> history.ageing(day, 30, 90));
            same(history, "{\"table\":\"provision\",\"as_of\":\"2026-02-01\",\"buckets\":[30],\"rates\":[\"0\",\"0.5\"]}",
                () -> history.provision(day, List.of(30), List.of("0", "0.5")));
            same(history, "{\"table\":\"voucher_entries\",\"by\":\"month\"}",
                () -> history.voucherEntries(History.Grouping.MONTH));
            same(history, "{\"table\":\"trial_balance\"}", history::trialBalance);
            same(history, "{\"table\":\"stock_card\",\"item\":\"mug\"}", () -> history.stockCard("mug"));
            same(history, "{\"table\":\"summary\",\"period\":\"month\"}", () -> history.summary(History.Period.MONTH));
            same(history, "{\"table\":\"turnover\",\"first\":\"2026-01-01\",\"last\":\"2026-02-01\"}",
                () -> history.turnover(LocalDate.of(2026, 1, 1), day));
        }
    }

    private static void same(History history, String request, Supplier<Table> report) {
        try (Table expected = history.table(request); Table found = report.get()) {
            assertTrue(found.fields().size() > 1);
            assertArrayEquals(expected.toIpc(), found.toIpc());
        }
    }

    @Test
    void badInputHasCodeAndPlace() {
        ComptoirException policy =
            assertThrows(ComptoirException.class, () -> History.policy("{\"method\": \"fifo\", \"nothing\": 1}"));
        assertEquals(ErrorKind.CONFIG, policy.kind());
        try (Table movements = movements(); History history = History.value("{\"method\": \"fifo\"}", movements)) {
            ComptoirException json = assertThrows(ComptoirException.class, () -> history.table("{\"table\":\n \"none\"}"));
            assertEquals("HOST_JSON", json.code());
            assertEquals("request", json.path());
            assertEquals(2, json.line());
            assertThrows(ComptoirException.class, () -> history.stockCard("no \"such\" item"));
            history.close();
            assertThrows(IllegalStateException.class, history::counts);
        }
        try (Table table = Table.builder().int64("n", TableTest.longs(1)).build()) {
            ComptoirException column =
                assertThrows(ComptoirException.class, () -> History.value("{\"method\": \"fifo\"}", table));
            assertEquals(ErrorKind.SCHEMA, column.kind());
        }
    }
}
