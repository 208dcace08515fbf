package io.comptoir;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Several values in one byte array: numbers of 4 or 8 bytes, little endian, and bytes after their length in 4 bytes. */
final class Parts {
    private final ByteBuffer buffer;

    Parts(byte[] packed) {
        buffer = ByteBuffer.wrap(packed).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The text that bytes in UTF-8 are. */
    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /**
     * The bytes of a text in UTF-8. Half a surrogate pair is no text: {@code getBytes} alone would make it a question mark, so
     * that different texts became the same.
     */
    static byte[] bytes(String text) {
        for (int place = 0; place < text.length(); place++) {
            char unit = text.charAt(place);
            if (!Character.isSurrogate(unit)) {
                continue;
            }
            boolean isPair = place + 1 < text.length() && Character.isSurrogatePair(unit, text.charAt(place + 1));
            if (!isPair) {
                String message = "a text is no Unicode at character " + place + ": half a surrogate pair";
                throw new ComptoirException(ErrorKind.DATA, "HOST_UTF8", message);
            }
            place++;
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    boolean isEmpty() {
        return !buffer.hasRemaining();
    }

    int readInt() {
        return buffer.getInt();
    }

    long readLong() {
        return buffer.getLong();
    }

    int readCount() {
        return Math.toIntExact(buffer.getLong());
    }

    double readDouble() {
        return buffer.getDouble();
    }

    byte[] readBytes() {
        byte[] bytes = new byte[buffer.getInt()];
        buffer.get(bytes);
        return bytes;
    }

    String readText() {
        return text(readBytes());
    }

    /** A number of 128 bits with this many decimal places. */
    BigDecimal readDecimal(int scale) {
        byte[] units = new byte[16];
        for (int index = units.length - 1; index >= 0; index--) {
            units[index] = buffer.get();
        }
        return new BigDecimal(new BigInteger(units), scale);
    }

    /** Packs values. */
    static final class Writer {
        private ByteBuffer buffer = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);

        Writer putInt(int number) {
            room(Integer.BYTES).putInt(number);
            return this;
        }

        Writer putLong(long number) {
            room(Long.BYTES).putLong(number);
            return this;
        }

        Writer putBytes(byte[] bytes) {
            putInt(bytes.length);
            room(bytes.length).put(bytes);
            return this;
        }

        Writer putBytes(ByteBuffer bytes) {
            putInt(bytes.remaining());
            room(bytes.remaining()).put(bytes.duplicate());
            return this;
        }

        Writer putText(String text) {
            return putBytes(Parts.bytes(text));
        }

        byte[] finish() {
            return Arrays.copyOf(buffer.array(), buffer.position());
        }

        private ByteBuffer room(int size) {
            if (buffer.remaining() < size) {
                int needed = Math.addExact(buffer.position(), size);
                int capacity = Math.max(needed, (int) Math.min(Integer.MAX_VALUE - 16, 2L * buffer.capacity()));
                byte[] grown = Arrays.copyOf(buffer.array(), capacity);
                buffer = ByteBuffer.wrap(grown).order(ByteOrder.LITTLE_ENDIAN).position(buffer.position());
            }
            return buffer;
        }
    }
}
