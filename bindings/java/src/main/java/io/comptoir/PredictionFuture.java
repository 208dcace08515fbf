package io.comptoir;

import java.util.concurrent.CompletableFuture;

/** The outcome of a request, completed on a thread of the pipeline. To cancel it gives the request up. */
final class PredictionFuture extends CompletableFuture<Prediction> {
    private final Runnable forget;
    private volatile Ticket ticket;

    PredictionFuture(Runnable forget) {
        this.forget = forget;
    }

    /** The right to give the request up, which comes after the request was taken, and perhaps after it was done. */
    void taken(long address) {
        Ticket own = new Ticket(address);
        ticket = own;
        if (isCancelled()) {
            own.cancel();
        }
        if (isDone()) {
            own.close();
        }
    }

    void finish(byte[] packed, RuntimeException error) {
        forget.run();
        try {
            if (error == null) {
                complete(Prediction.read(packed));
            } else {
                completeExceptionally(error);
            }
        } finally {
            Ticket own = ticket;
            if (own != null) {
                own.close();
            }
        }
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        boolean cancelled = super.cancel(mayInterruptIfRunning);
        Ticket own = ticket;
        if (cancelled && own != null) {
            own.cancel();
        }
        return cancelled;
    }

    @Override
    public <U> CompletableFuture<U> newIncompleteFuture() {
        return new CompletableFuture<>();
    }

    /** The right to give a request up. */
    private static final class Ticket extends NativeHandle {
        Ticket(long address) {
            super("ticket", address, Native::ticketFree);
        }

        void cancel() {
            try {
                Native.ticketCancel(acquire());
            } catch (IllegalStateException done) {
                // Closed, because the request was done in the meantime.
                return;
            }
            release();
        }
    }
}
