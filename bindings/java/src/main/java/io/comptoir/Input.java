package io.comptoir;

/**
 * An input of a program or a rule set.
 *
 * @param name the name, such as {@code user.age}
 * @param type the declared type, such as {@code int}
 */
public record Input(String name, String type) {}
