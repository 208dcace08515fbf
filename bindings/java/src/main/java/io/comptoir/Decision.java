package io.comptoir;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The decision of a rule set on one event. It is read when it is first looked at, so that a decision that is only counted costs
 * little.
 */
public final class Decision {
    private byte[] packed;
    private List<String> fired;
    private List<String> shadow;
    private Map<String, String> faults;
    private List<Output> outputs;

    Decision(byte[] packed) {
        this.packed = packed;
    }

    /**
     * An output of a rule that counts.
     *
     * @param rule the rule
     * @param name the output
     * @param value its value: {@code Boolean}, {@code Long}, {@code BigInteger} (of a uint), {@code Double}, {@code String},
     *     {@code BigDecimal}, {@code Instant}, {@code Duration}, {@code byte[]}, {@code List}, {@code Map} or null
     */
    public record Output(String rule, String name, Object value) {}

    /**
     * The ids of the rules that count.
     *
     * @return the ids, in the order in which they count
     */
    public List<String> fired() {
        read();
        return fired;
    }

    /**
     * The ids of the rules in shadow mode whose condition is true.
     *
     * @return the ids
     */
    public List<String> shadow() {
        read();
        return shadow;
    }

    /**
     * Rules without a truth, or outputs without a value, and why. They stop no other rule.
     *
     * @return messages by the id of the rule
     */
    public Map<String, String> faults() {
        read();
        return faults;
    }

    /**
     * The outputs of the rules that count.
     *
     * @return the outputs
     */
    public List<Output> outputs() {
        read();
        return outputs;
    }

    /**
     * The first output of a name.
     *
     * @param name the name
     * @return its value, or null where no rule gives it
     */
    public Object output(String name) {
        read();
        for (Output output : outputs) {
            if (output.name().equals(name)) {
                return output.value();
            }
        }
        return null;
    }

    private synchronized void read() {
        if (packed == null) {
            return;
        }
        Parts parts = new Parts(packed);
        fired = texts(parts);
        shadow = texts(parts);
        faults = new LinkedHashMap<>();
        for (int left = parts.readCount(); left > 0; left--) {
            String rule = parts.readText();
            faults.putIfAbsent(rule, parts.readText());
        }
        List<Output> read = new ArrayList<>();
        for (int left = parts.readCount(); left > 0; left--) {
            read.add(new Output(parts.readText(), parts.readText(), Values.read(parts)));
        }
        faults = Collections.unmodifiableMap(faults);
        outputs = List.copyOf(read);
        packed = null;
    }

    private static List<String> texts(Parts parts) {
        int count = parts.readCount();
        List<String> texts = new ArrayList<>(count);
        for (int index = 0; index < count; index++) {
            texts.add(parts.readText());
        }
        return List.copyOf(texts);
    }
}
