package io.comptoir;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.arrow.c.ArrowArray;
import org.apache.arrow.c.ArrowArrayStream;
import org.apache.arrow.c.ArrowSchema;
import org.apache.arrow.c.Data;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.apache.arrow.vector.BigIntVector;
import org.apache.arrow.vector.DecimalVector;
import org.apache.arrow.vector.VarCharVector;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.ipc.ArrowReader;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Tables of arrow-java, both ways. */
class ArrowJavaTest {
    private final BufferAllocator allocator = new RootAllocator();

    @AfterEach
    void nothingLeaks() {
        assertEquals(0, allocator.getAllocatedMemory());
        allocator.close();
    }

    private VectorSchemaRoot root(int rows) {
        BigIntVector numbers = new BigIntVector("n", allocator);
        DecimalVector amounts = new DecimalVector("amount", allocator, 18, 2);
        VarCharVector names = new VarCharVector("name", allocator);
        for (int row = 0; row < rows; row++) {
            numbers.setSafe(row, row);
            if (row % 3 == 1) {
                amounts.setNull(row);
            } else {
                amounts.setSafe(row, BigDecimal.valueOf(-row * 7L, 2));
            }
            names.setSafe(row, ("näme" + row).getBytes(StandardCharsets.UTF_8));
        }
        numbers.setValueCount(rows);
        amounts.setValueCount(rows);
        names.setValueCount(rows);
        return new VectorSchemaRoot(List.of(numbers, amounts, names));
    }

    @Test
    void anArrayCrossesWithoutACopyAndComesBack() throws Exception {
        try (VectorSchemaRoot root = root(1000); ArrowSchema schema = ArrowSchema.allocateNew(allocator);
                ArrowArray array = ArrowArray.allocateNew(allocator)) {
            long numbers = root.getVector("n").getDataBufferAddress();
            long amounts = root.getVector("amount").getDataBufferAddress();
            Data.exportVectorSchemaRoot(allocator, root, null, array, schema);
            try (Table table = Table.fromArray(schema.memoryAddress(), array.memoryAddress())) {
                assertEquals(0, array.snapshot().release);
                // Only read, so that it is still the caller's.
                schema.release();
                assertEquals(numbers, Native.address(table.column("n").data()));
                assertEquals(amounts, Native.address(table.column("amount").data()));
                assertEquals("n: int64\namount: decimal128(18, 2)\nname: string", table.schema());
                back(root, table, numbers, amounts);
            }
        }
    }

    private void back(VectorSchemaRoot root, Table table, long numbers, long amounts) throws Exception {
        try (ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
            table.exportStream(stream.memoryAddress());
            try (ArrowReader reader = Data.importArrayStream(allocator, stream)) {
                assertTrue(reader.loadNextBatch());
                VectorSchemaRoot read = reader.getVectorSchemaRoot();
                assertTrue(root.equals(read));
                assertEquals(numbers, read.getVector("n").getDataBufferAddress());
                assertEquals(amounts, read.getVector("amount").getDataBufferAddress());
                assertEquals(new BigDecimal("-0.14"), read.getVector("amount").getObject(2));
                assertTrue(!reader.loadNextBatch());
            }
        }
    }

    @Test
    void aStreamOfAMillionRowsGoesThroughACore() throws Exception {
        try (VectorSchemaRoot root = root(1_000_000); Table table = stream(root);
                Program program = Program.compile("{\"variables\": {\"n\": \"int\", \"amount\": \"decimal\"}}",
                    "n % 1000 == 7 && amount < decimal(\"-1.00\")");
                BatchResult rows = program.select(table, "")) {
            assertEquals(1_000_000, table.rows());
            // n = 7, 1007, 2007, ...: those that are 1 modulo 3 are null, as 7 is.
            assertEquals(666, rows.values().rows());
            assertEquals(334, rows.faultCount());
        }
    }

    private Table stream(VectorSchemaRoot root) throws Exception {
        try (ArrowSchema schema = ArrowSchema.allocateNew(allocator); ArrowArray array = ArrowArray.allocateNew(allocator);
                ArrowArrayStream stream = ArrowArrayStream.allocateNew(allocator)) {
            Data.exportVectorSchemaRoot(allocator, root, null, array, schema);
            try (Table table = Table.fromArray(schema.memoryAddress(), array.memoryAddress())) {
                table.exportStream(stream.memoryAddress());
            }
            schema.release();
            return Table.fromStream(stream.memoryAddress());
        }
    }

    @Test
    void aReleasedStructureIsAnException() throws Exception {
        try (VectorSchemaRoot root = root(3); ArrowSchema schema = ArrowSchema.allocateNew(allocator);
                ArrowArray array = ArrowArray.allocateNew(allocator)) {
            Data.exportVectorSchemaRoot(allocator, root, null, array, schema);
            Table.fromArray(schema.memoryAddress(), array.memoryAddress()).close();
            ComptoirException error = assertThrows(ComptoirException.class,
                () -> Table.fromArray(schema.memoryAddress(), array.memoryAddress()));
            assertEquals("ARROW_PROTOCOL", error.code());
            schema.release();
        }
    }
}
