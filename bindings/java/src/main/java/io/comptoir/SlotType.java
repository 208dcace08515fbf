package io.comptoir;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A declared type, as far as values are checked against it. */
final class SlotType {
    /** Of what is in a {@code dyn}. */
    static final SlotType ANY = new SlotType("dyn", Kind.ANY, null, null, null);

    final String text;
    /** The {@link Kind} of its values, null and optional apart. */
    final int kind;
    private final SlotType key;
    private final SlotType element;
    private final Shape shape;

    private SlotType(String text, int kind, SlotType key, SlotType element, Shape shape) {
        this.text = text;
        this.kind = kind;
        this.key = key;
        this.element = element;
        this.shape = shape;
    }

    /** The fields of a struct. It is filled after it is made, since structs may be in one another. */
    static final class Shape {
        final List<String> names = new ArrayList<>();
        final Map<String, Integer> places = new HashMap<>();
        SlotType[] types = {};
    }

    /** The structs that types refer to, by name. */
    static Map<String, Shape> readShapes(Parts parts) {
        Map<String, Shape> shapes = new HashMap<>();
        for (int left = parts.readCount(); left > 0; left--) {
            Shape shape = shapes.computeIfAbsent(parts.readText(), name -> new Shape());
            shape.types = new SlotType[parts.readCount()];
            for (int place = 0; place < shape.types.length; place++) {
                String name = parts.readText();
                shape.names.add(name);
                shape.places.put(name, place);
                shape.types[place] = read(parts, shapes);
            }
        }
        return shapes;
    }

    static SlotType read(Parts parts, Map<String, Shape> shapes) {
        String text = parts.readText();
        int kind = parts.readInt();
        return switch (kind) {
            case Kind.LIST -> new SlotType(text, kind, null, read(parts, shapes), null);
            case Kind.MAP -> new SlotType(text, kind, read(parts, shapes), read(parts, shapes), null);
            case Kind.STRUCT ->
                new SlotType(text, kind, null, null, shapes.computeIfAbsent(parts.readText(), name -> new Shape()));
            default -> new SlotType(text, kind, null, null, null);
        };
    }

    boolean takes(int other) {
        return kind == other || kind == Kind.ANY;
    }

    /** The type of the elements of a list, and of the values of a map. */
    SlotType element() {
        return element == null ? ANY : element;
    }

    SlotType key() {
        return key == null ? ANY : key;
    }

    /** Of a struct; null for any other type. */
    Shape shape() {
        return shape;
    }

    /** Whether values of one type can be read as the other: the same text, and the same fields of what it names. */
    boolean same(SlotType other, Set<String> seen) {
        if (!text.equals(other.text) || kind != other.kind) {
            return false;
        }
        return switch (kind) {
            case Kind.LIST -> element.same(other.element, seen);
            case Kind.MAP -> key.same(other.key, seen) && element.same(other.element, seen);
            case Kind.STRUCT -> !seen.add(text) || sameFields(other.shape, seen);
            default -> true;
        };
    }

    private boolean sameFields(Shape other, Set<String> seen) {
        boolean same = shape.names.equals(other.names);
        for (int place = 0; same && place < shape.types.length; place++) {
            same = shape.types[place].same(other.types[place], seen);
        }
        return same;
    }
}
