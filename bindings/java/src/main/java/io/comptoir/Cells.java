package io.comptoir;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Places for values, written into memory that the native library reads: the inputs of an event ({@link Slots}), the elements of
 * a list, the fields of a struct, the entries of a map. Places count from 0.
 *
 * <p>A value must be one of the declared type; whole numbers become the declared kind of number, and a {@code dyn} takes any
 * value. {@link #list}, {@link #struct} and {@link #map} give the places of a value in a value, which are valid until the input
 * that they are part of is set again or cleared: later they throw {@link IllegalStateException}.
 *
 * @param <S> the class itself
 */
public abstract sealed class Cells<S extends Cells<S>> permits NamedCells, Elements, Entries {
    private static final int MAX_SCALE = 18;
    private static final int MAX_DIGITS = 38;
    private static final BigInteger MAX_UINT = BigInteger.TWO.pow(Long.SIZE).subtract(BigInteger.ONE);

    Cells() {}

    abstract S self();

    /** The declared type of a place. */
    abstract SlotType type(int place);

    abstract void write(int place, int kind, int scale, long first, long second);

    abstract void writeBytes(int place, int kind, byte[] content);

    /** Makes a place a list, map or struct with this many records. */
    abstract Block writeBlock(int place, int kind, int count, int records);

    /** The name of a place in messages, such as {@code items[3].price}. */
    abstract String path(int place);

    /**
     * Makes a place null.
     *
     * @param place the place
     * @return this
     */
    public S setNull(int place) {
        write(place, Kind.NULL, 0, 0, 0);
        return self();
    }

    /**
     * Sets a place to a whole number: for an {@code int}, {@code uint}, {@code double} or {@code decimal}.
     *
     * @param place the place
     * @param value the number
     * @return this
     */
    public S set(int place, long value) {
        switch (type(place).kind) {
            case Kind.INT, Kind.ANY -> write(place, Kind.INT, 0, value, 0);
            case Kind.DOUBLE -> write(place, Kind.DOUBLE, 0, Double.doubleToRawLongBits(value), 0);
            case Kind.DECIMAL -> write(place, Kind.DECIMAL, 0, value, value >> (Long.SIZE - 1));
            case Kind.UINT -> {
                if (value < 0) {
                    throw wrong(place, "a negative number");
                }
                write(place, Kind.UINT, 0, value, 0);
            }
            default -> throw wrong(place, "a whole number");
        }
        return self();
    }

    /**
     * Sets a place to a floating-point number.
     *
     * @param place the place
     * @param value the number
     * @return this
     */
    public S set(int place, double value) {
        check(place, Kind.DOUBLE, "a floating-point number");
        write(place, Kind.DOUBLE, 0, Double.doubleToRawLongBits(value), 0);
        return self();
    }

    /**
     * Sets a place to a truth value.
     *
     * @param place the place
     * @param value the truth
     * @return this
     */
    public S set(int place, boolean value) {
        check(place, Kind.BOOL, "a truth value");
        write(place, Kind.BOOL, 0, value ? 1 : 0, 0);
        return self();
    }

    /**
     * Sets a place to a text.
     *
     * @param place the place
     * @param value the text
     * @return this
     */
    public S set(int place, String value) {
        check(place, Kind.TEXT, "a text");
        writeBytes(place, Kind.TEXT, Parts.bytes(value));
        return self();
    }

    /**
     * Sets a place to bytes.
     *
     * @param place the place
     * @param value the bytes, which are copied
     * @return this
     */
    public S set(int place, byte[] value) {
        check(place, Kind.BYTES, "bytes");
        writeBytes(place, Kind.BYTES, value);
        return self();
    }

    /**
     * Sets a place to a whole number of any size: for a {@code uint} up to 2^64 - 1, or as {@link #set(int, long)}.
     *
     * @param place the place
     * @param value the number
     * @return this
     */
    public S set(int place, BigInteger value) {
        if (type(place).kind == Kind.DECIMAL) {
            return set(place, new BigDecimal(value));
        }
        boolean isLong = value.bitLength() < Long.SIZE;
        if (isLong && type(place).kind != Kind.UINT) {
            return set(place, value.longValue());
        }
        check(place, Kind.UINT, "a number outside of its range");
        if (value.signum() < 0 || value.compareTo(MAX_UINT) > 0) {
            throw wrong(place, "a number outside of its range");
        }
        write(place, Kind.UINT, 0, value.longValue(), 0);
        return self();
    }

    /**
     * Sets a place to an exact decimal of at most 38 digits, 18 of them after the point.
     *
     * @param place the place
     * @param value the number
     * @return this
     */
    public S set(int place, BigDecimal value) {
        check(place, Kind.DECIMAL, "a decimal");
        BigDecimal whole = value.scale() < 0 ? value.setScale(0) : value;
        if (whole.scale() > MAX_SCALE) {
            throw wrong(place, "a decimal with " + whole.scale() + " decimal places, more than " + MAX_SCALE);
        }
        if (whole.precision() > MAX_DIGITS) {
            throw wrong(place, "a decimal with more than " + MAX_DIGITS + " digits");
        }
        BigInteger units = whole.unscaledValue();
        write(place, Kind.DECIMAL, whole.scale(), units.longValue(), units.shiftRight(Long.SIZE).longValue());
        return self();
    }

    /**
     * Sets a place to a moment.
     *
     * @param place the place
     * @param value the moment
     * @return this
     */
    public S set(int place, Instant value) {
        check(place, Kind.TIMESTAMP, "a moment");
        write(place, Kind.TIMESTAMP, 0, value.getEpochSecond(), value.getNano());
        return self();
    }

    /**
     * Sets a place to a span of time.
     *
     * @param place the place
     * @param value the span, of at most about 292 years
     * @return this
     */
    public S set(int place, Duration value) {
        check(place, Kind.DURATION, "a span of time");
        write(place, Kind.DURATION, 0, value.toNanos(), 0);
        return self();
    }

    /**
     * Sets a place to a list, element by element as {@link #setValue} does. {@link #list} is faster, since it boxes no numbers.
     *
     * @param place the place
     * @param values the elements
     * @return this
     */
    public S set(int place, List<?> values) {
        Elements elements = list(place, values.size());
        int element = 0;
        for (Object value : values) {
            elements.setValue(element++, value);
        }
        return self();
    }

    /**
     * Sets a place to a struct, if one is declared, or to a map, value by value as {@link #setValue} does. {@link #struct} and
     * {@link #map} are faster.
     *
     * @param place the place
     * @param values the values by name of field, or by key
     * @return this
     * @throws IllegalArgumentException for a name that is no field of the struct
     */
    public S set(int place, Map<?, ?> values) {
        if (type(place).kind == Kind.STRUCT) {
            Fields fields = struct(place);
            values.forEach((name, value) -> fields.setValue(fields.place(String.valueOf(name)), value));
            return self();
        }
        Entries entries = map(place, values.size());
        int entry = 0;
        for (Map.Entry<?, ?> value : values.entrySet()) {
            entries.setKeyValue(entry, value.getKey());
            entries.setValue(entry++, value.getValue());
        }
        return self();
    }

    /**
     * Sets a place to a value of any class that the other methods take, or of the classes of primitive types; null makes it null.
     *
     * @param place the place
     * @param value the value
     * @return this
     * @throws IllegalArgumentException for a value of any other class
     */
    public S setValue(int place, Object value) {
        Boxed.set(this, place, value);
        return self();
    }

    /**
     * Makes a place a list.
     *
     * @param place the place
     * @param size how many elements it has
     * @return the elements, which are all absent: each is to be set
     */
    public Elements list(int place, int size) {
        check(place, Kind.LIST, "a list");
        return new Elements(type(place).element(), size, writeBlock(place, Kind.LIST, size, size));
    }

    /**
     * Makes a place a struct, which must be declared.
     *
     * @param place the place
     * @return its fields, which are all absent: {@code has} is false for those that are not set
     */
    public Fields struct(int place) {
        SlotType.Shape shape = type(place).shape();
        if (shape == null) {
            throw wrong(place, "a struct");
        }
        int count = shape.types.length;
        return new Fields(shape, writeBlock(place, Kind.STRUCT, count, count));
    }

    /**
     * Makes a place a map.
     *
     * @param place the place
     * @param size how many entries it has
     * @return the entries: key and value of each are to be set
     */
    public Entries map(int place, int size) {
        check(place, Kind.MAP, "a map");
        SlotType type = type(place);
        return new Entries(type, size, writeBlock(place, Kind.MAP, size, Math.multiplyExact(2, size)));
    }

    private void check(int place, int kind, String found) {
        if (!type(place).takes(kind)) {
            throw wrong(place, found);
        }
    }

    IllegalArgumentException wrong(int place, String found) {
        return new IllegalArgumentException("input `" + path(place) + "`: expected " + type(place).text + ", found " + found);
    }
}
