package io.comptoir;

import java.util.Collection;
import java.util.stream.Collectors;

/** Writes the little JSON that calls need. */
final class Json {
    private Json() {}

    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int index = 0; index < text.length(); index++) {
            char character = text.charAt(index);
            if (character == '"' || character == '\\') {
                quoted.append('\\').append(character);
            } else if (character < ' ') {
                quoted.append(String.format("\\u%04x", (int) character));
            } else {
                quoted.append(character);
            }
        }
        return quoted.append('"').toString();
    }

    static String list(Collection<String> texts) {
        return texts.stream().map(text -> text == null ? "null" : quote(text)).collect(Collectors.joining(",", "[", "]"));
    }
}
