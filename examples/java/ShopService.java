import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.comptoir.BoardPublisher;
import io.comptoir.BoardReader;
import io.comptoir.ComptoirException;
import io.comptoir.LiveRuleSet;
import io.comptoir.RuleSet;
import io.comptoir.Table;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Prices discounts, reads boards, and reloads its rules while under load, on the server of the JDK.
 *
 * <pre>
 * POST /price   {"units": 12, "price": "4.00", "member": false}    what the rule set decides
 * POST /rules   YAML                                               another rule set; a wrong one changes nothing
 * GET  /boards/top?3                                               the first places of a board
 * </pre>
 */
public final class ShopService {
    private final LiveRuleSet rules;
    private final BoardReader boards;

    private ShopService(LiveRuleSet rules, BoardReader boards) {
        this.rules = rules;
        this.boards = boards;
    }

    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[2]);
        publishSample(directory);
        BoardReader boards = BoardReader.open(directory);
        boards.follow(Duration.ofMillis(200));
        ShopService service =
                new ShopService(new LiveRuleSet(RuleSet.read(Files.readString(Path.of(arguments[1])))), boards);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/price", exchange -> answer(exchange, service.rules::decideJson));
        server.createContext("/rules", exchange -> answer(exchange, service::reload));
        server.createContext("/boards/", exchange -> answer(exchange, body -> service.board(exchange)));
        server.start();
        System.out.println("listening");
    }

    private String reload(String yaml) {
        // A set that is wrong throws here, with its place, and the one before stays. Whoever decides now ends with the
        // set that it began with.
        try (RuleSet next = RuleSet.read(yaml)) {
            rules.replace(next);
            return next.describe();
        }
    }

    private String board(HttpExchange exchange) {
        String name = exchange.getRequestURI().getPath().substring("/boards/".length());
        long limit = Long.parseLong(exchange.getRequestURI().getQuery());
        return boards.page(name, List.of(), 0, limit)
                .map(page -> page.entries().stream()
                        .map(entry -> entry.position() + ":" + entry.item() + ":" + entry.score())
                        .collect(Collectors.joining(" ")))
                .orElse("no such board");
    }

    private static void answer(HttpExchange exchange, Function<String, String> work) throws IOException {
        int status = 200;
        String text;
        try {
            text = work.apply(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        } catch (ComptoirException error) {
            status = 400;
            text = error.code() + " at " + error.path() + ": " + error.getMessage();
        } catch (RuntimeException error) {
            status = 500;
            text = error.toString();
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    /** A board of an hour's sales, which another process would publish. */
    private static void publishSample(Path directory) {
        try (Table sold = Table.builder()
                        .int64("item", longs(501, 502, 503))
                        .int64("units", longs(40, 70, 10))
                        .build();
                BoardPublisher publisher = BoardPublisher.open(directory, 3)) {
            publisher.publishTable(sold, "{\"board\": \"top\", \"item\": \"item\", \"score\": \"units\"}", Instant.now());
        }
    }

    private static ByteBuffer longs(long... values) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(8 * values.length).order(ByteOrder.nativeOrder());
        buffer.asLongBuffer().put(values);
        return buffer;
    }
}
