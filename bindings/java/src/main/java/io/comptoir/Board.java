package io.comptoir;

import java.util.List;

/** A finished board. Any number of threads may use it at once. */
public final class Board extends NativeHandle {
    Board(long address) {
        super("board", address, Native::boardFree);
    }

    /**
     * The places of each group.
     *
     * @return the table
     */
    public Table table() {
        long address = acquire();
        try {
            return new Table(Native.boardTable(address));
        } finally {
            release();
        }
    }

    /**
     * What became of the rows.
     *
     * @return JSON text
     */
    public String report() {
        long address = acquire();
        try {
            return Parts.text(Native.boardReport(address));
        } finally {
            release();
        }
    }

    /**
     * Why an item stands where it does, in each group.
     *
     * @param item the item
     * @return JSON text
     */
    public String explain(String item) {
        return explainIn(item, "");
    }

    /**
     * Why an item stands where it does in one group.
     *
     * @param item the item
     * @param group the values of the group as texts
     * @return JSON text
     */
    public String explain(String item, List<String> group) {
        return explainIn(item, Json.list(group));
    }

    private String explainIn(String item, String group) {
        byte[] name = Parts.bytes(item);
        long address = acquire();
        try {
            return Parts.text(Native.boardExplain(address, name, Parts.bytes(group)));
        } finally {
            release();
        }
    }
}
