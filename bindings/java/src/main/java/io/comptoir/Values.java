package io.comptoir;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads values of rules as values of Java. */
final class Values {
    private Values() {}

    static Object read(Parts parts) {
        int kind = parts.readInt();
        return switch (kind) {
            case 1 -> null;
            case 2 -> parts.readInt() != 0;
            case 3 -> parts.readLong();
            case 4 -> new BigInteger(Long.toUnsignedString(parts.readLong()));
            case 5 -> parts.readDouble();
            case 6 -> parts.readText();
            case 7 -> parts.readDecimal(parts.readInt());
            case 8 -> Instant.ofEpochSecond(parts.readLong(), parts.readLong());
            case 9 -> Duration.ofNanos(parts.readLong());
            case 10 -> parts.readBytes();
            case 11 -> list(parts);
            case 12 -> map(parts);
            default -> throw new IllegalStateException("a value of kind " + kind);
        };
    }

    private static List<Object> list(Parts parts) {
        int count = parts.readCount();
        List<Object> values = new ArrayList<>(count);
        for (int index = 0; index < count; index++) {
            values.add(read(parts));
        }
        return Collections.unmodifiableList(values);
    }

    private static Map<Object, Object> map(Parts parts) {
        int count = parts.readCount();
        Map<Object, Object> entries = new LinkedHashMap<>();
        for (int index = 0; index < count; index++) {
            Object key = read(parts);
            entries.put(key, read(parts));
        }
        return Collections.unmodifiableMap(entries);
    }
}
