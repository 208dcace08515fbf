package io.comptoir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The direct memory of slots: a record for each slot, then rooms for texts and blocks. A block is a list, map or struct with
 * all that is in it: records and texts, which are found by their distance from its beginning, so that it can be moved as it is.
 */
final class SlotMemory {
    /** Bytes of a record: kind and scale of 4, two words of 8. */
    static final int RECORD = 24;

    private final int[] start;
    private final int[] room;
    private final int[] used;
    private final int[] generation;
    private ByteBuffer buffer;
    private long address;
    private int end;

    SlotMemory(int slots) {
        start = new int[slots];
        room = new int[slots];
        used = new int[slots];
        generation = new int[slots];
        end = slots * RECORD;
        allocate(end + 64);
    }

    long address() {
        return address;
    }

    int size() {
        return buffer.capacity();
    }

    void write(int record, int kind, int scale, long first, long second) {
        buffer.putInt(record, kind);
        buffer.putInt(record + 4, scale);
        buffer.putLong(record + 8, first);
        buffer.putLong(record + 16, second);
    }

    void clear() {
        for (int slot = 0; slot < start.length; slot++) {
            buffer.putInt(slot * RECORD, Kind.ABSENT);
        }
    }

    /** Makes a slot a text or bytes, in a room that it keeps. */
    void writeBytes(int slot, int kind, byte[] content) {
        used[slot] = 0;
        if (room[slot] < content.length) {
            enlarge(slot, content.length);
        }
        buffer.put(start[slot], content);
        write(slot * RECORD, kind, 0, start[slot], content.length);
    }

    /** Makes a slot a block without anything in it, and gives the generation by which its cells know it. */
    int begin(int slot) {
        used[slot] = 0;
        write(slot * RECORD, Kind.BLOCK, 0, start[slot], 0);
        return ++generation[slot];
    }

    /** Where the block of a slot begins, if it is still the one of this generation. */
    int block(int slot, int expected) {
        if (buffer.getInt(slot * RECORD) != Kind.BLOCK || generation[slot] != expected) {
            throw new IllegalStateException("the input was set again, cleared or moved since these places were given");
        }
        return start[slot];
    }

    /** Makes room for absent records at the end of a block, and gives their distance from its beginning. */
    int addRecords(int slot, int count) {
        int from = add(slot, Math.multiplyExact(count, RECORD));
        for (int place = 0; place < count; place++) {
            buffer.putInt(start[slot] + from + place * RECORD, Kind.ABSENT);
        }
        return from;
    }

    /** Adds a text or bytes to a block, and gives their distance from its beginning. */
    int addBytes(int slot, byte[] content) {
        int from = add(slot, content.length);
        buffer.put(start[slot] + from, content);
        return from;
    }

    /** Takes the value of a slot of other memory. */
    void copy(SlotMemory from, int old, int slot) {
        int record = old * RECORD;
        int kind = from.buffer.getInt(record);
        long first = from.buffer.getLong(record + 8);
        long second = from.buffer.getLong(record + 16);
        if (kind == Kind.TEXT || kind == Kind.BYTES || kind == Kind.BLOCK) {
            byte[] content = new byte[Math.toIntExact(second)];
            from.buffer.get(Math.toIntExact(first), content);
            writeBytes(slot, kind, content);
        } else {
            write(slot * RECORD, kind, from.buffer.getInt(record + 4), first, second);
        }
    }

    /** Eight bytes are the alignment of records. */
    private int add(int slot, int length) {
        int from = used[slot];
        int after = Math.addExact(from, Math.addExact(length, Long.BYTES - 1)) & -Long.BYTES;
        if (room[slot] < after) {
            enlarge(slot, after);
        }
        used[slot] = after;
        write(slot * RECORD, Kind.BLOCK, 0, start[slot], after);
        return from;
    }

    /** Gives a slot a new room at the end, with what it has used so far. */
    private void enlarge(int slot, int length) {
        int size = Math.addExact(Math.max(16, Math.multiplyExact(length, 2)), Long.BYTES - 1) & -Long.BYTES;
        int after = Math.addExact(end, size);
        if (after > buffer.capacity()) {
            ByteBuffer before = buffer;
            allocate(Math.max(after, (int) Math.min(Integer.MAX_VALUE - 16, 2L * before.capacity())));
            buffer.put(0, before, 0, end);
        }
        buffer.put(end, buffer.slice(start[slot], used[slot]), 0, used[slot]);
        start[slot] = end;
        room[slot] = size;
        end = after;
    }

    private void allocate(int size) {
        ByteBuffer raw = ByteBuffer.allocateDirect(Math.addExact(size, Long.BYTES)).alignedSlice(Long.BYTES);
        buffer = raw.order(ByteOrder.nativeOrder());
        address = Native.address(buffer);
    }
}
