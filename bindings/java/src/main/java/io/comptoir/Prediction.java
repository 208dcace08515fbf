package io.comptoir;

import java.util.ArrayList;
import java.util.List;

/**
 * The predictions for one request: its row of each output.
 *
 * @param outputs the outputs, in the order of the model
 */
public record Prediction(List<Tensor> outputs) {
    static Prediction read(byte[] packed) {
        List<Tensor> outputs = new ArrayList<>();
        for (Parts parts = new Parts(packed); !parts.isEmpty();) {
            outputs.add(Tensor.read(parts));
        }
        return new Prediction(List.copyOf(outputs));
    }

    /**
     * An output.
     *
     * @param name its name
     * @return the output
     * @throws IllegalArgumentException if there is none of this name
     */
    public Tensor output(String name) {
        for (Tensor output : outputs) {
            if (output.spec().name().equals(name)) {
                return output;
            }
        }
        throw new IllegalArgumentException("there is no output `" + name + "`");
    }
}
