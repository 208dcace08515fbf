package io.comptoir;

/** Types of the elements of tensors. */
public enum ElementType {
    /** 8-bit unsigned. */
    UINT8("uint8", 1),
    /** 32-bit signed. */
    INT32("int32", 4),
    /** 64-bit signed. */
    INT64("int64", 8),
    /** IEEE half precision. */
    FLOAT16("float16", 2),
    /** IEEE single precision. */
    FLOAT32("float32", 4),
    /** IEEE double precision. */
    FLOAT64("float64", 8);

    private final String word;
    private final int bytes;

    ElementType(String word, int bytes) {
        this.word = word;
        this.bytes = bytes;
    }

    /**
     * The name in NumPy, such as {@code float32}.
     *
     * @return the name
     */
    public String word() {
        return word;
    }

    /**
     * The size of an element.
     *
     * @return the bytes
     */
    public int bytes() {
        return bytes;
    }

    /**
     * The type of a name.
     *
     * @param word the name in NumPy
     * @return the type
     * @throws IllegalArgumentException if there is none
     */
    public static ElementType of(String word) {
        for (ElementType type : values()) {
            if (type.word.equals(word)) {
                return type;
            }
        }
        throw new IllegalArgumentException("there is no element type `" + word + "`");
    }
}
