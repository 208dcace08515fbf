package io.comptoir;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;

/**
 * The inputs of one event, written into direct memory that the native library reads: the fastest way to test or decide. Made
 * once by {@link Program#newSlots} or {@link RuleSet#newSlots} and used for any number of events, by one thread at a time.
 *
 * <p>An input that was not set, or not since {@link #clear}, is absent: {@code has} is false for it, and reading it is an error
 * of the expression. A value must be one of the declared type; whole numbers become the declared kind of number. Inputs of
 * other types (lists, maps, structs, optional values) are given as JSON to the methods that take it.
 */
public final class Slots {
    private static final int RECORD = 24;
    private static final int NULL = 1;
    private static final int BOOL = 2;
    private static final int INT = 3;
    private static final int UINT = 4;
    private static final int DOUBLE = 5;
    private static final int TEXT = 6;
    private static final int DECIMAL = 7;
    private static final int TIMESTAMP = 8;
    private static final int DURATION = 9;
    private static final int MAX_SCALE = 18;
    private static final BigInteger MAX_UINT = BigInteger.TWO.pow(Long.SIZE).subtract(BigInteger.ONE);

    private Layout layout;
    private String[] types;
    private int[] textRoom;
    private int[] textStart;
    private ByteBuffer memory;
    private long address;
    private int textEnd;

    Slots(Layout layout) {
        reset(layout);
    }

    /**
     * Makes all inputs absent.
     *
     * @return this
     */
    public Slots clear() {
        for (int place = 0; place < types.length; place++) {
            memory.putInt(place * RECORD, 0);
        }
        return this;
    }

    /**
     * Makes an input null.
     *
     * @param name the input
     * @return this
     */
    public Slots setNull(String name) {
        return setNull(layout.place(name));
    }

    /**
     * Makes an input null.
     *
     * @param place the place of the input
     * @return this
     */
    public Slots setNull(int place) {
        write(place, NULL, 0, 0, 0);
        return this;
    }

    /**
     * Sets an input to a whole number: for an {@code int}, {@code uint}, {@code double} or {@code decimal}.
     *
     * @param name the input
     * @param value the number
     * @return this
     */
    public Slots set(String name, long value) {
        return set(layout.place(name), value);
    }

    /**
     * Sets an input to a whole number: for an {@code int}, {@code uint}, {@code double} or {@code decimal}.
     *
     * @param place the place of the input
     * @param value the number
     * @return this
     */
    public Slots set(int place, long value) {
        switch (types[place]) {
            case "uint" -> {
                if (value < 0) {
                    throw wrong(place, "a negative number");
                }
                write(place, UINT, 0, value, 0);
            }
            case "double" -> write(place, DOUBLE, 0, Double.doubleToRawLongBits(value), 0);
            case "decimal" -> write(place, DECIMAL, 0, value, value >> (Long.SIZE - 1));
            default -> {
                check(place, "int", "a whole number");
                write(place, INT, 0, value, 0);
            }
        }
        return this;
    }

    /**
     * Sets an input to a whole number of any size: for a {@code uint} up to 2^64 - 1, or as {@link #set(String, long)}.
     *
     * @param name the input
     * @param value the number
     * @return this
     */
    public Slots set(String name, BigInteger value) {
        int place = layout.place(name);
        if (!types[place].equals("uint")) {
            return types[place].equals("decimal") ? set(place, new BigDecimal(value)) : set(place, value.longValueExact());
        }
        if (value.signum() < 0 || value.compareTo(MAX_UINT) > 0) {
            throw wrong(place, "a number outside of its range");
        }
        write(place, UINT, 0, value.longValue(), 0);
        return this;
    }

    /**
     * Sets an input to a floating-point number.
     *
     * @param name the input
     * @param value the number
     * @return this
     */
    public Slots set(String name, double value) {
        return set(layout.place(name), value);
    }

    /**
     * Sets an input to a floating-point number.
     *
     * @param place the place of the input
     * @param value the number
     * @return this
     */
    public Slots set(int place, double value) {
        check(place, "double", "a floating-point number");
        write(place, DOUBLE, 0, Double.doubleToRawLongBits(value), 0);
        return this;
    }

    /**
     * Sets an input to a truth value.
     *
     * @param name the input
     * @param value the truth
     * @return this
     */
    public Slots set(String name, boolean value) {
        return set(layout.place(name), value);
    }

    /**
     * Sets an input to a truth value.
     *
     * @param place the place of the input
     * @param value the truth
     * @return this
     */
    public Slots set(int place, boolean value) {
        check(place, "bool", "a truth value");
        write(place, BOOL, 0, value ? 1 : 0, 0);
        return this;
    }

    /**
     * Sets an input to a text.
     *
     * @param name the input
     * @param value the text
     * @return this
     */
    public Slots set(String name, String value) {
        return set(layout.place(name), value);
    }

    /**
     * Sets an input to a text.
     *
     * @param place the place of the input
     * @param value the text
     * @return this
     */
    public Slots set(int place, String value) {
        check(place, "string", "a text");
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        if (textRoom[place] < text.length) {
            enlarge(place, text.length);
        }
        memory.put(textStart[place], text);
        write(place, TEXT, 0, textStart[place], text.length);
        return this;
    }

    /**
     * Sets an input to an exact decimal of at most 38 digits, 18 of them after the point.
     *
     * @param name the input
     * @param value the number
     * @return this
     */
    public Slots set(String name, BigDecimal value) {
        return set(layout.place(name), value);
    }

    /**
     * Sets an input to an exact decimal of at most 38 digits, 18 of them after the point.
     *
     * @param place the place of the input
     * @param value the number
     * @return this
     */
    public Slots set(int place, BigDecimal value) {
        check(place, "decimal", "a decimal");
        BigDecimal whole = value.scale() < 0 ? value.setScale(0) : value;
        if (whole.scale() > MAX_SCALE) {
            throw wrong(place, "a decimal with " + whole.scale() + " decimal places, more than " + MAX_SCALE);
        }
        BigInteger units = whole.unscaledValue();
        if (whole.precision() > 38) {
            throw wrong(place, "a decimal with more than 38 digits");
        }
        write(place, DECIMAL, whole.scale(), units.longValue(), units.shiftRight(Long.SIZE).longValue());
        return this;
    }

    /**
     * Sets an input to a moment.
     *
     * @param name the input
     * @param value the moment
     * @return this
     */
    public Slots set(String name, Instant value) {
        return set(layout.place(name), value);
    }

    /**
     * Sets an input to a moment.
     *
     * @param place the place of the input
     * @param value the moment
     * @return this
     */
    public Slots set(int place, Instant value) {
        check(place, "timestamp", "a moment");
        write(place, TIMESTAMP, 0, value.getEpochSecond(), value.getNano());
        return this;
    }

    /**
     * Sets an input to a span of time.
     *
     * @param name the input
     * @param value the span, of at most about 292 years
     * @return this
     */
    public Slots set(String name, Duration value) {
        return set(layout.place(name), value);
    }

    /**
     * Sets an input to a span of time.
     *
     * @param place the place of the input
     * @param value the span, of at most about 292 years
     * @return this
     */
    public Slots set(int place, Duration value) {
        check(place, "duration", "a span of time");
        write(place, DURATION, 0, value.toNanos(), 0);
        return this;
    }

    /**
     * The place of an input, by which it is set without looking for its name.
     *
     * @param name the input
     * @return the place, from 0
     */
    public int place(String name) {
        return layout.place(name);
    }

    Layout layout() {
        return layout;
    }

    long address() {
        return address;
    }

    int count() {
        return types.length;
    }

    /** Moves the values to where inputs of the same name and type are in another layout; others are absent. */
    void rebind(Layout other) {
        Slots before = new Slots(layout);
        before.memory = memory;
        reset(other);
        for (int place = 0; place < types.length; place++) {
            int old = before.layout.placeOf(other.inputs.get(place));
            if (old >= 0) {
                copy(before.memory, old, place);
            }
        }
    }

    private void copy(ByteBuffer from, int old, int place) {
        int record = old * RECORD;
        int kind = from.getInt(record);
        if (kind == TEXT) {
            byte[] text = new byte[(int) from.getLong(record + 16)];
            from.get((int) from.getLong(record + 8), text);
            set(place, new String(text, StandardCharsets.UTF_8));
        } else {
            write(place, kind, from.getInt(record + 4), from.getLong(record + 8), from.getLong(record + 16));
        }
    }

    private void reset(Layout made) {
        layout = made;
        types = made.inputs.stream().map(Input::type).toArray(String[]::new);
        textRoom = new int[types.length];
        textStart = new int[types.length];
        textEnd = types.length * RECORD;
        allocate(textEnd + 64);
    }

    private void write(int place, int kind, int scale, long first, long second) {
        int record = place * RECORD;
        memory.putInt(record, kind);
        memory.putInt(record + 4, scale);
        memory.putLong(record + 8, first);
        memory.putLong(record + 16, second);
    }

    private void enlarge(int place, int length) {
        int room = Math.max(16, Math.multiplyExact(length, 2));
        int end = Math.addExact(textEnd, room);
        if (end > memory.capacity()) {
            ByteBuffer before = memory;
            allocate(Math.max(end, (int) Math.min(Integer.MAX_VALUE - 16, 2L * before.capacity())));
            memory.put(0, before, 0, textEnd);
        }
        textStart[place] = textEnd;
        textRoom[place] = room;
        textEnd = end;
    }

    /** The beginning of direct memory is aligned to 8 bytes at least, as the records need. */
    private void allocate(int size) {
        ByteBuffer raw = ByteBuffer.allocateDirect(size + Long.BYTES).alignedSlice(Long.BYTES);
        memory = raw.order(ByteOrder.nativeOrder());
        address = Native.address(memory);
    }

    private void check(int place, String type, String found) {
        String declared = types[place];
        if (!declared.equals(type) && Arrays.binarySearch(PLAIN, declared) >= 0) {
            throw wrong(place, found);
        }
    }

    private IllegalArgumentException wrong(int place, String found) {
        Input input = layout.inputs.get(place);
        return new IllegalArgumentException(
            "input `" + input.name() + "`: expected " + input.type() + ", found " + found);
    }

    /** Types that take one kind of value, in order; the others, such as {@code dyn}, take any. */
    private static final String[] PLAIN =
        {"bool", "decimal", "double", "duration", "int", "string", "timestamp", "uint"};
}
