package io.comptoir;

import java.util.List;

/** A model in Java. Called on threads of the pipeline, several at once. */
@FunctionalInterface
public interface Infer {
    /**
     * Runs a batch.
     *
     * @param batch the inputs
     * @return the outputs, whose first side is the number of rows
     * @throws Exception which fails the requests of the batch, and is the cause of their exceptions; the rows are run again in
     *     halves first, so that one bad row fails alone
     */
    List<Tensor> infer(Batch batch) throws Exception;
}
