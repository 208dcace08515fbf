package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.List;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.DateDayVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.FieldVector;
import org.apache.arrow.vector.IntVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.Dictionary;
import org.apache.arrow.vector.dictionary.DictionaryProvider.MapDictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.apache.arrow.vector.ipc.ArrowStreamReader;
import org.apache.arrow.vector.ipc.ArrowStreamWriter;
import org.apache.arrow.vector.types.pojo.ArrowType;
import org.apache.arrow.vector.types.pojo.DictionaryEncoding;
import org.apache.arrow.vector.types.pojo.FieldType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Streams that arrow-java made, of several batches, with texts as they are and in a dictionary. */
class ArrowJavaStreamTest {
    private static final List<String> KINDS = List.of("receipt", "issue");
    private static final int BATCHES = 3;
    private static final int ROWS = 4;

    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingLeaks() {
        assertEquals(0, allocator.getAllocatedMemory());
        allocator.close();
    }

    /** Each batch brings 5 at 10.00, takes 2, brings 5 at 20.00, and takes 2. */
    private byte[] movements() throws IOException {
        DictionaryEncoding encoding = new DictionaryEncoding(7, false, new ArrowType.Int(32, true));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (VarCharVector names = texts("names", KINDS);
                BigIntVector ids = new BigIntVector("movement_id", allocator);
                VarCharVector items = texts("item", List.of("café", "café", "café", "café"));
                DateDayVector days = new DateDayVector("at", allocator);
                IntVector kinds = new IntVector("kind", new FieldType(true, encoding.getIndexType(), encoding), allocator);
                BigIntVector quantities = new BigIntVector("quantity", allocator);
                DecimalVector amounts = new DecimalVector("amount", allocator, 18, 2)) {
            MapDictionaryProvider dictionaries = new MapDictionaryProvider(new Dictionary(names, encoding));
            VectorSchemaRoot root = VectorSchemaRoot.of(ids, items, days, kinds, quantities, amounts);
            try (ArrowStreamWriter writer = new ArrowStreamWriter(root, dictionaries, bytes)) {
                for (int batch = 0; batch < BATCHES; batch++) {
                    for (int row = 0; row < ROWS; row++) {
                        int number = batch * ROWS + row;
                        ids.setSafe(row, number);
                        days.setSafe(row, (int) LocalDate.of(2026, 1, 1).plusDays(number).toEpochDay());
                        kinds.setSafe(row, row % 2);
                        quantities.setSafe(row, row % 2 == 0 ? 5 : 2);
                        if (row % 2 == 0) {
                            amounts.setSafe(row, BigDecimal.valueOf(row == 0 ? 1000 : 2000, 2));
                        } else {
                            amounts.setNull(row);
                        }
                    }
                    root.setRowCount(ROWS);
                    writer.writeBatch();
                }
            }
        }
        return bytes.toByteArray();
    }

    private VarCharVector texts(String name, List<String> values) {
        VarCharVector vector = new VarCharVector(name, allocator);
        for (int row = 0; row < values.size(); row++) {
            vector.setSafe(row, values.get(row).getBytes(StandardCharsets.UTF_8));
        }
        vector.setValueCount(values.size());
        return vector;
    }

    /** What arrow-java exports of a reader is moved into a table, and is then no longer the stream's. */
    private Table exported(byte[] content) {
        ArrowReader reader = new ArrowStreamReader(new ByteArrayInputStream(content), allocator);
        try (ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
            Data.exportArrayStream(allocator, reader, stream);
            Table table = Table.fromStream(stream.memoryAddress());
            assertEquals(0, stream.snapshot().release);
            return table;
        }
    }

    @Test
    void costingReadsTheBatchesAndGivesATable() throws Exception {
        try (Table movements = exported(movements());
                History history = History.value("{\"method\": \"moving_average\"}", movements);
                Table balances = history.table("{\"table\": \"balances\"}");
                ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
            assertEquals(new Counts(12, 12, 0, 0, 0), history.counts());
            balances.exportStream(stream.memoryAddress());
            try (ArrowReader reader = Data.importArrayStream(allocator, stream)) {
                assertTrue(reader.loadNextBatch());
                VectorSchemaRoot read = reader.getVectorSchemaRoot();
                assertEquals("café", read.getVector("item").getObject(0).toString());
                FieldVector quantity = read.getVector("quantity");
                assertEquals(0, new BigDecimal(18).compareTo(new BigDecimal(quantity.getObject(0).toString())));
                assertFalse(reader.loadNextBatch());
            }
        }
    }

    @Test
    void rulesSelectRowsOfEveryBatch() throws Exception {
        try (Table movements = exported(movements());
                Program program = Program.compile("{\"variables\": {\"kind\": \"string\", \"quantity\": \"int\"}}",
                    "kind == 'issue' && quantity == 2");
                BatchResult rows = program.select(movements, "");
                ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
            assertEquals(0, rows.faultCount());
            rows.values().exportStream(stream.memoryAddress());
            try (ArrowReader reader = Data.importArrayStream(allocator, stream)) {
                List<Long> expected = List.of(1L, 3L, 5L, 7L, 9L, 11L);
                int place = 0;
                while (reader.loadNextBatch()) {
                    FieldVector numbers = reader.getVectorSchemaRoot().getVector("row");
                    for (int row = 0; row < numbers.getValueCount(); row++) {
                        assertEquals(expected.get(place++), ((Number) numbers.getObject(row)).longValue());
                    }
                }
                assertEquals(expected.size(), place);
            }
        }
    }

    /** The reader of arrow-java fails in the middle; its words come through, and nothing is left behind. */
    @Test
    void aStreamThatFailsInTheMiddleIsAnException() throws Exception {
        byte[] content = movements();
        byte[] cut = java.util.Arrays.copyOf(content, content.length - 200);
        ComptoirException error = assertThrows(ComptoirException.class, () -> exported(cut).close());
        assertEquals("ARROW_STREAM", error.code());
    }
}
