package io.comptoir;

/**
 * The result for the rows of a table.
 *
 * @param values the result
 * @param faults the first rows without one: {@code row}, {@code code}, {@code message}, and for rule sets {@code rule}
 * @param faultCount how many there are in all
 */
public record BatchResult(Table values, Table faults, long faultCount) implements AutoCloseable {
    static BatchResult read(byte[] packed) {
        Parts parts = new Parts(packed);
        return new BatchResult(new Table(parts.readLong()), new Table(parts.readLong()), parts.readLong());
    }

    /** Closes both tables. */
    @Override
    public void close() {
        values.close();
        faults.close();
    }
}
