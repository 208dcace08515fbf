package io.comptoir;

import java.util.Optional;

/**
 * Java's code around and in a model; each part may be left out.
 *
 * @param preprocess the stage before the model
 * @param infer the model
 */
public record ModelCode(Optional<Preprocess> preprocess, Optional<Infer> infer) {
    /**
     * No code of Java: the model is one of the library's.
     *
     * @return nothing
     */
    public static ModelCode none() {
        return new ModelCode(Optional.empty(), Optional.empty());
    }

    /**
     * A model.
     *
     * @param infer the model
     * @return the code
     */
    public static ModelCode of(Infer infer) {
        return new ModelCode(Optional.empty(), Optional.of(infer));
    }

    /**
     * A model with a stage before it.
     *
     * @param preprocess the stage
     * @param infer the model
     * @return the code
     */
    public static ModelCode of(Preprocess preprocess, Infer infer) {
        return new ModelCode(Optional.of(preprocess), Optional.of(infer));
    }
}
