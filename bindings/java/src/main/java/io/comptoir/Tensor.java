package io.comptoir;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A tensor: its description, and its elements in native order, row after row. It never changes. */
public final class Tensor {
    private final TensorSpec spec;
    private final ByteBuffer data;

    private Tensor(TensorSpec spec, ByteBuffer data) {
        this.spec = spec;
        this.data = data;
    }

    /**
     * Makes a tensor of bytes, which are copied.
     *
     * @param spec the description
     * @param data the elements in native order, from position to limit
     * @return the tensor
     */
    public static Tensor of(TensorSpec spec, ByteBuffer data) {
        ByteBuffer own = ByteBuffer.allocate(data.remaining()).put(data.duplicate()).flip();
        return new Tensor(spec, own);
    }

    /**
     * Makes a tensor of single-precision numbers.
     *
     * @param name the name; may be empty where the model has one input
     * @param sides the sides
     * @param elements the elements
     * @return the tensor
     */
    public static Tensor of(String name, int[] sides, float... elements) {
        ByteBuffer own = ByteBuffer.allocate(elements.length * Float.BYTES).order(ByteOrder.nativeOrder());
        own.asFloatBuffer().put(elements);
        return new Tensor(TensorSpec.of(name, ElementType.FLOAT32, sides), own);
    }

    /**
     * Name, element type and sides.
     *
     * @return the description
     */
    public TensorSpec spec() {
        return spec;
    }

    /**
     * The elements.
     *
     * @return a read-only view in native order
     */
    public ByteBuffer data() {
        return data.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }

    /**
     * The elements of a tensor of single-precision numbers.
     *
     * @return a copy
     */
    public float[] floats() {
        if (spec.type() != ElementType.FLOAT32) {
            throw new IllegalStateException("tensor `" + spec.name() + "` has elements of " + spec.type().word());
        }
        float[] elements = new float[data.remaining() / Float.BYTES];
        data().asFloatBuffer().get(elements);
        return elements;
    }

    static Tensor read(Parts parts) {
        return new Tensor(TensorSpec.read(parts), ByteBuffer.wrap(parts.readBytes()));
    }

    void write(Parts.Writer parts) {
        spec.write(parts);
        parts.putBytes(data);
    }
}
