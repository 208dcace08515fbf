package io.comptoir;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;

/** A valued stock history. Any number of threads may use it at once. */
public final class History extends NativeHandle {
    private static final String STANDARD = "\"ifrs\"";

    private History(long address) {
        super("history", address, Native::historyFree);
    }

    /** Movements that make one voucher. */
    public enum Grouping {
        /** Each movement. */
        MOVEMENT("movement"),
        /** The movements of a document. */
        DOCUMENT("document"),
        /** The movements of a day. */
        DAY("day"),
        /** The movements of a month. */
        MONTH("month");

        private final String name;

        Grouping(String name) {
            this.name = name;
        }
    }

    /** Periods of a summary. */
    public enum Period {
        /** Days. */
        DAY("day"),
        /** Months. */
        MONTH("month"),
        /** The whole history. */
        TOTAL("total");

        private final String name;

        Period(String name) {
            this.name = name;
        }
    }

    /**
     * Values movements under a policy. Bad rows are no error: they are in {@link #rejected}.
     *
     * @param policyJson the policy as JSON text, or the name of a preset in quotes
     * @param movements the movements
     * @return the history
     * @throws ComptoirException if the policy cannot be used, or a column is missing or of a wrong type
     */
    public static History value(String policyJson, Table movements) {
        byte[] policy = Parts.bytes(policyJson);
        long table = movements.acquire();
        try {
            return new History(Native.historyValue(policy, table));
        } finally {
            movements.release();
        }
    }

    /**
     * Checks a policy.
     *
     * @param policyJson the policy as JSON text, or the name of a preset in quotes
     * @return the policy as JSON text with every field
     * @throws ComptoirException if it cannot be used, with the field
     */
    public static String policy(String policyJson) {
        return Parts.text(Native.policy(Parts.bytes(policyJson)));
    }

    /**
     * What became of the rows.
     *
     * @return the counts
     */
    public Counts counts() {
        long address = acquire();
        try {
            Parts parts = new Parts(Native.historyCounts(address));
            return new Counts(
                parts.readLong(), parts.readLong(), parts.readLong(), parts.readLong(), parts.readLong());
        } finally {
            release();
        }
    }

    /**
     * The last day of the history.
     *
     * @return the day
     * @throws ComptoirException for a history without movements
     */
    public LocalDate lastDay() {
        long address = acquire();
        try {
            return LocalDate.ofEpochDay(Native.historyLastDay(address));
        } finally {
            release();
        }
    }

    /**
     * A table of the valuation.
     *
     * @param requestJson what is asked for, such as {@code {"table": "ageing", "as_of": "2024-12-31", "buckets": [30, 90]}}
     * @return the table
     * @throws ComptoirException {@code HOST_JSON} for a request that is none, and the errors of the report
     */
    public Table table(String requestJson) {
        byte[] request = Parts.bytes(requestJson);
        long address = acquire();
        try {
            return new Table(Native.historyTable(address, request, false, 0));
        } finally {
            release();
        }
    }

    /**
     * A table of the valuation that takes another one: a provision, beside what is booked already.
     *
     * @param requestJson what is asked for
     * @param booked what is booked
     * @return the table
     * @throws ComptoirException as {@link #table(String)}
     */
    public Table table(String requestJson, Table booked) {
        byte[] request = Parts.bytes(requestJson);
        long address = acquire();
        try {
            long other = booked.acquire();
            try {
                return new Table(Native.historyTable(address, request, true, other));
            } finally {
                booked.release();
            }
        } finally {
            release();
        }
    }

    /**
     * What each movement did to stock and accounts.
     *
     * @return the table
     */
    public Table postings() {
        return table("{\"table\":\"postings\"}");
    }

    /**
     * Open layers at the end.
     *
     * @return the table
     */
    public Table layers() {
        return table("{\"table\":\"layers\"}");
    }

    /**
     * Quantity and value on hand at the end.
     *
     * @return the table
     */
    public Table balances() {
        return table("{\"table\":\"balances\"}");
    }

    /**
     * Rows that are not in the books, with code, message and row.
     *
     * @return the table
     */
    public Table rejected() {
        return table("{\"table\":\"rejected\"}");
    }

    /**
     * Quantity and value by age.
     *
     * @param asOf the day
     * @param buckets upper ends of the ages, in days
     * @return the table
     */
    public Table ageing(LocalDate asOf, int... buckets) {
        return table("{\"table\":\"ageing\",\"as_of\":\"" + asOf + "\",\"buckets\":" + Arrays.toString(buckets) + "}");
    }

    /**
     * Provision by age.
     *
     * @param asOf the day
     * @param buckets upper ends of the ages, in days
     * @param rates the share of the value that each age provides, as decimal text: one more than buckets
     * @return the table
     */
    public Table provision(LocalDate asOf, List<Integer> buckets, List<String> rates) {
        return table("{\"table\":\"provision\",\"as_of\":\"" + asOf + "\",\"buckets\":" + buckets + ",\"rates\":"
            + Json.list(rates) + "}");
    }

    /**
     * Voucher lines of the template {@code ifrs}.
     *
     * @param by the movements that make one voucher
     * @return the table
     */
    public Table voucherEntries(Grouping by) {
        return voucherEntries(STANDARD, by);
    }

    /**
     * Voucher lines.
     *
     * @param template the template as JSON text, or the name of a preset in quotes
     * @param by the movements that make one voucher
     * @return the table
     */
    public Table voucherEntries(String template, Grouping by) {
        return table(
            "{\"table\":\"voucher_entries\",\"template\":" + template + ",\"by\":" + Json.quote(by.name) + "}");
    }

    /**
     * Balances of the accounts of the template {@code ifrs}.
     *
     * @return the table
     */
    public Table trialBalance() {
        return trialBalance(STANDARD);
    }

    /**
     * Balances of the accounts.
     *
     * @param template the template as JSON text, or the name of a preset in quotes
     * @return the table
     */
    public Table trialBalance(String template) {
        return table("{\"table\":\"trial_balance\",\"template\":" + template + "}");
    }

    /**
     * Movements of one item with running balance.
     *
     * @param item the item
     * @return the table
     */
    public Table stockCard(String item) {
        return table("{\"table\":\"stock_card\",\"item\":" + Json.quote(item) + "}");
    }

    /**
     * Receipts, issues and balance.
     *
     * @param period the period of a row
     * @return the table
     */
    public Table summary(Period period) {
        return table("{\"table\":\"summary\",\"period\":" + Json.quote(period.name) + "}");
    }

    /**
     * Turnover and days of supply.
     *
     * @param first the first day
     * @param last the last day
     * @return the table
     */
    public Table turnover(LocalDate first, LocalDate last) {
        return table("{\"table\":\"turnover\",\"first\":\"" + first + "\",\"last\":\"" + last + "\"}");
    }

    /**
     * Whether every voucher balances, and the inventory accounts beside the value of the stock.
     *
     * @param template the template as JSON text, or the name of a preset in quotes
     * @return JSON text: {@code {"balanced":true,"accounts_total":"12.30","stock_value":"12.30"}}
     * @throws ComptoirException for a template that cannot be used
     */
    public String control(String template) {
        byte[] text = Parts.bytes(template);
        long address = acquire();
        try {
            return Parts.text(Native.historyControl(address, text));
        } finally {
            release();
        }
    }
}
