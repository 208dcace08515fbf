package io.comptoir;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Values of a class that is only known when they are there. */
final class Boxed {
    private Boxed() {}

    /** Sets a place by the method for the value's class. */
    static void set(Cells<?> cells, int place, Object value) {
        if (value == null) {
            cells.setNull(place);
        } else if (value instanceof String text) {
            cells.set(place, text);
        } else if (value instanceof Number number) {
            setNumber(cells, place, number);
        } else if (value instanceof Boolean truth) {
            cells.set(place, truth.booleanValue());
        } else if (value instanceof List<?> list) {
            cells.set(place, list);
        } else if (value instanceof Map<?, ?> map) {
            cells.set(place, map);
        } else {
            setOther(cells, place, value);
        }
    }

    private static void setNumber(Cells<?> cells, int place, Number value) {
        if (value instanceof Double || value instanceof Float) {
            cells.set(place, value.doubleValue());
        } else if (value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte) {
            cells.set(place, value.longValue());
        } else if (value instanceof BigDecimal decimal) {
            cells.set(place, decimal);
        } else if (value instanceof BigInteger whole) {
            cells.set(place, whole);
        } else {
            setOther(cells, place, value);
        }
    }

    private static void setOther(Cells<?> cells, int place, Object value) {
        if (value instanceof Instant moment) {
            cells.set(place, moment);
        } else if (value instanceof Duration span) {
            cells.set(place, span);
        } else if (value instanceof byte[] bytes) {
            cells.set(place, bytes);
        } else {
            throw cells.wrong(place, "an object of " + value.getClass().getName());
        }
    }
}
