package io.comptoir;

/** What a record of slots is, and the kind of value that a declared type takes; {@code native/slots.rs} is the other side. */
final class Kind {
    /** No value; as a type: any value. */
    static final int ABSENT = 0;
    static final int ANY = 0;
    static final int NULL = 1;
    static final int BOOL = 2;
    static final int INT = 3;
    static final int UINT = 4;
    static final int DOUBLE = 5;
    static final int TEXT = 6;
    static final int DECIMAL = 7;
    static final int TIMESTAMP = 8;
    static final int DURATION = 9;
    static final int BYTES = 10;
    static final int LIST = 11;
    static final int MAP = 12;
    static final int STRUCT = 13;
    /** A list, map or struct of a slot: the record of it is at the beginning of its block. */
    static final int BLOCK = 14;

    private Kind() {}
}
