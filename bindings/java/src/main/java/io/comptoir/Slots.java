package io.comptoir;

/**
 * The inputs of one event, written into direct memory that the native library reads: the fastest way to test or decide. Made
 * once by {@link Program#newSlots} or {@link RuleSet#newSlots} and used for any number of events, by one thread at a time.
 *
 * <p>An input that was not set, or not since {@link #clear}, is absent: {@code has} is false for it, and reading it is an error
 * of the expression. Where an expression reads fields of a struct variable, they are inputs of their own, such as
 * {@code customer.name}; a struct that it uses as a whole is one input. Lists, structs and maps are written in place, without
 * objects for their values:
 *
 * <pre>{@code
 * Elements items = slots.list("items", order.items().size());
 * int place = 0;
 * for (Item item : order.items()) {
 *     items.struct(place++).set("price", item.price()).set("qty", item.qty());
 * }
 * }</pre>
 */
public final class Slots extends NamedCells<Slots> {
    private Layout layout;
    private SlotType[] types;
    private SlotMemory memory;

    Slots(Layout layout) {
        reset(layout);
    }

    /**
     * Makes all inputs absent.
     *
     * @return this
     */
    public Slots clear() {
        memory.clear();
        return this;
    }

    @Override
    public int place(String name) {
        return layout.place(name);
    }

    Layout layout() {
        return layout;
    }

    SlotMemory memory() {
        return memory;
    }

    long address() {
        return memory.address();
    }

    int count() {
        return types.length;
    }

    /** How many bytes may be read from {@link #address} on. */
    int size() {
        return memory.size();
    }

    /** Moves the values to where inputs of the same name and type are in another layout; others are absent. */
    void rebind(Layout other) {
        Layout before = layout;
        SlotMemory values = memory;
        reset(other);
        for (int place = 0; place < types.length; place++) {
            int old = other.placeIn(before, place);
            if (old >= 0) {
                memory.copy(values, old, place);
            }
        }
        // So that places in a list of the old memory say that they are no longer valid.
        values.clear();
    }

    private void reset(Layout made) {
        layout = made;
        types = made.types;
        memory = new SlotMemory(types.length);
    }

    @Override
    Slots self() {
        return this;
    }

    @Override
    SlotType type(int place) {
        return types[place];
    }

    @Override
    void write(int place, int kind, int scale, long first, long second) {
        memory.write(place * SlotMemory.RECORD, kind, scale, first, second);
    }

    @Override
    void writeBytes(int place, int kind, byte[] content) {
        memory.writeBytes(place, kind, content);
    }

    @Override
    Block writeBlock(int place, int kind, int count, int records) {
        return Block.of(this, place, kind, count, records);
    }

    @Override
    String path(int place) {
        return layout.inputs.get(place).name();
    }
}
