package io.comptoir;

import java.util.Objects;

/** The elements of a list in {@link Slots}, all of one declared type. */
public final class Elements extends Cells<Elements> {
    private final SlotType type;
    private final int size;
    private final Block block;

    Elements(SlotType type, int size, Block block) {
        this.type = type;
        this.size = size;
        this.block = block;
    }

    /**
     * How many there are.
     *
     * @return the number of elements
     */
    public int size() {
        return size;
    }

    @Override
    Elements self() {
        return this;
    }

    @Override
    SlotType type(int place) {
        return type;
    }

    @Override
    void write(int place, int kind, int scale, long first, long second) {
        block.write(Objects.checkIndex(place, size), kind, scale, first, second);
    }

    @Override
    void writeBytes(int place, int kind, byte[] content) {
        block.writeBytes(Objects.checkIndex(place, size), kind, content);
    }

    @Override
    Block writeBlock(int place, int kind, int count, int records) {
        return block.inner(this, place, Objects.checkIndex(place, size), kind, count, records);
    }

    @Override
    String path(int place) {
        return block.path() + "[" + place + "]";
    }
}
