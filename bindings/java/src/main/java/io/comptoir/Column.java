package io.comptoir;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The memory of one column of a {@link Table}, in Arrow's layout: direct buffers that are read-only and in native order. They
 * may be read only while the table is open.
 */
public final class Column {
    private final Field field;
    private final long length;
    private final ByteBuffer[] memory;

    Column(Field field, long length, ByteBuffer[] memory) {
        this.field = field;
        this.length = length;
        this.memory = memory;
    }

    /**
     * The name.
     *
     * @return the name
     */
    public String name() {
        return field.name();
    }

    /**
     * The Arrow type in words, such as {@code int64}.
     *
     * @return the type
     */
    public String type() {
        return field.type();
    }

    /**
     * How many values there are, nulls among them.
     *
     * @return the number
     */
    public long length() {
        return length;
    }

    /**
     * The values: of fixed width one after the other, truth values as bits from the lowest on, texts as UTF-8.
     *
     * @return a view
     */
    public ByteBuffer data() {
        return view(0).orElseThrow();
    }

    /**
     * Where each text begins in {@link #data}, and where the last one ends; of 4 bytes, for large types of 8.
     *
     * @return a view, or nothing for types of fixed width
     */
    public Optional<ByteBuffer> offsets() {
        return view(1);
    }

    /**
     * A bit for each value from the lowest on, which is 0 where it is null.
     *
     * @return a view, or nothing where no value is null
     */
    public Optional<ByteBuffer> validity() {
        return view(2);
    }

    private Optional<ByteBuffer> view(int part) {
        ByteBuffer found = memory[part];
        return Optional.ofNullable(found == null ? null : found.duplicate().order(found.order()));
    }
}
