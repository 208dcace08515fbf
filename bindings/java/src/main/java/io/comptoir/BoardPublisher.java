package io.comptoir;

import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** Publishes boards in a directory, one process at a time; readers in any process follow. */
public final class BoardPublisher extends NativeHandle {
    private BoardPublisher(long address) {
        super("board publisher", address, Native::publisherFree);
    }

    /**
     * Opens a directory, which is made if it is not there.
     *
     * @param directory the directory
     * @param keep how many of the newest versions stay, at least 1
     * @return the publisher
     * @throws ComptoirException {@code RANKING_PUBLISHER_BUSY} while another publisher has it
     */
    public static BoardPublisher open(Path directory, int keep) {
        return new BoardPublisher(Native.publisherOpen(Parts.bytes(directory.toAbsolutePath().toString()), keep));
    }

    /**
     * Publishes boards without a watermark.
     *
     * @param boards the boards, under the ids of their specs
     * @return the number of the version
     * @throws ComptoirException for a board that cannot be published; the current version is then what it was
     */
    public long publish(Board... boards) {
        return publish(List.of(boards), null);
    }

    /**
     * Writes the next version and makes it the current one.
     *
     * @param boards the boards, under the ids of their specs
     * @param watermark up to when the input is complete, or null where it is not known
     * @return the number of the version
     * @throws ComptoirException for a board that cannot be published; the current version is then what it was
     */
    public long publish(List<Board> boards, Instant watermark) {
        List<NativeHandle> used = new ArrayList<>();
        try {
            Parts.Writer parts = new Parts.Writer();
            for (Board board : boards) {
                parts.putInt(0).putLong(board.acquire());
                used.add(board);
            }
            return publish(parts, watermark);
        } finally {
            used.forEach(NativeHandle::release);
        }
    }

    /**
     * Publishes a table whose rows are places.
     *
     * @param table the table
     * @param columnsJson which column is what, such as {@code {"board": "top", "group": ["country"], "item": "sku", "score":
     *     "units", "position": "position"}}
     * @param watermark up to when the input is complete, or null where it is not known
     * @return the number of the version
     * @throws ComptoirException for a table that cannot be published, with its place
     */
    public long publishTable(Table table, String columnsJson, Instant watermark) {
        long rows = table.acquire();
        try {
            return publish(new Parts.Writer().putInt(1).putLong(rows).putText(columnsJson), watermark);
        } finally {
            table.release();
        }
    }

    /**
     * Makes an earlier version the current one, after verifying it.
     *
     * @param version its number
     * @throws ComptoirException for a version that is not there or is damaged
     */
    public void rollback(long version) {
        long address = acquire();
        try {
            Native.publisherRollback(address, version);
        } finally {
            release();
        }
    }

    /**
     * The versions that are there.
     *
     * @return their numbers, ascending
     */
    public List<Long> versions() {
        long address = acquire();
        try {
            List<Long> versions = new ArrayList<>();
            for (Parts parts = new Parts(Native.publisherVersions(address)); !parts.isEmpty();) {
                versions.add(parts.readLong());
            }
            return versions;
        } finally {
            release();
        }
    }

    private long publish(Parts.Writer boards, Instant watermark) {
        long micros = watermark == null ? 0 : ChronoUnit.MICROS.between(Instant.EPOCH, watermark);
        long address = acquire();
        try {
            return Native.publisherPublish(address, boards.finish(), micros);
        } finally {
            release();
        }
    }
}
