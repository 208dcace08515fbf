package io.comptoir;

/**
 * A place on a board.
 *
 * @param position the position, from 1
 * @param item what stands there: a {@code String}, or a {@code Long} on boards of integers
 * @param score its score
 */
public record Entry(long position, Object item, double score) {}
