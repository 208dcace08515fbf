package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RankingTest {
    static final String SPEC = "{\"id\": \"items\", \"group\": [\"cat\"], \"item\": \"sku\", \"score\": \"sales\", \"k\": 9}";

    static Table sales(long... scores) {
        int[] groups = new int[scores.length + 1];
        int[] items = new int[scores.length + 1];
        StringBuilder skus = new StringBuilder();
        for (int row = 0; row < scores.length; row++) {
            skus.append('p').append(row);
            groups[row + 1] = row + 1;
            items[row + 1] = skus.length();
        }
        return Table.builder().utf8("cat", TableTest.ints(groups), TableTest.raw(Parts.bytes("a".repeat(scores.length))), null)
            .utf8("sku", TableTest.ints(items), TableTest.raw(skus.toString().getBytes(StandardCharsets.UTF_8)), null)
            .int64("sales", TableTest.longs(scores)).build();
    }

    static Board board(long... scores) {
        try (Table sales = sales(scores); BoardBuilder builder = BoardBuilder.create(SPEC, "")) {
            return builder.push(sales, 1).finish();
        }
    }

    @Test
    void aBoardIsPublishedAndRead(@TempDir Path directory) {
        assertEquals("RANKING_SNAPSHOT_NONE", assertThrows(ComptoirException.class, () -> BoardReader.open(directory)).code());
        try (BoardPublisher publisher = BoardPublisher.open(directory, 3); Board board = board(10, 30, 20)) {
            assertEquals("RANKING_PUBLISHER_BUSY",
                assertThrows(ComptoirException.class, () -> BoardPublisher.open(directory, 3)).code());
            assertEquals(1, publisher.publish(List.of(board), Instant.EPOCH.plusMillis(5)));
            try (BoardReader reader = BoardReader.open(directory)) {
                Page page = reader.page("items", List.of("a"), 0, 2).orElseThrow();
                assertEquals(List.of(new Entry(1, "p1", 30), new Entry(2, "p2", 20)), page.entries());
                assertEquals(3, page.total());
                Page next = reader.page("items", List.of("a"), page.cursor().orElseThrow(), 2).orElseThrow();
                assertEquals(List.of(new Entry(3, "p0", 10)), next.entries());
                assertEquals(Optional.empty(), next.cursor());
                assertEquals(Optional.empty(), reader.page("items", List.of("b"), 0, 2));
                assertEquals(OptionalLong.of(2), reader.rankOf("items", List.of("a"), "p2"));
                assertEquals(OptionalLong.empty(), reader.rankOf("items", List.of("a"), "p9"));
                assertEquals(OptionalLong.empty(), reader.rankOf("items", List.of("a"), 7));
                assertEquals("[{\"board\":\"items\",\"group\":[\"a\"],\"places\":3}]", reader.boards());
                assertTrue(reader.status().contains("\"watermark\":5000"), reader.status());
                assertThrows(ComptoirException.class, () -> reader.page("items", List.of("a"), -1, 2));
                assertThrows(ComptoirException.class, () -> reader.page("items", List.of("a"), "no cursor", 2));
                followed(publisher, reader);
            }
        }
    }

    private static void followed(BoardPublisher publisher, BoardReader reader) {
        try (Board second = board(1, 2); Table table = second.table()) {
            publisher.publish(second);
            assertTrue(reader.refresh());
            assertFalse(reader.refresh());
            assertEquals(2, reader.version());
            publisher.publishTable(table,
                "{\"board\": \"t\", \"group\": [\"cat\"], \"item\": \"sku\", \"score\": \"score\"}", null);
            assertEquals(List.of(1L, 2L, 3L), publisher.versions());
            reader.follow(Duration.ofMillis(2));
            long end = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while (reader.version() != 3 && System.nanoTime() < end) {
                Thread.onSpinWait();
            }
            assertEquals(3, reader.version());
            reader.follow(Duration.ZERO);
            publisher.rollback(1);
            assertTrue(reader.refresh());
            assertEquals(OptionalLong.of(1), reader.rankOf("items", List.of("a"), "p1"));
        }
    }

    @Test
    void aBoardExplainsAndReports() {
        try (Board board = board(5, 7); Table table = board.table()) {
            assertEquals(2, table.rows());
            assertTrue(board.report().startsWith("{"), board.report());
            assertTrue(board.explain("p1").contains("p1"), board.explain("p1"));
            assertEquals(board.explain("p1"), board.explain("p1", List.of("a")));
        }
    }

    @Test
    void buildersAreMergedAndFinishedOnce() {
        try (Table sales = sales(1, 2); BoardBuilder one = BoardBuilder.create(SPEC, "");
                BoardBuilder two = BoardBuilder.create(SPEC, "")) {
            one.push(sales, 0).merge(two.push(sales, 2));
            assertThrows(ComptoirException.class, () -> one.merge(one));
            assertEquals("HOST_CLOSED", assertThrows(ComptoirException.class, two::finish).code());
            one.finish().close();
            assertEquals("HOST_CLOSED", assertThrows(ComptoirException.class, () -> one.push(sales, 1)).code());
        }
        ComptoirException error = assertThrows(ComptoirException.class,
            () -> BoardBuilder.create(SPEC.replace("\"k\": 9", "\"k\": 9, \"where\": \"1 +\""), ""));
        assertEquals(ErrorKind.CONFIG, error.kind());
        assertFalse(error.path().isEmpty(), error.getMessage());
    }

    @Test
    void aLeaderboardRanks() {
        try (Leaderboard board = new Leaderboard()) {
            assertEquals(OptionalDouble.empty(), board.update("ann", 3));
            assertEquals(OptionalDouble.of(3), board.update("ann", 5));
            board.update("bob", 4);
            assertEquals(OptionalLong.of(2), board.rankOf("bob"));
            assertEquals(OptionalLong.empty(), board.rankOf("cid"));
            assertEquals(OptionalDouble.of(4), board.scoreOf("bob"));
            assertEquals(List.of(new Leaderboard.Member("ann", 5)), board.top(1));
            assertEquals(OptionalDouble.of(5), board.remove("ann"));
            assertEquals(1, board.size());
            assertEquals("RANKING_SCORE_NAN",
                assertThrows(ComptoirException.class, () -> board.update("ann", Double.NaN)).code());
        }
    }
}
