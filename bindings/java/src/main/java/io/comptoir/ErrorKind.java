package io.comptoir;

/** Families of errors, the same in every host of comptoir. */
public enum ErrorKind {
    /** Columns are missing or have the wrong type. */
    SCHEMA,
    /** A value is wrong. */
    DATA,
    /** A policy, template or other setting is wrong. */
    CONFIG,
    /** The input is larger than what is supported. */
    LIMIT,
    /** A file or directory cannot be written or read, or its content is not what was written. */
    STORAGE,
    /** More work is waiting than is taken; try again later. */
    OVERLOADED,
    /** A deadline has passed. */
    TIMEOUT,
    /** The caller gave the work up. */
    CANCELLED,
    /** Something needed is not there or not there any more. */
    UNAVAILABLE,
    /** A defect of the library itself. */
    INTERNAL
}
