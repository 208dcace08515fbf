package io.comptoir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The row of a forming batch into which a {@link Preprocess} writes. It may be used only until that returns, on its thread. */
public final class Row {
    private long slot;

    Row(long slot) {
        this.slot = slot;
    }

    /**
     * Takes the row for inputs of these shapes.
     *
     * @param inputs the inputs, which the model must take
     * @return for each of them, in their order, a direct buffer in native order over the memory of the batch, which holds
     *     whatever was there before
     * @throws ComptoirException {@code EXECUTOR_SHAPE} or {@code EXECUTOR_DTYPE} where the model takes no such inputs
     */
    public ByteBuffer[] reserve(TensorSpec... inputs) {
        if (slot == 0) {
            throw new IllegalStateException("the row can be used only during `preprocess`");
        }
        Parts.Writer parts = new Parts.Writer();
        for (TensorSpec input : inputs) {
            input.write(parts);
        }
        ByteBuffer[] memory = Native.slotReserve(slot, parts.finish());
        for (ByteBuffer part : memory) {
            part.order(ByteOrder.nativeOrder());
        }
        return memory;
    }

    void end() {
        slot = 0;
    }
}
