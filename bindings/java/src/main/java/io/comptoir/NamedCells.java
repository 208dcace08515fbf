package io.comptoir;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Places that have names: inputs and fields. Looking for a name takes longer than a place does.
 *
 * @param <S> the class itself
 */
public abstract sealed class NamedCells<S extends NamedCells<S>> extends Cells<S> permits Slots, Fields {
    NamedCells() {}

    /**
     * The place of a name, by which it is set without looking for it.
     *
     * @param name the name
     * @return the place, from 0
     * @throws IllegalArgumentException for a name that there is not
     */
    public abstract int place(String name);

    /**
     * Makes a place null.
     *
     * @param name its name
     * @return this
     */
    public S setNull(String name) {
        return setNull(place(name));
    }

    /**
     * Sets a place to a whole number: for an {@code int}, {@code uint}, {@code double} or {@code decimal}.
     *
     * @param name its name
     * @param value the number
     * @return this
     */
    public S set(String name, long value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a floating-point number.
     *
     * @param name its name
     * @param value the number
     * @return this
     */
    public S set(String name, double value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a truth value.
     *
     * @param name its name
     * @param value the truth
     * @return this
     */
    public S set(String name, boolean value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a text.
     *
     * @param name its name
     * @param value the text
     * @return this
     */
    public S set(String name, String value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to bytes.
     *
     * @param name its name
     * @param value the bytes, which are copied
     * @return this
     */
    public S set(String name, byte[] value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a whole number of any size: for a {@code uint} up to 2^64 - 1, or as {@link #set(String, long)}.
     *
     * @param name its name
     * @param value the number
     * @return this
     */
    public S set(String name, BigInteger value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to an exact decimal of at most 38 digits, 18 of them after the point.
     *
     * @param name its name
     * @param value the number
     * @return this
     */
    public S set(String name, BigDecimal value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a moment.
     *
     * @param name its name
     * @param value the moment
     * @return this
     */
    public S set(String name, Instant value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a span of time.
     *
     * @param name its name
     * @param value the span, of at most about 292 years
     * @return this
     */
    public S set(String name, Duration value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a list, as {@link #set(int, List)} does.
     *
     * @param name its name
     * @param value the elements
     * @return this
     */
    public S set(String name, List<?> value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a struct or a map, as {@link #set(int, Map)} does.
     *
     * @param name its name
     * @param value the values by name of field, or by key
     * @return this
     */
    public S set(String name, Map<?, ?> value) {
        return set(place(name), value);
    }

    /**
     * Sets a place to a value as {@link #setValue(int, Object)} does.
     *
     * @param name its name
     * @param value the value
     * @return this
     */
    public S setValue(String name, Object value) {
        return setValue(place(name), value);
    }

    /**
     * Makes a place a list.
     *
     * @param name its name
     * @param size how many elements it has
     * @return the elements, which are all absent: each is to be set
     */
    public Elements list(String name, int size) {
        return list(place(name), size);
    }

    /**
     * Makes a place a struct, which must be declared.
     *
     * @param name its name
     * @return its fields, which are all absent
     */
    public Fields struct(String name) {
        return struct(place(name));
    }

    /**
     * Makes a place a map.
     *
     * @param name its name
     * @param size how many entries it has
     * @return the entries: key and value of each are to be set
     */
    public Entries map(String name, int size) {
        return map(place(name), size);
    }
}
