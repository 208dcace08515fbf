package io.comptoir;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/** What the native library calls for one pipeline and model; the items that wait are those of the whole pipeline. */
final class ModelAdapter {
    private final ModelCode code;
    private final ConcurrentHashMap<Long, Object> items;

    ModelAdapter(ModelCode code, ConcurrentHashMap<Long, Object> items) {
        this.code = code;
        this.items = items;
    }

    /** 1 for a stage, 2 for a model. */
    byte flags() {
        return (byte) ((code.preprocess().isPresent() ? 1 : 0) + (code.infer().isPresent() ? 2 : 0));
    }

    void preprocess(long item, Row row) throws Exception {
        code.preprocess().orElseThrow().preprocess(items.get(item), row);
    }

    byte[] infer(Parts specs, ByteBuffer[] memory) throws Exception {
        int rows = specs.readCount();
        List<TensorSpec> inputs = new ArrayList<>();
        while (!specs.isEmpty()) {
            inputs.add(TensorSpec.read(specs));
        }
        Parts.Writer outputs = new Parts.Writer();
        for (Tensor output : code.infer().orElseThrow().infer(new Batch(rows, List.copyOf(inputs), memory))) {
            output.write(outputs);
        }
        return outputs.finish();
    }
}
