package io.comptoir;

/** A deadline has passed, or cannot be met any more. */
public final class DeadlineException extends ComptoirException {
    private static final long serialVersionUID = 1L;

    DeadlineException(Parts parts, String code, Throwable cause) {
        super(parts, ErrorKind.TIMEOUT, code, cause);
    }
}
