package io.comptoir;

/**
 * A column of a table.
 *
 * @param name the name
 * @param type the Arrow type in words, such as {@code decimal128(18, 2)}
 * @param nullable whether values may be null
 */
public record Field(String name, String type, boolean nullable) {}
