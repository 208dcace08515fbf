package io.comptoir;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads the boards that a publisher publishes in a directory. Any number of threads may use it at once. */
public final class BoardReader extends NativeHandle {
    private static final byte[] NO_CURSOR = {};

    private BoardReader(long address) {
        super("board reader", address, Native::readerFree);
    }

    /**
     * Opens and verifies the current version.
     *
     * @param directory the directory
     * @return the reader
     * @throws ComptoirException {@code RANKING_SNAPSHOT_NONE} where nothing was published; for a file that is damaged
     */
    public static BoardReader open(Path directory) {
        return new BoardReader(Native.readerOpen(Parts.bytes(directory.toAbsolutePath().toString())));
    }

    /**
     * A page of a board.
     *
     * @param board the board
     * @param group the values of its group as texts
     * @param offset how many places are left out
     * @param limit how many places the page has at most
     * @return the page, or nothing where there is no such board
     */
    public Optional<Page> page(String board, List<String> group, long offset, long limit) {
        return page(key(board, group).finish(), offset, NO_CURSOR, limit);
    }

    /**
     * The page that follows another one, of the same version while that is kept.
     *
     * @param board the board
     * @param group the values of its group as texts
     * @param cursor where the page before ended
     * @param limit how many places the page has at most
     * @return the page, or nothing where there is no such board
     * @throws ComptoirException for a cursor that is none, of another board, or of a version that is no longer kept
     */
    public Optional<Page> page(String board, List<String> group, String cursor, long limit) {
        if (cursor.isEmpty()) {
            throw new IllegalArgumentException("an empty text is no cursor");
        }
        return page(key(board, group).finish(), 0, Parts.bytes(cursor), limit);
    }

    /**
     * The position of an item.
     *
     * @param board the board
     * @param group the values of its group as texts
     * @param item the item
     * @return the position from 1; nothing where the item or the board is not there
     */
    public OptionalLong rankOf(String board, List<String> group, String item) {
        byte[] key = key(board, group).putText(item).finish();
        long address = acquire();
        try {
            return rank(Native.readerRankOfText(address, key));
        } finally {
            release();
        }
    }

    /**
     * The position of an item on a board of integers.
     *
     * @param board the board
     * @param group the values of its group as texts
     * @param item the item
     * @return the position from 1; nothing where the item or the board is not there
     */
    public OptionalLong rankOf(String board, List<String> group, long item) {
        byte[] key = key(board, group).finish();
        long address = acquire();
        try {
            return rank(Native.readerRankOfInt(address, key, item));
        } finally {
            release();
        }
    }

    /**
     * The boards of the current version.
     *
     * @return JSON text: {@code [{"board":"top","group":["FR"],"places":20}]}
     */
    public String boards() {
        long address = acquire();
        try {
            return Parts.text(Native.readerBoards(address));
        } finally {
            release();
        }
    }

    /**
     * Version, age in seconds, watermark, number of boards and the last failure of following.
     *
     * @return JSON text
     */
    public String status() {
        long address = acquire();
        try {
            return Parts.text(Native.readerStatus(address));
        } finally {
            release();
        }
    }

    /**
     * The number of the current version.
     *
     * @return the number
     */
    public long version() {
        long address = acquire();
        try {
            return Native.readerVersion(address);
        } finally {
            release();
        }
    }

    /**
     * Changes to the version that is current now.
     *
     * @return whether it is another one
     * @throws ComptoirException for a version that cannot be read; the one so far stays
     */
    public boolean refresh() {
        long address = acquire();
        try {
            return Native.readerRefresh(address);
        } finally {
            release();
        }
    }

    /**
     * Changes to new versions by itself.
     *
     * @param interval how often a thread looks for one; zero ends it
     */
    public void follow(Duration interval) {
        long address = acquire();
        try {
            Native.readerFollow(address, interval.toNanos());
        } finally {
            release();
        }
    }

    private Optional<Page> page(byte[] key, long offset, byte[] cursor, long limit) {
        long address = acquire();
        try {
            byte[] packed = Native.readerPage(address, key, offset, cursor, limit);
            return packed == null ? Optional.empty() : Optional.of(Page.read(packed));
        } finally {
            release();
        }
    }

    private static OptionalLong rank(long position) {
        return position == 0 ? OptionalLong.empty() : OptionalLong.of(position);
    }

    private static Parts.Writer key(String board, List<String> group) {
        Parts.Writer parts = new Parts.Writer().putText(board);
        for (String value : group) {
            parts.putText(value);
        }
        return parts;
    }
}
