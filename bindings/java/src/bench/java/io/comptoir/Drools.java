package io.comptoir;

import io.comptoir.Predicate.Engine;
import io.comptoir.Predicate.Lists;
import java.util.List;
import java.util.stream.Collectors;
import org.drools.model.codegen.ExecutableModelProject;
import org.kie.api.KieServices;
import org.kie.api.builder.KieBuilder;
import org.kie.api.builder.KieFileSystem;
import org.kie.api.builder.Message;
import org.kie.api.runtime.KieContainer;
import org.kie.api.runtime.KieSession;
import org.kie.api.runtime.StatelessKieSession;
import org.kie.api.runtime.rule.FactHandle;

/** A rule of Drools for each predicate, in its executable model, with an event as its fact. */
final class Drools {
    private Drools() {}

    /** One session for all events: each is inserted, the rules fire, and it is taken out again. */
    static Engine stateful(Predicate predicate) {
        KieSession session = container(predicate).newKieSession();
        return event -> {
            FactHandle fact = session.insert(event);
            boolean fired = session.fireAllRules() > 0;
            session.delete(fact);
            return fired;
        };
    }

    /** One stateless session, which begins anew for each event; the rule counts where it fires. */
    static Engine stateless(Predicate predicate) {
        StatelessKieSession session = container(predicate).newStatelessKieSession();
        int[] fired = new int[1];
        session.setGlobal("fired", fired);
        return event -> {
            fired[0] = 0;
            session.execute(event);
            return fired[0] > 0;
        };
    }

    private static KieContainer container(Predicate predicate) {
        KieServices services = KieServices.Factory.get();
        KieFileSystem files = services.newKieFileSystem();
        files.write("src/main/resources/bench/rules.drl", rule(predicate));
        // Each predicate is a module of its own.
        files.generateAndWritePomXML(services.newReleaseId("io.comptoir", "bench-" + predicate, "1"));
        KieBuilder builder = services.newKieBuilder(files).buildAll(ExecutableModelProject.class);
        if (builder.getResults().hasMessages(Message.Level.ERROR)) {
            throw new AssertionError(builder.getResults().getMessages());
        }
        return services.newKieContainer(builder.getKieModule().getReleaseId());
    }

    private static String rule(Predicate predicate) {
        String condition = switch (predicate) {
            case P1 -> "Event(level >= 3, brand in (" + quoted(Lists.BRANDS) + "), price >= 100.0)";
            case P2 -> "Event(pay < cost * 0.9, coupon not in (" + quoted(Lists.WHITELIST) + "))";
            case P4 -> """
                Event($items: items)
                not Event.Item(qty <= 0 || price > 900.0) from $items
                exists Event.Item(category == "electronics", price > 500.0) from $items""";
        };
        return """
            package bench;
            import io.comptoir.Event;
            global int[] fired;
            rule "found" when
            %s
            then
              if (fired != null) { fired[0]++; }
            end
            """.formatted(condition);
    }

    private static String quoted(List<String> texts) {
        return texts.stream().map(text -> '"' + text + '"').collect(Collectors.joining(", "));
    }
}
