package io.comptoir;

import java.util.ArrayList;
import java.util.List;

/**
 * Name, element type and sides of a tensor, without the side of the batch.
 *
 * @param name the name; may be empty where the model has one input
 * @param type the type of the elements
 * @param sides the sides; none for a single number
 */
public record TensorSpec(String name, ElementType type, List<Integer> sides) {
    /**
     * Makes a description.
     *
     * @param name the name
     * @param type the type of the elements
     * @param sides the sides
     * @return the description
     */
    public static TensorSpec of(String name, ElementType type, int... sides) {
        List<Integer> list = new ArrayList<>();
        for (int side : sides) {
            list.add(side);
        }
        return new TensorSpec(name, type, List.copyOf(list));
    }

    /**
     * The size of one tensor.
     *
     * @return the bytes
     */
    public int bytes() {
        int bytes = type.bytes();
        for (int side : sides) {
            bytes = Math.multiplyExact(bytes, side);
        }
        return bytes;
    }

    static TensorSpec read(Parts parts) {
        String name = parts.readText();
        ElementType type = ElementType.of(parts.readText());
        List<Integer> sides = new ArrayList<>();
        for (int left = parts.readCount(); left > 0; left--) {
            sides.add(parts.readCount());
        }
        return new TensorSpec(name, type, List.copyOf(sides));
    }

    void write(Parts.Writer parts) {
        parts.putText(name).putText(type.word()).putLong(sides.size());
        sides.forEach(parts::putLong);
    }
}
