package io.comptoir;

/** More work is waiting than is taken; try again later. */
public final class OverloadedException extends ComptoirException {
    private static final long serialVersionUID = 1L;

    OverloadedException(Parts parts, String code, Throwable cause) {
        super(parts, ErrorKind.OVERLOADED, code, cause);
    }
}
