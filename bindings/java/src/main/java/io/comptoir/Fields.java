package io.comptoir;

import java.util.Objects;

/** The fields of a struct in {@link Slots}. Their places are in the order of the names, and the same in every struct of a type. */
public final class Fields extends NamedCells<Fields> {
    private final SlotType.Shape shape;
    private final Block block;

    Fields(SlotType.Shape shape, Block block) {
        this.shape = shape;
        this.block = block;
    }

    @Override
    public int place(String name) {
        Integer place = shape.places.get(name);
        if (place == null) {
            throw new IllegalArgumentException("`" + block.path() + "` has no field `" + name + "`: it has " + shape.names);
        }
        return place;
    }

    @Override
    Fields self() {
        return this;
    }

    @Override
    SlotType type(int place) {
        return shape.types[place];
    }

    @Override
    void write(int place, int kind, int scale, long first, long second) {
        block.write(inside(place), kind, scale, first, second);
    }

    @Override
    void writeBytes(int place, int kind, byte[] content) {
        block.writeBytes(inside(place), kind, content);
    }

    @Override
    Block writeBlock(int place, int kind, int count, int records) {
        return block.inner(this, place, inside(place), kind, count, records);
    }

    @Override
    String path(int place) {
        return block.path() + "." + shape.names.get(place);
    }

    private int inside(int place) {
        return Objects.checkIndex(place, shape.types.length);
    }
}
