package io.comptoir;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

/**
 * A place for the rule set that counts now: it is replaced while other threads decide. Whoever decides at that moment ends with
 * the set that it began with.
 */
public final class LiveRuleSet implements AutoCloseable {
    private final AtomicReference<RuleSet> place;

    /**
     * Makes a place with a first set.
     *
     * @param first the set, which stays the caller's to close
     */
    public LiveRuleSet(RuleSet first) {
        place = new AtomicReference<>(first.share());
    }

    /**
     * The set that counts now.
     *
     * @return the set, which the caller closes and which stays as it is for as long as it is open
     */
    public RuleSet current() {
        return with(RuleSet::share);
    }

    /**
     * Puts another set in its place.
     *
     * @param set the set, which stays the caller's to close
     */
    public void replace(RuleSet set) {
        RuleSet own = set.share();
        RuleSet before = place.getAndUpdate(now -> now == null ? null : own);
        if (before == null) {
            own.close();
            throw closed();
        }
        // Freed when the last call that uses it has ended.
        before.close();
    }

    /**
     * The decision of the set that counts now.
     *
     * @param eventJson the event: a JSON object
     * @return the decision as JSON text
     * @throws ComptoirException {@code RULES_JSON} for text that is no JSON object
     */
    public String decideJson(String eventJson) {
        return with(set -> set.decideJson(eventJson));
    }

    /**
     * The decision of the set that counts now. Inputs that were made for a set that was replaced keep the values whose name and
     * type the set of now has; those that it alone has are absent.
     *
     * @param slots the inputs
     * @return the decision
     */
    public Decision decide(Slots slots) {
        return with(set -> {
            if (slots.layout() != set.layout()) {
                slots.rebind(set.layout());
            }
            return set.decide(slots);
        });
    }

    /**
     * Makes inputs for the set that counts now.
     *
     * @return inputs that are all absent
     */
    public Slots newSlots() {
        return with(RuleSet::newSlots);
    }

    /** Lets the set go; decisions that are under way end. */
    @Override
    public void close() {
        RuleSet before = place.getAndSet(null);
        if (before != null) {
            before.close();
        }
    }

    private <T> T with(Function<RuleSet, T> work) {
        while (true) {
            RuleSet set = place.get();
            if (set == null) {
                throw closed();
            }
            try {
                return work.apply(set);
            } catch (IllegalStateException closed) {
                // Closed between looking and using, because another one is in its place now: that one decides.
                if (place.get() == set) {
                    throw closed;
                }
            }
        }
    }

    private static IllegalStateException closed() {
        return new IllegalStateException("the live rule set is closed");
    }
}
