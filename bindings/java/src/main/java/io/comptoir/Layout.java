package io.comptoir;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;

/** The inputs of a program or a rule set by place and by name. */
final class Layout {
    final List<Input> inputs;
    /** The types of the inputs. */
    final SlotType[] types;
    private final Map<String, Integer> places = new HashMap<>();

    private Layout(List<Input> inputs, List<SlotType> types) {
        this.inputs = List.copyOf(inputs);
        this.types = types.toArray(SlotType[]::new);
        for (int place = 0; place < inputs.size(); place++) {
            places.put(inputs.get(place).name(), place);
        }
    }

    static Layout read(Parts parts) {
        Map<String, SlotType.Shape> shapes = SlotType.readShapes(parts);
        List<Input> inputs = new ArrayList<>();
        List<SlotType> types = new ArrayList<>();
        while (!parts.isEmpty()) {
            String name = parts.readText();
            SlotType type = SlotType.read(parts, shapes);
            inputs.add(new Input(name, type.text));
            types.add(type);
        }
        return new Layout(inputs, types);
    }

    int place(String name) {
        Integer place = places.get(name);
        if (place == null) {
            throw new IllegalArgumentException("there is no input `" + name + "`: the inputs are "
                + inputs.stream().map(Input::name).toList());
        }
        return place;
    }

    /** The place of the input of another layout that has the same name and type as the one at a place here, or -1. */
    int placeIn(Layout other, int here) {
        Integer place = other.places.get(inputs.get(here).name());
        return place != null && types[here].same(other.types[place], new HashSet<>()) ? place : -1;
    }
}
