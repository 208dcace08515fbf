package io.comptoir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes a {@link Table} over direct buffers in Arrow's layout, without a copy. Each buffer must be direct, in native order and
 * aligned to its elements; its bytes from position to limit count. The table keeps the buffers; nobody may write to them while
 * it, or anything that was made of it, is used.
 *
 * <p>The first column says how many rows there are. A validity buffer, which may be null, has a bit for each row from the
 * lowest on: 0 is a null value.
 */
public final class TableBuilder {
    private final Parts.Writer description = new Parts.Writer();
    private final List<ByteBuffer> buffers = new ArrayList<>();
    private long rows = -1;

    TableBuilder() {}

    /**
     * Says how many rows there are, which the first column cannot say where it has bits.
     *
     * @param count the rows
     * @return this
     */
    public TableBuilder rows(long count) {
        if (count < 0) {
            throw new IllegalArgumentException("a table cannot have " + count + " rows");
        }
        rows = count;
        return this;
    }

    /**
     * Adds integers of 64 bits.
     *
     * @param name the column
     * @param data the values
     * @return this
     */
    public TableBuilder int64(String name, ByteBuffer data) {
        return int64(name, data, null);
    }

    /**
     * Adds integers of 64 bits.
     *
     * @param name the column
     * @param data the values
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder int64(String name, ByteBuffer data, ByteBuffer validity) {
        return fixed(name, "int64", 0, 0, 8, 8, data, validity);
    }

    /**
     * Adds integers of 32 bits.
     *
     * @param name the column
     * @param data the values
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder int32(String name, ByteBuffer data, ByteBuffer validity) {
        return fixed(name, "int32", 0, 0, 4, 4, data, validity);
    }

    /**
     * Adds floating-point numbers of 64 bits.
     *
     * @param name the column
     * @param data the values
     * @return this
     */
    public TableBuilder float64(String name, ByteBuffer data) {
        return float64(name, data, null);
    }

    /**
     * Adds floating-point numbers of 64 bits.
     *
     * @param name the column
     * @param data the values
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder float64(String name, ByteBuffer data, ByteBuffer validity) {
        return fixed(name, "float64", 0, 0, 8, 8, data, validity);
    }

    /**
     * Adds floating-point numbers of 32 bits.
     *
     * @param name the column
     * @param data the values
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder float32(String name, ByteBuffer data, ByteBuffer validity) {
        return fixed(name, "float32", 0, 0, 4, 4, data, validity);
    }

    /**
     * Adds exact decimals: integers of 128 bits, each the number times ten to the power of the scale.
     *
     * @param name the column
     * @param data the values, aligned to 16 bytes
     * @param precision decimal digits, from 1 to 38
     * @param scale decimal places, from 0 to the precision
     * @return this
     */
    public TableBuilder decimal128(String name, ByteBuffer data, int precision, int scale) {
        return decimal128(name, data, precision, scale, null);
    }

    /**
     * Adds exact decimals: integers of 128 bits, each the number times ten to the power of the scale.
     *
     * @param name the column
     * @param data the values, aligned to 16 bytes
     * @param precision decimal digits, from 1 to 38
     * @param scale decimal places, from 0 to the precision
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder decimal128(String name, ByteBuffer data, int precision, int scale, ByteBuffer validity) {
        return fixed(name, "decimal128", precision, scale, 16, 16, data, validity);
    }

    /**
     * Adds days since 1970-01-01, in 32 bits.
     *
     * @param name the column
     * @param data the values
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder date32(String name, ByteBuffer data, ByteBuffer validity) {
        return fixed(name, "date32", 0, 0, 4, 4, data, validity);
    }

    /**
     * Adds moments: microseconds since 1970-01-01T00:00:00Z, in 64 bits, with time zone UTC.
     *
     * @param name the column
     * @param data the values
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder timestampMicros(String name, ByteBuffer data, ByteBuffer validity) {
        return fixed(name, "timestamp_us_utc", 0, 0, 8, 8, data, validity);
    }

    /**
     * Adds truth values: bits from the lowest on. The number of rows must be known from {@link #rows} or another column.
     *
     * @param name the column
     * @param data the values
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder bool(String name, ByteBuffer data, ByteBuffer validity) {
        if (rows < 0) {
            throw new IllegalArgumentException(
                "column `" + name + "`: say the number of `rows` before a first column of truth values");
        }
        check(name, "data", data, 1);
        checkLength(name, "data", data, (rows + 7) / 8);
        return add(name, "bool", 0, 0, validity, data);
    }

    /**
     * Adds texts.
     *
     * @param name the column
     * @param offsets where each text begins in the data, and where the last one ends: one more than rows, of 32 bits
     * @param data the texts in UTF-8, one after the other
     * @param validity which values are there, or null for all
     * @return this
     */
    public TableBuilder utf8(String name, ByteBuffer offsets, ByteBuffer data, ByteBuffer validity) {
        check(name, "offsets", offsets, 4);
        check(name, "data", data, 1);
        if (rows < 0) {
            rows = offsets.remaining() / 4 - 1;
        }
        checkLength(name, "offsets", offsets, (rows + 1) * 4);
        return add(name, "utf8", 0, 0, validity, offsets, data);
    }

    /**
     * Makes the table. Texts and offsets are validated.
     *
     * @return the table
     * @throws ComptoirException {@code HOST_ARGUMENT} for offsets that do not ascend, or texts that are not UTF-8
     */
    public Table build() {
        byte[] columns = description.finish();
        byte[] packed = new byte[columns.length + Long.BYTES];
        ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN).putLong(Math.max(rows, 0)).put(columns);
        return new Table(Native.tableFromBuffers(packed, buffers.toArray(new ByteBuffer[0])));
    }

    private TableBuilder fixed(
            String name, String type, int precision, int scale, int width, int alignment, ByteBuffer data,
            ByteBuffer validity) {
        check(name, "data", data, alignment);
        if (rows < 0) {
            rows = data.remaining() / width;
        }
        checkLength(name, "data", data, rows * width);
        return add(name, type, precision, scale, validity, data);
    }

    private TableBuilder add(
            String name, String type, int precision, int scale, ByteBuffer validity, ByteBuffer... data) {
        if (validity != null) {
            check(name, "validity", validity, 1);
            checkLength(name, "validity", validity, (rows + 7) / 8);
        }
        description.putText(name).putText(type).putInt(precision).putInt(scale);
        description.putLong(data.length).putLong(validity == null ? 0 : 1);
        for (ByteBuffer part : data) {
            // A slice begins at the position; its order does not matter any more.
            buffers.add(part.slice());
        }
        if (validity != null) {
            buffers.add(validity.slice());
        }
        return this;
    }

    private static void check(String column, String part, ByteBuffer buffer, int alignment) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException(
                "column `" + column + "`: the " + part + " buffer is not direct: use `ByteBuffer.allocateDirect`");
        }
        if (alignment > 1 && buffer.order() != ByteOrder.nativeOrder()) {
            throw new IllegalArgumentException("column `" + column + "`: the " + part
                + " buffer is not in native order: use `order(ByteOrder.nativeOrder())`");
        }
        if (alignment > 1 && buffer.alignmentOffset(buffer.position(), alignment) != 0) {
            throw new IllegalArgumentException("column `" + column + "`: the " + part + " buffer does not begin at a multiple of "
                + alignment + " bytes: use `alignedSlice(" + alignment + ")`");
        }
    }

    private static void checkLength(String column, String part, ByteBuffer buffer, long needed) {
        if (buffer.remaining() < needed) {
            throw new IllegalArgumentException("column `" + column + "`: the " + part + " buffer has " + buffer.remaining()
                + " bytes, but its rows need " + needed);
        }
    }
}
