package io.comptoir;

import java.util.Objects;

/**
 * The entries of a map in {@link Slots}: a key and a value at each place. A key that occurs twice is an error of the expression
 * that reads the map.
 */
public final class Entries extends Cells<Entries> {
    private final SlotType type;
    private final int size;
    private final Block block;

    Entries(SlotType type, int size, Block block) {
        this.type = type;
        this.size = size;
        this.block = block;
    }

    /**
     * How many there are.
     *
     * @return the number of entries
     */
    public int size() {
        return size;
    }

    /**
     * Sets the key of an entry.
     *
     * @param place the place of the entry
     * @param key the key
     * @return this, whose value at the same place is to be set
     */
    public Entries key(int place, String key) {
        checkKey(place, Kind.TEXT, "a text");
        block.writeBytes(2 * Objects.checkIndex(place, size), Kind.TEXT, Parts.bytes(key));
        return this;
    }

    /**
     * Sets the key of an entry.
     *
     * @param place the place of the entry
     * @param key the key
     * @return this, whose value at the same place is to be set
     */
    public Entries key(int place, long key) {
        int kind = type.key().kind == Kind.UINT ? Kind.UINT : Kind.INT;
        checkKey(place, kind, "a whole number");
        if (kind == Kind.UINT && key < 0) {
            throw wrongKey(place, "a negative number");
        }
        block.write(2 * Objects.checkIndex(place, size), kind, 0, key, 0);
        return this;
    }

    /**
     * Sets the key of an entry.
     *
     * @param place the place of the entry
     * @param key the key
     * @return this, whose value at the same place is to be set
     */
    public Entries key(int place, boolean key) {
        checkKey(place, Kind.BOOL, "a truth value");
        block.write(2 * Objects.checkIndex(place, size), Kind.BOOL, 0, key ? 1 : 0, 0);
        return this;
    }

    /** Sets a key of a class that is only known when it is there. */
    void setKeyValue(int place, Object key) {
        if (key instanceof String text) {
            key(place, text);
        } else if (key instanceof Long || key instanceof Integer || key instanceof Short || key instanceof Byte) {
            key(place, ((Number) key).longValue());
        } else if (key instanceof Boolean truth) {
            key(place, truth.booleanValue());
        } else {
            throw wrongKey(place, key == null ? "null" : "an object of " + key.getClass().getName());
        }
    }

    @Override
    Entries self() {
        return this;
    }

    @Override
    SlotType type(int place) {
        return type.element();
    }

    @Override
    void write(int place, int kind, int scale, long first, long second) {
        block.write(value(place), kind, scale, first, second);
    }

    @Override
    void writeBytes(int place, int kind, byte[] content) {
        block.writeBytes(value(place), kind, content);
    }

    @Override
    Block writeBlock(int place, int kind, int count, int records) {
        return block.inner(this, place, value(place), kind, count, records);
    }

    @Override
    String path(int place) {
        return block.path() + "{" + place + "}";
    }

    /** Keys and values take turns. */
    private int value(int place) {
        return 2 * Objects.checkIndex(place, size) + 1;
    }

    private void checkKey(int place, int kind, String found) {
        if (!type.key().takes(kind)) {
            throw wrongKey(place, found);
        }
    }

    private IllegalArgumentException wrongKey(int place, String found) {
        return new IllegalArgumentException(
            "key of input `" + path(place) + "`: expected " + type.key().text + ", found " + found);
    }
}
