package io.comptoir;

/**
 * Where the records of a list, map or struct are: at a distance from the beginning of the block of a slot, which moves when it
 * grows.
 */
final class Block {
    /** As many values in values as the native library reads. */
    static final int MAX_DEPTH = 64;

    private final SlotMemory memory;
    private final int slot;
    private final int generation;
    private final int from;
    private final int depth;
    private final Cells<?> parent;
    private final int place;

    private Block(SlotMemory memory, int slot, int generation, int from, int depth, Cells<?> parent, int place) {
        this.memory = memory;
        this.slot = slot;
        this.generation = generation;
        this.from = from;
        this.depth = depth;
        this.parent = parent;
        this.place = place;
    }

    /** The block of a slot: its own record, and those of what is in it. */
    static Block of(Slots slots, int slot, int kind, int count, int records) {
        SlotMemory memory = slots.memory();
        positive(count);
        int generation = memory.begin(slot);
        int root = memory.addRecords(slot, Math.addExact(1, records));
        memory.write(memory.block(slot, generation) + root, kind, 0, root + SlotMemory.RECORD, count);
        return new Block(memory, slot, generation, root + SlotMemory.RECORD, 1, slots, slot);
    }

    /** The records of a value in this one. */
    Block inner(Cells<?> owner, int at, int recordPlace, int kind, int count, int records) {
        if (depth == MAX_DEPTH) {
            throw new IllegalArgumentException("input `" + owner.path(at) + "`: more than " + MAX_DEPTH + " values in one another");
        }
        positive(count);
        memory.block(slot, generation);
        int inner = memory.addRecords(slot, records);
        write(recordPlace, kind, 0, inner, count);
        return new Block(memory, slot, generation, inner, depth + 1, owner, at);
    }

    void write(int record, int kind, int scale, long first, long second) {
        int start = memory.block(slot, generation);
        memory.write(start + from + record * SlotMemory.RECORD, kind, scale, first, second);
    }

    void writeBytes(int record, int kind, byte[] content) {
        memory.block(slot, generation);
        int text = memory.addBytes(slot, content);
        write(record, kind, 0, text, content.length);
    }

    /** The name of the value whose records these are, in messages. */
    String path() {
        return parent.path(place);
    }

    private static void positive(int count) {
        if (count < 0) {
            throw new IllegalArgumentException("a size cannot be negative, found " + count);
        }
    }
}
