package io.comptoir;

import java.lang.ref.Reference;
import java.util.List;

/** A compiled rule set, which never changes. Any number of threads may decide with it at once. */
public final class RuleSet extends NativeHandle {
    private final String name;
    private final String version;
    private final String hash;
    private final Layout layout;

    private RuleSet(long address) {
        super("rule set", address, Native::ruleSetFree);
        Parts parts = new Parts(Native.ruleSetInputs(address));
        name = parts.readText();
        version = parts.readText();
        hash = parts.readText();
        layout = Layout.read(parts);
    }

    private RuleSet(long address, RuleSet other) {
        super("rule set", address, Native::ruleSetFree);
        name = other.name;
        version = other.version;
        hash = other.hash;
        layout = other.layout;
    }

    /**
     * Reads and compiles a set.
     *
     * @param jsonOrYaml JSON text, which begins with a brace, or YAML text
     * @return the set
     * @throws ComptoirException for a set that is refused, with the field, and the place in an expression
     */
    public static RuleSet read(String jsonOrYaml) {
        return new RuleSet(Native.ruleSetRead(Parts.bytes(jsonOrYaml)));
    }

    /**
     * Name, version, hash, inputs, outputs and rules.
     *
     * @return JSON text
     */
    public String describe() {
        long address = acquire();
        try {
            return Parts.text(Native.ruleSetDescribe(address));
        } finally {
            release();
        }
    }

    /**
     * The name.
     *
     * @return the name
     */
    public String name() {
        return name;
    }

    /**
     * The label of the version.
     *
     * @return the label
     */
    public String version() {
        return version;
    }

    /**
     * The hash of the content.
     *
     * @return the hash
     */
    public String hash() {
        return hash;
    }

    /**
     * The inputs.
     *
     * @return the inputs, in the order of their places
     */
    public List<Input> inputs() {
        return layout.inputs;
    }

    /**
     * Makes inputs for this set.
     *
     * @return inputs that are all absent
     */
    public Slots newSlots() {
        return new Slots(layout);
    }

    /**
     * The decision on an event.
     *
     * @param eventJson the event: a JSON object
     * @return the decision as JSON text
     * @throws ComptoirException {@code RULES_JSON} for text that is no JSON object
     */
    public String decideJson(String eventJson) {
        byte[] event = Parts.bytes(eventJson);
        long address = acquire();
        try {
            return Parts.text(Native.ruleSetDecideJson(address, event));
        } finally {
            release();
        }
    }

    /**
     * The decision on an event: the fastest way.
     *
     * @param slots the inputs, made by this set
     * @return the decision
     * @throws IllegalArgumentException for inputs of another set
     */
    public Decision decide(Slots slots) {
        if (slots.layout() != layout) {
            throw new IllegalArgumentException("the slots were made by another rule set");
        }
        long address = acquire();
        try {
            return new Decision(Native.ruleSetDecide(address, slots.address(), slots.count(), slots.size()));
        } finally {
            release();
            Reference.reachabilityFence(slots);
        }
    }

    /**
     * What each rule came to for an event, clause by clause.
     *
     * @param eventJson the event: a JSON object
     * @return JSON text
     * @throws ComptoirException as {@link #decideJson}
     */
    public String explainJson(String eventJson) {
        byte[] event = Parts.bytes(eventJson);
        long address = acquire();
        try {
            return Parts.text(Native.ruleSetExplainJson(address, event));
        } finally {
            release();
        }
    }

    /**
     * The decisions on the rows of a table.
     *
     * @param table the table
     * @param sharedJson a JSON object of inputs without a column; may be empty
     * @return the decisions, and rules without a truth
     * @throws ComptoirException for a column that is missing or of a wrong type
     */
    public BatchResult decideTable(Table table, String sharedJson) {
        return TableCall.run(this, table, sharedJson, Native::ruleSetDecideTable);
    }

    /**
     * The numbers of the rows for which a rule counts, as column {@code row}.
     *
     * @param table the table
     * @param sharedJson a JSON object of inputs without a column; may be empty
     * @return the numbers, and rules without a truth
     * @throws ComptoirException as {@link #decideTable}
     */
    public BatchResult select(Table table, String sharedJson) {
        return TableCall.run(this, table, sharedJson, Native::ruleSetSelect);
    }

    Layout layout() {
        return layout;
    }

    /** The same set behind a handle of its own. */
    RuleSet share() {
        long address = acquire();
        try {
            return new RuleSet(Native.ruleSetShare(address), this);
        } finally {
            release();
        }
    }
}
