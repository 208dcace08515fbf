package io.comptoir;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/**
 * An object of the native library, which is freed exactly once: when {@link #close} was called and the last call that uses it
 * has ended, whichever comes later.
 *
 * <p>One word counts the calls that use the object, in steps of two; its lowest bit says that it is closed. A call acquires
 * the object by adding to the count only where that bit is not set, so that a use after close is an exception, and a close
 * under way of calls waits for nobody and frees nothing that is used. The {@link Cleaner} closes what its owner forgot: it
 * sees only the word and the address, never the owner, which therefore can be collected.
 */
abstract class NativeHandle implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Lifetime lifetime;
    private final Cleaner.Cleanable cleanable;

    NativeHandle(String what, long address, LongConsumer free) {
        lifetime = new Lifetime(what, address, free);
        cleanable = CLEANER.register(this, lifetime);
    }

    /** The address, which stays valid until {@link #release}. */
    final long acquire() {
        return lifetime.acquire();
    }

    final void release() {
        lifetime.release();
    }

    /** Whether {@link #close} was called. */
    final boolean isClosed() {
        return (lifetime.state.get() & Lifetime.CLOSED) != 0;
    }

    /**
     * Frees the native object as soon as no call uses it any more; calls that begin later throw
     * {@link IllegalStateException}. A second time does nothing.
     */
    @Override
    public void close() {
        cleanable.clean();
    }

    /** What the cleaner keeps; it must not know its owner. */
    private static final class Lifetime implements Runnable {
        static final long CLOSED = 1;
        static final long USE = 2;

        private final AtomicLong state = new AtomicLong();
        private final String what;
        private final long address;
        private final LongConsumer free;

        Lifetime(String what, long address, LongConsumer free) {
            this.what = what;
            this.address = address;
            this.free = free;
        }

        long acquire() {
            // Adding first and looking later would let two failed calls on a closed object both see the count end.
            long before;
            do {
                before = state.get();
                if ((before & CLOSED) != 0) {
                    throw new IllegalStateException("the " + what + " is closed");
                }
            } while (!state.compareAndSet(before, before + USE));
            return address;
        }

        void release() {
            if (state.addAndGet(-USE) == CLOSED) {
                free.accept(address);
            }
        }

        /** Closes; called once, by {@link Cleaner.Cleanable#clean}. */
        @Override
        public void run() {
            if (state.getAndUpdate(before -> before | CLOSED) == 0) {
                free.accept(address);
            }
        }
    }
}
