package io.comptoir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** The inputs of some requests, row after row, for an {@link Infer}. They may be read only until that returns. */
public final class Batch {
    private final int rows;
    private final List<TensorSpec> inputs;
    private final ByteBuffer[] memory;

    Batch(int rows, List<TensorSpec> inputs, ByteBuffer[] memory) {
        this.rows = rows;
        this.inputs = inputs;
        this.memory = memory;
    }

    /**
     * How many rows there are.
     *
     * @return the rows
     */
    public int rows() {
        return rows;
    }

    /**
     * The inputs of each row.
     *
     * @return the descriptions
     */
    public List<TensorSpec> inputs() {
        return inputs;
    }

    /**
     * The memory of an input of all rows.
     *
     * @param input the number of the input
     * @return a direct read-only buffer in native order
     */
    public ByteBuffer data(int input) {
        return memory[input].asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }
}
