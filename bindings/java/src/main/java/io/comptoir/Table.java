package io.comptoir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;

/**
 * A table in Arrow's memory: a schema, and batches of rows. It never changes, and any number of threads may use it at once.
 *
 * <p>Tables come from Arrow's C structures, which any Arrow library fills without a copy, from Arrow IPC, or from direct
 * buffers; they are results of the cores as well.
 */
public final class Table extends NativeHandle {
    private final List<Field> fields;

    Table(long address) {
        super("table", address, Native::tableFree);
        List<Field> read = new ArrayList<>();
        Parts parts = new Parts(Native.tableSchema(address));
        while (!parts.isEmpty()) {
            read.add(new Field(parts.readText(), parts.readText(), parts.readInt() == 1));
        }
        fields = List.copyOf(read);
    }

    /**
     * Takes a stream of Arrow's C stream interface, without a copy. The structure is moved out of the caller's memory, where
     * {@code release} is null afterwards, also when the call fails.
     *
     * @param arrowArrayStreamAddress the address of an initialised {@code struct ArrowArrayStream}, for example
     *     {@code ArrowArrayStream.memoryAddress()} of arrow-java; any other address ends the process
     * @return the table
     * @throws ComptoirException if the producer fails or the stream is no table
     */
    public static Table fromStream(long arrowArrayStreamAddress) {
        return new Table(Native.tableFromStream(arrowArrayStreamAddress));
    }

    /**
     * Takes a struct array of Arrow's C data interface as a table of one batch, without a copy. The array is moved out of
     * the caller's memory; the schema is only read and stays the caller's, who releases it.
     *
     * @param schemaAddress the address of an initialised {@code struct ArrowSchema}
     * @param arrayAddress the address of an initialised {@code struct ArrowArray} of that schema
     * @return the table
     * @throws ComptoirException if the array is no table
     */
    public static Table fromArray(long schemaAddress, long arrayAddress) {
        return new Table(Native.tableFromArray(schemaAddress, arrayAddress));
    }

    /**
     * Reads a file in Arrow's IPC format, with or without a footer.
     *
     * @param file the file
     * @return the table
     * @throws ComptoirException {@code ARROW_FILE} if it cannot be read
     */
    public static Table readFile(Path file) {
        return new Table(Native.tableReadFile(Parts.bytes(file.toAbsolutePath().toString())));
    }

    /**
     * Reads bytes in Arrow's IPC format.
     *
     * @param content the bytes
     * @return the table
     * @throws ComptoirException {@code ARROW_FILE} if they are no table
     */
    public static Table fromIpc(byte[] content) {
        return new Table(Native.tableFromIpc(content));
    }

    /**
     * Makes a table over direct buffers, without a copy.
     *
     * @return a builder without columns
     */
    public static TableBuilder builder() {
        return new TableBuilder();
    }

    /**
     * Writes the table as a stream of Arrow's IPC format.
     *
     * @return the bytes, the same in every host
     */
    public byte[] toIpc() {
        long address = acquire();
        try {
            return Native.tableToIpc(address);
        } finally {
            release();
        }
    }

    /**
     * Writes a stream of Arrow's C stream interface, which shares the table's memory and keeps it after {@link #close}.
     *
     * @param address the address of memory for a {@code struct ArrowArrayStream}, which is overwritten and then belongs to
     *     the caller, who releases it
     */
    public void exportStream(long address) {
        long own = acquire();
        try {
            Native.tableExport(own, address);
        } finally {
            release();
        }
    }

    /**
     * How many rows there are.
     *
     * @return the rows of all batches
     */
    public long rows() {
        long address = acquire();
        try {
            return Native.tableRows(address);
        } finally {
            release();
        }
    }

    /**
     * How many batches there are.
     *
     * @return the number
     */
    public long batches() {
        long address = acquire();
        try {
            return Native.tableBatches(address);
        } finally {
            release();
        }
    }

    /**
     * The columns with their types.
     *
     * @return the columns, in order
     */
    public List<Field> fields() {
        return fields;
    }

    /**
     * The schema as text, a line for each column: {@code quantity: int64 not null}.
     *
     * @return the text
     */
    public String schema() {
        StringJoiner lines = new StringJoiner("\n");
        for (Field field : fields) {
            lines.add(field.name() + ": " + field.type() + (field.nullable() ? "" : " not null"));
        }
        return lines.toString();
    }

    /**
     * All batches as one: shared where there is only one, otherwise copied.
     *
     * @return a table of one batch, which is closed on its own
     */
    public Table combined() {
        long address = acquire();
        try {
            return new Table(Native.tableCombined(address));
        } finally {
            release();
        }
    }

    /**
     * The memory of a column, without a copy. The table must have one batch; see {@link #combined}.
     *
     * @param name the name of the column
     * @return views that may be read only while this table is open: a read after {@link #close} is one of freed memory
     * @throws IllegalArgumentException if there is no such column
     * @throws ComptoirException {@code HOST_ARGUMENT} if the table has several batches, or the column no plain buffers
     */
    public Column column(String name) {
        int index = 0;
        while (index < fields.size() && !fields.get(index).name().equals(name)) {
            index++;
        }
        if (index == fields.size()) {
            throw new IllegalArgumentException("there is no column `" + name + "`: the columns are " + names());
        }
        long address = acquire();
        try {
            ByteBuffer[] memory = Native.tableColumn(address, index);
            for (int part = 0; part < memory.length; part++) {
                memory[part] = memory[part] == null
                    ? null : memory[part].asReadOnlyBuffer().order(ByteOrder.nativeOrder());
            }
            return new Column(fields.get(index), Native.tableRows(address), memory);
        } finally {
            release();
        }
    }

    private List<String> names() {
        return fields.stream().map(Field::name).toList();
    }
}
