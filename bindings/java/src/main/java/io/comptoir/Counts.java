package io.comptoir;

/**
 * What became of the rows of a stock history: accepted and rejected make the input.
 *
 * @param input rows of the input
 * @param accepted rows in the books
 * @param rejected rows that are not
 * @param duplicates those of the rejected that came before
 * @param corrections rows that correct others
 */
public record Counts(long input, long accepted, long rejected, long duplicates, long corrections) {}
