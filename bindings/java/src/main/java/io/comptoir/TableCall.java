package io.comptoir;

/** A call of a program or a rule set on a table. */
@FunctionalInterface
interface TableCall {
    byte[] call(long address, long table, byte[] shared);

    static BatchResult run(NativeHandle owner, Table table, String sharedJson, TableCall call) {
        byte[] shared = Parts.bytes(sharedJson);
        long address = owner.acquire();
        try {
            long rows = table.acquire();
            try {
                return BatchResult.read(call.call(address, rows, shared));
            } finally {
                table.release();
            }
        } finally {
            owner.release();
        }
    }
}
