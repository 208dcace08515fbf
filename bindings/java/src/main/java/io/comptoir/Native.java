package io.comptoir;

import java.nio.ByteBuffer;

/**
 * The functions of the native library. Text crosses as UTF-8, several values at once as {@link Parts}, objects as the
 * numbers that {@link NativeHandle} keeps. Only this package sees them, since they trust their arguments.
 */
final class Native {
    static {
        NativeLibrary.load();
        if (abi() != NativeLibrary.ABI) {
            throw new UnsatisfiedLinkError("comptoir: the native library has ABI " + abi() + ", this jar needs "
                + NativeLibrary.ABI + ": use the library that was built with it");
        }
        initialise(Callbacks.class);
    }

    private Native() {}

    private static native void initialise(Class<?> callbacks);

    static native int abi();

    static native byte[] version();

    static native void nothing();

    static native long address(Object buffer);

    static native void tableFree(long table);

    static native long tableFromStream(long address);

    static native long tableFromArray(long schema, long array);

    static native void tableExport(long table, long address);

    static native long tableReadFile(byte[] path);

    static native long tableFromIpc(byte[] content);

    static native byte[] tableToIpc(long table);

    static native long tableRows(long table);

    static native long tableBatches(long table);

    static native byte[] tableSchema(long table);

    static native long tableCombined(long table);

    static native long tableFromBuffers(byte[] description, Object[] buffers);

    static native ByteBuffer[] tableColumn(long table, long index);

    static native void historyFree(long history);

    static native long historyValue(byte[] policy, long movements);

    static native byte[] historyCounts(long history);

    static native long historyLastDay(long history);

    static native long historyTable(long history, byte[] request, boolean hasBooked, long booked);

    static native byte[] historyControl(long history, byte[] template);

    static native byte[] policy(byte[] policy);

    static native void programFree(long program);

    static native long programCompile(byte[] environment, byte[] source);

    static native byte[] programInputs(long program);

    static native byte[] programEvalJson(long program, byte[] event);

    static native boolean programTestJson(long program, byte[] event);

    static native byte[] programPartialJson(long program, byte[] event, byte[] unknown);

    static native byte[] programCost(long program, byte[] sizes);

    static native boolean programTest(long program, long address, int count, int size);

    static native byte[] programEvalTable(long program, long table, byte[] shared);

    static native byte[] programSelect(long program, long table, byte[] shared);

    static native void ruleSetFree(long set);

    static native long ruleSetRead(byte[] source);

    static native long ruleSetShare(long set);

    static native byte[] ruleSetDescribe(long set);

    static native byte[] ruleSetInputs(long set);

    static native byte[] ruleSetDecideJson(long set, byte[] event);

    static native byte[] ruleSetExplainJson(long set, byte[] event);

    static native byte[] ruleSetDecide(long set, long address, int count, int size);

    static native byte[] ruleSetDecideTable(long set, long table, byte[] shared);

    static native byte[] ruleSetSelect(long set, long table, byte[] shared);

    static native void builderFree(long builder);

    static native long builderNew(byte[] spec, byte[] context);

    static native void builderPush(long builder, long table, long threads);

    static native void builderMerge(long builder, long other);

    static native long builderFinish(long builder);

    static native void boardFree(long board);

    static native long boardTable(long board);

    static native byte[] boardReport(long board);

    static native byte[] boardExplain(long board, byte[] item, byte[] group);

    static native void publisherFree(long publisher);

    static native long publisherOpen(byte[] directory, long keep);

    static native long publisherPublish(long publisher, byte[] boards, long watermark);

    static native void publisherRollback(long publisher, long version);

    static native byte[] publisherVersions(long publisher);

    static native void readerFree(long reader);

    static native long readerOpen(byte[] directory);

    static native byte[] readerPage(long reader, byte[] key, long offset, byte[] cursor, long limit);

    static native long readerRankOfText(long reader, byte[] key);

    static native long readerRankOfInt(long reader, byte[] key, long item);

    static native byte[] readerBoards(long reader);

    static native byte[] readerStatus(long reader);

    static native long readerVersion(long reader);

    static native boolean readerRefresh(long reader);

    static native void readerFollow(long reader, long nanos);

    static native long leaderboardNew();

    static native void leaderboardFree(long board);

    static native double leaderboardUpdate(long board, byte[] member, double score);

    static native double leaderboardRemove(long board, byte[] member);

    static native double leaderboardScoreOf(long board, byte[] member);

    static native long leaderboardRankOf(long board, byte[] member);

    static native long leaderboardSize(long board);

    static native byte[] leaderboardTop(long board, long count);

    static native long pipelineStart(byte[] config, byte[] code, Object[] models);

    static native void pipelineFree(long pipeline);

    static native long pipelineSubmit(
        long pipeline, int kind, byte[] content, long number, byte[] options, Object future);

    static native byte[] pipelineRun(long pipeline, int kind, byte[] content, long number, byte[] options);

    static native byte[] pipelineStats(long pipeline);

    static native byte[] pipelinePrometheus(long pipeline);

    static native void pipelineSwap(long pipeline, byte[] config, byte code, Object model);

    static native void pipelineSetShare(long pipeline, byte[] model, double share);

    static native boolean pipelineDrain(long pipeline, long nanos);

    static native byte[] pipelineTrace(long pipeline);

    static native boolean pipelineClose(long pipeline, long nanos);

    static native void ticketCancel(long ticket);

    static native void ticketFree(long ticket);

    static native ByteBuffer[] slotReserve(long slot, byte[] specs);
}
