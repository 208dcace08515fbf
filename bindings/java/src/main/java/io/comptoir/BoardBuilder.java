package io.comptoir;

/** Collects the rows of a board. Any number of threads may push; nothing can be done once it is finished. */
public final class BoardBuilder extends NativeHandle {
    private BoardBuilder(long address) {
        super("board builder", address, Native::builderFree);
    }

    /**
     * Begins a board.
     *
     * @param spec the spec: JSON text, which begins with a brace, or YAML text
     * @param contextJson the context as JSON text; may be empty
     * @return a builder without rows
     * @throws ComptoirException for a spec or context that cannot be used, with the field
     */
    public static BoardBuilder create(String spec, String contextJson) {
        return new BoardBuilder(Native.builderNew(Parts.bytes(spec), Parts.bytes(contextJson)));
    }

    /**
     * Adds rows.
     *
     * @param table the rows
     * @param threads how many threads work, or 0 for all cores; the result does not depend on it
     * @return this
     * @throws ComptoirException for columns that are missing or have another type; {@code HOST_CLOSED} once it is finished
     */
    public BoardBuilder push(Table table, int threads) {
        long address = acquire();
        try {
            long rows = table.acquire();
            try {
                Native.builderPush(address, rows, threads);
            } finally {
                table.release();
            }
        } finally {
            release();
        }
        return this;
    }

    /**
     * Adds what another builder has seen, which is then of no more use.
     *
     * @param other a builder of the same board
     * @return this
     * @throws ComptoirException for builders of different boards; {@code HOST_CLOSED} where one is finished
     */
    public BoardBuilder merge(BoardBuilder other) {
        long address = acquire();
        try {
            long from = other.acquire();
            try {
                Native.builderMerge(address, from);
            } finally {
                other.release();
            }
        } finally {
            release();
        }
        return this;
    }

    /**
     * Makes the board of each group. The builder is then of no more use.
     *
     * @return the board
     * @throws ComptoirException {@code HOST_CLOSED} the second time
     */
    public Board finish() {
        long address = acquire();
        try {
            return new Board(Native.builderFinish(address));
        } finally {
            release();
        }
    }
}
