package io.comptoir;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A case of the vectors: its arguments, and what this host makes of them, by the names of the expected files. */
record VectorCase(Path path) {
    Map<String, byte[]> run() throws Exception {
        String call = text("call");
        return switch (call) {
            case "costing.policy" -> json(History.policy(text("policy")));
            case "costing.counts", "costing.table", "costing.control" -> costing(call);
            case "rules.eval_json", "rules.test_json", "rules.partial_json", "rules.cost", "rules.slots", "rules.eval_table",
                "rules.select" -> program(call);
            case "rules.decide_json", "rules.explain_json", "rules.decide_table", "rules.select_set" -> set(call);
            case "ranking.board", "ranking.report", "ranking.explain", "ranking.page" -> board(call);
            case "ranking.leaderboard" -> leaderboard();
            case "executor.run" -> executor();
            default -> throw new AssertionError("there is no call `" + call + "`");
        };
    }

    private Map<String, byte[]> costing(String call) throws IOException {
        try (Table input = table("input.arrows"); History history = History.value(text("policy"), input)) {
            switch (call) {
                case "costing.counts":
                    Counts counts = history.counts();
                    return json("{\"input\":" + counts.input() + ",\"accepted\":" + counts.accepted() + ",\"rejected\":"
                        + counts.rejected() + ",\"duplicates\":" + counts.duplicates() + ",\"corrections\":"
                        + counts.corrections() + "}");
                case "costing.control":
                    return json(history.control(text("template")));
                default:
                    if (!Files.exists(path.resolve("booked.arrows"))) {
                        return arrows(history.table(text("request")));
                    }
                    try (Table booked = table("booked.arrows")) {
                        return arrows(history.table(text("request"), booked));
                    }
            }
        }
    }

    private Map<String, byte[]> program(String call) throws IOException {
        try (Program program = Program.compile(text("environment"), text("source"))) {
            return switch (call) {
                case "rules.eval_json" -> json(program.evalJson(text("event")));
                case "rules.test_json" -> plain(program.testJson(bytes("event")));
                case "rules.partial_json" -> json(program.partialJson(text("event"), text("unknown")));
                case "rules.cost" -> json(program.cost(text("sizes")));
                case "rules.slots" -> plain(program.test(slots(program.newSlots())));
                case "rules.eval_table" -> batch(program::evalTable);
                default -> batch(program::select);
            };
        }
    }

    private Map<String, byte[]> set(String call) throws IOException {
        try (RuleSet set = RuleSet.read(text("set"))) {
            return switch (call) {
                case "rules.decide_json" -> json(set.decideJson(text("event")));
                case "rules.explain_json" -> json(set.explainJson(text("event")));
                case "rules.decide_table" -> batch(set::decideTable);
                default -> batch(set::select);
            };
        }
    }

    private interface OnTable {
        BatchResult run(Table table, String shared);
    }

    private Map<String, byte[]> batch(OnTable call) throws IOException {
        try (Table input = table("input.arrows"); BatchResult result = call.run(input, text("shared"))) {
            return Map.of("expected.arrows", result.values().toIpc(), "faults.arrows", result.faults().toIpc(),
                "expected.txt", Parts.bytes(Long.toString(result.faultCount())));
        }
    }

    private Slots slots(Slots slots) throws IOException {
        for (String line : lines("slots")) {
            String[] parts = line.split("\t", -1);
            String name = parts[0];
            switch (parts[1]) {
                case "bool" -> slots.set(name, Boolean.parseBoolean(parts[2]));
                case "int" -> slots.set(name, Long.parseLong(parts[2]));
                case "uint" -> slots.set(name, new BigInteger(parts[2]));
                case "double" -> slots.set(name, Double.longBitsToDouble(Long.parseUnsignedLong(parts[2], 16)));
                case "string" -> slots.set(name, parts[2]);
                case "decimal" -> slots.set(name, new BigDecimal(parts[2]));
                case "timestamp" -> slots.set(name, moment(Long.parseLong(parts[2])));
                case "duration" -> slots.set(name, Duration.ofNanos(Long.parseLong(parts[2])));
                case "null" -> slots.setNull(name);
                case "absent" -> { }
                default -> throw new AssertionError("there is no type `" + parts[1] + "`");
            }
        }
        return slots;
    }

    private static Instant moment(long nanos) {
        return Instant.ofEpochSecond(Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
    }

    private Map<String, byte[]> board(String call) throws IOException {
        try (BoardBuilder builder = BoardBuilder.create(text("spec"), text("context"))) {
            for (String name : List.of("input.arrows", "input2.arrows")) {
                if (Files.exists(path.resolve(name))) {
                    try (Table input = table(name)) {
                        builder.push(input, 2);
                    }
                }
            }
            try (Board board = builder.finish()) {
                return switch (call) {
                    case "ranking.board" -> arrows(board.table());
                    case "ranking.report" -> json(board.report());
                    case "ranking.explain" -> json(text("group").isEmpty()
                        ? board.explain(text("item")) : board.explain(text("item"), group(text("group"))));
                    default -> pages(board);
                };
            }
        }
    }

    /** A JSON list of texts without escapes. */
    private static List<String> group(String json) {
        return Stream.of(json.substring(1, json.length() - 1).split(","))
            .map(text -> text.strip().substring(1, text.strip().length() - 1)).toList();
    }

    private Map<String, byte[]> pages(Board board) throws IOException {
        Path directory = Files.createTempDirectory("vectors");
        StringBuilder found = new StringBuilder();
        try (BoardPublisher publisher = BoardPublisher.open(directory, 1)) {
            publisher.publish(board);
            try (BoardReader reader = BoardReader.open(directory)) {
                Optional<String> next = Optional.empty();
                for (String line : lines("page")) {
                    String[] parts = line.split("\t");
                    long limit = Long.parseLong(parts[1]);
                    Optional<Page> page = parts[0].equals("next")
                        ? reader.page(text("board"), lines("group"), next.orElseThrow(), limit)
                        : reader.page(text("board"), lines("group"), Long.parseLong(parts[0]), limit);
                    next = page.flatMap(Page::cursor);
                    append(found, page);
                }
            }
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            }
        }
        return Map.of("expected.txt", Parts.bytes(found.substring(0, Math.max(0, found.length() - 1))));
    }

    private static void append(StringBuilder found, Optional<Page> page) {
        if (page.isEmpty()) {
            found.append("none\n");
            return;
        }
        found.append(page.get().total()).append('\t').append(page.get().cursor().isPresent() ? "yes" : "no").append('\n');
        for (Entry entry : page.get().entries()) {
            found.append(entry.position()).append('\t').append(entry.item()).append('\t').append(bits(entry.score())).append('\n');
        }
    }

    private Map<String, byte[]> leaderboard() throws IOException {
        List<String> found = new ArrayList<>();
        try (Leaderboard board = new Leaderboard()) {
            for (String line : lines("ops")) {
                String[] parts = line.split("\t");
                found.add(switch (parts[0]) {
                    case "update" -> shown(board.update(parts[1], Double.parseDouble(parts[2])));
                    case "remove" -> shown(board.remove(parts[1]));
                    case "rank" -> shown(board.rankOf(parts[1]));
                    case "top" -> board.top(Long.parseLong(parts[1])).stream()
                        .map(member -> member.name() + "\t" + bits(member.score())).collect(Collectors.joining("\t"));
                    default -> throw new AssertionError("there is no operation `" + parts[0] + "`");
                });
            }
        }
        return Map.of("expected.txt", Parts.bytes(String.join("\n", found)));
    }

    private static String shown(OptionalDouble score) {
        return score.isPresent() ? bits(score.getAsDouble()) : "none";
    }

    private static String shown(OptionalLong rank) {
        return rank.isPresent() ? Long.toString(rank.getAsLong()) : "none";
    }

    private static String bits(double score) {
        return String.format("%016x", Double.doubleToRawLongBits(score));
    }

    private Map<String, byte[]> executor() throws IOException {
        try (Pipeline pipeline = Pipeline.start(text("config"))) {
            Prediction prediction = Files.exists(path.resolve("file.bin"))
                ? pipeline.runFile(bytes("file.bin"), text("options")) : pipeline.run(tensors(), text("options"));
            ByteArrayOutputStream row = new ByteArrayOutputStream();
            for (Tensor output : prediction.outputs()) {
                byte[] bytes = new byte[output.data().remaining()];
                output.data().get(bytes);
                row.writeBytes(bytes);
            }
            return Map.of("expected.bin", row.toByteArray());
        }
    }

    private List<Tensor> tensors() throws IOException {
        List<Tensor> tensors = new ArrayList<>();
        for (int number = 0; Files.exists(path.resolve("tensor." + number + ".bin")); number++) {
            String[] parts = text("tensor." + number + ".txt").split("\t", -1);
            List<Integer> sides = Stream.of(parts[2].split(" ")).filter(side -> !side.isBlank()).map(Integer::valueOf).toList();
            TensorSpec spec = new TensorSpec(parts[0], ElementType.of(parts[1]), sides);
            tensors.add(Tensor.of(spec, ByteBuffer.wrap(bytes("tensor." + number + ".bin"))));
        }
        return tensors;
    }

    private static Map<String, byte[]> json(String text) {
        return Map.of("expected.json", Parts.bytes(text));
    }

    private static Map<String, byte[]> plain(boolean truth) {
        return Map.of("expected.txt", Parts.bytes(Boolean.toString(truth)));
    }

    private static Map<String, byte[]> arrows(Table table) {
        try (table) {
            return Map.of("expected.arrows", table.toIpc());
        }
    }

    private Table table(String name) throws IOException {
        return Table.fromIpc(bytes(name));
    }

    byte[] bytes(String name) throws IOException {
        Path file = path.resolve(name);
        return Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
    }

    String text(String name) throws IOException {
        return new String(bytes(name), StandardCharsets.UTF_8);
    }

    private List<String> lines(String name) throws IOException {
        String text = text(name);
        return text.isEmpty() ? List.of() : List.of(text.split("\n", -1));
    }
}
