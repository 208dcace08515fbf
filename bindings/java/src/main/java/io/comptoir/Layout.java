package io.comptoir;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The inputs of a program or a rule set by place and by name. */
final class Layout {
    final List<Input> inputs;
    private final Map<String, Integer> places = new HashMap<>();

    private Layout(List<Input> inputs) {
        this.inputs = List.copyOf(inputs);
        for (int place = 0; place < inputs.size(); place++) {
            places.put(inputs.get(place).name(), place);
        }
    }

    static Layout read(Parts parts) {
        List<Input> inputs = new ArrayList<>();
        while (!parts.isEmpty()) {
            inputs.add(new Input(parts.readText(), parts.readText()));
        }
        return new Layout(inputs);
    }

    int place(String name) {
        Integer place = places.get(name);
        if (place == null) {
            throw new IllegalArgumentException("there is no input `" + name + "`: the inputs are "
                + inputs.stream().map(Input::name).toList());
        }
        return place;
    }

    /** The place of an equal input, or -1. */
    int placeOf(Input input) {
        Integer place = places.get(input.name());
        return place != null && inputs.get(place).equals(input) ? place : -1;
    }
}
