package io.comptoir;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/** A live leaderboard of members by name. Any number of threads may use it at once. */
public final class Leaderboard extends NativeHandle {
    /** Makes a leaderboard without members. */
    public Leaderboard() {
        super("leaderboard", Native.leaderboardNew(), Native::leaderboardFree);
    }

    /**
     * A member with its score.
     *
     * @param name the member
     * @param score the score
     */
    public record Member(String name, double score) {}

    /**
     * Gives a member a score.
     *
     * @param member the member
     * @param score the score
     * @return the score that it had
     * @throws ComptoirException {@code RANKING_SCORE_NAN} for a score that is NaN
     */
    public OptionalDouble update(String member, double score) {
        byte[] name = Parts.bytes(member);
        long address = acquire();
        try {
            return score(Native.leaderboardUpdate(address, name, score));
        } finally {
            release();
        }
    }

    /**
     * Takes a member off.
     *
     * @param member the member
     * @return the score that it had
     */
    public OptionalDouble remove(String member) {
        byte[] name = Parts.bytes(member);
        long address = acquire();
        try {
            return score(Native.leaderboardRemove(address, name));
        } finally {
            release();
        }
    }

    /**
     * The score of a member.
     *
     * @param member the member
     * @return the score
     */
    public OptionalDouble scoreOf(String member) {
        byte[] name = Parts.bytes(member);
        long address = acquire();
        try {
            return score(Native.leaderboardScoreOf(address, name));
        } finally {
            release();
        }
    }

    /**
     * The rank of a member.
     *
     * @param member the member
     * @return the rank, from 1
     */
    public OptionalLong rankOf(String member) {
        byte[] name = Parts.bytes(member);
        long address = acquire();
        try {
            long rank = Native.leaderboardRankOf(address, name);
            return rank == 0 ? OptionalLong.empty() : OptionalLong.of(rank);
        } finally {
            release();
        }
    }

    /**
     * How many members there are.
     *
     * @return the number
     */
    public long size() {
        long address = acquire();
        try {
            return Native.leaderboardSize(address);
        } finally {
            release();
        }
    }

    /**
     * The first members.
     *
     * @param count how many at most
     * @return the members, the highest score first
     */
    public List<Member> top(long count) {
        long address = acquire();
        try {
            List<Member> members = new ArrayList<>();
            for (Parts parts = new Parts(Native.leaderboardTop(address, count)); !parts.isEmpty();) {
                members.add(new Member(parts.readText(), parts.readDouble()));
            }
            return members;
        } finally {
            release();
        }
    }

    /** NaN, which no member has, says that there is none. */
    private static OptionalDouble score(double score) {
        return Double.isNaN(score) ? OptionalDouble.empty() : OptionalDouble.of(score);
    }
}
