package io.comptoir;

/** A stage before the model: turns an item into a row. Called on threads of the pipeline, several at once. */
@FunctionalInterface
public interface Preprocess {
    /**
     * Writes the inputs of an item.
     *
     * @param item what was submitted
     * @param row where the inputs go
     * @throws Exception which fails this request, and is the cause of its exception
     */
    void preprocess(Object item, Row row) throws Exception;
}
