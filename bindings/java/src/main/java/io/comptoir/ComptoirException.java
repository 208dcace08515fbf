package io.comptoir;

import java.util.OptionalLong;

/** What went wrong in the library: a stable code, and the place where it is known. */
public class ComptoirException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** The family. */
    private final ErrorKind kind;
    /** The code. */
    private final String code;
    /** The field or column. */
    private final String path;
    /** The message with the line and a caret. */
    private final String rendered;
    /** From 1; 0 where it is not known. */
    private final long line;
    /** From 1; 0 where it is not known. */
    private final long column;
    /** From 0; -1 where it is not known. */
    private final long row;

    ComptoirException(Parts parts, ErrorKind kind, String code, Throwable cause) {
        super(parts.readText(), cause);
        this.kind = kind;
        this.code = code;
        path = parts.readText();
        rendered = parts.readText();
        line = parts.readLong();
        column = parts.readLong();
        row = parts.readLong();
    }

    /** An error that is seen before the library is called. */
    ComptoirException(ErrorKind kind, String code, String message) {
        super(message);
        this.kind = kind;
        this.code = code;
        path = "";
        rendered = "";
        line = 0;
        column = 0;
        row = -1;
    }

    static ComptoirException of(Parts parts, Throwable cause) {
        ErrorKind kind = ErrorKind.valueOf(parts.readText());
        String code = parts.readText();
        return switch (kind) {
            case OVERLOADED -> new OverloadedException(parts, code, cause);
            case TIMEOUT -> new DeadlineException(parts, code, cause);
            default -> new ComptoirException(parts, kind, code, cause);
        };
    }

    /**
     * The family of the error.
     *
     * @return the family
     */
    public final ErrorKind kind() {
        return kind;
    }

    /**
     * The stable code, such as {@code RULES_DIVIDE_BY_ZERO}; the same in every host.
     *
     * @return the code
     */
    public final String code() {
        return code;
    }

    /**
     * The field of the configuration, such as {@code rules[3].when}, or the column of the table.
     *
     * @return the path, empty where it is not known
     */
    public final String path() {
        return path;
    }

    /**
     * The message with the line of the expression and a caret under the place.
     *
     * @return the text, empty where there is no such line
     */
    public final String rendered() {
        return rendered;
    }

    /**
     * The line in the expression or text.
     *
     * @return the line from 1, or 0 where it is not known
     */
    public final long line() {
        return line;
    }

    /**
     * The character in the line.
     *
     * @return the character from 1, or 0 where it is not known
     */
    public final long column() {
        return column;
    }

    /**
     * The row of the table.
     *
     * @return the row from 0, where it is known
     */
    public final OptionalLong row() {
        return row < 0 ? OptionalLong.empty() : OptionalLong.of(row);
    }
}
