package io.comptoir;

import java.lang.ref.Reference;
import java.util.List;

/** A compiled expression. Any number of threads may evaluate it at once. */
public final class Program extends NativeHandle {
    private final String resultType;
    private final Layout layout;

    private Program(long address) {
        super("program", address, Native::programFree);
        Parts parts = new Parts(Native.programInputs(address));
        resultType = parts.readText();
        layout = Layout.read(parts);
    }

    /**
     * Compiles an expression.
     *
     * @param environmentJson what it may refer to: JSON with {@code variables}, {@code types}, {@code container} and
     *     {@code budget}, each of which may be left out; such as {@code {"variables": {"amount": "decimal"}}}
     * @param source the expression
     * @return the program
     * @throws ComptoirException if the expression or a declaration is wrong, with its place
     */
    public static Program compile(String environmentJson, String source) {
        return new Program(Native.programCompile(Parts.bytes(environmentJson), Parts.bytes(source)));
    }

    /**
     * The inputs that the expression reads.
     *
     * @return the inputs, in the order of their places
     */
    public List<Input> inputs() {
        return layout.inputs;
    }

    /**
     * The type of the result.
     *
     * @return the type, such as {@code bool}
     */
    public String resultType() {
        return resultType;
    }

    /**
     * Makes inputs for this program.
     *
     * @return inputs that are all absent
     */
    public Slots newSlots() {
        return new Slots(layout);
    }

    /**
     * The value for an event.
     *
     * @param eventJson the event: a JSON object
     * @return the value as JSON text
     * @throws ComptoirException {@code RULES_JSON} for text that is no JSON object; the code of an evaluation without a
     *     value, with its place
     */
    public String evalJson(String eventJson) {
        byte[] event = Parts.bytes(eventJson);
        long address = acquire();
        try {
            return Parts.text(Native.programEvalJson(address, event));
        } finally {
            release();
        }
    }

    /**
     * The truth for an event.
     *
     * @param eventJson the event: a JSON object in UTF-8
     * @return the truth
     * @throws ComptoirException as {@link #evalJson}, and for an expression that is not of type bool
     */
    public boolean testJson(byte[] eventJson) {
        long address = acquire();
        try {
            return Native.programTestJson(address, eventJson);
        } finally {
            release();
        }
    }

    /**
     * What is left of the expression where a part of the event is not known yet.
     *
     * @param eventJson what is known: a JSON object
     * @param unknownJson a JSON list of patterns of what is not, such as {@code ["user.score", "items[*].price"]}
     * @return JSON text: {@code {"value": false}} where the unknown parts do not matter, else
     *     {@code {"expression": "score > 0.5"}}
     * @throws ComptoirException as {@link #evalJson}, for an expression that is an error whatever the unknown parts are, and
     *     for text that is no pattern
     */
    public String partialJson(String eventJson, String unknownJson) {
        byte[] event = Parts.bytes(eventJson);
        byte[] unknown = Parts.bytes(unknownJson);
        long address = acquire();
        try {
            return Parts.text(Native.programPartialJson(address, event, unknown));
        } finally {
            release();
        }
    }

    /**
     * Bounds on the cost of an evaluation, in the units of the budget.
     *
     * @param sizesJson a JSON object of the sizes of inputs by path, exact or as least and greatest, such as
     *     {@code {"tags": [0, 20], "tags[]": 10}}; a size is bytes of text, elements of a list, entries of a map; may be empty
     * @return JSON text: {@code [2, 120]}, with null where there is no upper bound
     * @throws ComptoirException for text that gives no sizes
     */
    public String cost(String sizesJson) {
        byte[] sizes = Parts.bytes(sizesJson);
        long address = acquire();
        try {
            return Parts.text(Native.programCost(address, sizes));
        } finally {
            release();
        }
    }

    /**
     * The truth for an event: the fastest way.
     *
     * @param slots the inputs, made by this program
     * @return the truth
     * @throws IllegalArgumentException for inputs of another program
     * @throws ComptoirException for an evaluation without a value, with its place
     */
    public boolean test(Slots slots) {
        if (slots.layout() != layout) {
            throw new IllegalArgumentException("the slots were made by another program");
        }
        long address = acquire();
        try {
            return Native.programTest(address, slots.address(), slots.count(), slots.size());
        } finally {
            release();
            Reference.reachabilityFence(slots);
        }
    }

    /**
     * The value for each row of a table, as column {@code value}.
     *
     * @param table the table
     * @param sharedJson a JSON object of variables without a column; may be empty
     * @return the values, and rows without one, which are null
     * @throws ComptoirException for a column that is missing or of a wrong type
     */
    public BatchResult evalTable(Table table, String sharedJson) {
        return onTable(table, sharedJson, Native::programEvalTable);
    }

    /**
     * The numbers of the rows for which the expression is true, as column {@code row}.
     *
     * @param table the table
     * @param sharedJson a JSON object of variables without a column; may be empty
     * @return the numbers, and rows without a truth
     * @throws ComptoirException as {@link #evalTable}
     */
    public BatchResult select(Table table, String sharedJson) {
        return onTable(table, sharedJson, Native::programSelect);
    }

    private BatchResult onTable(Table table, String sharedJson, TableCall call) {
        return TableCall.run(this, table, sharedJson, call);
    }
}
