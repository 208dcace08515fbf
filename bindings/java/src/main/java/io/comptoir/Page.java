package io.comptoir;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A part of a board of one version.
 *
 * @param version the version that it shows
 * @param total how many places the board has
 * @param cursor where the next page begins; nothing after the last place
 * @param entries the places, in order
 */
public record Page(long version, long total, Optional<String> cursor, List<Entry> entries) {
    static Page read(byte[] packed) {
        Parts parts = new Parts(packed);
        long version = parts.readLong();
        long total = parts.readLong();
        boolean more = parts.readInt() == 1;
        String cursor = parts.readText();
        List<Entry> entries = new ArrayList<>();
        while (!parts.isEmpty()) {
            long position = parts.readLong();
            double score = parts.readDouble();
            Object item = parts.readInt() == 0 ? (Object) parts.readLong() : parts.readText();
            entries.add(new Entry(position, item, score));
        }
        return new Page(version, total, more ? Optional.of(cursor) : Optional.empty(), List.copyOf(entries));
    }
}
