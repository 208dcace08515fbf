package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableTest {
    static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes + 16).alignedSlice(16).slice(0, bytes).order(ByteOrder.nativeOrder());
    }

    static ByteBuffer longs(long... values) {
        ByteBuffer buffer = direct(values.length * Long.BYTES);
        buffer.asLongBuffer().put(values);
        return buffer;
    }

    static ByteBuffer ints(int... values) {
        ByteBuffer buffer = direct(values.length * Integer.BYTES);
        buffer.asIntBuffer().put(values);
        return buffer;
    }

    static ByteBuffer raw(byte[] values) {
        return direct(values.length).put(values).flip();
    }

    @Test
    void allTypesCrossBothWaysWithoutACopy() {
        ByteBuffer quantity = longs(7, -8, 9);
        ByteBuffer price = direct(24);
        price.asDoubleBuffer().put(new double[] {0.5, 1.5, 2.5});
        ByteBuffer amount = direct(48).putLong(0, 1234).putLong(16, -5).putLong(24, -1).putLong(32, 0);
        ByteBuffer names = raw("abcü".getBytes(StandardCharsets.UTF_8));
        ByteBuffer offsets = ints(0, 1, 3, 5);
        ByteBuffer truth = raw(new byte[] {0b101});
        ByteBuffer valid = raw(new byte[] {0b011});
        try (Table table = Table.builder().int64("quantity", quantity).float64("price", price)
                .decimal128("amount", amount, 18, 2, valid).utf8("name", offsets, names, null).bool("truth", truth, null)
                .date32("day", ints(1, 2, 3), null).timestampMicros("at", longs(1, 2, 3), null)
                .int32("small", ints(4, 5, 6), null).float32("ratio", ints(0, 0, 0), null).build()) {
            assertEquals(3, table.rows());
            assertEquals(1, table.batches());
            assertEquals("quantity: int64 not null\nprice: float64 not null\namount: decimal128(18, 2)\n"
                + "name: string not null\ntruth: bool not null\nday: date32 not null\n"
                + "at: timestamp[us, UTC] not null\nsmall: int32 not null\nratio: float32 not null", table.schema());
            assertEquals(Native.address(quantity), Native.address(table.column("quantity").data()));
            assertEquals(Native.address(amount), Native.address(table.column("amount").data()));
            assertEquals(Native.address(offsets), Native.address(table.column("name").offsets().orElseThrow()));
            assertEquals(Native.address(names), Native.address(table.column("name").data()));
            assertEquals(Native.address(truth), Native.address(table.column("truth").data()));
            assertEquals(Native.address(valid), Native.address(table.column("amount").validity().orElseThrow()));
            assertTrue(table.column("quantity").validity().isEmpty());
            assertEquals(-8, table.column("quantity").data().getLong(8));
            assertTrue(table.column("quantity").data().isReadOnly());
            assertEquals(3, table.column("price").length());
            byte[] ipc = table.toIpc();
            try (Table again = Table.fromIpc(ipc)) {
                assertEquals(table.schema(), again.schema());
                assertArrayEquals(ipc, again.toIpc());
            }
        }
    }

    @Test
    void aMillionRowsCrossWithoutACopy() {
        ByteBuffer values = direct(1_000_000 * Long.BYTES);
        try (Table table = Table.builder().int64("n", values).build(); Table whole = table.combined()) {
            assertEquals(1_000_000, table.rows());
            assertEquals(Native.address(values), Native.address(table.column("n").data()));
            assertEquals(Native.address(values), Native.address(whole.column("n").data()));
        }
    }

    @Test
    void buffersStayUntilTheTableIsClosed() {
        Table table = Table.builder().int64("n", longs(1, 2, 3)).build();
        for (int round = 0; round < 5; round++) {
            System.gc();
            direct(1 << 20);
        }
        assertEquals(3, table.column("n").data().getLong(16));
        table.close();
    }

    @Test
    void buffersThatCannotBeUsedAreRefused() {
        refused("is not direct", () -> Table.builder().int64("n", ByteBuffer.allocate(8)));
        refused("not in native order", () -> Table.builder().int64("n", longs(1).order(ByteOrder.BIG_ENDIAN)));
        refused("begin at a multiple of 8 bytes", () -> Table.builder().int64("n",
            direct(24).position(1).limit(17).slice().order(ByteOrder.nativeOrder())));
        refused("has 8 bytes, but its rows need 16", () -> Table.builder().int64("n", longs(1, 2)).int64("m", longs(1)));
        refused("the validity buffer has 1 bytes", () -> Table.builder().rows(9).int64("n", direct(72), raw(new byte[] {1})));
        refused("say the number of `rows`", () -> Table.builder().bool("b", raw(new byte[] {1}), null));
        ComptoirException offsets = assertThrows(ComptoirException.class,
            () -> Table.builder().utf8("s", ints(0, 9), raw(new byte[] {65}), null).build());
        assertEquals("HOST_ARGUMENT", offsets.code());
        assertEquals("s", offsets.path());
        assertThrows(ComptoirException.class,
            () -> Table.builder().utf8("s", ints(0, 1), raw(new byte[] {(byte) 0xff}), null).build());
        assertThrows(ComptoirException.class, () -> Table.builder().decimal128("d", direct(16), 39, 0).build());
    }

    private static void refused(String part, org.junit.jupiter.api.function.Executable work) {
        String message = assertThrows(IllegalArgumentException.class, work).getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void aFileIsReadAndAFileThatIsNoneIsNamed(@TempDir Path directory) throws Exception {
        Path file = directory.resolve("t.arrows");
        try (Table table = Table.builder().int64("n", longs(4)).build()) {
            Files.write(file, table.toIpc());
        }
        try (Table read = Table.readFile(file)) {
            assertEquals(List.of(new Field("n", "int64", false)), read.fields());
        }
        Path none = directory.resolve("none");
        ComptoirException error = assertThrows(ComptoirException.class, () -> Table.readFile(none));
        assertEquals("ARROW_FILE", error.code());
        assertEquals(ErrorKind.STORAGE, error.kind());
        assertTrue(error.getMessage().contains(none.toString()), error.getMessage());
        assertThrows(ComptoirException.class, () -> Table.fromIpc(new byte[] {1, 2, 3}));
        assertThrows(ComptoirException.class, () -> Table.fromStream(0));
        assertThrows(ComptoirException.class, () -> Table.fromArray(0, 0));
    }

    @Test
    void aClosedTableIsAnException() {
        Table table = Table.builder().int64("n", longs(1)).build();
        table.close();
        table.close();
        assertTrue(table.isClosed());
        String message = assertThrows(IllegalStateException.class, table::rows).getMessage();
        assertEquals("the table is closed", message);
        assertThrows(IllegalStateException.class, () -> table.column("n"));
    }

    @Test
    void aColumnThatIsNotThereIsNamed() {
        try (Table table = Table.builder().int64("n", longs(1)).build()) {
            String message = assertThrows(IllegalArgumentException.class, () -> table.column("m")).getMessage();
            assertEquals("there is no column `m`: the columns are [n]", message);
            assertFalse(table.isClosed());
        }
    }
}
